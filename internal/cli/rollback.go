package cli

import (
	"context"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

type rollbackCommand struct {
	To       string `help:"Image tag, revision number or family:revision; the last stable one when not given." placeholder:"TAG|REVISION"`
	DryRun   bool   `help:"Say where it would go back to, change nothing."`
	TakeOver bool   `help:"Begin though another rollout is under way."`
	rolloutFlags
	serviceNames
	containerName
}

// Help goes below the usage.
func (c *rollbackCommand) Help() string {
	return `The desired count stays. A revision whose image ECR no longer has is refused.

  plimsoll rollback --dry-run
  plimsoll rollback --to v1.1.0`
}

// Run goes back.
func (c *rollbackCommand) Run(ctx context.Context, s *session) error {
	h, err := s.harbour(ctx, c.serviceNames.flags())
	if err != nil {
		return err
	}
	return verdict(deploy.Rollback(ctx, h.ports, deploy.RollbackRequest{
		Target: h.target, To: c.To, Container: c.Container, NoWait: c.NoWait, DryRun: c.DryRun, TakeOver: c.TakeOver, Timeout: c.Timeout,
		Watching: c.watching(),
	}, s.terminal().Tell))
}
