package deploy

import (
	"context"

	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// launch updates the service and finds the rollout that this begins in ECS's answer: one
// of the task definition by that ARN, or of what the service is set to for "". The answer
// is that of the start.
func (j *job) launch(ctx context.Context, s Service, u Update, arn string, imageTags map[string]string) (rollout.Start, error) {
	u.Cluster, u.Service = j.target.Cluster, j.target.Service
	if u.Force { // else the tasks are those that serve already
		j.allow(s)
	}
	known, err := j.before(ctx, s, !u.Force)
	if err != nil {
		return rollout.Start{}, err
	}
	j.say(story.Begin, story.Update, "updating %s", rolloutOf(j.target.Service, arn))
	// An interrupt must not leave open whether the update has been made.
	answer, err := j.AWS.UpdateService(context.WithoutCancel(ctx), u)
	if err != nil {
		return rollout.Start{}, err
	}
	if arn == "" {
		arn = answer.TaskDefinition
	}
	start, err := startOf(answer, arn, known)
	if err != nil {
		return rollout.Start{}, err
	}
	start.ImageTags = imageTags
	if u.Force { // else no task is replaced, and what it took before says nothing
		start.Usual = j.timesBefore(s.TaskDefinition).usual()
	}
	j.say(story.End, story.Update, "deployment %s", start.DeploymentID)
	return start, nil
}

func rolloutOf(service, arn string) string {
	if arn == "" {
		return service
	}
	return service + " to " + rollout.RevisionName(arn)
}

// unwatched is the verdict of a rollout that was begun and is not waited for.
func (j *job) unwatched(what string, v story.Verdict) (story.Verdict, error) {
	v.Outcome, v.Summary, v.Next = Started, what+"; not waited for", []string{j.resume(v)}
	return j.end(v), nil
}

// awaitOrUndo follows a rollout that is put back when it does not go well. Conclude makes the
// verdict of one that ended.
func (j *job) awaitOrUndo(ctx context.Context, start rollout.Start, v story.Verdict, from origin, conclude func(*watch, rollout.Verdict) (story.Verdict, error)) (story.Verdict, error) {
	w := j.newWatch(story.Watch, j.follow(start), start)
	result, err := w.run(ctx)
	switch {
	case err != nil && ctx.Err() != nil && j.watching.OnInterrupt == PutBack:
		return j.interrupted(ctx, w, v, from)
	case err != nil:
		return j.unfinished(w, err, v)
	}
	return conclude(w, result)
}

// undoOrLeave is the verdict of a rollout that failed, after the service was put back unless it
// is to be left.
func (j *job) undoOrLeave(ctx context.Context, w *watch, result rollout.Verdict, v story.Verdict, from origin) (story.Verdict, error) {
	if j.watching.OnFailure == Leave && !result.RollingBack {
		return j.left(w, result, v)
	}
	return j.undo(ctx, w, result, v, from)
}
