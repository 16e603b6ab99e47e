package ciout

import (
	"fmt"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
)

// AuditSummary is what an audit found, in Markdown: a table for each severity,
// then the load lines, as text, of the repositories in danger. A finding that is
// accepted is counted only.
func AuditSummary(found audit.Report, failed bool, loadLines []string, room int) string {
	p := newPage(room)
	t := found.Tally()
	sign := "✓"
	if failed {
		sign = "✕"
	}
	p.add(fmt.Sprintf("### %s audit: %s, %s, %s\n", sign, noun.Count(t.Errors, "error"), noun.Count(t.Warnings, "warning"), noun.Count(t.Notes, "note")))
	p.add(fmt.Sprintf("%d of %s could restart now, %d of them at any time within the horizon. Accepted: %d.\n", t.Now, noun.Count(t.Services, "service"), t.Safe, t.Accepted))
	p.add(findings(found, audit.Error, "Errors"))
	p.add(findings(found, audit.Warning, "Warnings"))
	for _, drawing := range loadLines {
		p.add(fence("text", strings.Split(strings.TrimRight(drawing, "\n"), "\n")))
	}
	if notes := findings(found, audit.Note, ""); notes != "" {
		p.add("<details><summary>Notes</summary>\n\n" + notes + "\n</details>\n")
	}
	return p.String()
}

// mostFindings is how many rows of one severity are worth reading on a page.
const mostFindings = 100

func findings(found audit.Report, severity audit.Severity, title string) string {
	var rows [][]string
	more := 0
	for _, f := range found.Findings {
		if f.Severity != severity || f.Accepted != "" {
			continue
		}
		if len(rows) == mostFindings {
			more++
			continue
		}
		when := "now"
		if f.When != nil {
			when = f.When.Words(found.At)
		}
		rows = append(rows, []string{code(string(f.Code)), text(f.What), text(when), remedy(f)})
	}
	if len(rows) == 0 {
		return ""
	}
	drawn := table([]string{"code", "what", "when", "fix"}, rows)
	if more > 0 {
		drawn += fmt.Sprintf("\nand %d more\n", more)
	}
	if title != "" {
		drawn = "**" + title + "**\n\n" + drawn
	}
	return drawn
}

// remedy is what to try first.
func remedy(f audit.Finding) string {
	if len(f.Fix) == 0 {
		return ""
	}
	if f.Fix[0].Command == "" {
		return text(f.Fix[0].Say)
	}
	return text(f.Fix[0].Say) + ": " + code(f.Fix[0].Command)
}

// AuditAnnotations are the findings that count, an error and a warning each;
// notes are not worth one.
func AuditAnnotations(found audit.Report) []Annotation {
	var all []Annotation
	for _, f := range found.Findings {
		level := Warning
		switch {
		case f.Accepted != "" || f.Severity == audit.Note:
			continue
		case f.Severity == audit.Error:
			level = Error
		}
		text := f.What
		if f.When != nil {
			text += "\n" + f.When.Words(found.At)
		}
		all = append(all, Annotation{Level: level, Title: string(f.Code) + " " + f.Object.Name, Text: text})
	}
	return all
}
