package notify

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// Verdicts is the message on what a command came to with some services. sum is
// what it came to with all; "" of its outcome means that there is only one.
func Verdicts(command string, results []deploy.Result, sum story.Verdict, at time.Time) Message {
	if len(results) == 1 {
		sum = results[0].Verdict
	}
	m := Message{Event: Success, Time: at.UTC(), Command: command, Verdict: sum.Outcome, OK: sum.ExitCode == 0}
	if !m.OK {
		m.Event = Failure
	}
	if len(results) == 1 {
		m.Title = fmt.Sprintf("%s: %s", results[0].Target, titleOf(sum))
		m.Cause = sum.Summary
		m.Next = sum.Next
		return m
	}
	m.Title = fmt.Sprintf("%s: %s", command, sum.Summary)
	sorted := slices.Clone(results)
	slices.SortStableFunc(sorted, func(a, b deploy.Result) int { // what went wrong first
		return -cmp.Compare(min(a.Verdict.ExitCode, 1), min(b.Verdict.ExitCode, 1))
	})
	for _, r := range sorted {
		l := Line{Name: r.Target.String(), Verdict: r.Verdict.Outcome, OK: r.Verdict.ExitCode == 0}
		if !l.OK {
			l.Cause = r.Verdict.Summary
			m.Next = append(m.Next, r.Verdict.Next...)
		}
		m.Lines = append(m.Lines, l)
	}
	m.Next = m.Next[:min(len(m.Next), 5)]
	return m
}

// titleOf is a verdict in a few words: "rolled-back (v1.1.0)".
func titleOf(v story.Verdict) string {
	if v.ImageTag == "" {
		return v.Outcome
	}
	return fmt.Sprintf("%s (%s)", v.Outcome, v.ImageTag)
}
