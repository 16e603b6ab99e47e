package ciout

import (
	"fmt"
	"strings"
)

// Annotation is an error or a warning that GitHub shows on the page of a run,
// and beside a line of a file where it is about one.
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
type Annotation struct {
	Level        Level
	Title        string
	File         string // relative to the root of the repository; "" is none
	Line, Column int    // 0 is none
	Text         string
}

// Level is how bad it is.
type Level string

// The levels.
const (
	Error   Level = "error"
	Warning Level = "warning"
)

// String is the workflow command, in one line.
func (a Annotation) String() string {
	var properties []string
	add := func(name, value string) {
		if value != "" {
			properties = append(properties, name+"="+property(value))
		}
	}
	add("file", a.File)
	if a.Line > 0 {
		add("line", fmt.Sprint(a.Line))
	}
	if a.Column > 0 {
		add("col", fmt.Sprint(a.Column))
	}
	add("title", line(a.Title))
	head := "::" + string(a.Level)
	if len(properties) > 0 {
		head += " " + strings.Join(properties, ",")
	}
	return head + "::" + data(cut(a.Text, mostText))
}

// mostText is the longest text of an annotation worth reading on a page.
const mostText = 4000

// mostAnnotations is what GitHub keeps of a step: ten errors and ten warnings.
const mostAnnotations = 10

// Annotations are the workflow commands, a line each, the errors first. Of more
// than GitHub keeps, the last one says how many there are.
func Annotations(all []Annotation) string {
	var b strings.Builder
	for _, level := range []Level{Error, Warning} {
		var those []Annotation
		for _, a := range all {
			if a.Level == level {
				those = append(those, a)
			}
		}
		if more := len(those) - mostAnnotations; more > 0 {
			those = append(those[:mostAnnotations-1], Annotation{Level: level, Text: fmt.Sprintf("and %d more; they are in the log", more+1)})
		}
		for _, a := range those {
			b.WriteString(a.String() + "\n")
		}
	}
	return b.String()
}

// data is the text of a workflow command: what the runner puts back is what was
// meant, line ends too, and no command when it stands in a log.
func data(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(harmless(strings.TrimSpace(plain(s))))
}

// property is the same for what stands before the text.
func property(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(data(s))
}

// cut is the beginning of a text, of so many characters at most.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return string(runes[:most-1]) + "…"
}
