package cli

import (
	"context"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

type scaleCommand struct {
	Count int `arg:"" help:"How many tasks."`
	rolloutFlags
}

// Run changes the desired count.
func (c *scaleCommand) Run(ctx context.Context, s *session) error {
	return s.scale(ctx, deploy.Scale, c.Count, c.rolloutFlags)
}

type stopCommand struct{ rolloutFlags }

// Run scales to zero.
func (c *stopCommand) Run(ctx context.Context, s *session) error {
	return s.scale(ctx, deploy.Stop, 0, c.rolloutFlags)
}

type startCommand struct{ rolloutFlags }

// Run brings back what stop remembered.
func (c *startCommand) Run(ctx context.Context, s *session) error {
	return s.scale(ctx, deploy.Start, 0, c.rolloutFlags)
}

// scaling is one of the use cases that change the count.
type scaling func(context.Context, deploy.Ports, deploy.ScaleRequest, story.Teller) (story.Verdict, error)

func (s *session) scale(ctx context.Context, do scaling, count int, f rolloutFlags) error {
	_, p, set, err := s.service(ctx)
	if err != nil {
		return err
	}
	return s.verdict(do(ctx, p, deploy.ScaleRequest{
		Target: targetOf(set), Count: count, NoWait: f.NoWait, Timeout: f.Timeout,
	}, s.terminal().Tell))
}
