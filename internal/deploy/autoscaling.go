package deploy

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// Autoscaling reads and suspends what Application Auto Scaling does to the
// desired count of a service.
type Autoscaling interface {
	// Scaling is the scalable target of a service. [NotFound] when nothing
	// scales it, [Unsupported] where there is no Application Auto Scaling.
	Scaling(ctx context.Context, cluster, service string) (Scaling, error)
	// Suspend sets which kinds of scaling are suspended, and leaves the rest
	// of the scalable target as it is.
	Suspend(ctx context.Context, cluster, service string, s Suspended) error
}

// Scaling is the scalable target of a service.
type Scaling struct {
	Min, Max  int
	Suspended Suspended
}

// Suspended says which kinds of scaling do nothing at present.
type Suspended struct {
	In        bool // removing tasks, by a policy
	Out       bool // adding tasks, by a policy
	Scheduled bool
}

// allSuspended leaves the count to whoever sets it by hand.
func allSuspended() Suspended { return Suspended{In: true, Out: true, Scheduled: true} }

// String is the form of the tag that remembers it: "none", or
// "in+out+scheduled".
func (s Suspended) String() string {
	var parts []string
	for _, kind := range []struct {
		set  bool
		name string
	}{{s.In, "in"}, {s.Out, "out"}, {s.Scheduled, "scheduled"}} {
		if kind.set {
			parts = append(parts, kind.name)
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, "+")
}

// parseSuspended reads what String wrote.
func parseSuspended(text string) (Suspended, error) {
	var s Suspended
	if text == "none" {
		return s, nil
	}
	for part := range strings.SplitSeq(text, "+") {
		switch part {
		case "in":
			s.In = true
		case "out":
			s.Out = true
		case "scheduled":
			s.Scheduled = true
		default:
			return Suspended{}, fmt.Errorf("%q is no kind of scaling", part)
		}
	}
	return s, nil
}

// scaling is the scalable target of the service, nil where nothing scales it.
// Not being allowed to look costs a note: the count can be set all the same.
func (j *job) scaling(ctx context.Context) (*Scaling, error) {
	s, err := j.AWS.Scaling(ctx, j.target.Cluster, j.target.Service)
	switch {
	case err == nil:
		return &s, nil
	case errors.Is(err, NotFound), errors.Is(err, Unsupported):
		return nil, nil
	case errors.Is(err, Denied):
		j.say(story.Note, story.Preflight, "cannot tell whether autoscaling changes the count too: %v", err)
		return nil, nil
	}
	return nil, err
}

// warnOfRange says when autoscaling will not leave a count alone. The range
// belongs to whoever made the scalable target, so it is told and not changed.
func (j *job) warnOfRange(s *Scaling, count int) {
	switch {
	case s == nil || s.Suspended == allSuspended():
	case count < s.Min:
		j.say(story.Warning, story.Preflight, "autoscaling keeps %d to %d tasks: its next scale-out brings %d back up to %d; to hold it down use stop, or lower the minimum",
			s.Min, s.Max, count, s.Min)
	case count > s.Max:
		j.say(story.Warning, story.Preflight, "autoscaling keeps %d to %d tasks: its next scale-in brings %d down; raise the maximum to keep so many", s.Min, s.Max, count)
	}
}

// suspendScaling stops autoscaling from starting what stop has stopped, after noting
// on the service what was suspended before.
func (j *job) suspendScaling(ctx context.Context, s Service, scaling *Scaling) error {
	if scaling == nil || scaling.Suspended == allSuspended() {
		return nil // what an earlier stop noted stays
	}
	if err := j.AWS.Tag(ctx, s.ARN, map[string]string{tagSuspended: scaling.Suspended.String()}); err != nil {
		return fmt.Errorf("remember the state of autoscaling: %w", err)
	}
	switch err := j.AWS.Suspend(ctx, j.target.Cluster, j.target.Service, allSuspended()); {
	case errors.Is(err, Denied):
		j.say(story.Warning, story.Update, "autoscaling goes on, and may start tasks again: %v", err)
	case err != nil:
		return err
	default:
		j.say(story.Note, story.Update, "autoscaling suspended; start brings it back")
	}
	return nil
}

// resumeScaling brings autoscaling back to what it was before stop, as the note on the
// service has it.
func (j *job) resumeScaling(ctx context.Context, s Service) error {
	note, noted := s.Tags[tagSuspended]
	if !noted {
		return nil
	}
	before, err := parseSuspended(note)
	if err != nil {
		return fmt.Errorf("tag %s of the service: %w", tagSuspended, err)
	}
	if err := j.AWS.Suspend(ctx, j.target.Cluster, j.target.Service, before); err != nil && !errors.Is(err, NotFound) {
		return err
	}
	if before == (Suspended{}) {
		j.say(story.Note, story.Update, "autoscaling resumed")
	} else {
		j.say(story.Note, story.Update, "autoscaling as before stop: %s still suspended", before)
	}
	return nil
}
