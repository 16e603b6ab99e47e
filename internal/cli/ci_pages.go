package cli

import (
	"bytes"
	"fmt"
	"os"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/ciout"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle/loadline"
	"github.com/plimsoll-ecs/plimsoll/internal/report"
)

// checked has the CI system know what the checks of a deploy came to.
func (s *session) checked(t deploy.Target, found deploy.CheckReport) {
	if s.ci == nil {
		return
	}
	s.ci.notes = ciout.ChecksAnnotations(t.String(), found.Checks)
	s.ci.page = func(room int) string {
		return ciout.ChecksSummary(t.String(), found.Summary(), found.ExitCode != 0, found.Checks, room)
	}
}

// checksJUnit writes what the checks came to as JUnit XML.
func checksJUnit(file string, t deploy.Target, found deploy.CheckReport, strict bool) error {
	var b bytes.Buffer
	if err := report.ChecksJUnit(&b, t.String(), found.Checks, strict, time.Now()); err != nil {
		return err
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// mostOnPage is how many load lines a summary has, each up to a few KB.
const mostOnPage = 10

// audited has the CI system know what an audit came to.
func (s *session) audited(fleet audit.Fleet, d report.Document) {
	if s.ci == nil {
		return
	}
	s.ci.notes = ciout.AuditAnnotations(d.Report)
	s.ci.page = func(room int) string {
		var drawn []string
		for _, w := range waterlines(fleet, d.Report) {
			if w.endangered > 0 && len(drawn) < mostOnPage {
				drawn = append(drawn, loadline.Text(w.line, loadline.Look{Width: 100}))
			}
		}
		return ciout.AuditSummary(d.Report, d.Failed(), drawn, room)
	}
}
