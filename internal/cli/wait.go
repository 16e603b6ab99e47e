package cli

import (
	"context"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

type waitCommand struct {
	Revision string `help:"The family:revision that should come to run; any other is exit 6." placeholder:"FAMILY:N"`
	timeoutFlag
	serviceNames
}

// Run follows the rollout that is under way.
func (c *waitCommand) Run(ctx context.Context, s *session) error {
	h, err := s.harbour(ctx, c.flags())
	if err != nil {
		return err
	}
	return verdict(deploy.Wait(ctx, h.ports, deploy.WaitRequest{
		Target: h.target, Revision: c.Revision, Timeout: c.Timeout,
	}, s.terminal().Tell))
}
