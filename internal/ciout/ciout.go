// Package ciout is plimsoll in the log, the files and the pages of a CI system:
// what folds a step of the story away, what puts an error on the line it is
// about, what hands a verdict to the next job.
//
//	log := ciout.NewLog(ciout.Options{Dialect: ci.GitHubDialect, Marks: os.Stderr})
//	t := term.New(term.Options{…, Around: log.Around})
//	deploy.Deploy(ctx, …, t.Tell)
//	outcome := log.Record.Outcome(code)
//	log.Record.Summary(…)
//
// A [Log] puts its marks between the lines of a story and keeps a [Record] of
// what was told. From the record come an [Outcome] for other jobs, [Annotation]s
// and a summary in Markdown. Everything that others wrote (log lines of a
// container, messages of AWS, tags) is kept from being taken for a command of
// the CI system: by [Guard] where it is a line of the log, by escaping elsewhere.
package ciout

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// plain is a text of somebody else without escape sequences and without
// characters that are not shown, or that reorder what is; its line ends stay.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r), r == unicode.ReplacementChar, unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, ansi.Strip(s))
}

// line is a text of somebody else in one line.
func line(s string) string { return strings.Join(strings.Fields(plain(s)), " ") }
