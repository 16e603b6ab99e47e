package report_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/browser"
	"github.com/plimsoll-ecs/plimsoll/internal/report"
)

// show opens a page from a file, which must ask nobody for anything.
func show(t *testing.T, page []byte) *browser.Tab {
	t.Helper()
	file := filepath.Join(t.TempDir(), "audit.html")
	b := browser.Open(t, "file://", "data:")
	if err := os.WriteFile(file, page, 0o644); err != nil {
		t.Fatal(err)
	}
	b.Go("file://" + file)
	return b
}

// What is read can be read: WCAG's AA wants a contrast of 4.5, in both themes
// and in print. Nothing is wider than the window.
func TestPageIsReadable(t *testing.T) {
	b := show(t, write(t, report.AsHTML, sample()))
	if n := browser.Ask[int](b, `document.querySelectorAll("script").length`); n > 0 {
		t.Errorf("%d scripts", n)
	}
	check := func(name string) {
		t.Helper()
		if faults := b.Faults(); len(faults) > 0 {
			t.Errorf("%s:\n%s", name, strings.Join(faults, "\n"))
		}
		b.Shoot("report-" + name)
	}
	b.Show(760, "light", "print") // while most of it is folded away: paper cannot be clicked
	if hidden := browser.Ask[int](b, `[...document.querySelectorAll("article, .explanation")].filter((e) => !e.checkVisibility({contentVisibilityAuto: true})).length`); hidden > 0 {
		t.Errorf("in print %d parts are hidden", hidden)
	}
	check("print")
	b.Run(`document.querySelectorAll("details").forEach((d) => d.open = true)`)
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{360, 800, 1280} {
			b.Show(width, scheme, "screen")
			check(fmt.Sprintf("%s-%d", scheme, width))
		}
	}
}

// The keyboard reaches everything that opens or leads somewhere, and every link
// of the page leads to something.
func TestPageWorksByKeyboard(t *testing.T) {
	b := show(t, write(t, report.AsHTML, sample()))
	b.Press("\t")
	if got := browser.Ask[string](b, `document.activeElement.className`); got != "skip" {
		t.Errorf("the first tab goes to %q", got)
	}
	if dead := b.Dead(); len(dead) > 0 {
		t.Errorf("%q", dead)
	}
	reached := browser.Ask[int](b, `[...document.querySelectorAll("a, summary")].filter((e) => e.tabIndex >= 0).length - document.querySelectorAll("a, summary").length`)
	if reached != 0 {
		t.Errorf("%d links or folds are out of the keyboard's reach", -reached)
	}
	if got := browser.Ask[string](b, `document.title`); !strings.HasPrefix(got, "Restart safety: 1 service cannot restart") {
		t.Errorf("title %q", got)
	}
}
