package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// Request is a deploy: which image, where, how many.
type Request struct {
	Target
	Family          string          // task definition family; "" means that of what runs
	Container       string          // the container that gets the image; "" means the only one
	Image           image.Reference // with a tag
	Others          []Replacement   // for other containers, in the same revision
	Policy          image.Policy    // which tags may be deployed
	Base            string          // the template: "latest" (or ""), "running", or a revision number
	Desired         *int            // new desired count; nil leaves it
	Force           bool            // redeploy though it runs already
	TakeOver        bool            // begin though another rollout is under way
	WaitFor         bool            // let another rollout end first
	Strict          bool            // a warning of the preflight refuses too
	CheckSecretKeys bool            // look whether secrets have the JSON keys that are asked for
	NoWait          bool            // be content with the update
	DryRun          bool            // say what would be done
	Outlook         bool            // and that step by step
	Timeout         time.Duration   // of the rollout, and of a rollback after it; 0 means 15 minutes
	Provenance      Provenance
	Watching

	Before       []Hook       // run before the service is updated; one that fails stops the deploy
	After        []Hook       // run once it is stable
	AfterFailure AfterFailure // what to do when one of those fails; "" is AfterRollback
}

func (r Request) validate() error {
	switch {
	case r.Cluster == "":
		return &UsageError{"no cluster", "give --cluster or set ECS_CLUSTER"}
	case r.Service == "":
		return &UsageError{"no service", "give --service or set ECS_SERVICE"}
	case r.Image.Repository == "":
		return &UsageError{"no image repository", "give --repository or set ECR_REPOSITORY"}
	case r.Desired != nil:
		if err := checkCount(*r.Desired); err != nil {
			return err
		}
	}
	return r.checkHooks()
}

// checkCount refuses a number of tasks that no service can have. The API
// takes 32 bits, and what is longer must not arrive as something else.
func checkCount(n int) error {
	if n < 0 || n > math.MaxInt32 {
		return &UsageError{fmt.Sprintf("a desired count of %d", n), "give 0 or more, and no more than the service quota allows"}
	}
	return nil
}

// Deploy brings an image onto a service and waits for the verdict. What stands
// in the way comes back as [*PreflightError], with nothing changed. A rollout
// that fails is a verdict, not an error, and is put back: outcome rolled-back
// when the service runs its last good revision again, failed when it does not.
// When ctx is cancelled the rollout is left to go on.
func Deploy(ctx context.Context, p Ports, r Request, tell story.Teller) (story.Verdict, error) {
	if err := r.validate(); err != nil {
		return story.Verdict{}, err
	}
	j := begin(p, r.Target, r.Timeout, tell)
	j.watching = r.Watching
	j.settles(ctx)
	if r.WaitFor {
		if err := j.waitForCurrent(ctx); err != nil {
			return j.stop(err)
		}
	}
	plan, err := j.plan(ctx, r)
	if err == nil {
		plan.request = r
		err = r.judgeHooks(plan.next)
	}
	if err != nil {
		return j.stop(err)
	}
	verdict := story.Verdict{ImageTag: r.Image.Tag, ImageDigest: plan.digest, From: plan.fromTag, Changes: plan.changes}
	if r.DryRun {
		if r.Outlook {
			j.tellOutlook(ctx, r, plan)
		}
		verdict.Outcome, verdict.Summary = Unchanged, "dry run: "+plan.outlook()+"; nothing was changed"
		return j.end(verdict), nil
	}
	if plan.rejoin && !r.NoWait {
		return j.rejoin(ctx, plan, verdict)
	}
	update := Update{Desired: r.Desired, Force: true}
	next := plan.running
	switch {
	case plan.again:
		next = plan.base
		j.say(story.Note, story.Register, "%s was registered for this image by a deploy that came to no verdict: it is used", revisionName(next))
	case !plan.same:
		j.say(story.Begin, story.Register, "registering a new revision of %s", plan.next.Family())
		if next, err = j.register(ctx, plan.next); err != nil {
			return j.stop(err)
		}
		j.say(story.End, story.Register, "%s registered", revisionName(next))
	case !r.Force && (r.Desired == nil || *r.Desired == plan.service.Desired):
		verdict.Outcome, verdict.TaskDefinition = Unchanged, revisionName(next)
		if next.Tags()[tagVerdict] == "pending" && plan.service.Desired > 0 && plan.service.Running == plan.service.Desired {
			j.mark(ctx, next.ARN(), "stable") // a deploy that nobody followed to its end has left it so
		}
		verdict.Summary = fmt.Sprintf("%s already runs %s; nothing was changed", r.Service, plan.version())
		verdict.Next = []string{j.redeploy(r)}
		return j.end(verdict), nil
	default:
		j.say(story.Note, story.Register, "%s is what runs already: no new revision", revisionName(next))
		update.Force = r.Force
	}
	if update.Force {
		update.TaskDefinition = next.ARN()
	}
	verdict.TaskDefinition = revisionName(next)
	if err := j.prepareUpdate(ctx, r, plan, next); err != nil {
		return j.stopBefore(err, verdict)
	}

	start, err := j.launch(ctx, plan.service, update, next.ARN(), map[string]string{next.ARN(): r.Image.Tag, plan.running.ARN(): plan.fromTag})
	if err != nil {
		return j.stop(err)
	}
	if r.NoWait {
		return j.unwatched("started "+plan.version(), verdict)
	}
	if start.Answer.Desired == 0 {
		j.say(story.Note, story.Watch, "the desired count is 0: no task will show whether this revision can run")
	}
	plan.timed = update.Force
	return j.awaitDeploy(ctx, start, verdict, plan)
}

// awaitDeploy follows a deploy's rollout to the verdict.
func (j *job) awaitDeploy(ctx context.Context, start rollout.Start, v story.Verdict, plan *plan) (story.Verdict, error) {
	return j.awaitOrUndo(ctx, start, v, plan.origin(), func(w *watch, result rollout.Verdict) (story.Verdict, error) {
		return j.conclude(ctx, w, result, v, plan)
	})
}

// conclude turns what became of a deploy's rollout into the verdict, after
// putting the service back where it failed.
func (j *job) conclude(ctx context.Context, w *watch, result rollout.Verdict, v story.Verdict, plan *plan) (story.Verdict, error) {
	switch result.Outcome {
	case rollout.Stable:
		if verdict, done, err := j.confirm(ctx, w, v, plan); done || err != nil {
			return verdict, err
		}
		if w.tracker.View().Desired > 0 { // without a task nothing is proved
			j.markStable(ctx, w, plan)
		}
		v.Outcome, v.Usual = Stable, w.usual
		v.Summary = fmt.Sprintf("%s runs %s", j.target.Service, plan.version())
		if len(w.tracker.View().Old) > 0 {
			v.Summary += "; old tasks still drain"
		}
		return j.end(v), nil
	case rollout.Superseded:
		return j.superseded(ctx, result, v)
	}
	j.say(story.Failed, story.Watch, "the rollout failed")
	if !plan.same { // a revision that ran before has proved itself
		j.mark(ctx, w.tracker.TaskDefinition(), "failed")
	}
	return j.undoOrLeave(ctx, w, result, v, plan.origin())
}

// unfinished is the verdict of a watch that ended before the rollout did.
func (j *job) unfinished(w *watch, err error, v story.Verdict) (story.Verdict, error) {
	switch {
	case errors.Is(err, errTimeout):
		v.Outcome = TimedOut
		v.Summary = fmt.Sprintf("still rolling after %s; nothing was undone", j.limit())
		v.Next = []string{j.resume(v), j.command("rollback", "--supersede")}
		if hold := w.tracker.View().Hold; hold != nil {
			v.Summary = fmt.Sprintf("%s; nothing was undone after %s", hold, j.limit())
			v.Next = slices.Insert(v.Next, 0, Answer(*hold, "CONTINUE"))
		}
		return j.end(v), nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		v.Outcome = Interrupted
		v.Summary = "interrupted; the deployment goes on"
		v.Next = []string{j.resume(v)}
		return j.end(v), nil
	}
	return story.Verdict{}, &blindError{j.target, j.resume(v), err}
}

// resume is the command that waits for the rollout of a verdict.
func (j *job) resume(v story.Verdict) string {
	if v.TaskDefinition == "" {
		return j.command("wait")
	}
	return j.command("wait", "--revision", v.TaskDefinition)
}

// redeploy is the command that does the same once more, though it runs.
func (j *job) redeploy(r Request) string {
	flags := []string{"--registry", r.Image.Registry, "--repository", r.Image.Repository, "--image-tag", r.Image.Tag}
	for _, f := range [][2]string{{"--task-definition", r.Family}, {"--container", r.Container}, {"--base", r.Base}} {
		if f[1] != "" {
			flags = append(flags, f[0], f[1])
		}
	}
	for _, c := range r.Others {
		flags = append(flags, "--container", c.Container+"="+c.Image.String())
	}
	if r.Policy.AllowSHA {
		flags = append(flags, "--allow-sha")
	}
	if r.Policy.AllowPrerelease {
		flags = append(flags, "--allow-prerelease")
	}
	return j.command("deploy", append(flags, "--force")...)
}

// markPending notes the verdict on a revision that a deploy left without one,
// because it did not wait or was interrupted.
func (j *job) markPending(ctx context.Context, arn, verdict string) {
	if doc, err := j.document(ctx, arn); err == nil && doc.Tags()[tagVerdict] == "pending" {
		j.mark(ctx, doc.ARN(), verdict)
	}
}

// mark notes the verdict on the revision. It is worth a warning only: the
// rollout came to what it came to.
func (j *job) mark(ctx context.Context, arn, verdict string) {
	j.note(ctx, arn, map[string]string{tagVerdict: verdict})
}

// markStable notes with the verdict how long the rollout took, where that is one
// that the next can be compared with.
func (j *job) markStable(ctx context.Context, w *watch, p *plan) {
	tags := map[string]string{tagVerdict: "stable"}
	if p.timed {
		tags[tagTook] = j.timesBefore(p.service.TaskDefinition).with(w.ended.Sub(w.began)).String()
	}
	j.note(ctx, w.tracker.TaskDefinition(), tags)
}

func (j *job) note(ctx context.Context, arn string, tags map[string]string) {
	if err := j.AWS.Tag(ctx, arn, tags); err != nil {
		j.say(story.Warning, story.Watch, "could not note the verdict on the revision: %v", err)
	}
}

// before is what has to be known of the service before an update, so that
// what the update brings can be told from it.
type before struct {
	record string
	tasks  []string
}

// before reads it. An update in place keeps the deployment's id, so the tasks
// of that deployment must be known; those of a new deployment are new.
func (j *job) before(ctx context.Context, s Service, inPlace bool) (before, error) {
	b := before{record: s.Record}
	if !inPlace {
		return b, nil
	}
	for _, stopped := range []bool{false, true} {
		tasks, err := j.AWS.Tasks(ctx, j.target.Cluster, j.target.Service, stopped)
		if err != nil && !errors.Is(err, Denied) {
			return b, err
		}
		for _, t := range tasks {
			b.tasks = append(b.tasks, t.ID)
		}
	}
	return b, nil
}

// startOf finds the deployment that an update has started in its answer.
func startOf(answer Service, taskDefinition string, b before) (rollout.Start, error) {
	p, ok := answer.Primary()
	if !ok || p.TaskDefinition != taskDefinition {
		return rollout.Start{}, fmt.Errorf("the answer to the update has no primary deployment of %s", rollout.RevisionName(taskDefinition))
	}
	return rollout.Start{
		DeploymentID:             p.ID,
		TaskDefinition:           taskDefinition,
		Answer:                   answer.Service,
		EarlierServiceDeployment: b.record,
		KnownTasks:               b.tasks,
	}, nil
}

// plan is what a deploy is going to do.
type plan struct {
	request Request
	service Service
	running *taskdef.Document // what the service is set to
	base    *taskdef.Document // the template
	next    *taskdef.Document // to be registered
	image   image.Reference
	digest  string            // "" when it could not be looked up
	digests map[string]string // of all containers that get an image, likewise
	fromTag string            // the version that runs, "" when it has none
	changes []taskdef.Change  // of the task definition
	desired *int              // the count that is asked for
	same    bool              // next is what runs, and its content too
	again   bool              // base is next already: a deploy that came to no verdict has left it
	rejoin  bool              // and its rollout is under way
	timed   bool              // all tasks are replaced, and all of that is watched
}

// version says what is deployed and what that changes: "v1.1.0 (minor upgrade
// v1.0.0 -> v1.1.0)".
func (p *plan) version() string {
	if p.fromTag == p.image.Tag || p.fromTag == "" {
		return p.image.Tag
	}
	return fmt.Sprintf("%s (%s)", p.image.Tag, image.Change(p.fromTag, p.image.Tag))
}

// origin is what a failed rollout is put back to.
func (p *plan) origin() origin { return origin{service: p.service, setTo: p.desired} }

// known reports whether all digests could be looked up.
func (p *plan) known() bool {
	return !slices.Contains(slices.Collect(maps.Values(p.digests)), "")
}

func (p *plan) summary() string {
	if p.same {
		return fmt.Sprintf("%s already runs", p.image.Tag)
	}
	return fmt.Sprintf("would deploy %s", p.version())
}
