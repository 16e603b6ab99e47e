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
}

// Run goes back.
func (c *rollbackCommand) Run(ctx context.Context, s *session) error {
	_, p, set, err := s.service(ctx)
	if err != nil {
		return err
	}
	return s.verdict(deploy.Rollback(ctx, p, deploy.RollbackRequest{
		Target: targetOf(set), To: c.To, Container: set.Container.Value, NoWait: c.NoWait, DryRun: c.DryRun, TakeOver: c.TakeOver, Timeout: c.Timeout,
	}, s.terminal().Tell))
}
