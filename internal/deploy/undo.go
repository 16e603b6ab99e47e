package deploy

import (
	"context"
	"errors"
	"fmt"

	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// undo puts the service back after a rollout that failed, and completes the
// verdict: rolled-back when it stands on a good revision again, failed when it
// does not. ECS's own rollback is left alone and followed; otherwise ECS is
// asked for one, and where it keeps no record to stop, the service is updated
// to the last revision that reached a steady state.
func (j *job) undo(ctx context.Context, w *watch, result rollout.Verdict, v story.Verdict, previous Service) (story.Verdict, error) {
	cause := fmt.Sprintf("%s failed: %s", v.TaskDefinition, result.Reason)
	stuck := func(why string) (story.Verdict, error) {
		v.Outcome = Failed
		v.Summary = cause + "; the service is NOT back: " + why
		v.Next = []string{j.command("status"), j.command("rollback") + " --to REVISION"}
		return j.end(v), nil
	}
	j.say(story.Begin, story.Rollback, "putting %s back", j.target.Service)
	start := rollout.Start{TaskDefinition: result.TaskDefinition, Answer: w.last.Service}
	followed := w.tracker.IDs()
	if !result.RollingBack {
		var err error
		start, err = j.startUndo(ctx, w, previous)
		var none *noRevisionError
		switch {
		case errors.As(err, &none):
			return stuck(none.Error())
		case errors.Is(err, context.Canceled):
			v.Outcome, v.Summary = Interrupted, cause+"; interrupted before the service was put back"
			v.Next = []string{j.command("rollback")}
			return j.end(v), nil
		case err != nil:
			return stuck(err.Error())
		}
	} else {
		j.say(story.Note, story.Rollback, "ECS is rolling back by itself")
	}
	back := j.newWatch(story.Rollback, rollout.FollowRollback(start, followed...), start)
	back.record = w.record
	end, err := back.run(ctx)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		v.Outcome, v.Summary = Interrupted, cause+"; interrupted while the rollback goes on"
		v.Next = []string{j.command("wait")}
		return j.end(v), nil
	case err != nil:
		return stuck(err.Error())
	case end.Outcome == rollout.Stable:
		v.Outcome = RolledBack
		v.Summary = fmt.Sprintf("%s; the service is back on %s", cause, rollout.RevisionName(back.tracker.TaskDefinition()))
		v.Next = []string{j.command("status")}
		return j.end(v), nil
	}
	return stuck(end.Reason)
}

// startUndo begins a rollback and says what to follow.
func (j *job) startUndo(ctx context.Context, w *watch, previous Service) (rollout.Start, error) {
	if w.record != "" {
		switch err := j.AWS.RollBack(ctx, w.record); {
		case err == nil:
			j.say(story.Note, story.Rollback, "asked ECS to roll the deployment back")
			return rollout.Start{Answer: w.last.Service}, nil // ECS chooses where to
		case ctx.Err() != nil:
			return rollout.Start{}, ctx.Err()
		default:
			j.say(story.Note, story.Rollback, "ECS cannot roll back by itself: %v", err)
		}
	}
	good, err := j.lastStable(ctx, previous, w.tracker.TaskDefinition())
	if err != nil {
		return rollout.Start{}, err
	}
	target, err := j.usable(ctx, good)
	if err != nil {
		return rollout.Start{}, err
	}
	j.say(story.Note, story.Rollback, "updating to %s", rollout.RevisionName(target))
	answer, err := j.AWS.UpdateService(context.WithoutCancel(ctx), Update{Cluster: j.target.Cluster, Service: j.target.Service, TaskDefinition: target, Force: true})
	if err != nil {
		return rollout.Start{}, err
	}
	return startOf(answer, target, before{record: w.record})
}

// noRevisionError says that there is nothing to go back to.
type noRevisionError struct{ why string }

func (e *noRevisionError) Error() string { return e.why }

// historyDepth is how many rollouts are looked through for a good one.
const historyDepth = 100

// lastStable is the ARN of the newest revision that reached a steady state
// before the one that failed: what the service ran when the deploy began, if
// that had completed, else the newest that ECS's records have as SUCCESSFUL.
func (j *job) lastStable(ctx context.Context, previous Service, failed string) (string, error) {
	if p, ok := previous.Primary(); ok && p.TaskDefinition != failed && (p.RolloutState == "COMPLETED" || p.RolloutState == "") {
		return p.TaskDefinition, nil
	}
	records, err := j.AWS.ServiceDeployments(ctx, j.target.Cluster, j.target.Service, historyDepth)
	if err != nil && !errors.Is(err, Unsupported) && !errors.Is(err, Denied) {
		return "", err
	}
	for _, r := range records {
		if r.Status == "SUCCESSFUL" && r.TaskDefinition != "" && r.TaskDefinition != failed {
			return r.TaskDefinition, nil
		}
	}
	return "", &noRevisionError{"no earlier revision of this service is known to have been stable"}
}

// usable makes sure that ECS takes a revision for an update. Terraform
// deregisters the old revision when it registers a new one, and ECS refuses
// that: then a copy of it is registered.
func (j *job) usable(ctx context.Context, arn string) (string, error) {
	doc, err := j.document(ctx, arn)
	if err != nil {
		return "", err
	}
	if doc.Status() == "ACTIVE" {
		return doc.ARN(), nil
	}
	copied, err := j.register(ctx, doc)
	if err != nil {
		return "", err
	}
	j.say(story.Note, story.Rollback, "%s is %s: registered a copy, %s", revisionName(doc), doc.Status(), revisionName(copied))
	return copied.ARN(), nil
}
