package term

import (
	"fmt"
	"io"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// Checks writes a list of checks to Out: state, name and what was found, with
// what to do about it below.
func (t *Terminal) Checks(checks []story.Check) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, err := io.WriteString(t.opts.Out, newPalette(t.opts.OutColor).checks(checks, t.opts.OutWidth()))
	if err != nil {
		return fmt.Errorf("writing the checks: %w", err)
	}
	return nil
}

func (p palette) checks(checks []story.Check, width int) string {
	names := 0
	for _, c := range checks {
		names = max(names, lipgloss.Width(clean(c.Name)))
	}
	const states = len("SKIPPED")
	indent := states + gap + names + gap
	var b strings.Builder
	for _, c := range checks {
		word, style := p.checkState(c.State)
		head := style.Render(pad(word, states)) + strings.Repeat(" ", gap) + pad(clean(c.Name), names+gap)
		for _, line := range hang(head, clean(c.Why), indent, width) {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
		if c.Do == "" {
			continue
		}
		arrow := strings.Repeat(" ", indent) + p.faint.Render("→") + " "
		for _, line := range hang(arrow, clean(c.Do), indent+2, width) {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// checkState is the word for a state, and its colour.
func (p palette) checkState(s story.CheckState) (string, lipgloss.Style) {
	switch s {
	case story.CheckOK:
		return "OK", p.good
	case story.CheckFail:
		return "FAIL", p.bad
	case story.CheckWarn:
		return "WARN", p.warn
	}
	return strings.ToUpper(string(s)), p.faint
}
