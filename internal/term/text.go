package term

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// clean makes one line of plain text out of whatever others wrote.
func clean(s string) string { return strings.TrimSpace(plain(s)) }

// plain is s without escape sequences and control characters, and with tabs
// and line ends as spaces. What a log line is indented by stays.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case unicode.IsControl(r), r == unicode.ReplacementChar, isBidi(r):
			return -1
		}
		return r
	}, ansi.Strip(s))
}

// ecsEvent is the text of a service event without what the screen shows
// already: "(service api) has started 1 tasks: (task 0123…)." becomes "has
// started 1 tasks: 01234567." Anything else is no service event.
func ecsEvent(message string) (text string, ok bool) {
	rest, ok := strings.CutPrefix(clean(message), "(service ")
	_, rest, closed := strings.Cut(rest, ") ")
	if !ok || !closed {
		return "", false
	}
	words := strings.Split(rest, "(task ")
	for i, word := range words[1:] {
		if id, after, closed := strings.Cut(word, ")"); closed {
			words[i+1] = id[:min(len(id), 8)] + after
		}
	}
	return strings.Join(words, ""), true
}

// isBidi tells the characters that reorder what is shown.
func isBidi(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// cut makes s fit into width columns; 0 is no limit.
func cut(s string, width int) string {
	if width <= 0 {
		return s
	}
	return ansi.Truncate(s, width, "…")
}

// hang lays s out in lines of width columns: the first begins with head, the
// others are indented by indent columns. 0 is no limit.
func hang(head, s string, indent, width int) []string {
	if width > 0 {
		// A screen narrower than the indent is not worth a shape of its own.
		// Wrap lets a word with a hyphen run over by a column, Hardwrap not.
		room := max(width-indent, 10)
		s = ansi.Hardwrap(ansi.Wrap(s, room, ""), room, true)
	}
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if i == 0 {
			lines[i] = head + line
		} else {
			lines[i] = strings.Repeat(" ", indent) + strings.TrimLeft(line, " ")
		}
	}
	return lines
}

// Hang lays a sentence out in lines of width columns: the first begins with
// head, the others are indented by indent columns. 0 is no limit.
func Hang(head, sentence string, indent, width int) string {
	return strings.Join(hang(head, sentence, indent, width), "\n")
}

// field is one "name  value" pair of a card, in lines.
func (p palette) field(name, value string, width int) []string {
	return hang("  "+p.faint.Render(pad(name, fieldNames)), clean(value), 2+fieldNames, width)
}

// fieldNames is the longest name of a field and two spaces.
const fieldNames = 10

// pad fills s with spaces up to width columns.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-lipgloss.Width(s)))
}

// age is a duration as short as it can be without hiding anything of weight:
// "0.3s", "42s", "3m05s", "2h10m".
func age(d time.Duration) string {
	switch d = max(d, 0); {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Truncate(100*time.Millisecond).Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	default:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
}

// amount is "3/5 steps" or "8.1/12.4 MB"; a total of 0 is not known.
func amount(done, total int64, unit string) string {
	if unit == "bytes" {
		scale, name := 1e3, "kB"
		if max(done, total) >= 1e6 {
			scale, name = 1e6, "MB"
		}
		if total == 0 {
			return fmt.Sprintf("%.1f %s", float64(done)/scale, name)
		}
		return fmt.Sprintf("%.1f/%.1f %s", float64(done)/scale, float64(total)/scale, name)
	}
	if total == 0 {
		return strings.TrimSpace(fmt.Sprintf("%d %s", done, unit))
	}
	return strings.TrimSpace(fmt.Sprintf("%d/%d %s", done, total, unit))
}

// tail is what follows the last slash: the service of "cluster/service", the
// "family:revision" of an ARN.
func tail(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }
