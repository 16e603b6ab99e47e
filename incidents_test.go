package main

import (
	"os"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// told holds an excerpt in docs/incidents.md, by the name in the comment above
// it, to what a command said: told 'shared plan' plan. The lines of the excerpt are
// in the output, in that order; numbers and days differ from run to run. Words
// after an ellipsis are left out.
func told(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: told name file")
	}
	page, err := os.ReadFile("docs/incidents.md")
	ts.Check(err)
	_, rest, found := strings.Cut(string(page), "<!-- "+args[0]+" -->\n```console\n")
	excerpt, _, whole := strings.Cut(rest, "```")
	if !found || !whole {
		ts.Fatalf("docs/incidents.md has no excerpt %s", args[0])
	}
	said := strings.Split(unnumbered(ts.ReadFile(args[1])), "\n")
	for line := range strings.Lines(unnumbered(excerpt)) {
		line = strings.TrimRight(line, "\n")
		if line == "" || strings.HasPrefix(line, "$ ") || isBuild(line) {
			continue
		}
		at := 0
		for at < len(said) && !sameLine(line, said[at]) {
			at++
		}
		if at == len(said) {
			ts.Fatalf("docs/incidents.md, %s: no command said %q", args[0], line)
		}
		said = said[at+1:]
	}
}

func sameLine(told, said string) bool {
	if start, cut := strings.CutSuffix(told, "…"); cut {
		return strings.HasPrefix(said, strings.TrimRight(start, " "))
	}
	return told == said
}

// isBuild says whether a line of a load line is about builds: how many of them
// share one hangs on the hour.
func isBuild(line string) bool {
	return strings.Contains(line, "░") && !strings.Contains(line, "◀")
}

// unnumbered is a text without what differs from run to run: days and numbers,
// and the spaces that depend on how long they are.
func unnumbered(text string) string {
	for _, r := range []struct{ find, put string }{
		{`\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) `, ""},
		{`\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)( \d{4})?\b`, "month"},
		{`sha256:[0-9a-f]{12,}`, "digest"},
		{`\d+`, "#"},
		{`# pushe?s?\b`, "# pushes"},
		{`([^ \n]) +`, "$1 "},
	} {
		text = regexp.MustCompile(r.find).ReplaceAllString(text, r.put)
	}
	return text
}
