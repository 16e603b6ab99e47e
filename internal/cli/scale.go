package cli

import (
	"context"

	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// scaleFlags are those of every command that changes the desired count.
type scaleFlags struct {
	rolloutFlags
	manyFlags
	servicesNames
}

type scaleCommand struct {
	Count int `arg:"" help:"How many tasks."`
	scaleFlags
}

// Run changes the desired count.
func (c *scaleCommand) Run(ctx context.Context, s *session) error {
	return s.scale(ctx, deploy.Scale, c.Count, false, c.scaleFlags)
}

type stopCommand struct{ scaleFlags }

// Run scales to zero.
func (c *stopCommand) Run(ctx context.Context, s *session) error {
	return s.scale(ctx, deploy.Stop, 0, true, c.scaleFlags)
}

type startCommand struct{ scaleFlags }

// Run brings back what stop remembered.
func (c *startCommand) Run(ctx context.Context, s *session) error {
	return s.scale(ctx, deploy.Start, 0, false, c.scaleFlags)
}

// scaling is one of the use cases that change the count.
type scaling func(context.Context, deploy.Ports, deploy.ScaleRequest, story.Teller) (story.Verdict, error)

func (s *session) scale(ctx context.Context, do scaling, count int, backward bool, f scaleFlags) error {
	harbours, err := s.harbours(ctx, f.servicesNames, config.Flags{})
	if err != nil {
		return err
	}
	return s.sail(ctx, harbours, voyage{
		manyFlags: f.manyFlags, noWait: f.NoWait, backward: backward,
		check: func(h *harbour) deploy.Act {
			return func(ctx context.Context, tell story.Teller) (story.Verdict, error) {
				return deploy.Check(ctx, h.ports, h.target, true, tell)
			}
		},
		do: func(h *harbour) deploy.Act {
			return func(ctx context.Context, tell story.Teller) (story.Verdict, error) {
				return do(ctx, h.ports, deploy.ScaleRequest{
					Target: h.target, Count: count, NoWait: f.NoWait, Timeout: f.timeout(h.settings),
					Watching: f.watching(h.settings),
				}, tell)
			}
		},
	})
}
