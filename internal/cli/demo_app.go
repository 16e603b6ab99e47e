package cli

import (
	"context"

	"github.com/plimsoll-ecs/plimsoll/internal/demo"
)

// demoAppCommand is the application that the demo releases; its image runs it.
type demoAppCommand struct {
	Tag    string `help:"Its version."`
	Broken bool   `help:"Be the release that cannot start."`
}

// Run is the application.
func (c *demoAppCommand) Run(ctx context.Context, s *session) error {
	code, err := demo.App(ctx, s.sys.Stdout, c.Tag, c.Broken)
	if err == nil && code != 0 {
		return &exitError{code}
	}
	return err
}
