package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
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
	To        string // image tag, revision number, family:revision or ARN; "" chooses
	Container string // whose image tag To means; "" means the only one
	NoWait    bool
	DryRun    bool
	TakeOver  bool // begin though another rollout is under way
	Timeout   time.Duration
	Watching
}

// Rollback brings a service back to an earlier revision, by default the last
// one that reached a steady state before the current one. It refuses when the
// image of that revision is gone, and when ECS has just rolled back by itself:
// a pipeline that rolls back on failure would otherwise take a healthy service
// one step further than anyone wants. Nothing is deregistered.
func Rollback(ctx context.Context, p Ports, r RollbackRequest, tell story.Teller) (story.Verdict, error) {
	j := begin(p, r.Target, r.Timeout, tell)
	j.watching = r.Watching
	j.say(story.Begin, story.Preflight, "looking for the revision to go back to")
	s, err := j.ready(ctx, r.TakeOver)
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
	if list := j.judgeImages(ctx, goal); len(list) > 0 {
		return j.stop(&PreflightError{Faults: list})
	}
	from, to := imageTagOf(running, r.Container), imageTagOf(goal, r.Container)
	v := story.Verdict{ImageTag: to, ImageDigest: goal.Tags()[tagDigest], From: from, TaskDefinition: revisionName(goal)}
	j.say(story.End, story.Preflight, "back to %s (%s)", revisionName(goal), image.Change(from, to))
	if r.DryRun {
		v.Outcome, v.Summary = Unchanged, fmt.Sprintf("dry run: would go back to %s; nothing was changed", revisionName(goal))
		return j.end(v), nil
	}
	arn, err := j.usable(ctx, goal.ARN())
	if err != nil {
		return j.stop(err)
	}
	v.TaskDefinition = rollout.RevisionName(arn)
	return j.update(ctx, s, Update{TaskDefinition: arn, Force: true}, r.NoWait, v,
		map[string]string{arn: to, s.TaskDefinition: from})
}

// update changes a service outside a deploy, and watches what comes of it. A
// failure is not undone: there is nothing better to go to.
func (j *job) update(ctx context.Context, s Service, u Update, noWait bool, v story.Verdict, imageTags map[string]string) (story.Verdict, error) {
	u.Cluster, u.Service = j.target.Cluster, j.target.Service
	known, err := j.before(ctx, s, !u.Force)
	if err != nil {
		return j.stop(err)
	}
	j.say(story.Begin, story.Update, "updating %s", j.target.Service)
	answer, err := j.AWS.UpdateService(context.WithoutCancel(ctx), u)
	if err != nil {
		return j.stop(err)
	}
	goal := u.TaskDefinition
	if goal == "" {
		goal = answer.TaskDefinition
	}
	start, err := startOf(answer, goal, known)
	if err != nil {
		return story.Verdict{}, err
	}
	start.ImageTags = imageTags
	j.say(story.End, story.Update, "deployment %s", start.DeploymentID)
	if noWait {
		v.Outcome, v.Summary, v.Next = Started, "started; not waited for", []string{j.resume(v)}
		return j.end(v), nil
	}
	return j.await(ctx, j.newWatch(story.Watch, j.follow(start), start), v)
}

// await watches a rollout that this run will not undo, and makes its verdict.
// Where ECS rolls back by itself, that is followed too.
func (j *job) await(ctx context.Context, w *watch, v story.Verdict) (story.Verdict, error) {
	result, err := w.run(ctx)
	if err != nil {
		return j.unfinished(err, v)
	}
	v.TaskDefinition = rollout.RevisionName(w.tracker.TaskDefinition())
	switch {
	case result.Outcome == rollout.Stable:
		d := w.tracker.View()
		if d.Desired > 0 {
			j.markPending(ctx, w.tracker.TaskDefinition(), "stable")
		}
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
	v.Next = j.waysOut(w.last, j.command("rollback", "--take-over"))
	return j.end(v), nil
}

// goal finds the revision to go back to.
func (j *job) goal(ctx context.Context, s Service, running *taskdef.Document, r RollbackRequest) (*taskdef.Document, error) {
	refuse := func(what, do string) error {
		return &PreflightError{Faults: []Fault{{"rollback target", what, do}}}
	}
	if _, err := strconv.Atoi(r.To); err == nil {
		r.To = running.Family() + ":" + r.To
	}
	if strings.Contains(r.To, ":") {
		doc, err := j.document(ctx, r.To)
		if errors.Is(err, NotFound) {
			return nil, refuse("there is no revision "+r.To, "list them with: aws ecs list-task-definitions --family-prefix "+running.Family())
		}
		return doc, err
	}
	records, err := j.AWS.ServiceDeployments(ctx, j.target.Cluster, j.target.Service, historyDepth)
	if err != nil {
		return nil, fmt.Errorf("read the history of %s (name a revision with --to to do without): %w", j.target, err)
	}
	if r.To == "" && len(records) > 0 && strings.HasPrefix(records[0].Status, "ROLLBACK_") && records[0].TaskDefinition != s.TaskDefinition {
		return nil, refuse(fmt.Sprintf("ECS has already rolled %s back to %s", rollout.RevisionName(records[0].TaskDefinition), revisionName(running)),
			"to go back further, name the revision or tag with --to")
	}
	seen := []string{s.TaskDefinition}
	for _, record := range records {
		arn := record.TaskDefinition
		if arn == "" || slices.Contains(seen, arn) || record.Status != "SUCCESSFUL" {
			continue
		}
		seen = append(seen, arn)
		doc, err := j.document(ctx, arn)
		if errors.Is(err, NotFound) {
			continue // deleted: nothing to go back to
		}
		if err != nil {
			return nil, err
		}
		if r.To == "" && doc.Tags()[tagVerdict] != "failed" || r.To != "" && imageTagOf(doc, r.Container) == r.To {
			return doc, nil
		}
	}
	if r.To != "" && imageTagOf(running, r.Container) == r.To {
		return running, nil // a rollback that was cut short has brought it on its way
	}
	if r.To != "" {
		return nil, refuse(fmt.Sprintf("no revision with image tag %s has been stable on this service", r.To), "name a revision with --to, or deploy the tag")
	}
	return nil, refuse("no earlier revision of this service is known to have been stable", "name one with --to")
}

// judgeImages lists the images of a revision that ECR no longer has.
func (j *job) judgeImages(ctx context.Context, doc *taskdef.Document) []Fault {
	var f faults
	for _, c := range doc.Containers() {
		ref, err := image.Parse(c.Image)
		if err != nil {
			continue // ECS took it, so it is not for us to refuse
		}
		f.add(judgeImage(read(j.AWS.Digest(ctx, ref)), ref)...)
	}
	return f.list
}
