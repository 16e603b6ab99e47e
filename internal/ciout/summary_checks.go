package ciout

import (
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// ChecksSummary is what plimsoll check found, in Markdown.
func ChecksSummary(service, summary string, failed bool, checks []story.Check, room int) string {
	p := newPage(room)
	sign := "✓"
	if failed {
		sign = "✕"
	}
	p.add("### " + sign + " check " + text(service) + "\n\n" + text(summary) + "\n")
	var rows, fine [][]string
	for _, c := range checks {
		row := []string{strings.ToUpper(text(string(c.State))), text(c.Name), text(c.Why), text(c.Do)}
		if c.State == story.CheckFail || c.State == story.CheckWarn {
			rows = append(rows, row)
		} else {
			fine = append(fine, row[:3])
		}
	}
	if len(rows) > 0 {
		p.add(table([]string{"", "check", "found", "what to do"}, rows))
	}
	if len(fine) > 0 {
		p.add("<details><summary>all else</summary>\n\n" + table([]string{"", "check", "found"}, fine) + "\n</details>\n")
	}
	return p.String()
}

// ChecksAnnotations are the checks that are not as they should be.
func ChecksAnnotations(service string, checks []story.Check) []Annotation {
	return (&course{service: service, checks: checks}).annotations()
}
