package console_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/plimsoll-ecs/plimsoll/internal/browser"
)

// open shows the page and waits until it is live.
func open(b *browser.Tab, y yard, query string) {
	b.Go(y.Endpoint() + "/_drydock/" + query)
	b.Await(`document.getElementById("link").textContent === "live"`)
}

// A rollout is seen as it happens, in a page that is never loaded again.
func TestRolloutIsSeenLive(t *testing.T) {
	y, b := newYard(t), browser.Open(t)
	open(b, y, "")
	b.Await(`document.querySelector("#fleet .empty")?.textContent.includes("Nothing is here yet")`)
	b.Run(`window.neverLoadedAgain = true`)

	y.ecs("CreateCluster", `{"clusterName":"prod"}`)
	y.ecr("CreateRepository", `{"repositoryName":"web"}`)
	y.push("web", "v1", 0, nil)
	y.define("web", "web:v1")
	y.serve("prod", "web", "web", 2)
	y.advance(11 * time.Second)
	b.Await(`document.querySelectorAll("#service-prod-web .cell.starting").length === 2`)
	y.advance(5 * time.Minute)
	b.Await(`document.querySelectorAll("#service-prod-web .cell.healthy").length === 2 && document.querySelector("#service-prod-web .state.steady")`)

	y.push("web", "v2", 0, nil)
	y.define("web", "web:v2")
	y.ecs("UpdateService", `{"cluster":"prod","service":"web","taskDefinition":"web"}`)
	y.advance(11 * time.Second)
	b.Await(`document.querySelector("#service-prod-web .new .version")?.textContent === "v2" && document.querySelector("#service-prod-web .old .version")?.textContent === "v1"`)
	b.Await(`document.querySelectorAll("#service-prod-web .old .cell.healthy").length === 2 && document.querySelectorAll("#service-prod-web .new .cell.starting").length === 2`)
	if says := browser.Ask[string](b, `document.querySelector("#service-prod-web .new .cell .unseen").textContent`); !strings.Contains(says, ", v2") || !strings.Contains(says, "task ") {
		t.Errorf("a cell says %q", says)
	}
	b.Run(`document.querySelector("#service-prod-web details").open = true`)
	y.advance(10 * time.Minute)
	b.Await(`!document.querySelector("#service-prod-web .old") && [...document.querySelectorAll("#service-prod-web .cell.healthy i")].map(i => i.textContent).join() === "v2,v2"`)
	b.Await(`document.querySelector("#repositories tbody tr")?.textContent.includes("prod/web")`)
	if !browser.Ask[bool](b, `document.querySelector("#service-prod-web details").open`) {
		t.Error("what was open has closed")
	}
	if !browser.Ask[bool](b, `window.neverLoadedAgain === true`) {
		t.Error("the page was loaded again")
	}
	b.Await(`document.querySelectorAll("#events li").length > 5`)
}

// The buttons move the calendar, by what they say and by what is typed.
func TestAdvanceFromThePage(t *testing.T) {
	y, b := newYard(t), browser.Open(t)
	b.Forgive("400") // of an advance that is refused
	open(b, y, "")
	at := `document.getElementById("now").textContent`
	if now := browser.Ask[string](b, at); !strings.HasPrefix(now, "Sat 21 Nov 2026 09:0") {
		t.Fatalf("it is %q", now)
	}
	b.Do(chromedp.Click(`#advance button[value="7d"]`))
	b.Await(at + `.startsWith("Sat 28 Nov 2026 09:0")`)
	b.Await(`document.getElementById("said").textContent.startsWith("It is now Sat 28 Nov 2026 09:00:00")`)
	b.Do(chromedp.SendKeys("#span", "36h\r"))
	b.Await(at + `.startsWith("Sun 29 Nov 2026 21:0")`)
	b.Do(chromedp.Evaluate[chromedp.Void](`document.getElementById("span").value = ""`), chromedp.SendKeys("#span", "tomorrow\r"))
	b.Await(`document.getElementById("problem").textContent.includes("How far?")`)
	if !browser.Ask[bool](b, `document.activeElement.id === "span"`) {
		t.Error("the focus is lost")
	}
	b.Do(chromedp.Evaluate[chromedp.Void](`document.getElementById("span").value = ""`), chromedp.SendKeys("#span", "9999d\r"))
	b.Await(`document.getElementById("problem").textContent.includes("ten years")`)
	if want := time.Date(2026, 11, 29, 21, 0, 0, 0, time.UTC).Format(time.RFC3339); !strings.Contains(y.get("/_drydock/status"), want) {
		t.Errorf("%s, want %s", y.get("/_drydock/status"), want)
	}
}

// Whatever comes from outside is text.
func TestHostileNamesStayText(t *testing.T) {
	y, b := newYard(t), browser.Open(t)
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
	open(b, y, query)
	b.Await(`document.querySelector("input[name=q]").value.startsWith('"><script>')`)
	open(b, y, "")
	b.Await(`document.querySelector("#service-prod-constructor .stopped")`)
	y.advance(time.Minute)
	if got := browser.Ask[string](b, `document.title`); got == "taken" {
		t.Error("a script of somebody else's ran")
	}
	if n := browser.Ask[int](b, `document.querySelectorAll("img, #stolen, body script").length`); n > 0 {
		t.Errorf("%d elements of somebody else's", n)
	}
}

// What is read can be read: WCAG's AA wants a contrast of 4.5, in both themes.
// Nothing is wider than the window.
func TestPageIsReadableAtEveryWidth(t *testing.T) {
	y, b := busy(t), browser.Open(t)
	open(b, y, "")
	b.Run(`document.querySelectorAll("details").forEach(d => d.open = true)`)
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{390, 800, 1280} {
			b.Show(width, scheme, "screen")
			if faults := b.Faults(); len(faults) > 0 {
				t.Errorf("%s, %d px:\n%s", scheme, width, strings.Join(faults, "\n"))
			}
			b.Shoot(fmt.Sprintf("drydock-%s-%d", scheme, width))
		}
	}
}
