package cli

import (
	"errors"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/term"
)

type explainCommand struct {
	Code string `arg:"" optional:"" help:"Code of a finding, such as PL011; all of them are listed when not given."`
}

// Help goes below the usage.
func (c *explainCommand) Help() string {
	return `What a finding means, what AWS does about it, how to mend it and when it is right
to accept it. docs/findings.md has all of them on one page.

  plimsoll explain PL011`
}

// Run explains one code, or lists them.
func (c *explainCommand) Run(s *session) error {
	if c.Code == "" {
		return s.codes()
	}
	e, err := audit.Explain(c.Code)
	if unknown, ok := errors.AsType[*audit.UnknownCodeError](err); ok {
		return &usageError{err, unknown.Hint()}
	}
	if err != nil {
		return err
	}
	if s.json() {
		s.object(e)
		return nil
	}
	return s.terminal().Explanation(e)
}

// codes lists what an audit can find.
func (s *session) codes() error {
	entries, err := audit.Catalogue()
	if err != nil {
		return err
	}
	table := term.Table{Header: []string{"CODE", "SEVERITY", "FINDING"}}
	for _, e := range entries {
		if s.json() {
			s.object(e)
		}
		table.Rows = append(table.Rows, []string{string(e.Code), e.Severity.String(), e.Title})
	}
	if s.json() {
		return nil
	}
	return s.terminal().Table(table)
}
