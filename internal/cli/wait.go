package cli

import (
	"context"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

type waitCommand struct {
	Revision string        `help:"The family:revision that should come to run; any other is exit 6." placeholder:"FAMILY:N"`
	Timeout  time.Duration `help:"Stop waiting after so long (exit 7); the rollout goes on." default:"15m" placeholder:"DURATION"`
}

// Run follows the rollout that is under way.
func (c *waitCommand) Run(ctx context.Context, s *session) error {
	_, p, set, err := s.service(ctx)
	if err != nil {
		return err
	}
	return s.verdict(deploy.Wait(ctx, p, deploy.WaitRequest{
		Target: targetOf(set), Revision: c.Revision, Timeout: c.Timeout,
	}, s.terminal().Tell))
}
