package term

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
)

// painter keeps a block of lines at the end of what was written and draws it
// again in place; what is done with goes above it, into the scrollback, like
// any output.
//
// It is this small, and no program of a TUI library, because nobody types
// here: such a library asks the terminal what it can do, and the answers,
// which nobody reads, end up on the command line; it also clears what it
// redraws, and does not count the rows that a narrower window wraps lines to.
// The cursor stays visible, on the line below the block. So there is nothing
// to restore, however the process ends.
type painter struct {
	w     io.Writer
	block []string // as it is on the screen
	width int      // of the screen it was drawn on
}

const (
	// A terminal that knows this mode shows everything up to its end at once
	// (https://github.com/contour-terminal/vt-extensions, synchronized
	// output); others ignore it.
	beginFrame = "\x1b[?2026h"
	endFrame   = "\x1b[?2026l"

	eraseLine  = "\x1b[K" // from the cursor to the end of the line
	eraseBelow = "\x1b[J" // from the cursor to the end of the screen
)

// paint writes the lines done above the block and the block again. The lines
// must be narrower than width, the terminal's present width: behind one that
// is as wide, erasing the rest of the line takes its last character.
// Nothing is written when nothing changed.
func (p *painter) paint(done, block []string, width int) error {
	if len(done) == 0 && width == p.width && slices.Equal(block, p.block) {
		return nil
	}
	var b strings.Builder
	b.WriteString(beginFrame + "\r")
	if up := rows(p.block, width); up > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", up)
	}
	if width != p.width { // else the terminal would still take wrapped rows for one line
		b.WriteString(eraseBelow)
	}
	for _, line := range slices.Concat(done, block) {
		b.WriteString(line + eraseLine + "\r\n")
	}
	b.WriteString(eraseBelow + endFrame)
	p.block, p.width = block, width
	_, err := io.WriteString(p.w, b.String())
	return err
}

// rows is how many rows lines take on a screen of that width. They were drawn
// to fit, but the window may have become narrower since, and a terminal then
// wraps what is on it.
func rows(lines []string, width int) int {
	n := 0
	for _, line := range lines {
		n++
		if width > 0 {
			n += max(lipgloss.Width(line)-1, 0) / width
		}
	}
	return n
}
