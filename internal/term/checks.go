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
	p, width := t.opts.result()
	_, err := io.WriteString(t.opts.Out, p.checks(checks, width))
	if err != nil {
		return fmt.Errorf("writing the checks: %w", err)
	}
	return nil
}

func (p palette) checks(checks []story.Check, width int) string {
	if p.spoken {
		return spokenChecks(checks)
	}
	names := 0
	for _, c := range checks {
		names = max(names, lipgloss.Width(clean(c.Name)))
	}
	states := len("SKIPPED")
	if p.looked {
		states += 2 // the mark
	}
	indent := states + gap + names + gap
	if narrow(width, indent) {
		return p.narrowChecks(checks, width)
	}
	var b strings.Builder
	for _, c := range checks {
		mark, word, style := p.checkState(c.State)
		if p.looked {
			word = mark + " " + word
		}
		head := style.Render(pad(word, states)) + strings.Repeat(" ", gap) + pad(clean(c.Name), names+gap)
		for _, line := range hang(head, p.say(c.Why), indent, width) {
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

// narrowChecks has what was found below the name.
func (p palette) narrowChecks(checks []story.Check, width int) string {
	var b strings.Builder
	for _, c := range checks {
		mark, word, style := p.checkState(c.State)
		if p.looked {
			word = mark + " " + word
		}
		lines := hang(style.Render(word)+"  ", clean(c.Name), 4, width)
		if c.Why != "" {
			lines = append(lines, hang("    ", p.say(c.Why), 4, width)...)
		}
		if c.Do != "" {
			lines = append(lines, hang("    "+p.faint.Render("→")+" ", clean(c.Do), 6, width)...)
		}
		b.WriteString(strings.Join(lines, "\n") + "\n")
	}
	return b.String()
}

// checkState is the mark and the word for a state, and its colour.
func (p palette) checkState(s story.CheckState) (mark, word string, style lipgloss.Style) {
	switch s {
	case story.CheckOK:
		return markDone, "OK", p.good
	case story.CheckFail:
		return markFailed, "FAIL", p.bad
	case story.CheckWarn:
		return markWarning, "WARN", p.warn
	}
	return markNote, strings.ToUpper(string(s)), p.faint
}

// spokenChecks is a sentence for each check.
func spokenChecks(checks []story.Check) string {
	var b strings.Builder
	for _, c := range checks {
		sentence := string(c.State) + ": " + clean(c.Name)
		if c.Why != "" {
			sentence += ": " + clean(c.Why)
		}
		if c.Do != "" {
			sentence += "; what to do: " + clean(c.Do)
		}
		b.WriteString(speak(sentence) + "\n")
	}
	return b.String()
}
