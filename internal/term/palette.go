package term

import (
	"charm.land/lipgloss/v2"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// palette is the few ways in which text may differ. Only the terminal's own
// eight colours are used, so that its theme decides how they look.
type palette struct {
	good, bad, warn, busy, faint, strong lipgloss.Style
}

func newPalette(color bool) palette {
	plain := lipgloss.NewStyle()
	if !color {
		return palette{plain, plain, plain, plain, plain, plain}
	}
	return palette{
		good:   plain.Foreground(lipgloss.Green),
		bad:    plain.Foreground(lipgloss.Red),
		warn:   plain.Foreground(lipgloss.Yellow),
		busy:   plain.Foreground(lipgloss.Cyan),
		faint:  plain.Faint(true),
		strong: plain.Bold(true),
	}
}

// The marks in front of a line. All of them are one column wide, and none is
// an emoji in any font.
const (
	markDone    = "✓"
	markBusy    = "●"
	markFailed  = "✕"
	markWarning = "!"
	markNote    = "·"
)

// verdictMark is the mark and the style of an outcome.
func (p palette) verdictMark(v story.Verdict) (string, lipgloss.Style) {
	switch {
	case v.ExitCode == 0:
		return markDone, p.good
	case v.Outcome == "failed" || v.Outcome == "refused":
		return markFailed, p.bad
	default: // rolled back, superseded, timed out, interrupted
		return markWarning, p.warn
	}
}
