package report_test

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
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/plimsoll-ecs/plimsoll/internal/report"
)

// tab is a page in a real browser, without JavaScript of its own, which must
// neither complain nor ask anybody for anything.
type tab struct {
	ctx context.Context
	t   *testing.T

	mu     sync.Mutex
	faults []string
}

// open shows a page. It needs chromium: without one the test is skipped, but
// not in CI.
func open(t *testing.T, page []byte) *tab {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI needs chromium: %v", err)
		}
		t.Skipf("needs chromium: %v", err)
	}
	file := filepath.Join(t.TempDir(), "audit.html")
	if err := os.WriteFile(file, page, 0o644); err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path),
		chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()), chromedp.Flag("force-color-profile", "srgb"))
	const patience = 4 * time.Minute // a busy machine is slow
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
		for _, f := range b.faults {
			t.Errorf("the browser: %s", f)
		}
	})
	if err := chromedp.Listen(ctx, b.listen); err != nil { // starts the browser
		t.Fatalf("start chromium: %v", err)
	}
	b.do(chromedp.Navigate("file://" + file))
	return b
}

func (b *tab) listen(event any) {
	fault := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		fault = e.ExceptionDetails.Text
	case *log.EventEntryAdded:
		fault = e.Entry.Text + " " + e.Entry.URL
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "file://") && !strings.HasPrefix(e.Request.URL, "data:") {
			fault = "asks for " + e.Request.URL
		}
	}
	if fault != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.faults = append(b.faults, fault)
	}
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatalf("browser: %v", err)
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

func (b *tab) show(width int64, scheme, medium string) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, 900))
	media := emulation.SetEmulatedMediaParams{Media: medium, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
		b.t.Fatalf("browser: %v", err)
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

// What is read can be read: WCAG's AA wants a contrast of 4.5, in both themes
// and in print. Nothing is wider than the window.
func TestPageIsReadable(t *testing.T) {
	b := open(t, write(t, report.AsHTML, sample()))
	if n := ask[int](b, `document.querySelectorAll("script").length`); n > 0 {
		t.Errorf("%d scripts", n)
	}
	check := func(name string) {
		t.Helper()
		if low := ask[[]string](b, contrastScript); len(low) > 0 {
			t.Errorf("%s: contrast below 4.5:\n%s", name, strings.Join(low, "\n"))
		}
		if wide := ask[[]string](b, widthScript); len(wide) > 0 {
			t.Errorf("%s: wider than the window:\n%s", name, strings.Join(wide, "\n"))
		}
		b.shoot(name + ".png")
	}
	b.show(760, "light", "print") // while most of it is folded away: paper cannot be clicked
	if hidden := ask[int](b, `[...document.querySelectorAll("article, .explanation")].filter((e) => !e.checkVisibility({contentVisibilityAuto: true})).length`); hidden > 0 {
		t.Errorf("in print %d parts are hidden", hidden)
	}
	check("print")
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("details").forEach((d) => d.open = true)`))
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{360, 800, 1280} {
			b.show(width, scheme, "screen")
			check(fmt.Sprintf("%s-%d", scheme, width))
		}
	}
}

// The keyboard reaches everything that opens or leads somewhere, and every link
// of the page leads to something.
func TestPageWorksByKeyboard(t *testing.T) {
	b := open(t, write(t, report.AsHTML, sample()))
	b.do(chromedp.KeyEvent("\t"))
	if got := ask[string](b, `document.activeElement.className`); got != "skip" {
		t.Errorf("the first tab goes to %q", got)
	}
	if dead := ask[[]string](b, `[...document.querySelectorAll("a")].map((a) => a.getAttribute("href")).filter((h) => !document.getElementById(h.slice(1)))`); len(dead) > 0 {
		t.Errorf("links to nothing: %q", dead)
	}
	if twice := ask[[]string](b, `[...document.querySelectorAll("[id]")].map((e) => e.id).filter((id, i, all) => all.indexOf(id) !== i)`); len(twice) > 0 {
		t.Errorf("ids that occur twice: %q", twice)
	}
	reached := ask[int](b, `[...document.querySelectorAll("a, summary")].filter((e) => e.tabIndex >= 0).length - document.querySelectorAll("a, summary").length`)
	if reached != 0 {
		t.Errorf("%d links or folds are out of the keyboard's reach", -reached)
	}
	if got := ask[string](b, `document.title`); !strings.HasPrefix(got, "Restart safety: 1 service cannot restart") {
		t.Errorf("title %q", got)
	}
}

// contrastScript lists the texts whose contrast with what is behind them is
// too low, computed as WCAG 2.2 defines it.
const contrastScript = `(() => {
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * (top[3] ?? 1) + under[i] * (1 - (top[3] ?? 1)));
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(channels(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
  };
  const low = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim(), element = walker.currentNode.parentElement;
    if (!text || element.closest(".skip, svg") || !element.getClientRects().length) continue;
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
