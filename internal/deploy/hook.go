package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// Hook is a command that a deploy runs in a one-off task of the new revision:
// before the service is updated, as a migration of the database, or after it is
// stable, as a smoke test.
type Hook struct {
	Name      string   // for people; "" means the command's first word
	Run       []string // the command
	Container string   // which runs it; "" means the one that gets the image
	Timeout   time.Duration
}

// String is what the hook is called.
func (h Hook) String() string {
	if h.Name != "" || len(h.Run) == 0 {
		return h.Name
	}
	return path.Base(h.Run[0])
}

// AfterFailure says what becomes of a deploy whose rollout was good and whose
// hook after it failed.
type AfterFailure string

// What [Request.AfterFailure] may be.
const (
	AfterRollback AfterFailure = "rollback" // the default: a failed smoke test is a failed deploy
	AfterKeep     AfterFailure = "keep"     // the new revision stays; it is not back, says the exit code
)

// checkHooks refuses hooks that cannot be meant.
func (r Request) checkHooks() error {
	for _, h := range append(append([]Hook{}, r.Before...), r.After...) {
		if len(h.Run) == 0 {
			return &UsageError{fmt.Sprintf("hook %q has no command", h.Name), "say what it runs"}
		}
	}
	switch {
	case r.NoWait && len(r.After) > 0:
		return &UsageError{"a hook after the rollout, which is not waited for", "leave out one of the two"}
	case r.AfterFailure != "" && r.AfterFailure != AfterRollback && r.AfterFailure != AfterKeep:
		return &UsageError{fmt.Sprintf("%q is nothing to do after a failure", r.AfterFailure), "give rollback or keep"}
	}
	return nil
}

// judgeHooks lists the hooks that the revision has no container for.
func (r Request) judgeHooks(doc *taskdef.Document) error {
	var f faults
	for _, h := range append(append([]Hook{}, r.Before...), r.After...) {
		if _, err := doc.TargetContainer(cmp.Or(h.Container, r.Container)); err != nil {
			f.add(Fault{"hook " + h.String(), err.Error(), "name the container that runs it"})
		}
	}
	if len(f.list) > 0 {
		return &PreflightError{Faults: f.list}
	}
	return nil
}

// hookError is a hook that did not go well.
type hookError struct {
	step story.Step
	name string
	err  error
}

func (e *hookError) Error() string { return fmt.Sprintf("%s hook %s: %v", e.step, e.name, e.err) }
func (e *hookError) Unwrap() error { return e.err }

// hooks runs hooks one after another, in tasks of that revision, until one
// fails: then the error is a [*hookError].
func (j *job) hooks(ctx context.Context, step story.Step, hooks []Hook, doc *taskdef.Document, target string) error {
	for _, h := range hooks {
		j.say(story.Begin, step, "%s", h)
		if err := j.hook(ctx, step, h, doc, target); err != nil {
			j.say(story.Failed, step, "%s: %v", h, err)
			return &hookError{step, h.String(), err}
		}
		j.say(story.End, step, "%s", h)
	}
	return nil
}

func (j *job) hook(ctx context.Context, step story.Step, h Hook, doc *taskdef.Document, target string) error {
	container, err := doc.TargetContainer(cmp.Or(h.Container, target))
	if err != nil {
		return err
	}
	o, err := j.start(ctx, step, OneOff{
		TaskDefinition: doc.ARN(), Container: container.Name, Command: h.Run, Count: 1, StartedBy: "plimsoll/" + string(step),
	}, doc)
	if err != nil {
		return err
	}
	return o.follow(ctx, cmp.Or(h.Timeout, j.timeout))
}

// prepareUpdate runs the hooks before the update. They may have taken long, so
// the service is looked at again after them.
func (j *job) prepareUpdate(ctx context.Context, r Request, p *plan, next *taskdef.Document) error {
	if len(r.Before) == 0 {
		return nil
	}
	if err := j.hooks(ctx, story.Before, r.Before, next, r.Container); err != nil {
		if !p.same && !errors.Is(err, context.Canceled) {
			j.mark(ctx, next.ARN(), "failed")
		}
		return err
	}
	s, err := j.ready(ctx, r.TakeOver)
	if err != nil {
		return err
	}
	p.service = s
	return nil
}

// stopBefore is the verdict on a deploy that ended before the update.
func (j *job) stopBefore(err error, v story.Verdict) (story.Verdict, error) {
	var failed *hookError
	if !errors.As(err, &failed) || errors.Is(err, context.Canceled) {
		return j.stop(err)
	}
	v.Outcome, v.TaskDefinition = Refused, ""
	v.Summary = err.Error() + "; the service was not changed"
	return j.end(v), &PreflightError{Faults: []Fault{{string(failed.step) + " hook " + failed.name, failed.err.Error(), ""}}}
}

// confirm runs the hooks after a rollout that was good; done is true when they
// made a verdict of their own.
func (j *job) confirm(ctx context.Context, w *watch, v story.Verdict, p *plan) (verdict story.Verdict, done bool, err error) {
	r := p.request
	if len(r.After) == 0 {
		return v, false, nil
	}
	if w.tracker.View().Desired == 0 {
		j.say(story.Note, story.After, "the desired count is 0: the hooks after the rollout are not run")
		return v, false, nil
	}
	doc, err := j.document(ctx, w.tracker.TaskDefinition())
	if err == nil {
		err = j.hooks(ctx, story.After, r.After, doc, r.Container)
	}
	switch {
	case err == nil:
		return v, false, nil
	case errors.Is(err, context.Canceled):
		v.Outcome, v.Next = Interrupted, []string{j.command("status"), j.command("rollback")}
		v.Summary = fmt.Sprintf("interrupted during the hooks after the rollout; %s runs %s, which they have not confirmed", j.target.Service, v.TaskDefinition)
		return j.end(v), true, nil
	}
	same := w.tracker.TaskDefinition() == p.service.TaskDefinition
	if !same {
		j.mark(ctx, w.tracker.TaskDefinition(), "failed")
	}
	if r.AfterFailure == AfterKeep || r.OnFailure == Leave || same {
		v.Outcome, v.Next = Failed, []string{j.command("status"), j.command("rollback")}
		v.Summary = fmt.Sprintf("%s runs, but %v; it is kept", v.TaskDefinition, err)
		if same && r.AfterFailure != AfterKeep && r.OnFailure != Leave {
			v.Summary = fmt.Sprintf("%s runs, but %v; it is what ran before, so there is nothing to go back to", v.TaskDefinition, err)
		}
		return j.end(v), true, nil
	}
	w.record = "" // ECS's own rollout is over: there is nothing left to stop
	verdict, err = j.undo(ctx, w, rollout.Verdict{Outcome: rollout.Failed, Reason: err.Error()}, v, origin{service: p.service, setTo: p.desired})
	return verdict, true, err
}
