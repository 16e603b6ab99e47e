package term

import (
	"fmt"
	"io"
	"strings"

	"charm.land/lipgloss/v2"
)

// Diff is two things that differ in some settings.
type Diff struct {
	From, To string // what they are, a line each
	Changes  []Changed
}

// Changed is one setting; it is "" on the side that does not have it.
type Changed struct{ Path, Before, After string }

// Diff writes a diff to Out; in Live mode that is after Close. Each setting has
// its path and the values below it, so that long ones can be compared.
func (t *Terminal) Diff(d Diff) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := io.WriteString(t.opts.Out, d.render(t.opts.result())); err != nil {
		return fmt.Errorf("writing a diff: %w", err)
	}
	return nil
}

func (d Diff) render(p palette, width int) string {
	var b strings.Builder
	if p.spoken {
		return d.spoken()
	}
	line := func(style lipgloss.Style, head, text string) {
		for _, l := range hang(head, clean(text), lipgloss.Width(head), width) {
			b.WriteString(style.Render(l) + "\n")
		}
	}
	line(p.faint, "--- ", d.From)
	line(p.faint, "+++ ", d.To)
	for _, c := range d.Changes {
		line(p.strong, "", c.Path)
		if c.Before != "" {
			line(p.bad, "  - ", c.Before)
		}
		if c.After != "" {
			line(p.good, "  + ", c.After)
		}
	}
	return b.String()
}

// spoken is a sentence for each setting.
func (d Diff) spoken() string {
	var b strings.Builder
	fmt.Fprintf(&b, "from %s\nto %s\n", speak(clean(d.From)), speak(clean(d.To)))
	for _, c := range d.Changes {
		path, before, after := speak(clean(c.Path)), clean(c.Before), clean(c.After)
		switch {
		case before == "":
			fmt.Fprintf(&b, "added: %s: %s\n", path, after)
		case after == "":
			fmt.Fprintf(&b, "removed: %s: %s\n", path, before)
		default:
			fmt.Fprintf(&b, "changed: %s: before %s, after %s\n", path, before, after)
		}
	}
	return b.String()
}
