package deploy

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// RollbackRequest is a deliberate step back.
type RollbackRequest struct {
	Target
	To         string // image tag, revision number, family:revision or ARN; "" chooses
	Container  string // whose image tag To means; "" means the only one
	NoWait     bool
	DryRun     bool
	TakeOver   bool // begin though another rollout is under way
	Timeout    time.Duration
	Provenance Provenance
	Watching
}

// Rollback brings a service back to an earlier revision, by default the last
// one that really ran before the current one, that nobody rolled back from, and whose
// images ECR still has.
// What ran is what comes back: where a tag has moved since, a copy of the
// revision is registered that names the digest. It refuses when ECS has just
// rolled back by itself: a pipeline that rolls back on failure would otherwise
// take a healthy service one step further than anyone wants. While ECS is still
// at it, that is followed to its end. Nothing is deregistered.
func Rollback(ctx context.Context, p Ports, r RollbackRequest, tell story.Teller) (story.Verdict, error) {
	j := begin(p, r.Target, r.Timeout, tell)
	j.watching = r.Watching
	j.settles(ctx)
	j.say(story.Begin, story.Preflight, "looking for the revision to go back to")
	s, err := j.active(ctx)
	if err == nil && s.Rolling() && !r.TakeOver {
		if v, followed, err := j.followECS(ctx, s, r); followed || err != nil {
			return v, err
		}
		s, err = j.ready(ctx, false)
	}
	if err != nil {
		return j.stop(err)
	}
	running, err := j.document(ctx, s.TaskDefinition)
	if err != nil {
		return j.stop(err)
	}
	goal, err := j.goal(ctx, s, running, r)
	if err != nil {
		return j.stop(err)
	}
	checks := j.examineStart(ctx, goal.next, j.lookAtBalancers(s))
	if err := cmp.Or(ctx.Err(), refusal(checks, false)); err != nil {
		return j.stop(err)
	}
	j.tellWarnings(checks)
	from, to := imageTagOf(running, r.Container), imageTagOf(goal.next, r.Container)
	v := story.Verdict{ImageTag: to, ImageDigest: goal.digest(r.Container), From: from, TaskDefinition: revisionName(goal.was)}
	for _, c := range taskdef.Diff(running, goal.next) {
		j.say(story.Change, story.Preflight, "%s: %s -> %s", c.Path, cmp.Or(c.Before, "none"), cmp.Or(c.After, "none"))
	}
	j.say(story.End, story.Preflight, "back to %s (%s)", revisionName(goal.was), image.Change(from, to))
	if r.DryRun {
		how := ""
		if s.turnsTo(goal) {
			how = " by ending the rollout that is under way"
		}
		v.Outcome, v.Summary = Unchanged, fmt.Sprintf("dry run: would go back to %s%s; nothing was changed", goal, how)
		return j.end(v), nil
	}
	if s.turnsTo(goal) {
		if w, ok := j.turn(ctx, s); ok {
			j.withdraw(ctx, running, goal.leaves, r.Provenance)
			if r.NoWait {
				return j.unwatched("started", v)
			}
			return j.await(ctx, w, v)
		}
	}
	arn, err := j.take(ctx, goal)
	if err != nil {
		return j.stop(err)
	}
	v.TaskDefinition = rollout.RevisionName(arn)
	start, err := j.launch(ctx, s, Update{TaskDefinition: arn, Force: true}, arn, map[string]string{arn: to, s.TaskDefinition: from})
	if err != nil {
		return j.stop(err)
	}
	j.noteBack(ctx, arn, start, r.Provenance)
	if !strings.HasSuffix(image.ChangeKind(from, to), "upgrade") { // --to can go forth too
		j.withdraw(ctx, running, goal.leaves, r.Provenance)
	}
	return j.awaitUnless(ctx, r.NoWait, start, v)
}

// withdraw notes on a revision that somebody rolls back from it, whatever comes of the
// rollback.
func (j *job) withdraw(ctx context.Context, running *taskdef.Document, record string, by Provenance) {
	tags := map[string]string{tagWithdrawn: record}
	if by.Actor != "" {
		tags[tagWithdrawnBy] = tagValue(by.Actor)
	}
	if err := j.AWS.Tag(context.WithoutCancel(ctx), running.ARN(), tags); err != nil {
		j.say(story.Note, story.Preflight, "could not note on %s that it is rolled back from; another rollback may come to it again: %v", revisionName(running), err)
	}
}

// awaitUnless is await, unless the rollout is not waited for.
func (j *job) awaitUnless(ctx context.Context, noWait bool, start rollout.Start, v story.Verdict) (story.Verdict, error) {
	if noWait {
		return j.unwatched("started", v)
	}
	return j.await(ctx, j.newWatch(story.Watch, j.follow(start), start), v)
}

// await watches a rollout that this run will not undo, and makes its verdict.
// Where ECS rolls back by itself, that is followed too.
func (j *job) await(ctx context.Context, w *watch, v story.Verdict) (story.Verdict, error) {
	result, err := w.run(ctx)
	if err != nil {
		return j.unfinished(w, err, v)
	}
	v.TaskDefinition = rollout.RevisionName(w.tracker.TaskDefinition())
	switch {
	case result.Outcome == rollout.Stable:
		d := w.tracker.View()
		if d.Desired > 0 {
			j.markPending(ctx, w.tracker.TaskDefinition(), "stable")
		}
		v.Usual = w.usual
		v.Outcome, v.Summary = Stable, fmt.Sprintf("%s is stable on %s: %d of %d running", j.target.Service, v.TaskDefinition, d.New.Running, d.Desired)
		return j.end(v), nil
	case result.Outcome == rollout.Superseded:
		return j.superseded(ctx, result, v)
	case result.RollingBack || w.last.RollsBack && len(w.last.Deployments) > 1:
		// The cause may be known before ECS's circuit breaker trips. ECS then
		// still goes on with it, and turns round later by itself.
		result.RollingBack = true
		j.markPending(ctx, w.tracker.TaskDefinition(), "failed")
		return j.undo(ctx, w, result, v, origin{})
	}
	j.markPending(ctx, w.tracker.TaskDefinition(), "failed")
	v.Outcome, v.Summary = Failed, fmt.Sprintf("%s failed: %s", v.TaskDefinition, result.Reason)
	v.Next = j.waysOut(w.last, j.command("rollback", "--supersede"))
	return j.end(v), nil
}
