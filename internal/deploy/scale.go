package deploy

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// ScaleRequest changes how many tasks a service runs.
type ScaleRequest struct {
	Target
	Count   int // not used by Stop and Start
	NoWait  bool
	Timeout time.Duration
	Watching
}

// Scale sets the desired count and waits until so many tasks run.
func Scale(ctx context.Context, p Ports, r ScaleRequest, tell story.Teller) (story.Verdict, error) {
	if err := checkCount(r.Count); err != nil {
		return story.Verdict{}, err
	}
	j := begin(p, r.Target, r.Timeout, tell)
	j.watching = r.Watching
	s, err := j.active(ctx)
	if err != nil {
		return j.stop(err)
	}
	return j.scale(ctx, s, r.Count, r.NoWait)
}

// Stop scales to zero and remembers the count in a tag of the service.
func Stop(ctx context.Context, p Ports, r ScaleRequest, tell story.Teller) (story.Verdict, error) {
	j := begin(p, r.Target, r.Timeout, tell)
	j.watching = r.Watching
	s, err := j.active(ctx)
	if err != nil {
		return j.stop(err)
	}
	if s.Desired > 0 {
		// First the note, then the deed: without it start would not know.
		if err := j.AWS.Tag(ctx, s.ARN, map[string]string{tagDesired: strconv.Itoa(s.Desired)}); err != nil {
			return j.stop(fmt.Errorf("remember the count: %w", err))
		}
	}
	return j.scale(ctx, s, 0, r.NoWait)
}

// Start scales to the count that Stop has remembered, and forgets it.
func Start(ctx context.Context, p Ports, r ScaleRequest, tell story.Teller) (story.Verdict, error) {
	j := begin(p, r.Target, r.Timeout, tell)
	j.watching = r.Watching
	s, err := j.active(ctx)
	if err != nil {
		return j.stop(err)
	}
	if s.Desired > 0 {
		return j.scale(ctx, s, s.Desired, r.NoWait)
	}
	count, err := strconv.Atoi(s.Tags[tagDesired])
	if err != nil || count <= 0 {
		return story.Verdict{}, &UsageError{
			fmt.Sprintf("%s does not say how many tasks ran before it was stopped (tag %s)", r.Target, tagDesired),
			"say how many, for example: " + j.command("scale 1"),
		}
	}
	v, err := j.scale(ctx, s, count, r.NoWait)
	if v.Outcome == Stable || v.Outcome == Started {
		// The note has served. Left behind, it is drift to whoever else keeps
		// the service's tags, Terraform first of all.
		if err := j.AWS.Untag(ctx, s.ARN, tagDesired); err != nil {
			j.say(story.Warning, story.Update, "could not take the tag %s off the service: %v", tagDesired, err)
		}
	}
	return v, err
}

// active is the service, or why it cannot be changed. A rollout under way is
// no hindrance to scaling.
func (j *job) active(ctx context.Context) (Service, error) { return j.ready(ctx, true) }

func (j *job) scale(ctx context.Context, s Service, count int, noWait bool) (story.Verdict, error) {
	if count == s.Desired && s.Running == count && s.Pending == 0 {
		return j.end(story.Verdict{Outcome: Unchanged, Summary: fmt.Sprintf("%s already runs %d", j.target.Service, count)}), nil
	}
	j.say(story.Note, story.Update, "desired count %d -> %d", s.Desired, count)
	return j.update(ctx, s, Update{Desired: &count}, noWait, story.Verdict{}, nil)
}
