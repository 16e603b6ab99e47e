package cli

import (
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/term"
)

// resultTable is the last word on several services: a row each, then what
// became of those that did not get there, then the sum.
func (s *session) resultTable(results []deploy.Result, sum story.Verdict) error {
	fmt.Fprintln(s.sys.Stdout)
	waves := slices.ContainsFunc(results, func(r deploy.Result) bool { return r.Wave != results[0].Wave })
	table := term.Table{Header: []string{"SERVICE"}}
	if waves {
		table.Header = append(table.Header, "WAVE")
	}
	table.Header = append(table.Header, "OUTCOME", "VERSION", "REVISION", "TOOK")
	for _, r := range results {
		row := []string{r.Service}
		if waves {
			row = append(row, fmt.Sprint(r.Wave))
		}
		table.Rows = append(table.Rows, append(row, r.Verdict.Outcome, versionOf(r.Verdict), path.Base(r.Verdict.TaskDefinition), tookOf(r.Verdict)))
	}
	for _, row := range table.Rows {
		if i := len(row) - 2; row[i] == "." { // path.Base of nothing
			row[i] = ""
		}
	}
	if err := s.terminal().Table(toned(table, "OUTCOME", outcomeTone)); err != nil {
		return err
	}
	fmt.Fprintln(s.sys.Stdout)
	s.regrets(results)
	s.sentence("", sum.Summary, 0)
	return nil
}

// regrets says why services did not get there, and what to type now.
func (s *session) regrets(results []deploy.Result) {
	any := false
	for _, r := range results {
		if r.Verdict.ExitCode == 0 || r.Verdict.Outcome == deploy.NotBegun {
			continue
		}
		any = true
		if refused, ok := errors.AsType[*deploy.PreflightError](r.Err); ok {
			for _, fault := range refused.Faults {
				s.sentence("", fmt.Sprintf("%s: %s: %s", r.Service, fault.Check, fault.What), 2)
				if fault.Do != "" {
					s.sentence("  ", fault.Do, 2)
				}
			}
			continue
		}
		s.sentence("", r.Service+": "+r.Verdict.Summary, 2)
		for _, next := range r.Verdict.Next {
			fmt.Fprintf(s.sys.Stdout, "  %s\n", next)
		}
	}
	if any {
		fmt.Fprintln(s.sys.Stdout)
	}
}

func versionOf(v story.Verdict) string {
	if v.From == "" || v.From == v.ImageTag {
		return v.ImageTag
	}
	return v.From + " → " + v.ImageTag
}

func tookOf(v story.Verdict) string {
	if v.Duration == 0 {
		return ""
	}
	return term.Age(v.Duration)
}
