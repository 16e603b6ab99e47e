package console_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long a browser may take for anything before a test fails.
const patience = 4 * time.Minute

// tab is a page in a real browser, which must not complain of anything.
type tab struct {
	ctx context.Context
	t   *testing.T

	mu     sync.Mutex
	errors []string
}

// newTab needs chromium: without one the test is skipped, but not in CI.
func newTab(t *testing.T) *tab {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI needs chromium: %v", err)
		}
		t.Skipf("needs chromium: %v", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path),
		chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()), chromedp.Flag("force-color-profile", "srgb"))
	limited, cancel := context.WithTimeout(context.Background(), patience)
	allocated, stop := chromedp.NewExecAllocator(limited, options...)
	ctx, leave := chromedp.NewContext(allocated)
	b := &tab{ctx: ctx, t: t}
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil { // waits until the browser has ended
			t.Errorf("close chromium: %v", err)
		}
		leave()
		stop()
		cancel()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, e := range b.errors {
			t.Errorf("the browser's console: %s", e)
		}
	})
	if err := chromedp.Listen(ctx, b.listen); err != nil { // starts the browser
		t.Fatalf("start chromium: %v", err)
	}
	return b
}

// listen collects what the browser's console complains of: exceptions, and
// whatever the content security policy has kept from running.
func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.errors = append(b.errors, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" || e.Type == "assert" {
			b.errors = append(b.errors, fmt.Sprintf("%s: %s", e.Type, e.Args[0].Value))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			b.errors = append(b.errors, e.Entry.Text+" "+e.Entry.URL)
		}
	}
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatalf("browser: %v", err)
	}
}

// open shows the page and waits until it is live.
func (b *tab) open(y yard, query string) {
	b.t.Helper()
	b.do(chromedp.Navigate(y.Endpoint() + "/_drydock/" + query))
	b.await(`document.getElementById("link").textContent === "live"`)
}

// await waits until an expression is true in the page.
func (b *tab) await(expression string) {
	b.t.Helper()
	_, err := chromedp.Run(b.ctx, chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(time.Minute)))
	if err != nil {
		shown, _ := chromedp.Run(b.ctx, chromedp.Text("body"))
		b.t.Fatalf("await %s: %v; the page says:\n%s", expression, err, shown)
	}
}

// ask is the value of an expression in the page.
func ask[T any](b *tab, expression string) T {
	b.t.Helper()
	out, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("browser: %s: %v", expression, err)
	}
	return out
}

func (b *tab) size(width int64, scheme string) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, 900))
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
		b.t.Fatalf("browser: %v", err)
	}
}

// A rollout is seen as it happens, in a page that is never loaded again.
func TestRolloutIsSeenLive(t *testing.T) {
	y, b := newYard(t), newTab(t)
	b.open(y, "")
	b.await(`document.querySelector("#fleet .empty")?.textContent.includes("Nothing is here yet")`)
	b.do(chromedp.Evaluate[chromedp.Void](`window.neverLoadedAgain = true`))

	y.ecs("CreateCluster", `{"clusterName":"prod"}`)
	y.ecr("CreateRepository", `{"repositoryName":"web"}`)
	y.push("web", "v1", 0, nil)
	y.define("web", "web:v1")
	y.serve("prod", "web", "web", 2)
	y.advance(11 * time.Second)
	b.await(`document.querySelectorAll("#service-prod-web .cell.starting").length === 2`)
	y.advance(5 * time.Minute)
	b.await(`document.querySelectorAll("#service-prod-web .cell.healthy").length === 2 && document.querySelector("#service-prod-web .state.steady")`)

	y.push("web", "v2", 0, nil)
	y.define("web", "web:v2")
	y.ecs("UpdateService", `{"cluster":"prod","service":"web","taskDefinition":"web"}`)
	y.advance(11 * time.Second)
	b.await(`document.querySelector("#service-prod-web .new .version")?.textContent === "v2" && document.querySelector("#service-prod-web .old .version")?.textContent === "v1"`)
	b.await(`document.querySelectorAll("#service-prod-web .old .cell.healthy").length === 2 && document.querySelectorAll("#service-prod-web .new .cell.starting").length === 2`)
	if says := ask[string](b, `document.querySelector("#service-prod-web .new .cell .unseen").textContent`); !strings.Contains(says, ", v2") || !strings.Contains(says, "task ") {
		t.Errorf("a cell says %q", says)
	}
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#service-prod-web details").open = true`))
	y.advance(10 * time.Minute)
	b.await(`!document.querySelector("#service-prod-web .old") && [...document.querySelectorAll("#service-prod-web .cell.healthy i")].map(i => i.textContent).join() === "v2,v2"`)
	b.await(`document.querySelector("#repositories tbody tr")?.textContent.includes("prod/web")`)
	if !ask[bool](b, `document.querySelector("#service-prod-web details").open`) {
		t.Error("what was open has closed")
	}
	if !ask[bool](b, `window.neverLoadedAgain === true`) {
		t.Error("the page was loaded again")
	}
	b.await(`document.querySelectorAll("#events li").length > 5`)
}

// The buttons move the calendar, by what they say and by what is typed.
func TestAdvanceFromThePage(t *testing.T) {
	y, b := newYard(t), newTab(t)
	b.open(y, "")
	at := `document.getElementById("now").textContent`
	if now := ask[string](b, at); !strings.HasPrefix(now, "Sat 21 Nov 2026 09:0") {
		t.Fatalf("it is %q", now)
	}
	b.do(chromedp.Click(`#advance button[value="7d"]`))
	b.await(at + `.startsWith("Sat 28 Nov 2026 09:0")`)
	b.await(`document.getElementById("said").textContent.startsWith("It is now Sat 28 Nov 2026 09:00:00")`)
	b.do(chromedp.SendKeys("#span", "36h\r"))
	b.await(at + `.startsWith("Sun 29 Nov 2026 21:0")`)
	b.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("span").value = ""`), chromedp.SendKeys("#span", "tomorrow\r"))
	b.await(`document.getElementById("problem").textContent.includes("How far?")`)
	if !ask[bool](b, `document.activeElement.id === "span"`) {
		t.Error("the focus is lost")
	}
	b.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("span").value = ""`), chromedp.SendKeys("#span", "9999d\r"))
	b.await(`document.getElementById("problem").textContent.includes("ten years")`)
	if want := time.Date(2026, 11, 29, 21, 0, 0, 0, time.UTC).Format(time.RFC3339); !strings.Contains(y.get("/_drydock/status"), want) {
		t.Errorf("%s, want %s", y.get("/_drydock/status"), want)
	}
	// That refusal is the one complaint that the browser may have.
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.errors) == 1 && strings.Contains(b.errors[0], "400") {
		b.errors = nil
	}
}

// Whatever comes from outside is text.
func TestHostileNamesStayText(t *testing.T) {
	y, b := newYard(t), newTab(t)
	const markup = `<img src=x onerror="document.title='taken'"><script>document.title='taken'</script>`
	y.ecs("CreateCluster", `{"clusterName":"prod"}`)
	y.ecr("CreateRepository", `{"repositoryName":"a/constructor"}`)
	y.push("a/constructor", "script-onerror", 0, map[string]string{"log": markup, "exit-after": "1s", "exit-code": "3"})
	y.ecs("RegisterTaskDefinition", `{"family":"x","networkMode":"awsvpc","cpu":"256","memory":"512","requiresCompatibilities":["FARGATE"],
		"containerDefinitions":[{"name":"app","image":%q}]}`, y.Addr+"/a/constructor:script-onerror")
	y.ecs("RegisterTaskDefinition", `{"family":"y","networkMode":"awsvpc","cpu":"256","memory":"512","requiresCompatibilities":["FARGATE"],
		"containerDefinitions":[{"name":"app","image":%q}]}`, `"><b id=stolen>`)
	y.serve("prod", "constructor", "x", 1)
	y.ecs("RunTask", `{"cluster":"prod","taskDefinition":"x","group":%q,"startedBy":"me","launchType":"FARGATE","networkConfiguration":{"awsvpcConfiguration":{"subnets":["s"]}}}`, markup)
	y.serve("prod", "now", "y", 1)
	y.control("faults", fmt.Sprintf(`{"kind":"error","match":"ecs:*","code":"X","message":%q,"skip":100}`, markup))
	y.advance(3 * time.Minute)
	query := "?q=" + "%22%3E%3Cscript%3Edocument.title%3D%27taken%27%3C%2Fscript%3E" + "&show=%3Cimg%3E&repository=%3C"
	b.open(y, query)
	b.await(`document.querySelector("input[name=q]").value.startsWith('"><script>')`)
	b.open(y, "")
	b.await(`document.querySelector("#service-prod-constructor .stopped")`)
	y.advance(time.Minute)
	if got := ask[string](b, `document.title`); got == "taken" {
		t.Error("a script of somebody else's ran")
	}
	if n := ask[int](b, `document.querySelectorAll("img, #stolen, body script").length`); n > 0 {
		t.Errorf("%d elements of somebody else's", n)
	}
}

// What is read can be read: WCAG's AA wants a contrast of 4.5, in both themes.
// Nothing is wider than the window.
func TestPageIsReadableAtEveryWidth(t *testing.T) {
	y, b := busy(t), newTab(t)
	b.open(y, "")
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("details").forEach(d => d.open = true)`))
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{390, 800, 1280} {
			b.size(width, scheme)
			if low := ask[[]string](b, contrastScript); len(low) > 0 {
				t.Errorf("%s, %d px: contrast below 4.5:\n%s", scheme, width, strings.Join(low, "\n"))
			}
			if wide := ask[[]string](b, widthScript); len(wide) > 0 {
				t.Errorf("%s, %d px: wider than the window:\n%s", scheme, width, strings.Join(wide, "\n"))
			}
			b.shoot(fmt.Sprintf("%s-%d.png", scheme, width))
		}
	}
}

// shoot keeps a picture of the whole page among the test's artifacts
// (go test -artifacts).
func (b *tab) shoot(name string) {
	b.t.Helper()
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatalf("browser: %v", err)
	}
	if err := os.WriteFile(filepath.Join(b.t.ArtifactDir(), name), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// contrastScript lists the texts whose contrast with what is behind them is
// too low, computed as WCAG 2.2 defines it.
const contrastScript = `(() => {
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const over = (top, under) => {
    const a = top[3] ?? 1;
    return [0, 1, 2].map((i) => top[i] * a + under[i] * (1 - a));
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(channels(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
  };
  document.querySelectorAll(".cell").forEach((c) => { c.style.transition = "none"; });
  const low = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim(), element = walker.currentNode.parentElement;
    if (!text || element.closest(".unseen, noscript, fieldset:disabled, .skip") || !element.getClientRects().length) continue;
    const back = behind(element), front = over(channels(getComputedStyle(element).color), back);
    const [x, y] = [luminance(front), luminance(back)].sort((m, n) => n - m);
    const ratio = (x + 0.05) / (y + 0.05);
    if (ratio < 4.5) low.add(ratio.toFixed(2) + " " + element.tagName + "." + element.className + " " + text.slice(0, 30));
  }
  return [...low];
})()`

// widthScript lists what makes the page scroll sideways.
const widthScript = `(() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > width + 1)
    .map((e) => e.tagName + "." + e.className + " " + Math.round(e.getBoundingClientRect().right));
})()`
