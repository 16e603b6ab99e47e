package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// origin is what a deploy that fails is put back to.
type origin struct {
	service Service // as it was before
	setTo   *int    // the desired count that the deploy has set, nil when it left it
}

// count is the desired count to put back: that from before, unless the deploy
// left it, or somebody (autoscaling, say) has changed it since.
func (o origin) count(now Service) *int {
	if o.setTo == nil || *o.setTo == o.service.Desired || now.Desired != *o.setTo {
		return nil
	}
	return &o.service.Desired
}

// inPlace reports whether the deployment being followed is one that was there
// before: then only its count was changed, and only that can be put back.
func (o origin) inPlace(id string) bool {
	return slices.ContainsFunc(o.service.Deployments, func(d rollout.Deployment) bool { return d.ID == id })
}

// undo puts the service back after a rollout that failed, and completes the
// verdict: rolled-back when it stands on a good revision again, failed when it
// does not. ECS's own rollback is left alone and followed; otherwise ECS is
// asked for one, and where it keeps no record to stop, the service is updated
// to the last revision that reached a steady state. The desired count from
// before comes back too, which ECS does not do: it is no part of a deployment.
func (j *job) undo(ctx context.Context, w *watch, result rollout.Verdict, v story.Verdict, from origin) (story.Verdict, error) {
	cause := fmt.Sprintf("%s failed: %s", v.TaskDefinition, result.Reason)
	if j.putsBackInterrupted {
		cause = result.Reason
	}
	j.say(story.Begin, story.Rollback, "putting %s back", j.target.Service)
	// ECS may go back to a deployment under its old id, and what became of its
	// tasks until now says nothing of those that it will start. Not being able
	// to read them must not keep the service where it is.
	known, _ := j.before(ctx, w.last, true)
	if winner, taken := j.taken(ctx, w); taken {
		return j.superseded(ctx, winner, v)
	}
	start, err := j.startUndo(ctx, w, result, from)
	if err == nil {
		start.KnownTasks, start.ImageTags = known.tasks, w.imageTags
		followed := slices.DeleteFunc(w.tracker.IDs(), from.inPlace)
		back := j.newWatch(story.Rollback, rollout.FollowRollback(start, followed...), start)
		back.record = w.record
		return j.undone(ctx, back, cause, v)
	}
	if taken, ok := errors.AsType[*takenError](err); ok {
		return j.superseded(ctx, taken.by, v)
	}
	if errors.Is(err, context.Canceled) {
		v.Outcome, v.Summary = Interrupted, cause+"; interrupted before the service was put back"
		v.Next = []string{j.command("rollback", "--supersede")}
		return j.end(v), nil
	}
	return j.stuck(w.last, cause, err.Error(), v)
}

// undone watches the way back and completes the verdict.
func (j *job) undone(ctx context.Context, back *watch, cause string, v story.Verdict) (story.Verdict, error) {
	end, err := back.run(ctx)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		v.Outcome, v.Summary = Interrupted, cause+"; interrupted while the rollback goes on"
		v.Next = []string{j.command("wait")}
		return j.end(v), nil
	case err != nil:
		return j.stuck(back.last, cause, err.Error(), v)
	case end.Outcome == rollout.Superseded:
		return j.superseded(ctx, end, v)
	case end.Outcome != rollout.Stable:
		return j.stuck(back.last, cause, end.Reason, v)
	}
	v.Outcome = RolledBack
	if j.putsBackInterrupted {
		v.Outcome = Interrupted
	}
	on := rollout.RevisionName(back.tracker.TaskDefinition())
	j.say(story.End, story.Rollback, "back on %s", on)
	v.Summary = fmt.Sprintf("%s; the service is back on %s", cause, on)
	if back.last.Desired == 0 {
		v.Summary += ", with no task, as before"
	}
	v.Next = []string{j.command("status")}
	return j.end(v), nil
}

// stuck is the verdict on a service that could not be put back.
func (j *job) stuck(last Service, cause, why string, v story.Verdict) (story.Verdict, error) {
	v.Outcome = Failed
	v.Summary = cause + "; the service is NOT back: " + why
	v.Next = j.waysOut(last, j.command("rollback", "--supersede", "--dry-run"))
	return j.end(v), nil
}

// waysOut are the commands for a person who finds a service failed. Stop is one
// where nothing runs: tasks that end again and again serve nobody.
func (j *job) waysOut(last Service, rollback string) []string {
	next := []string{j.command("status"), rollback}
	if last.Running == 0 && last.Desired > 0 {
		next = append(next, j.command("stop"))
	}
	return next
}

// startUndo begins a rollback and says what to follow.
func (j *job) startUndo(ctx context.Context, w *watch, result rollout.Verdict, from origin) (rollout.Start, error) {
	count := from.count(w.last)
	switch ids := w.tracker.IDs(); {
	case result.RollingBack:
		j.say(story.Note, story.Rollback, "ECS is rolling back by itself")
		return j.restoreCount(ctx, rollout.Start{TaskDefinition: result.TaskDefinition, Answer: w.last.Service}, count)
	case len(ids) > 0 && from.inPlace(ids[0]):
		return j.restoreInPlace(ctx, w, ids[0], count)
	case w.record != "":
		switch err := j.AWS.RollBack(ctx, w.record); {
		case err == nil:
			j.say(story.Note, story.Rollback, "asked ECS to roll the deployment back")
			return j.restoreCount(ctx, rollout.Start{Answer: w.last.Service}, count) // ECS chooses where to
		case ctx.Err() != nil:
			return rollout.Start{}, ctx.Err()
		default:
			j.say(story.Note, story.Rollback, "ECS cannot roll back by itself: %v", err)
		}
	}
	good, err := j.lastStable(ctx, from.service, w.tracker.TaskDefinition())
	if err != nil {
		return rollout.Start{}, err
	}
	target, err := j.usable(ctx, good)
	if err != nil {
		return rollout.Start{}, err
	}
	if winner, taken := j.taken(ctx, w); taken {
		return rollout.Start{}, &takenError{winner}
	}
	j.say(story.Note, story.Rollback, "updating to %s", rollout.RevisionName(target))
	answer, err := j.setBack(ctx, Update{TaskDefinition: target, Force: true}, count)
	if err != nil {
		return rollout.Start{}, err
	}
	return startOf(answer, target, before{record: w.record})
}

// restoreCount puts the count back while ECS puts the revision back. It comes
// second: a deployment that fails completes as soon as it wants no task.
func (j *job) restoreCount(ctx context.Context, start rollout.Start, count *int) (rollout.Start, error) {
	if count == nil {
		return start, nil
	}
	answer, err := j.setBack(ctx, Update{}, count)
	start.Answer = answer.Service
	return start, err
}

// restoreInPlace puts the count of a deployment back that only grew.
func (j *job) restoreInPlace(ctx context.Context, w *watch, id string, count *int) (rollout.Start, error) {
	if count == nil {
		return rollout.Start{}, &noRevisionError{"only the desired count was changed, and somebody has changed it since"}
	}
	answer, err := j.setBack(ctx, Update{}, count)
	return rollout.Start{DeploymentID: id, TaskDefinition: w.tracker.TaskDefinition(), Answer: answer.Service}, err
}

// setBack updates the service, with the count where there is one to put back.
func (j *job) setBack(ctx context.Context, u Update, count *int) (Service, error) {
	u.Cluster, u.Service, u.Desired = j.target.Cluster, j.target.Service, count
	if count != nil {
		j.say(story.Note, story.Rollback, "the desired count goes back to %d too", *count)
	}
	return j.AWS.UpdateService(context.WithoutCancel(ctx), u)
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
	return "", &noRevisionError{"no other revision of it is known to have ever been stable"}
}

// usable makes sure that ECS takes a revision for an update. Terraform
// deregisters the old revision when it registers a new one, and ECS refuses
// that: then a copy of it is taken.
func (j *job) usable(ctx context.Context, arn string) (string, error) {
	doc, err := j.document(ctx, arn)
	if err != nil {
		return "", err
	}
	if doc.Status() == "ACTIVE" {
		return doc.ARN(), nil
	}
	return j.copied(ctx, doc, doc)
}
