package deploy

import (
	"context"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
)

// lookout asks a service's load balancers what they think of its tasks. It is
// for the eye alone: no verdict rests on it, it asks seldom and beside the other
// reads, and the first refusal ends it. Its calls are no part of
// the ration: Elastic Load Balancing counts them by itself.
type lookout struct {
	askedAt time.Time
	last    *rollout.Targets
	gaveUp  bool
}

// The targets are read so often, of so many target groups at most.
const (
	targetsEvery     = 5 * time.Second
	mostTargetGroups = 2
)

// look is the targets of the groups, nil where there is nothing to see. An error comes
// once at most.
func (l *lookout) look(ctx context.Context, clues Clues, groups []string, now time.Time) (*rollout.Targets, error) {
	switch {
	case clues == nil || l.gaveUp || len(groups) == 0 || len(groups) > mostTargetGroups:
		return nil, nil
	case !l.askedAt.IsZero() && now.Sub(l.askedAt) < targetsEvery:
		return l.last, nil
	}
	l.askedAt = now
	var sum rollout.Targets
	for _, group := range groups {
		targets, err := clues.Targets(ctx, group)
		if err != nil {
			l.gaveUp = true
			return nil, err
		}
		countTargets(targets, &sum)
	}
	l.last = &sum
	return l.last, nil
}

// countTargets adds targets to a sum. Those that drain are on their way out.
func countTargets(targets []TargetState, sum *rollout.Targets) {
	for _, t := range targets {
		switch t.State {
		case "draining", "unused":
			continue
		case "healthy":
			sum.Healthy++
		default:
			if t.Description != "" {
				sum.Reason = t.Description
			}
		}
		sum.Total++
	}
}
