package cli

import (
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/plimsoll-ecs/plimsoll/internal/browser"
)

// reach presses Tab until what has the focus says a text: the way of those who
// have no mouse.
func reach(t *testing.T, b *browser.Tab, text string) {
	t.Helper()
	for range 80 {
		b.Press("\t")
		if at := browser.Ask[string](b, `(() => { const e = document.activeElement; return [e.textContent, e.value, e.labels?.[0]?.textContent].join("|"); })()`); strings.Contains(at, text) {
			return
		}
	}
	t.Fatalf("the keyboard does not reach %q", text)
}

// arrive waits until the next page shows an element.
func arrive(t *testing.T, b *browser.Tab, selector string) {
	t.Helper()
	b.Do(chromedp.WaitReady(selector + ", .notice.bad, .problem:not(:empty)"))
	if !browser.Ask[bool](b, fmt.Sprintf(`document.querySelector(%q) !== null && !document.querySelector(".problem:not(:empty)")`, selector)) {
		t.Fatalf("the page says:\n%s", browser.Ask[string](b, `document.querySelector("main").innerText`))
	}
}

// look holds the page to being read in both themes, narrow and wide; at every
// width in each where pictures are kept.
func look(t *testing.T, b *browser.Tab, name string) {
	t.Helper()
	for scheme, widths := range map[string][]int64{"light": {390, 820, 1440}, "dark": {1440, 820, 390}} {
		if os.Getenv("PLIMSOLL_SCREENSHOTS") == "" {
			widths = widths[:1]
		}
		for _, width := range widths {
			b.Show(width, scheme, "screen")
			for _, fault := range b.Faults() {
				t.Errorf("%s, %s, %d px: %s", name, scheme, width, fault)
			}
			b.Shoot(fmt.Sprintf("actions-%s-%s-%d", name, scheme, width))
		}
	}
	if os.Getenv("PLIMSOLL_AXE") != "" { // where it must be there is the business of the dashboard's own tests
		for _, wrong := range b.Axe() {
			t.Errorf("%s: axe: %s", name, wrong)
		}
	}
	for _, dead := range b.Dead() {
		t.Errorf("%s: %s", name, dead)
	}
	b.Show(1440, "light", "screen")
}

// A deploy by keyboard alone, seen live to the end in a page that is never
// loaded again; then one that fails, begun by somebody else, seen in the page of
// the service with its cause.
func TestDashboardActsInABrowser(t *testing.T) {
	yard := fleetOf(t, 60)
	d := sitDown(t, "--allow-actions")
	b := browser.Open(t, d.base)
	b.Show(1440, "light", "screen")
	b.Go(d.first)
	if at := browser.Ask[string](b, `location.href`); at != d.base+"/" {
		t.Errorf("the token is still in the address: %s", at)
	}
	if seen := browser.Ask[string](b, `document.cookie`); seen != "" {
		t.Errorf("a script can read the cookie: %s", seen)
	}
	service := d.base + "/service/" + d.service()
	b.Go(service)
	b.Await(`document.querySelectorAll("#live-rollout .cell.running").length === 2`)
	look(t, b, "service")

	reach(t, b, "Deploy")
	b.Press("\r")
	arrive(t, b, `form[action^="/act/deploy/"]`)
	look(t, b, "form")
	b.Run(`document.activeElement.blur()`)
	reach(t, b, "v1.") // the first of the radio buttons
	for range 8 {
		if browser.Ask[bool](b, `document.querySelector("input[value='v1.5.0']").checked`) {
			break
		}
		b.Do(chromedp.KeyEvent(kb.ArrowDown)) // down
	}
	reach(t, b, "Check, and show")
	b.Press("\r")
	arrive(t, b, "form.typed")
	b.Await(`document.querySelector("h1").textContent === "Deploy v1.5.0 to web?"`)
	look(t, b, "confirm")
	reach(t, b, "type the name")
	b.Press("web\r")
	arrive(t, b, ".sheet.run")
	b.Run(`window.neverLoadedAgain = true`)
	b.Await(`document.querySelectorAll(".crew.old .cell").length > 0 && document.querySelectorAll(".crew.new .cell").length > 0`)
	b.Shoot("actions-rolling")
	if err := yard.Advance(5 * time.Hour); err != nil { // it was seen, however slow this machine is
		t.Fatal(err)
	}
	b.Await(`document.querySelector(".last-card.good .outcome")?.textContent === "stable"`)
	if !browser.Ask[bool](b, `window.neverLoadedAgain && document.querySelector("[role=status]").textContent.startsWith("stable: web runs v1.5.0") && !document.querySelector("[data-until-over]")`) {
		t.Error("the end is not told to those who listen, or the page was loaded again")
	}
	look(t, b, "stable")

	b.Go(service)
	b.Await(`document.querySelector(".board").dataset.live === "yes"`)
	b.Run(`window.neverLoadedAgain = true`)
	ended := make(chan int)
	go func() {
		code, _, _ := run(t, "deploy", "--cluster", "prod", "--service", "web", "--repository", "shop/web", "--image-tag", "v1.4.0")
		ended <- code
	}()
	b.Await(`document.querySelector("#live-failures .cause") && document.querySelector("#live-failures pre").textContent.includes("DATABASE_URL")`)
	b.Shoot("actions-service-failing")
	if code := <-ended; code != 4 {
		t.Errorf("the deploy that somebody else began: exit %d", code)
	}
	b.Await(`document.querySelectorAll("#live-rollout .crew").length === 1 && document.querySelector("#live-rollout .crew.new").textContent.includes("v1.5.0")`)
	b.Await(`document.querySelector("#history .timeline li .pill.bad") && document.querySelector("#history .timeline li b").textContent === "v1.4.0"`)
	if !browser.Ask[bool](b, `window.neverLoadedAgain`) {
		t.Error("the page of the service was loaded again")
	}
	look(t, b, "service-failed")

	failed := d.confirm(d.propose("deploy", url.Values{"tag": {"v1.2.0"}}))
	b.Go(d.base + failed.path)
	b.Await(`document.querySelector(".last-card.bad .outcome").textContent === "rolled-back"`)
	look(t, b, "rolled-back")
	b.Go(d.base + "/runs")
	look(t, b, "runs")
	b.Go(d.base + d.propose("scale", url.Values{"count": {"4"}}).path)
	look(t, b, "scale")
	b.Go(d.base + d.act("rollback"))
	look(t, b, "rollback")
	b.Go(d.base + d.propose("deploy", url.Values{"other": {"latest"}}).path)
	look(t, b, "refused")
}
