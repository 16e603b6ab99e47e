package notify

import (
	"fmt"
	"strings"
)

// mark is a sign in front of what went well, or did not.
func mark(ok bool) string {
	if ok {
		return "✓"
	}
	return "✕"
}

// mostLines is how many services a message lists; the others are counted.
const mostLines = 20

// plain is a message as text.
func plain(m Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", mark(m.OK), m.Title)
	if m.Cause != "" {
		fmt.Fprintf(&b, "\n%s\n", m.Cause)
	}
	if len(m.Lines) > 0 {
		b.WriteByte('\n')
	}
	for _, l := range m.Lines[:min(len(m.Lines), mostLines)] {
		fmt.Fprintf(&b, "%s %s: %s\n", mark(l.OK), l.Name, verdictAndCause(l))
	}
	if more := len(m.Lines) - mostLines; more > 0 {
		fmt.Fprintf(&b, "and %d more\n", more)
	}
	if len(m.Next) > 0 {
		b.WriteString("\nNext:\n")
	}
	for _, next := range m.Next {
		fmt.Fprintf(&b, "  %s\n", next)
	}
	for _, l := range m.Links {
		fmt.Fprintf(&b, "\n%s: %s\n", l.Name, l.URL)
	}
	if m.Place != "" {
		fmt.Fprintf(&b, "\n%s, plimsoll %s\n", m.Place, m.Command)
	}
	return b.String()
}

func verdictAndCause(l Line) string {
	if l.Cause == "" {
		return l.Verdict
	}
	return l.Verdict + ": " + l.Cause
}

// subject is the title as SNS takes one: at most 100 printable ASCII characters
// that begin with a letter or a digit. (Publish in the SNS API reference.)
func subject(m Message) string {
	var b strings.Builder
	for _, c := range "plimsoll: " + m.Title {
		switch {
		case c >= ' ' && c <= '~':
			b.WriteRune(c)
		case c == '→':
			b.WriteString("->")
		default:
			b.WriteByte('?')
		}
	}
	text := b.String()
	if len(text) > 100 {
		text = text[:97] + "..."
	}
	return text
}

// What Slack shows of a text is cut there: of a section at 3,000 characters, of
// a header at 150. (Slack Block Kit reference.)
const (
	slackSection = 2900
	slackHeader  = 150
)

type slackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type slackBlock struct {
	Type     string      `json:"type"`
	Text     *slackText  `json:"text,omitempty"`
	Elements []slackText `json:"elements,omitempty"`
}

// slackMessage has a text for lists and phones, and blocks where they are shown.
type slackMessage struct {
	Text   string       `json:"text"`
	Blocks []slackBlock `json:"blocks"`
}

// slack is a message as a Slack webhook takes it.
func slack(m Message) slackMessage {
	title := mark(m.OK) + " " + m.Title
	out := slackMessage{Text: escape(title)}
	out.Blocks = append(out.Blocks, slackBlock{Type: "header", Text: &slackText{"plain_text", cut(title, slackHeader)}})
	section := func(text string) {
		if text != "" {
			out.Blocks = append(out.Blocks, slackBlock{Type: "section", Text: &slackText{"mrkdwn", cut(text, slackSection)}})
		}
	}
	section(escape(m.Cause))
	var lines []string
	for _, l := range m.Lines[:min(len(m.Lines), mostLines)] {
		lines = append(lines, fmt.Sprintf("%s *%s* %s", mark(l.OK), escape(l.Name), escape(verdictAndCause(l))))
	}
	if more := len(m.Lines) - mostLines; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	section(strings.Join(lines, "\n"))
	if len(m.Next) > 0 {
		section("*Next*\n```" + cut(escape(strings.ReplaceAll(strings.Join(m.Next, "\n"), "```", "")), slackSection-20) + "```")
	}
	var links []string
	for _, l := range m.Links {
		links = append(links, fmt.Sprintf("<%s|%s>", strings.NewReplacer("|", "%7C", ">", "%3E", "<", "%3C").Replace(l.URL), escape(l.Name)))
	}
	section(strings.Join(links, " · "))
	if m.Place != "" {
		out.Blocks = append(out.Blocks, slackBlock{Type: "context", Elements: []slackText{{"mrkdwn", escape(m.Place + " · plimsoll " + m.Command)}}})
	}
	return out
}

// escape takes the meaning from what Slack would read as a mention or a link.
// (Slack, "Formatting text for app surfaces".)
func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// cut shortens a text to so many characters.
func cut(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return string(runes[:n-1]) + "…"
}
