package cli

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/config"
)

// auditOutput says what becomes of an audit's report.
type auditOutput struct {
	Format        []string `help:"table, json, sarif, junit or html; NAME=FILE writes it to a file, and may be given several times." default:"table" placeholder:"NAME[=FILE]" group:"What comes of it"`
	Out           string   `help:"Write the report to a file instead of stdout." placeholder:"FILE" group:"What comes of it" type:"path"`
	FailOn        string   `help:"Exit 8 when there is a finding as bad as this: error, warning, note or never." enum:"error,warning,note,never" default:"error" placeholder:"error" group:"What comes of it"`
	Baseline      string   `help:"Findings that this file names do not count." placeholder:"FILE" group:"What comes of it" type:"existingfile"`
	WriteBaseline string   `help:"Write the findings of now into a baseline." placeholder:"FILE" group:"What comes of it" type:"path"`
}

// check refuses what cannot be meant.
func (o auditOutput) check() error { return nil }

// accepted are the rules and the baseline by which findings do not count.
func (o auditOutput) accepted(config.Lookup) ([]audit.Accept, audit.Baseline, error) {
	return nil, nil, nil
}

// writeAudit writes what an audit of the fleet came to, and ends the command
// with 8 by what it says.
func (s *session) writeAudit(_ audit.Fleet, found audit.Report, o auditOutput) error {
	text, err := json.MarshalIndent(found, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the report: %w", err)
	}
	text = append(text, '\n')
	if o.Out != "" {
		err = os.WriteFile(o.Out, text, 0o644)
	} else {
		_, err = s.sys.Stdout.Write(text)
	}
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	worst := map[string]audit.Severity{"error": audit.Error, "warning": audit.Warning, "note": audit.Note}
	least, fails := worst[o.FailOn]
	for _, f := range found.Findings {
		if fails && f.Accepted == "" && f.Severity >= least {
			return &exitError{8}
		}
	}
	return nil
}
