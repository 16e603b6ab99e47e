package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// Restart is what a start of a new task of a service would come to now, as far
// as its images decide it.
type Restart struct {
	TaskDefinition string        // family:revision
	Images         []StartsImage // by container, in the order of the task definition
	Faults         []Fault       // why it would fail; empty when it would not
	Unsure         []string      // what could not be found out
}

// StartsImage is the image that a container would start from.
type StartsImage struct {
	Container string
	Image     image.Reference // as the task definition writes it
	Digest    string          // what ECS has fixed; "" where every start resolves the tag
	Moved     bool            // the tag stands for something else by now, or for nothing
}

// CanRestart says whether ECS could start a task of the service once more. A
// service has its digests fixed by its first task, so the tag alone does not
// say it. Nothing is changed.
func CanRestart(ctx context.Context, p Ports, t Target) (Restart, error) {
	j := begin(p, t, 0, func(story.Event) {})
	s, err := j.AWS.Service(ctx, t.Cluster, t.Service)
	if err != nil {
		return Restart{}, err
	}
	r, _, err := j.restart(ctx, s)
	return r, err
}

// restart looks at what a start would pull.
func (j *job) restart(ctx context.Context, s Service) (Restart, *taskdef.Document, error) {
	doc, err := j.document(ctx, s.TaskDefinition)
	if err != nil {
		return Restart{}, nil, err
	}
	digests, err := j.fixedDigests(ctx, s)
	if err != nil {
		return Restart{}, nil, err
	}
	r := Restart{TaskDefinition: revisionName(doc)}
	var f faults
	for _, c := range j.contents(ctx, doc, digests) {
		r.Images = append(r.Images, StartsImage{c.container, c.ref, c.ran, c.moved()})
		switch err := c.pullError(); {
		case errors.Is(err, Unsupported), errors.Is(err, Denied):
			r.Unsure = append(r.Unsure, fmt.Sprintf("the image of container %s: %v", c.container, err))
		case errors.Is(err, NotFound):
			f.add(j.lost(ctx, c))
		case err != nil:
			return Restart{}, nil, err
		}
	}
	r.Faults = f.list
	return r, doc, ctx.Err()
}

// fixedDigests are the digests that ECS starts the containers from, by name:
// those of its record of the rollout that brought what runs, or where it keeps
// none those of the tasks that run. The service's own record is of another
// revision when that rollout was put back.
func (j *job) fixedDigests(ctx context.Context, s Service) (map[string]string, error) {
	brought := func(r rollout.ServiceDeployment) bool {
		return r.TaskDefinition == s.TaskDefinition && r.RolledBackTo == "" && len(r.Digests) > 0 && !strings.HasPrefix(r.Status, "ROLLBACK")
	}
	unknown := func(err error) bool {
		return errors.Is(err, Denied) || errors.Is(err, NotFound) || errors.Is(err, Unsupported)
	}
	if s.Record != "" {
		record, err := j.AWS.ServiceDeployment(ctx, s.Record)
		if err == nil && brought(record) {
			return record.Digests, nil
		}
		if err != nil && !unknown(err) {
			return nil, err
		}
	}
	tasks, err := j.AWS.Tasks(ctx, j.target.Cluster, j.target.Service, false)
	if err != nil && !unknown(err) {
		return nil, err
	}
	digests := map[string]string{}
	for _, t := range tasks {
		if t.TaskDefinition != s.TaskDefinition {
			continue
		}
		for _, c := range t.Containers {
			digests[c.Name] = cmp.Or(digests[c.Name], c.Digest)
		}
	}
	if len(digests) > 0 {
		return digests, nil
	}
	records, err := j.AWS.ServiceDeployments(ctx, j.target.Cluster, j.target.Service, historyDepth)
	if err != nil && !unknown(err) {
		return nil, err
	}
	for _, r := range records {
		if r.TaskDefinition != s.TaskDefinition || r.Status != "SUCCESSFUL" {
			continue
		}
		if full, ok := j.detailed(ctx, r); ok && brought(full) {
			return full.Digests, nil
		}
	}
	return digests, nil
}

// pullError is why the image of a container cannot be pulled, nil when it can:
// by its digest where ECS has fixed one.
func (c content) pullError() error {
	switch {
	case c.ran == "", c.now.err == nil && c.now.value == c.ran:
		return c.now.err
	case c.unclear():
		return c.now.err
	}
	return c.kept.err
}

// lost is the fault of a container whose image is gone.
func (j *job) lost(ctx context.Context, c content) Fault {
	if digest := j.archived(ctx, c); digest != "" {
		return Fault{"image", fmt.Sprintf("container %s starts from %s of %s, which is in ECR's archive, where it cannot be pulled", c.container, image.ShortDigest(digest), c.ref.Repository),
			"restore it, which takes up to 20 minutes, and pin it: " + j.command("rescue")}
	}
	if c.ran == "" {
		return Fault{"image", fmt.Sprintf("container %s starts from %s, which does not exist", c.container, c.ref),
			"push it again, or deploy another one: " + j.command("deploy", "--image-tag", "TAG")}
	}
	what := fmt.Sprintf("container %s starts from %s of %s, which is gone from ECR", c.container, image.ShortDigest(c.ran), c.ref.Repository)
	if c.now.err == nil && c.ref.Tag != "" {
		what += fmt.Sprintf("; the tag %s now stands for %s", c.ref.Tag, image.ShortDigest(c.now.value))
	}
	return Fault{"image", what, "bring it back: " + j.command("rescue") + "; or deploy another one: " + j.command("deploy", "--image-tag", "TAG")}
}

// archived is the digest of an image that cannot be pulled because it lies in
// the archive; "" when it does not, or nobody may look.
func (j *job) archived(ctx context.Context, c content) string {
	if j.Clues == nil {
		return ""
	}
	images, _, err := j.Clues.Shelved(ctx, c.ref)
	if err != nil {
		return ""
	}
	i := byDigest(images, cmp.Or(c.ran, c.ref.Digest))
	if c.ran == "" && c.ref.Digest == "" {
		i = byTag(images, c.ref.Tag)
	}
	if i < 0 || images[i].Status != lifecycle.Archived {
		return ""
	}
	return images[i].Digest
}

// RedeployRequest is new tasks for a service, of what it runs.
type RedeployRequest struct {
	Target
	NoWait   bool
	DryRun   bool
	TakeOver bool // begin though another rollout is under way
	Timeout  time.Duration
	Watching
}

// Redeploy replaces the tasks of a service by new ones of the same revision and
// the same images, and waits for the verdict. A forced deployment has ECS
// resolve the tags anew: where one stands for something else by now, a copy of
// the revision is registered that names the digest. Where what runs is gone, it
// refuses with [*PreflightError]: the tasks that still run are the last of
// theirs. A rollout that fails is put back as [Deploy] does it.
func Redeploy(ctx context.Context, p Ports, r RedeployRequest, tell story.Teller) (story.Verdict, error) {
	j := begin(p, r.Target, r.Timeout, tell)
	j.watching = r.Watching
	j.say(story.Begin, story.Preflight, "checking %s", j.target)
	s, err := j.ready(ctx, r.TakeOver)
	if err != nil {
		return j.stop(err)
	}
	restart, doc, err := j.restart(ctx, s)
	if err == nil && len(restart.Faults) > 0 {
		err = &PreflightError{Faults: restart.Faults}
	}
	if err != nil {
		return j.stop(err)
	}
	for _, what := range restart.Unsure {
		j.say(story.Note, story.Preflight, "cannot tell whether it is still there: %s", what)
	}
	goal, faults := j.restored(ctx, doc, restart.digests())
	if len(faults) > 0 {
		return j.stop(&PreflightError{Faults: faults})
	}
	tag := imageTagOf(doc, "")
	v := story.Verdict{ImageTag: tag, From: tag, ImageDigest: goal.digest(""), TaskDefinition: revisionName(doc)}
	j.say(story.End, story.Preflight, "new tasks can start: %s", goal)
	if r.DryRun {
		v.Outcome, v.Summary = Unchanged, fmt.Sprintf("dry run: would start new tasks: %s; nothing was changed", goal)
		return j.end(v), nil
	}
	arn, err := j.take(ctx, goal)
	if err != nil {
		return j.stop(err)
	}
	v.TaskDefinition = rollout.RevisionName(arn)
	return j.redeployed(ctx, s, Update{TaskDefinition: arn, Force: true}, r.NoWait, v)
}

// redeployed starts the new tasks, and follows what comes of them.
func (j *job) redeployed(ctx context.Context, s Service, u Update, noWait bool, v story.Verdict) (story.Verdict, error) {
	start, err := j.launch(ctx, s, u, u.TaskDefinition, map[string]string{u.TaskDefinition: v.ImageTag, s.TaskDefinition: v.From})
	if err != nil {
		return j.stop(err)
	}
	if noWait {
		return j.unwatched("started", v)
	}
	from := origin{service: s}
	return j.awaitOrUndo(ctx, start, v, from, func(w *watch, result rollout.Verdict) (story.Verdict, error) {
		switch result.Outcome {
		case rollout.Stable:
			if w.tracker.View().Desired > 0 {
				j.markPending(ctx, w.tracker.TaskDefinition(), "stable")
			}
			v.Outcome, v.Summary = Stable, fmt.Sprintf("%s runs %s on new tasks", j.target.Service, cmp.Or(v.ImageTag, v.TaskDefinition))
			return j.end(v), nil
		case rollout.Superseded:
			return j.superseded(ctx, result, v)
		}
		j.say(story.Failed, story.Watch, "the rollout failed")
		return j.undoOrLeave(ctx, w, result, v, from)
	})
}

// digests are what the containers start from, by name.
func (r Restart) digests() map[string]string {
	fixed := map[string]string{}
	for _, i := range r.Images {
		if i.Digest != "" {
			fixed[i.Container] = i.Digest
		}
	}
	return fixed
}
