package term

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// transfer is bytes on their way: those of a push, or of a build's context.
type transfer struct {
	done, total int64 // a total of 0 is not known
	layers      story.Layers
	flow        flow
}

// take is an event that counts bytes.
func (t *transfer) take(e story.Event, now time.Time) {
	t.done, t.total, t.layers = e.Done, e.Total, story.Layers{}
	if e.Layers != nil {
		t.layers = *e.Layers
	}
	left := int64(-1)
	if e.Total > 0 {
		left = max(e.Total-e.Done, 0)
	}
	t.flow.add(now, e.Done-e.There, left)
}

// tally is "5/9 layers"; "" where nothing is told of them.
func (t *transfer) tally() string {
	if t.layers.Total == 0 {
		return ""
	}
	return amount(int64(t.layers.Done), int64(t.layers.Total), "layers")
}

// The widest that parts of a row get, so that the row keeps its shape while
// its numbers change.
const (
	speedWidest = len("99.9 MB/s")
	leftWidest  = len("1m40s left")
	leftNarrow  = len("59s left")
)

// transferred is a row of bytes that fits into room columns; 0 is no limit. It
// gives up its bar first, then the layers, the rate, and decimals.
func (p palette) transferred(t *transfer, now time.Time, room int) string {
	full, speed, left := amount(t.done, t.total, "bytes"), t.flow.speed(now), t.flow.remaining(now)
	widest, layers := len(amount(t.total, t.total, "bytes")), t.tally()
	if t.total == 0 {
		widest = len("999.9 MB")
	}
	type shape struct {
		bar   int
		parts []string
		width int
	}
	gap := len("  ")
	all := shape{0, []string{full, layers, speed, left}, widest + gap + speedWidest + gap + leftWidest}
	lean := shape{0, []string{full, speed, left}, all.width}
	if layers != "" {
		all.width += gap + len(amount(int64(t.layers.Total), int64(t.layers.Total), "layers"))
	}
	shapes := []shape{all, lean, {0, []string{full, left}, widest + gap + leftNarrow}}
	if t.total > 0 {
		for _, bar := range []int{5, 8, 12, 16} {
			shapes = slices.Insert(shapes, 0, shape{bar, all.parts, bar + 1 + all.width})
		}
	}
	shapes = append(shapes, shape{0, []string{wholeAmount(t.done, t.total), left}, 0})
	chosen := shapes[slices.IndexFunc(shapes, func(s shape) bool { return room <= 0 || s.width <= room })]
	text := p.bar(t.done, t.total, chosen.bar) + chosen.parts[0]
	for _, part := range chosen.parts[1:] {
		if used := lipgloss.Width(text) + gap + len(part); part == "" || room > 0 && used > room { // days
			continue
		}
		text += "  " + p.faint.Render(part)
	}
	return text
}

// transferLine is a line of bytes: "106.2/212.4 MB, 3/8 layers, 31.5 MB/s, 4s left".
func (p palette) transferLine(t *transfer, now time.Time) string {
	text := amount(t.done, t.total, "bytes")
	for _, part := range []string{t.tally(), t.flow.speed(now), t.flow.remaining(now)} {
		if part != "" {
			text += ", " + part
		}
	}
	if p.spoken {
		return strings.NewReplacer("/s", " a second", "/", " of ").Replace(text)
	}
	return text
}

// wholeAmount is [amount] of bytes with a decimal less.
func wholeAmount(done, total int64) string {
	scale, name := byteUnit(max(done, total))
	digits := 0
	if name == "GB" {
		digits = 1
	}
	if total == 0 {
		return fmt.Sprintf("%.*f %s", digits, float64(done)/scale, name)
	}
	return fmt.Sprintf("%.*f/%.*f %s", digits, float64(done)/scale, digits, float64(total)/scale, name)
}

// byteUnit is the unit that a number of bytes is told in.
func byteUnit(n int64) (scale float64, name string) {
	switch {
	case n >= 999.95e6:
		return 1e9, "GB"
	case n >= 1e6:
		return 1e6, "MB"
	}
	return 1e3, "kB"
}

// bar draws done of total; nothing when the total is not known or the screen
// has no room for it.
func (p palette) bar(done, total int64, length int) string {
	if total <= 0 || length == 0 {
		return ""
	}
	full := int(min(max(done, 0), total) * int64(length) / total)
	return p.busy.Render(strings.Repeat("━", full)) + p.faint.Render(strings.Repeat("─", length-full)) + " "
}

// counted is a row of whole things: "3/6 steps  RUN go mod download".
func (s *screen) counted(at step, width int) string {
	const (
		length = 16
		least  = 60
	)
	head := amount(at.done, at.total, at.unit)
	switch {
	case width == 0 || width >= least:
		head = s.bar(at.done, at.total, length) + head
	case at.name == story.Build && at.message != "": // which says the number, too
		head = ""
	}
	if at.message == "" || head == "" {
		return head + at.message
	}
	return head + "  " + s.faint.Render(at.message)
}

// present is how long a build has been at its present step, where one begins to
// wonder: "8s of ".
func (at step) present(now time.Time) string {
	const long = 3 * time.Second
	took := now.Sub(at.changed)
	if at.name != story.Build || at.total == 0 || took < long || at.changed.Sub(at.since) < time.Second {
		return ""
	}
	return elapsed(took) + " of "
}

// say keeps what a step does now, and since when.
func (at *step) say(message string, now time.Time) {
	if message = cmp.Or(message, at.message); message != at.message {
		at.message, at.changed = message, now
	}
}
