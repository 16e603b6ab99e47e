package notify

import (
	"fmt"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
)

// Findings is the message on what an audit found at or above a severity; ok is
// false where there is nothing to tell. Findings that are accepted do not count.
func Findings(r audit.Report, least audit.Severity) (m Message, ok bool) {
	m = Message{Event: Finding, Time: r.At.UTC(), Command: "audit", Verdict: "findings"}
	worst := 0
	for _, f := range r.Findings {
		if f.Severity < least || f.Accepted != "" {
			continue
		}
		if f.Severity == audit.Error {
			worst++
		}
		m.Lines = append(m.Lines, Line{Name: f.Object.Name, Verdict: string(f.Code), Cause: f.What})
		if len(f.Fix) > 0 && f.Fix[0].Command != "" && len(m.Next) < 5 {
			m.Next = append(m.Next, f.Fix[0].Command)
		}
	}
	m.Title = "audit: " + noun.Count(len(m.Lines), "finding")
	if worst > 0 {
		m.Title += ", of them " + noun.Count(worst, "error")
	}
	m.Cause = fmt.Sprintf("%d of %d services could restart now and within %s.", r.Seen.Safe, r.Seen.Services, days(r.Horizon.Hours()))
	return m, len(m.Lines) > 0
}

func days(hours float64) string {
	if hours < 48 {
		return fmt.Sprintf("%.0f hours", hours)
	}
	return fmt.Sprintf("%.0f days", hours/24)
}
