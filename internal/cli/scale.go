package cli

import (
	"context"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// scaleFlags are those of every command that changes the desired count.
type scaleFlags struct {
	rolloutFlags
	serviceNames
}

type scaleCommand struct {
	Count int `arg:"" help:"How many tasks."`
	scaleFlags
}

// Run changes the desired count.
func (c *scaleCommand) Run(ctx context.Context, s *session) error {
	return s.scale(ctx, deploy.Scale, c.Count, c.scaleFlags)
}

type stopCommand struct{ scaleFlags }

// Run scales to zero.
func (c *stopCommand) Run(ctx context.Context, s *session) error {
	return s.scale(ctx, deploy.Stop, 0, c.scaleFlags)
}

type startCommand struct{ scaleFlags }

// Run brings back what stop remembered.
func (c *startCommand) Run(ctx context.Context, s *session) error {
	return s.scale(ctx, deploy.Start, 0, c.scaleFlags)
}

// scaling is one of the use cases that change the count.
type scaling func(context.Context, deploy.Ports, deploy.ScaleRequest, story.Teller) (story.Verdict, error)

func (s *session) scale(ctx context.Context, do scaling, count int, f scaleFlags) error {
	h, err := s.harbour(ctx, f.serviceNames.flags())
	if err != nil {
		return err
	}
	return verdict(do(ctx, h.ports, deploy.ScaleRequest{
		Target: h.target, Count: count, NoWait: f.NoWait, Timeout: f.Timeout, Watching: f.watching(),
	}, s.terminal().Tell))
}
