package loadline

import (
	"fmt"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/noun"
)

// Plain says the load line in sentences, one a line, for screen readers and for
// places without block characters.
func Plain(l Line) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("Load line of %s at %s UTC and in %s: %s.", clean(l.Repository), l.At.UTC().Format("2 Jan 2006 15:04"), days(l.Horizon), l.summary())
	for i := range l.Lanes {
		lane := &l.Lanes[i]
		say("")
		say("%s: %s.", upper(strings.ReplaceAll(lane.name(), " · ", ", ")), lane.does())
		say("%s.", upper(lane.counts()))
		if s := lane.shields(); s != "" {
			say("The rule %s.", s)
		}
		if s := lane.tide(l.Horizon); s != "" {
			say("%s.", upper(s))
		}
		for state := Under; state >= Stays; state-- {
			for _, sentence := range lane.sentences(state, &l) {
				say("%s", sentence)
			}
		}
	}
	return b.String()
}

// sentences are about the images of a state: each that runs, then the others.
func (l *Lane) sentences(state State, line *Line) []string {
	var out []string
	others := 0
	for i := range l.Marks {
		switch m := &l.Marks[i]; {
		case m.State != state:
		case len(m.InUse) == 0:
			others++
		default:
			out = append(out, fmt.Sprintf("%s, in use by %s: %s.", m.name(), m.users(), m.fate(line)))
		}
	}
	if others > 0 {
		out = append(out, fmt.Sprintf("%s that nobody runs: %s.", noun.Count(others, "image"), state.words(line)))
	}
	return out
}

func (s State) words(l *Line) string {
	switch s {
	case Afloat:
		return "above water"
	case Threatened:
		return "may sink within " + days(l.Horizon)
	case Sinking:
		return "likely to sink within " + days(l.Horizon)
	case Under:
		return "under water, to go at the next run"
	}
	return "stays"
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
