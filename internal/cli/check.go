package cli

import (
	"context"
	"fmt"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/term"
)

type checkCommand struct {
	ImageTag     string `help:"Tag of the image to deploy; what runs when not given." placeholder:"TAG"`
	DesiredCount *int   `help:"How many tasks are meant." placeholder:"N"`
	Base         string `help:"Template: latest (the family's newest revision), running, or a revision number." default:"latest" placeholder:"latest"`
	JUnit        string `name:"junit" help:"Write the checks as JUnit XML too, for the test view of a CI." placeholder:"FILE" type:"path"`
	strictFlags
	supersedeFlag
	tagFlags
	accountFlag
	deployImages
}

// Help goes below the usage.
func (c *checkCommand) Help() string {
	return `Every deploy takes these checks first. Without a tag they are those of what
runs, as if it had to start again. Exit 3 when one fails. What the role may not
look at is skipped, and fails nothing.

  plimsoll check
  plimsoll check --image-tag v1.2.0 --strict`
}

// Run takes the checks of a deploy and shows them.
func (c *checkCommand) Run(ctx context.Context, s *session) error {
	h, err := s.harbour(ctx, c.flags())
	if err != nil {
		return err
	}
	c.expect(h)
	r := deploy.Request{
		Target: h.target, Family: h.settings.TaskDefinition.Value, Container: h.settings.Container.Value,
		Policy: c.of(h.settings), Base: c.Base, Desired: desired(c.DesiredCount, h.settings), TakeOver: c.Supersede,
		Strict: c.Strict, CheckSecretKeys: c.CheckSecretKeys,
	}
	if c.ImageTag != "" {
		if r.Image, r.Others, err = c.images(ctx, h, c.ImageTag); err != nil {
			return err
		}
	}
	report, err := deploy.Inspect(ctx, h.ports, r)
	if err != nil {
		return err
	}
	s.checked(r.Target, report)
	if c.JUnit != "" {
		if err := checksJUnit(c.JUnit, r.Target, report, c.Strict); err != nil {
			return err
		}
	}
	if s.json() {
		s.object(report)
	} else {
		if err := s.terminal().Checks(report.Checks); err != nil {
			return err
		}
		fmt.Fprintln(s.sys.Stdout)
		tone := term.Good
		if report.ExitCode != 0 {
			tone = term.Bad
		}
		if err := s.terminal().Line(tone, fmt.Sprintf("%s: %s", r.Target, report.Summary())); err != nil {
			return err
		}
	}
	if report.ExitCode != 0 {
		return &exitError{report.ExitCode}
	}
	return nil
}
