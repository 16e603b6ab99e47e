package cli

import (
	"context"

	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// scaleFlags are those of every command that changes the desired count.
type scaleFlags struct {
	DryRun bool `help:"Check everything, change nothing."`
	rolloutFlags
	manyFlags
	servicesNames
}

// protectionFlag is of every command that may take all tasks away.
type protectionFlag struct {
	OverrideProtection bool `help:"Stop a service though it is protected."`
}

type scaleCommand struct {
	Count int `arg:"" help:"How many tasks."`
	protectionFlag
	scaleFlags
}

// Help goes below the usage.
func (c *scaleCommand) Help() string {
	return `The range that autoscaling keeps stays as it is; a count outside it is warned of.

  plimsoll scale 3
  plimsoll scale 0 --service api --override-protection`
}

// Run changes the desired count.
func (c *scaleCommand) Run(ctx context.Context, s *session) error {
	return s.scale(ctx, deploy.Scale, c.Count, false, c.scaleFlags, c.OverrideProtection)
}

type stopCommand struct {
	protectionFlag
	scaleFlags
}

// Help goes below the usage.
func (c *stopCommand) Help() string {
	return `The count is noted on the service, and autoscaling is suspended: start brings both
back. A service that is protected, in plimsoll.yaml or by its tag
plimsoll:protected=true, is refused.

  plimsoll stop --dry-run
  plimsoll stop --all --env stage`
}

// Run scales to zero.
func (c *stopCommand) Run(ctx context.Context, s *session) error {
	return s.scale(ctx, deploy.Stop, 0, true, c.scaleFlags, c.OverrideProtection)
}

type startCommand struct{ scaleFlags }

// Help goes below the usage.
func (c *startCommand) Help() string {
	return `A service whose image has been deleted meanwhile is refused, with what to deploy
instead. Autoscaling comes back as it was before stop, once the tasks run.

  plimsoll start
  plimsoll start --all --env stage`
}

// Run brings back what stop remembered.
func (c *startCommand) Run(ctx context.Context, s *session) error {
	return s.scale(ctx, deploy.Start, 0, false, c.scaleFlags, false)
}

// scaling is one of the use cases that change the count.
type scaling func(context.Context, deploy.Ports, deploy.ScaleRequest, story.Teller) (story.Verdict, error)

func (s *session) scale(ctx context.Context, do scaling, count int, backward bool, f scaleFlags, override bool) error {
	harbours, err := s.harbours(ctx, f.servicesNames, config.Flags{})
	if err != nil {
		return err
	}
	return s.sail(ctx, harbours, voyage{
		manyFlags: f.manyFlags, noWait: f.NoWait, atOnce: f.DryRun, backward: backward,
		check: func(h *harbour) deploy.Act {
			return func(ctx context.Context, tell story.Teller) (story.Verdict, error) {
				return deploy.Check(ctx, h.ports, h.target, true, tell)
			}
		},
		do: func(h *harbour) deploy.Act {
			return func(ctx context.Context, tell story.Teller) (story.Verdict, error) {
				return do(ctx, h.ports, deploy.ScaleRequest{
					Target: h.target, Count: count, Protected: h.settings.Protected.Value, Override: override,
					NoWait: f.NoWait, DryRun: f.DryRun, Timeout: f.timeout(h.settings),
					Watching: f.watching(h.settings), Provenance: s.provenance(),
				}, tell)
			}
		},
	})
}
