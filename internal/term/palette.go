package term

import (
	"charm.land/lipgloss/v2"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// palette is the few ways in which text may differ.
type palette struct {
	good, bad, warn, busy, faint, strong lipgloss.Style

	// spoken is for ears: words in place of marks, no columns, nothing that is
	// drawn.
	spoken bool
	// looked says that eyes see it at once, on a terminal: marks go in front of
	// the words in tables, where other programs would stumble over them.
	looked bool
}

// Shades are the colours to use, where any are.
type Shades int

// The shades. All but Own are colours 16 to 255 of the terminal's 256, which are
// the same everywhere (https://invisible-island.net/xterm/xterm.faq.html, "256
// colors"), so their contrast is known: a test computes it.
const (
	Own    Shades = iota // the first eight, which the terminal's theme decides on
	Either               // readable on a dark background and on a light one
	Dark                 // for a dark background
	Light                // for a light one
)

// hues are the colours of a palette, as numbers of the 256.
type hues struct{ good, bad, warn, busy, faint lipgloss.ANSIColor }

func (s Shades) hues() hues {
	switch s {
	case Dark:
		return hues{good: 77, bad: 203, warn: 214, busy: 81, faint: 248}
	case Light:
		return hues{good: 22, bad: 160, warn: 94, busy: 25, faint: 241}
	default:
		return hues{good: 28, bad: 196, warn: 130, busy: 31, faint: 243}
	}
}

func newPalette(color bool, as Shades) palette {
	plain := lipgloss.NewStyle()
	switch {
	case !color:
		return palette{good: plain, bad: plain, warn: plain, busy: plain, faint: plain, strong: plain}
	case as == Own:
		return palette{
			good:   plain.Foreground(lipgloss.Green),
			bad:    plain.Foreground(lipgloss.Red),
			warn:   plain.Foreground(lipgloss.Yellow),
			busy:   plain.Foreground(lipgloss.Cyan),
			faint:  plain.Faint(true),
			strong: plain.Bold(true),
		}
	}
	h := as.hues()
	return palette{
		good:   plain.Foreground(h.good),
		bad:    plain.Foreground(h.bad),
		warn:   plain.Foreground(h.warn),
		busy:   plain.Foreground(h.busy),
		faint:  plain.Foreground(h.faint),
		strong: plain.Bold(true),
	}
}

// story is the palette of what goes to Err.
func (o Options) story() palette {
	p := newPalette(o.Color && o.Mode != Plain, o.Shades)
	p.spoken = o.Mode == Plain
	return p
}

// result is the palette of what goes to Out, and the width there is for it.
func (o Options) result() (palette, int) {
	p := newPalette(o.OutColor && o.Mode != Plain, o.Shades)
	if o.Mode == Plain {
		p.spoken = true
		return p, 0
	}
	width := 0
	if o.OutWidth != nil {
		width = o.OutWidth()
	}
	p.looked = width > 0
	return p, width
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

// sign is a mark and the space behind it; for ears it is the word.
func (p palette) sign(style lipgloss.Style, mark, word string) string {
	switch {
	case !p.spoken:
		return style.Render(mark) + " "
	case word == "":
		return ""
	}
	return word + ": "
}

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

// Tone is what a cell of a table means, beside what it says.
type Tone int

// The tones.
const (
	Neutral Tone = iota
	Good
	Bad
	Warn
	Busy
	Quiet // of no weight
)

// tone is the mark and the style of a tone.
func (p palette) tone(t Tone) (string, lipgloss.Style) {
	switch t {
	case Good:
		return markDone, p.good
	case Bad:
		return markFailed, p.bad
	case Warn:
		return markWarning, p.warn
	case Busy:
		return markBusy, p.busy
	case Quiet:
		return markNote, p.faint
	}
	return " ", lipgloss.NewStyle()
}
