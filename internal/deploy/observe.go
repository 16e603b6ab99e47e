package deploy

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// A service at rest is looked at so often: what begins is seen a moment later.
const restsEvery = 3 * time.Second

// Observe looks at a service until ctx ends, and tells what it sees: its tasks
// where they stand, and any rollout, begun by whomever, as [Deploy] tells its
// own. It changes nothing, and what a rollout comes to it tells as it would be
// judged: that one failed is not its to mend. A target that is not there comes
// back as [*PreflightError]; reads that keep failing end it too.
func Observe(ctx context.Context, p Ports, t Target, tell story.Teller) error {
	j := begin(p, t, 0, tell)
	s, err := j.found(ctx)
	if err != nil {
		return err
	}
	o := observer{job: j}
	for failures := 0; ; {
		if id, rolls := o.begins(s); rolls {
			err = o.follow(ctx, s, id)
		} else {
			o.rest(ctx, s)
			err = p.Sleep(ctx, restsEvery)
		}
		if err == nil {
			s, err = p.AWS.Service(ctx, t.Cluster, t.Service)
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			failures = 0
			continue
		case errors.Is(err, Denied), errors.Is(err, NotFound), failures == maxFailures:
			return fmt.Errorf("look at %s: %w", t, err)
		}
		failures++
		if err := p.Sleep(ctx, slowest); err != nil {
			return err
		}
	}
}

// observer is what is remembered from one look to the next.
type observer struct {
	*job
	judged string // the deployment that has come to a verdict, while ECS goes on with it
	last   rollout.Service
	view   rollout.View
}

// begins is the deployment of a rollout that is under way and that has come to
// no verdict yet.
func (o *observer) begins(s Service) (id string, rolls bool) {
	p, ok := s.Primary()
	return p.ID, ok && s.Rolling() && p.ID != o.judged
}

// follow follows a rollout to its verdict, or until the service moves elsewhere:
// ECS rolls back to a deployment that was there before.
func (o *observer) follow(ctx context.Context, s Service, id string) error {
	start := o.start(ctx, s)
	w := o.newWatch(story.Watch, rollout.Follow(start), start)
	pace, failures := pace{}, 0
	for away := 0; away < elsewhere; {
		look, err := w.look(ctx)
		wait := time.Duration(0)
		switch {
		case err == nil:
			failures = 0
			moved := w.pass(w.tracker.Observe(look))
			wait = pace.next(o.Now(), moved, w.tracker.NearlyDone())
			if p, ok := look.Service.Primary(); ok && !slices.Contains(w.tracker.IDs(), p.ID) {
				away++
			}
		case ctx.Err() != nil, errors.Is(err, Denied), errors.Is(err, NotFound), failures == maxFailures:
			return err
		default:
			failures++
			wait = pace.afterError()
		}
		if w.tracker.Verdict().Final() {
			break
		}
		if err := o.Sleep(ctx, wait); err != nil {
			return err
		}
	}
	o.judged, o.view = id, rollout.View{}
	o.tellEnd(w)
	return nil
}

// elsewhere is how many looks must show that the service moves to another
// deployment: one may be older than the one before, and the next may say why.
const elsewhere = 3

// tellEnd says what became of a rollout.
func (o *observer) tellEnd(w *watch) {
	name, v := rollout.RevisionName(w.tracker.TaskDefinition()), w.tracker.Verdict()
	p, _ := w.last.Primary()
	switch {
	case v.Outcome == rollout.Stable:
		o.say(story.End, story.Watch, "%s is stable", name)
	case v.Outcome == rollout.Failed:
		o.say(story.Failed, story.Watch, "%s failed: %s", name, v.Reason)
	case v.Final():
		o.say(story.Note, story.Watch, "%s", v.Reason)
	default:
		o.say(story.Failed, story.Watch, "%s is given up: the service goes to %s", name, rollout.RevisionName(p.TaskDefinition))
	}
}

// start is where the tracking of what a service moves to begins.
func (o *observer) start(ctx context.Context, s Service) rollout.Start {
	p, _ := s.Primary()
	return rollout.Start{DeploymentID: p.ID, TaskDefinition: p.TaskDefinition, Answer: s.Service, ImageTags: o.imageTags(ctx, s)}
}

// rest tells how the tasks stand, where that is something else than before.
// They are read only when the service says that they have changed.
func (o *observer) rest(ctx context.Context, s Service) {
	if reflect.DeepEqual(o.last, s.Service) && o.view.DeploymentID != "" {
		return
	}
	o.last = s.Service
	if _, ok := s.Primary(); !ok {
		return
	}
	tasks, err := o.AWS.Tasks(ctx, o.target.Cluster, o.target.Service, false)
	if err != nil { // the service itself says enough
		tasks = nil
	}
	tracker := rollout.Follow(o.start(ctx, s))
	tracker.Observe(rollout.Observation{At: o.Now(), Service: s.Service, Tasks: tasks})
	if view := tracker.View(); !reflect.DeepEqual(view, o.view) {
		o.view = view
		o.news(story.Event{Kind: story.Change, Step: story.Watch, Rollout: &view,
			Message: fmt.Sprintf("%d of %d running", s.Running, s.Desired)})
	}
}
