package cli

import (
	"context"

	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

type rollbackCommand struct {
	To     string `help:"Image tag, revision number or family:revision; the last stable one when not given." placeholder:"TAG|REVISION"`
	DryRun bool   `help:"Say where it would go back to and what that changes; change nothing."`
	supersedeFlag
	rolloutFlags
	manyFlags
	servicesNames
	containerName
}

// Help goes below the usage.
func (c *rollbackCommand) Help() string {
	return `The desired count stays. Without --to it is the newest revision, other than the
present one, that really ran here and whose images ECR still has. What ran comes
back: where a tag has been moved since, a copy of the revision is registered that
names the digest; one that was deregistered is copied too. A rollout that is under
way is ended by ECS itself (--supersede), where what it leaves is what to go back to:
under blue/green that takes moments, and no hook and no bake time once more.

  plimsoll rollback --dry-run
  plimsoll rollback --to v1.1.0`
}

// Run goes back.
func (c *rollbackCommand) Run(ctx context.Context, s *session) error {
	harbours, err := s.harbours(ctx, c.servicesNames, config.Flags{Container: c.Container})
	if err != nil {
		return err
	}
	act := func(h *harbour, dry bool) deploy.Act {
		return func(ctx context.Context, tell story.Teller) (story.Verdict, error) {
			return deploy.Rollback(ctx, h.ports, deploy.RollbackRequest{
				Target: h.target, To: c.To, Container: h.settings.Container.Value, NoWait: c.NoWait, DryRun: dry, TakeOver: c.Supersede,
				Timeout: c.timeout(h.settings), Watching: c.watching(h.settings), Provenance: s.provenance(),
			}, tell)
		}
	}
	return s.sail(ctx, harbours, voyage{
		manyFlags: c.manyFlags, noWait: c.NoWait, atOnce: c.DryRun, backward: true, notifies: unless(c.DryRun, "rollback"),
		check: func(h *harbour) deploy.Act { return act(h, true) },
		do:    func(h *harbour) deploy.Act { return act(h, c.DryRun) },
	})
}
