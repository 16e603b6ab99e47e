package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// Runner starts tasks that belong to no service, and follows them.
type Runner interface {
	// RunTask starts tasks. An error says why ECS started none, or not all.
	RunTask(ctx context.Context, r OneOff) ([]rollout.Task, error)
	// TasksByID are these tasks, in no order; those that ECS has forgotten
	// are left out.
	TasksByID(ctx context.Context, cluster string, ids []string) ([]rollout.Task, error)
	// StopTask ends a task; one that has ended is no error.
	StopTask(ctx context.Context, cluster, id, reason string) error
	// Since is what a stream has after a position, oldest first, and the
	// position behind it; "" is the beginning. [NotFound] while the group or
	// the stream is not there.
	Since(ctx context.Context, from LogStream, position string) (lines []string, next string, err error)
}

// OneOff is a task to run. Its network, capacity, platform version and tags are
// those of the service.
type OneOff struct {
	Cluster        string
	Service        string
	TaskDefinition string // full ARN
	Container      string // which the overrides are for
	Command        []string
	Environment    []Variable
	CPU, Memory    string // of the task, as ECS writes them; "" leaves them
	Count          int
	StartedBy      string
}

// Variable is an environment variable. Its value may be a secret: it prints
// without.
type Variable struct{ Name, Value string }

// String is the name alone.
func (v Variable) String() string { return v.Name }

// GoString is the name alone, for %#v.
func (v Variable) GoString() string { return v.Name }

// RunRequest is a one-off task of a service.
type RunRequest struct {
	Target
	Family      string          // task definition family, its newest revision; "" means what the service runs
	Container   string          // which runs the command; "" means the only one
	Image       image.Reference // in place of the container's own; the zero value leaves it
	Policy      image.Policy    // which tags may be run
	Command     []string        // nil is the container's own
	Environment []Variable
	CPU, Memory string
	Count       int  // 0 means 1
	Detach      bool // be content with the start, and leave the task alone when interrupted
	Timeout     time.Duration
	Provenance  Provenance
}

func (r RunRequest) validate() error {
	switch {
	case r.Count < 0 || r.Count > 10:
		return &UsageError{fmt.Sprintf("%d tasks", r.Count), "ECS starts 1 to 10 at once"}
	case len(r.Command) == 1 && strings.Contains(r.Command[0], " "):
		return &UsageError{fmt.Sprintf("the command %q is one word with spaces", r.Command[0]), "leave the quotes out, or run a shell: -- sh -c '…'"}
	}
	for _, v := range r.Environment {
		if v.Name == "" {
			return &UsageError{"an environment variable without a name", "give it as KEY=VALUE"}
		}
	}
	return nil
}

// The exit codes of Run that are not the command's own. They are those that
// env, timeout and docker run have for the same.
const (
	exitTimedOut   = 124
	exitNotStarted = 125
)

// Exited is the outcome of a one-off task whose command came to an end.
const Exited = "exited"

// Run runs a command in a one-off task of a service, passes on what it writes,
// and comes to its exit code. A command that could not be run, for whatever
// reason, is exit code 125; one that took too long is stopped, 124. When ctx is
// cancelled the task is stopped, unless it was detached.
func Run(ctx context.Context, p Ports, r RunRequest, tell story.Teller) (story.Verdict, error) {
	if err := r.validate(); err != nil {
		return story.Verdict{}, err
	}
	j := begin(p, r.Target, cmp.Or(r.Timeout, time.Hour), tell)
	j.say(story.Begin, story.Run, "preparing a task")
	s, err := j.active(ctx)
	if err != nil {
		return j.notRun(err)
	}
	doc, container, err := j.runnable(ctx, s, r)
	if err != nil {
		return j.notRun(err)
	}
	v := story.Verdict{TaskDefinition: revisionName(doc), ImageTag: imageTagOf(doc, container.Name)}
	one := OneOff{
		TaskDefinition: doc.ARN(), Container: container.Name, Command: r.Command, Environment: r.Environment,
		CPU: r.CPU, Memory: r.Memory, Count: max(r.Count, 1), StartedBy: "plimsoll/run",
	}
	o, err := j.start(ctx, story.Run, one, doc)
	if err != nil {
		return j.notRun(err)
	}
	if r.Detach {
		v.Outcome, v.Summary = Started, "started "+o.names()+"; not waited for"
		return j.end(v), nil
	}
	return j.ran(o, v, o.follow(ctx, j.timeout))
}

// ran is the verdict on a task that was followed to its end.
func (j *job) ran(o *oneOff, v story.Verdict, err error) (story.Verdict, error) {
	code := exitNotStarted
	var exit *exitError
	var timeout *tookTooLongError
	switch {
	case err == nil:
		v.Outcome, v.Summary, code = Exited, o.container+" exited with 0", 0
	case errors.As(err, &exit):
		v.Outcome, v.Summary, code = Exited, err.Error(), exit.code
	case errors.As(err, &timeout):
		v.Outcome, v.Summary, code = TimedOut, err.Error(), exitTimedOut
	case errors.Is(err, context.Canceled):
		v.Outcome, v.Summary, code = Interrupted, "interrupted; "+o.names()+" is stopped", exitCodeOf(Interrupted)
	default:
		v.Outcome, v.Summary = Failed, err.Error()
	}
	return j.endWith(v, code), nil
}

// notRun is the verdict where no task was started.
func (j *job) notRun(err error) (story.Verdict, error) {
	if errors.Is(err, context.Canceled) {
		return j.stop(err)
	}
	var preflight *PreflightError
	summary := err.Error()
	if errors.As(err, &preflight) {
		j.tellFaults(preflight)
		summary = "refused by preflight; no task was started"
	}
	return j.endWith(story.Verdict{Outcome: Refused, Summary: summary}, exitNotStarted), err
}

// runnable is the revision to run and its container: that of the service, or
// one with another image, which is registered where there is none yet.
func (j *job) runnable(ctx context.Context, s Service, r RunRequest) (*taskdef.Document, taskdef.Container, error) {
	fault := func(check string, err error) (*taskdef.Document, taskdef.Container, error) {
		return nil, taskdef.Container{}, &PreflightError{Faults: []Fault{faultOf(check, err)}}
	}
	name := cmp.Or(r.Family, s.TaskDefinition)
	if r.Family == "" && r.Image.Repository != "" {
		name, _, _ = strings.Cut(rollout.RevisionName(s.TaskDefinition), ":") // as a deploy has it: the newest is the template
	}
	doc, err := j.document(ctx, name)
	if errors.Is(err, NotFound) {
		return nil, taskdef.Container{}, &PreflightError{Faults: []Fault{j.unknownFamily(ctx, name)}}
	}
	if err != nil {
		return fault("task definition", err)
	}
	container, err := doc.TargetContainer(r.Container)
	if err != nil {
		return nil, container, &PreflightError{Faults: []Fault{{"container", err.Error(), "name the one that runs the command with --container"}}}
	}
	if r.Image.Repository == "" {
		// RunTask takes no revision that was deregistered.
		if doc.Status() != "ACTIVE" {
			arn, err := j.usable(ctx, doc.ARN())
			if err != nil {
				return fault("task definition", err)
			}
			if doc, err = j.document(ctx, arn); err != nil {
				return fault("task definition", err)
			}
		}
		return doc, container, nil
	}
	digest := read(j.AWS.Digest(ctx, r.Image))
	var f faults
	if err := r.Policy.Check(r.Image.Tag); err != nil {
		f.add(Fault{"tag", err.Error(), "tag the build as the policy asks"})
	}
	f.add(judgeImage(digest, r.Image)...)
	if len(f.list) > 0 {
		return nil, container, &PreflightError{Faults: f.list}
	}
	next, err := doc.SetImage(container.Name, r.Image.String())
	if err != nil {
		return fault("image", err)
	}
	if twin := j.twin(ctx, next); twin != nil {
		return twin, container, nil
	}
	if next, err = next.SetTags(revisionTags(doc, r.Image, digest.value, r.Provenance, j.Now())); err != nil {
		return fault("tags", err)
	}
	if next, err = j.register(ctx, next); err != nil {
		return fault("task definition", err)
	}
	j.say(story.Note, story.Run, "%s registered", revisionName(next))
	return next, container, nil
}

// oneOff is a one-off task at work, or several of the same.
type oneOff struct {
	*job
	step      story.Step
	container string
	tasks     []rollout.Task
	streams   []*stream
	status    string // as last told
	failures  *watch // what examines tasks that failed
}

// stream is the log of one container, and how far it has been read.
type stream struct {
	LogStream
	name     string // of the container, in front of its lines; "" for the only one
	position string
	denied   bool
}

// start starts the task.
func (j *job) start(ctx context.Context, step story.Step, one OneOff, doc *taskdef.Document) (*oneOff, error) {
	one.Cluster, one.Service = j.target.Cluster, j.target.Service
	// An interrupt must not leave a task that nobody knows of.
	tasks, err := j.AWS.RunTask(context.WithoutCancel(ctx), one)
	if err != nil {
		for _, t := range tasks { // some, but not all
			_ = j.AWS.StopTask(context.WithoutCancel(ctx), one.Cluster, t.ID, "plimsoll: not all tasks could be started")
		}
		return nil, err
	}
	if len(tasks) == 0 {
		return nil, fmt.Errorf("run a task of %s: ECS started none and does not say why", revisionName(doc))
	}
	o := &oneOff{job: j, step: step, container: one.Container, tasks: tasks, failures: j.newWatch(step, nil, rollout.Start{})}
	for _, t := range tasks {
		for _, c := range doc.Containers() {
			from, ok := streamOf(c.Log, c.Name, t.ID)
			if !ok {
				if c.Name == one.Container {
					j.say(story.Note, step, "container %s does not write to CloudWatch Logs (awslogs with a stream prefix): its output is not shown", c.Name)
				}
				continue
			}
			name := ""
			switch {
			case len(tasks) > 1:
				name = path.Join(t.ID[:min(8, len(t.ID))], c.Name)
			case len(doc.Containers()) > 1:
				name = c.Name
			}
			o.streams = append(o.streams, &stream{LogStream: from, name: name})
		}
	}
	j.say(story.Change, step, "%s of %s", o.names(), revisionName(doc))
	return o, nil
}

// names are the tasks, as a person can look them up.
func (o *oneOff) names() string {
	if len(o.tasks) == 1 {
		return "task " + o.tasks[0].ID
	}
	return fmt.Sprintf("%d tasks", len(o.tasks))
}

// exitError is a command that ended with an error of its own.
type exitError struct {
	container string
	code      int
}

func (e *exitError) Error() string { return fmt.Sprintf("%s exited with %d", e.container, e.code) }

// tookTooLongError is a command that was stopped for taking too long.
type tookTooLongError struct{ after time.Duration }

func (e *tookTooLongError) Error() string {
	return fmt.Sprintf("still running after %s, and stopped", e.after)
}

// The pace of looks at a one-off task, and how long its log may lag behind its
// end: the driver sends what it has before ECS calls the container stopped.
const (
	slowestLook = time.Second
	logLag      = 3 * time.Second
)

// follow passes on what the tasks write until all have ended: nil when every
// command ended with 0, [*exitError] when one did not, another error when it
// never ran. A task that takes too long is stopped, and so are all when ctx is
// cancelled.
func (o *oneOff) follow(ctx context.Context, limit time.Duration) error {
	deadline, pace, failures := o.Now().Add(limit), fastest, 0
	for {
		moved, err := o.look(ctx)
		switch {
		case ctx.Err() != nil:
			o.halt(ctx, "interrupted")
			return ctx.Err()
		case err != nil:
			if failures++; failures == maxFailures || errors.Is(err, Denied) {
				return fmt.Errorf("watch %s (it goes on): %w", o.names(), err)
			}
		default:
			failures = 0
		}
		if o.pass(ctx) || moved {
			pace = slowestLook / 4 // CloudWatch Logs takes 25 reads a second, of all who read there
		} else {
			pace = min(2*pace, slowestLook)
		}
		if !slices.ContainsFunc(o.tasks, func(t rollout.Task) bool { return !t.Ended() }) {
			o.drain(ctx)
			return o.judge(ctx)
		}
		left := deadline.Sub(o.Now())
		if left <= 0 {
			o.halt(ctx, fmt.Sprintf("still running after %s", limit))
			return &tookTooLongError{limit}
		}
		if err := o.Sleep(ctx, min(pace, left)); err != nil {
			o.halt(ctx, "interrupted")
			return err
		}
	}
}

// look reads the tasks, and reports whether they have moved.
func (o *oneOff) look(ctx context.Context) (moved bool, err error) {
	ids := make([]string, len(o.tasks))
	for i, t := range o.tasks {
		ids[i] = t.ID
	}
	tasks, err := o.AWS.TasksByID(ctx, o.target.Cluster, ids)
	if err != nil {
		return false, err
	}
	var status []string
	for i, t := range o.tasks {
		if now := slices.IndexFunc(tasks, func(n rollout.Task) bool { return n.ID == t.ID }); now >= 0 {
			o.tasks[i] = tasks[now] // one that a lagging read does not have stays as it was
		}
		status = append(status, strings.ToLower(o.tasks[i].LastStatus))
	}
	line := strings.Join(slices.Compact(slices.Sorted(slices.Values(status))), ", ")
	if line == o.status {
		return false, nil
	}
	o.status = line
	if len(o.tasks) == 1 { // its whole id has been told
		line = "task " + o.tasks[0].ID[:min(8, len(o.tasks[0].ID))] + " " + line
	}
	o.say(story.Change, o.step, "%s", line)
	return true, nil
}

// pass tells what the containers have written, and reports whether there was
// anything.
func (o *oneOff) pass(ctx context.Context) bool {
	any := false
	for _, s := range o.streams {
		lines, next, err := o.AWS.Since(ctx, s.LogStream, s.position)
		if err != nil {
			if errors.Is(err, Denied) && !s.denied {
				s.denied = true
				o.say(story.Note, o.step, "its log cannot be read: %v", err)
			}
			continue
		}
		s.position = next
		for _, line := range lines {
			any = true
			o.news(story.Event{Kind: story.Output, Step: o.step, Container: s.name, Message: line})
		}
	}
	return any
}

// drain passes on the rest. A task that is STOPPED, its network torn down, has
// left its containers behind for long enough.
func (o *oneOff) drain(ctx context.Context) {
	for until := o.Now().Add(logLag); ; {
		stopped := !slices.ContainsFunc(o.tasks, func(t rollout.Task) bool { return t.LastStatus != "STOPPED" })
		o.pass(ctx)
		left := until.Sub(o.Now())
		if stopped || left <= 0 || o.Sleep(ctx, min(slowestLook/4, left)) != nil {
			return
		}
		_, _ = o.look(ctx) // what counts is known
	}
}

// halt stops the tasks, though ctx is done.
func (o *oneOff) halt(ctx context.Context, why string) {
	ctx = context.WithoutCancel(ctx)
	for _, t := range o.tasks {
		if t.Ended() {
			continue
		}
		if err := o.AWS.StopTask(ctx, o.target.Cluster, t.ID, "plimsoll: "+why); err != nil {
			o.say(story.Warning, o.step, "task %s could not be stopped: %v", t.ID, err)
		}
	}
}

// judge is what the tasks came to.
func (o *oneOff) judge(ctx context.Context) error {
	var worst error
	for _, t := range o.tasks {
		i := slices.IndexFunc(t.Containers, func(c rollout.Container) bool { return c.Name == o.container })
		if i >= 0 && t.Containers[i].ExitCode != nil && t.StopCode != "TaskFailedToStart" {
			code := *t.Containers[i].ExitCode
			if code != 0 && worst == nil {
				worst = &exitError{o.container, code}
			}
			continue
		}
		e := o.failures.examine(ctx, t)
		e.failure.Log = nil // told already
		o.news(story.Event{Kind: story.Failed, Step: o.step, Message: e.headline(), Failure: &e.failure})
		if worst == nil {
			worst = fmt.Errorf("%s did not run: %s", o.container, cmp.Or(e.failure.Cause, t.StoppedReason, t.StopCode))
		}
	}
	return worst
}
