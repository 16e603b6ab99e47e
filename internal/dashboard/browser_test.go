package dashboard_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/browser"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

const here = "/123456789012/ap-northeast-1/"

// pages are all there are, by the names of their pictures.
func pages() [][2]string {
	return [][2]string{
		{"fleet", "/"},
		{"service", "/service" + here + "prod/web"},
		{"service-lost", "/service" + here + "prod/checkout"},
		{"service-losing", "/service" + here + "prod/api"},
		{"diagnosis", "/service" + here + "prod/checkout/diagnosis"},
		{"diff", "/service" + here + "prod/web/diff?from=web:1&to=web:2"},
		{"repositories", "/repositories"},
		{"repository", "/repository" + here + "shop"},
		{"maintenance", "/maintenance"},
		{"findings", "/findings"},
		{"codes", "/codes"},
		{"code", "/codes/PL011"},
		{"missing", "/service" + here + "prod/nothing"},
	}
}

// shown waits for what was read.
func shown(b *browser.Tab, url string) {
	b.Go(url)
	b.Await(`document.querySelector("#list")`)
}

// The pages of a company after two months.
func TestPages(t *testing.T) {
	board := serve(t, harbour(t).options())
	board.Refresh()
	t.Run("are readable", func(t *testing.T) { readable(t, board) })
	t.Run("keys", func(t *testing.T) { keys(t, board) })
	t.Run("without scripts", func(t *testing.T) { withoutScripts(t, board) })
}

// Every page can be read in both themes at every width: WCAG AA, nothing wider
// than the window, no link to nothing; and the browser complains of nothing.
func readable(t *testing.T, board site) {
	b := board.visit(t)
	b.Forgive("404") // of the page that is not there
	shown(b, board.url)
	for _, p := range pages() {
		t.Logf("%s %s", p[0], p[1])
		b.Go(board.url + p[1])
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int64{390, 820, 1440} {
				b.Show(width, scheme, "screen")
				if faults := b.Faults(); len(faults) > 0 {
					t.Errorf("%s, %s, %d px:\n%s", p[0], scheme, width, strings.Join(faults, "\n"))
				}
				b.Shoot(fmt.Sprintf("dashboard-%s-%s-%d", p[0], scheme, width))
			}
		}
		if says := b.Axe(); len(says) > 0 {
			t.Errorf("%s: axe:\n%s", p[0], strings.Join(says, "\n"))
		}
		if dead := b.Dead(); len(dead) > 0 {
			t.Errorf("%s: %q", p[0], dead)
		}
	}
}

// The keys: through the list, into a service and back, through a load line, to
// the other parts, and help.
func keys(t *testing.T, board site) {
	b := board.visit(t)
	// The keys are there once the script is.
	await := func(expression string) {
		t.Helper()
		b.Await(`document.documentElement.dataset.keys && (` + expression + `)`)
	}
	shown(b, board.url)
	await(`true`)
	b.Press("\t")
	if got := browser.Ask[string](b, `document.activeElement.className`); got != "skip" {
		t.Errorf("the first tab goes to %q", got)
	}
	b.Press("jjk")
	if got := browser.Ask[string](b, `document.activeElement.textContent`); got != "prod/checkout" {
		t.Errorf("j j k goes to %q", got)
	}
	b.Press("\r")
	await(`document.querySelector("h1").textContent === "checkout"`)
	b.Press("u")
	await(`document.querySelector("#list")`)
	b.Press("/")
	await(`document.activeElement.name === "q"`)
	b.Run(`document.activeElement.value = ""`) // what is pressed here is typed too, which a keyboard would not do
	b.Press("mailer\r")
	await(`location.search === "?q=mailer" && document.querySelectorAll(".services tbody tr").length === 1`)
	b.Press("gr")
	await(`location.pathname === "/repositories" && document.querySelector(".repositories")`)
	b.Press("jj\r") // after the one that lacks an image
	await(`document.querySelector("h1").textContent === "shop" && document.querySelector(".picture").dataset.afloat`)
	b.Run(`document.querySelector(".picture").focus()`)
	b.Press(kb.ArrowRight)
	await(`document.getElementById("tip").textContent.includes("sha256:") && document.querySelector("tr.here, rect.at")`)
	b.Press("gm")
	await(`location.pathname === "/maintenance" && document.querySelector(".calendar")`)
	b.Press("gi")
	await(`location.pathname === "/findings" && document.querySelector("article")`)
	b.Press("?")
	await(`document.getElementById("help").open`)
	b.Press(kb.Escape)
	await(`!document.getElementById("help").open`)
}

// A page shows how far the first reading is and comes by itself; when the fleet
// is read again it is drawn anew in place.
func TestPageComesByItself(t *testing.T) {
	y := newYard(t, time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC))
	y.plant(`
repositories:
  web: {images: [v1.0.0]}
services:
  web: {cluster: prod, image: "web:v1.0.0", desired: 2}
`)
	o, gate := y.options(), make(chan struct{})
	read := o.Survey
	o.Survey = func(ctx context.Context, tell story.Teller) (audit.Fleet, error) {
		tell(story.Event{Kind: story.Progress, Done: 120, Total: 1000, Unit: "services"})
		select {
		case <-gate:
		case <-ctx.Done():
			return audit.Fleet{}, ctx.Err()
		}
		return read(ctx, tell)
	}
	board := serve(t, o)
	b := board.visit(t)
	board.Refresh()
	b.Go(board.url)
	b.Await(`document.querySelector("#progress")?.textContent.includes("120 of 1,000 services")`)
	b.Run(`window.neverLoadedAgain = true`)
	gate <- struct{}{}
	b.Await(`document.querySelectorAll(".services tbody tr").length === 1`)
	y.plant(`
services:
  api: {cluster: prod2, image: "web:v1.0.0", desired: 1}
`)
	board.Refresh()
	b.Await(`document.querySelector("#freshness button").disabled`)
	gate <- struct{}{}
	b.Await(`document.querySelectorAll(".services tbody tr").length === 2`)
	if !browser.Ask[bool](b, `window.neverLoadedAgain === true`) {
		t.Error("the page was loaded again")
	}
}

// Without JavaScript every page reads, and the button reads the fleet again.
func withoutScripts(t *testing.T, board site) {
	b := board.visit(t)
	shown(b, board.url)
	b.WithoutScripts()
	for path, want := range map[string]string{
		"/": "1 service cannot restart", "/service" + here + "prod/web": "rolled back to web:2", "/repository" + here + "shop": "keeps the newest 12",
		"/maintenance": "does not come back", "/findings": "its image is gone", "/codes/PL001": "To mend", "/repositories": "1 gone",
	} {
		b.Go(board.url + path)
		if text := browser.Ask[string](b, `document.body.innerText`); !strings.Contains(text, want) {
			t.Errorf("%s has no %q:\n%s", path, want, text)
		}
	}
	b.Do(chromedp.Click(`#freshness button`))
	b.Await(`document.querySelector("#freshness").textContent.includes("rea")`)
	if at := browser.Ask[string](b, `location.pathname`); !strings.HasPrefix(at, "/") || at == "/refresh" {
		t.Errorf("the button leads to %s", at)
	}
}
