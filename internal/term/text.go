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
	return shortTargetGroups(strings.Join(words, "")), true
}

// shortTargetGroups puts names in place of the ARNs in "(target-group
// arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID)".
func shortTargetGroups(s string) string {
	const opening = "(target-group arn:"
	parts := strings.Split(s, opening)
	for i, part := range parts[1:] {
		arn, after, closed := strings.Cut(part, ")")
		if path := strings.Split(arn, "/"); closed && len(path) == 3 {
			parts[i+1] = "(target-group " + path[1] + ")" + after
		} else {
			parts[i+1] = opening + part
		}
	}
	return strings.Join(parts, "")
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
		// Wrap breaks at hyphens, which takes flags and names apart: not at those
		// that do not break. It may let a word run over by a column, Hardwrap not.
		const hyphen = "\u2011"
		room := max(width-indent, 10)
		s = ansi.Hardwrap(ansi.Wrap(strings.ReplaceAll(s, "-", hyphen), room, ""), room, true)
		s = strings.ReplaceAll(s, hyphen, "-")
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

// narrow says whether a screen leaves too little room beside an indent; then what
// would stand there goes below.
func narrow(width, indent int) bool {
	const least = 26
	return width > 0 && indent > 4 && width-indent < least
}

// Hang lays a sentence out in lines of width columns: the first begins with
// head, the others are indented by indent columns. Where that leaves too little
// room, the sentence goes below the head. 0 is no limit.
func Hang(head, sentence string, indent, width int) string {
	if narrow(width, indent) {
		return strings.TrimRight(head, " ") + "\n" + strings.Join(hang("  ", sentence, 2, width), "\n")
	}
	return strings.Join(hang(head, sentence, indent, width), "\n")
}

// field is one "name  value" pair of a card, in lines.
func (p palette) field(name, value string, width int) []string {
	return hang(p.fieldName(name), p.say(value), 2+fieldNames, width)
}

// fieldName is the head of a field.
func (p palette) fieldName(name string) string {
	switch {
	case !p.spoken:
		return "  " + p.faint.Render(pad(name, fieldNames-1)) + " "
	case name == "":
		return "and: "
	}
	return name + ": "
}

// edge is what stands in front of lines that others wrote; for ears it is a word.
func (p palette) edge(mark, word string) string {
	if p.spoken {
		return word
	}
	return p.faint.Render(mark)
}

// say is a text of ours, clean; for ears without signs, on a terminal with the
// arrow that everything else there has. A log keeps what a keyboard can search.
func (p palette) say(s string) string {
	switch {
	case p.spoken:
		return speak(clean(s))
	case p.looked:
		return strings.ReplaceAll(clean(s), " -> ", " → ")
	}
	return clean(s)
}

// speak puts words in place of the signs that our own sentences have: a screen
// reader reads an arrow as "right arrow", or leaves it out.
func speak(s string) string {
	return strings.NewReplacer(" → ", " to ", " -> ", " to ", "→", "to", "…", " and so on", " × ", " times ", "×", " times ").Replace(s)
}

// fieldNames is the longest name of a field and two spaces.
const fieldNames = 10

// pad fills s with spaces up to width columns.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-lipgloss.Width(s)))
}

// Age is a duration as everything else on the terminal has it.
func Age(d time.Duration) string { return age(d) }

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

// about is a duration that is an estimate: without tenths.
func about(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%ds", max(int(d.Round(time.Second).Seconds()), 1))
	}
	return age(d.Round(time.Second))
}

// amount is "3/5 steps" or "8.1/12.4 MB"; a total of 0 is not known.
func amount(done, total int64, unit string) string {
	if unit == "bytes" {
		scale, name := byteUnit(max(done, total))
		digits := 1
		if name == "GB" {
			digits = 2
		}
		if total == 0 {
			return fmt.Sprintf("%.*f %s", digits, float64(done)/scale, name)
		}
		return fmt.Sprintf("%.*f/%.*f %s", digits, float64(done)/scale, digits, float64(total)/scale, name)
	}
	if total == 0 {
		return strings.TrimSpace(fmt.Sprintf("%d %s", done, unit))
	}
	return strings.TrimSpace(fmt.Sprintf("%d/%d %s", done, total, unit))
}

// tail is what follows the last slash: the service of "cluster/service", the
// "family:revision" of an ARN.
func tail(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }
