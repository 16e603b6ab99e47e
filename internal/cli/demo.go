package cli

import (
	"context"
	"fmt"

	"github.com/plimsoll-ecs/plimsoll/internal/demo"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/term"
)

type demoCommand struct {
	Runtime string `help:"What runs containers: auto, docker or simulated." enum:"auto,docker,simulated" default:"auto"`
}

// Help goes below the usage.
func (c *demoCommand) Help() string {
	return `Needs no account and no network. With a docker engine the containers are real.

  plimsoll demo
  plimsoll demo --runtime simulated`
}

// Run shows the demo.
func (c *demoCommand) Run(ctx context.Context, s *session) error {
	return demo.Run(ctx, demo.Options{
		Runtime: drydock.Runtime(c.Runtime),
		Say: func(line string) {
			if !s.json() {
				fmt.Fprintln(s.sys.Stderr, line)
			}
		},
		Chapter: func() (story.Teller, func() error) {
			t := term.New(s.termOptions())
			return t.Tell, t.Close
		},
	})
}
