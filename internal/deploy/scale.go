package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// ScaleRequest changes how many tasks a service runs.
type ScaleRequest struct {
	Target
	Count      int  // not used by Stop and Start
	Protected  bool // no stop by a slip: likewise with the tag plimsoll:protected=true of the service
	Override   bool // stop though it is protected
	NoWait     bool
	DryRun     bool
	Timeout    time.Duration
	Provenance Provenance
	Watching

	act string // what the use case is called
}

// Scale sets the desired count and waits until so many tasks run. The range
// that autoscaling keeps is left as it is; a count outside it is warned of.
func Scale(ctx context.Context, p Ports, r ScaleRequest, tell story.Teller) (story.Verdict, error) {
	if err := checkCount(r.Count); err != nil {
		return story.Verdict{}, err
	}
	j := begin(p, r.Target, r.Timeout, tell)
	j.watching = r.Watching
	s, scaling, err := j.counted(ctx)
	if err == nil && r.Count == 0 {
		err = j.judgeProtection(s, r)
	}
	if err == nil && r.Count > s.Desired {
		err = j.judgeStart(ctx, s, r.Count)
	}
	if err != nil {
		return j.stop(err)
	}
	j.warnOfRange(scaling, r.Count)
	r.act = "scale"
	return j.scale(ctx, s, r.Count, r, "")
}

// Stop scales to zero, remembers the count in a tag of the service, and
// suspends autoscaling, which would start tasks again. It refuses a service
// that is protected.
func Stop(ctx context.Context, p Ports, r ScaleRequest, tell story.Teller) (story.Verdict, error) {
	j := begin(p, r.Target, r.Timeout, tell)
	j.watching, r.act = r.Watching, "stop"
	s, scaling, err := j.counted(ctx)
	if err == nil {
		err = j.judgeProtection(s, r)
	}
	if err != nil {
		return j.stop(err)
	}
	if r.DryRun {
		also := ""
		if s.Desired > 0 {
			also = fmt.Sprintf(", note that it was %d", s.Desired)
		}
		if scaling != nil && scaling.Suspended != allSuspended() {
			also += ", suspend autoscaling"
		}
		return j.scale(ctx, s, 0, r, also)
	}
	// First the notes, then the deeds: without them start would not know.
	if s.Desired > 0 {
		if err := j.AWS.Tag(ctx, s.ARN, map[string]string{tagDesired: strconv.Itoa(s.Desired)}); err != nil {
			return j.stop(fmt.Errorf("remember the count: %w", err))
		}
	}
	if err := j.suspendScaling(ctx, s, scaling); err != nil {
		return j.stop(err)
	}
	return j.scale(ctx, s, 0, r, "")
}

// Start scales to the count that Stop has remembered, brings autoscaling back
// to what it was, and forgets both. It refuses when an image that the tasks
// would pull has been deleted meanwhile.
func Start(ctx context.Context, p Ports, r ScaleRequest, tell story.Teller) (story.Verdict, error) {
	j := begin(p, r.Target, r.Timeout, tell)
	j.watching, r.act = r.Watching, "start"
	s, scaling, err := j.counted(ctx)
	if err != nil {
		return j.stop(err)
	}
	count := s.Desired
	if count == 0 {
		count, err = strconv.Atoi(s.Tags[tagDesired])
		if err != nil || count <= 0 || checkCount(count) != nil {
			return story.Verdict{}, &UsageError{
				fmt.Sprintf("%s does not say how many tasks ran before it was stopped (tag %s)", r.Target, tagDesired),
				"say how many, for example: " + j.command("scale 1"),
			}
		}
	}
	if s.Running < count {
		if err := j.judgeStart(ctx, s, count); err != nil {
			return j.stop(err)
		}
	}
	also := ""
	if was, noted := s.Tags[tagSuspended]; noted {
		before, err := parseSuspended(was)
		if err != nil {
			return j.stop(fmt.Errorf("tag %s of the service: %w", tagSuspended, err))
		}
		if scaling != nil {
			scaling.Suspended = before
			also = ", resume autoscaling"
		}
	}
	j.warnOfRange(scaling, count)
	if !r.DryRun {
		j.closing = func(outcome string) { j.afterStart(ctx, s, outcome) }
	}
	return j.scale(ctx, s, count, r, also)
}

// afterStart resumes autoscaling once the tasks have come up, and forgets what
// stop has noted. Left behind, the notes are drift to whoever else keeps the
// service's tags, Terraform first of all.
func (j *job) afterStart(ctx context.Context, s Service, outcome string) {
	if outcome != Stable && outcome != Started && outcome != Unchanged {
		if _, noted := s.Tags[tagSuspended]; noted {
			j.say(story.Note, story.Update, "autoscaling stays suspended until start has gone well")
		}
		return
	}
	ctx = context.WithoutCancel(ctx)
	var notes []string
	for _, tag := range []string{tagDesired, tagSuspended} {
		if _, noted := s.Tags[tag]; noted {
			notes = append(notes, tag)
		}
	}
	if err := j.resumeScaling(ctx, s); err != nil {
		j.say(story.Warning, story.Update, "autoscaling is still suspended: %v", err)
		notes = slices.DeleteFunc(notes, func(tag string) bool { return tag == tagSuspended })
	}
	if len(notes) == 0 {
		return
	}
	if err := j.AWS.Untag(ctx, s.ARN, notes...); err != nil {
		j.say(story.Warning, story.Update, "could not take the tags %s off the service: %v", strings.Join(notes, ", "), err)
	}
}

// active is the service, or why it cannot be changed. A rollout under way is
// no hindrance to scaling.
func (j *job) active(ctx context.Context) (Service, error) { return j.ready(ctx, true) }

// counted is a service whose count can be set, with what autoscaling does to
// it.
func (j *job) counted(ctx context.Context) (Service, *Scaling, error) {
	s, err := j.active(ctx)
	if err != nil {
		return Service{}, nil, err
	}
	if s.Daemon {
		return Service{}, nil, &PreflightError{Faults: []Fault{{"service",
			j.target.Service + " is a daemon service: ECS runs one task of it on every container instance, and its count cannot be set",
			"change the number of container instances instead"}}}
	}
	scaling, err := j.scaling(ctx)
	return s, scaling, err
}

// judgeProtection refuses to stop what must not be stopped by a slip.
func (j *job) judgeProtection(s Service, r ScaleRequest) error {
	why := ""
	switch {
	case r.Override:
		return nil
	case r.Protected:
		why = "by the configuration"
	case strings.EqualFold(s.Tags[tagProtected], "true"):
		why = "by its tag " + tagProtected
	default:
		return nil
	}
	return &PreflightError{Faults: []Fault{{"protection", fmt.Sprintf("%s is protected %s", j.target.Service, why), "to stop it all the same, say --override-protection"}}}
}

// judgeStart makes sure that ECR still has what further tasks will pull. They
// take the digests that the first task of the deployment has fixed, whatever
// the tags stand for now.
func (j *job) judgeStart(ctx context.Context, s Service, count int) error {
	running, err := j.document(ctx, s.TaskDefinition)
	if err != nil {
		return err
	}
	var fixed map[string]string
	if s.Record != "" {
		record, err := j.AWS.ServiceDeployment(ctx, s.Record)
		if err == nil && record.TaskDefinition == s.TaskDefinition {
			fixed = record.Digests
		}
	}
	var f faults
	for _, c := range j.contents(ctx, running, fixed) {
		for _, fault := range c.faults(j) {
			if fault.Check == "image" && !errors.Is(c.now.err, NotFound) && fault.Do != "" || errors.Is(c.now.err, NotFound) {
				fault.Do = j.instead(ctx, s, c, count)
			}
			f.add(fault)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(f.list) > 0 {
		return &PreflightError{Faults: f.list}
	}
	return nil
}

// instead is what to deploy when an image is gone: what its tag stands for
// now, else the newest revision that ran and still can.
func (j *job) instead(ctx context.Context, s Service, c content, count int) string {
	tag := ""
	if c.now.err == nil {
		tag = c.ref.Tag
	} else if running, err := j.document(ctx, s.TaskDefinition); err == nil {
		quiet := begin(j.Ports, j.target, 0, func(story.Event) {})
		if g, err := quiet.goal(ctx, s, running, RollbackRequest{Target: j.target}); err == nil && !g.pinned() {
			tag = imageTagOf(g.was, c.container)
		}
	}
	if tag == "" {
		return "push the image again, or deploy a version that ECR has: " + j.command("deploy", "--image-tag", "TAG", "--desired-count", strconv.Itoa(count))
	}
	return "deploy what ECR has: " + j.command("deploy", "--image-tag", tag, "--desired-count", strconv.Itoa(count))
}

// scale sets the count; also is what a dry run would do besides.
func (j *job) scale(ctx context.Context, s Service, count int, r ScaleRequest, also string) (story.Verdict, error) {
	there := count == s.Desired && s.Running == count && s.Pending == 0
	switch {
	case r.DryRun && there && also == "":
		return j.end(story.Verdict{Outcome: Unchanged, Summary: fmt.Sprintf("dry run: %s already runs %d; nothing was changed", j.target.Service, count)}), nil
	case r.DryRun:
		return j.end(story.Verdict{Outcome: Unchanged, TaskDefinition: rollout.RevisionName(s.TaskDefinition),
			Summary: fmt.Sprintf("dry run: would set the desired count from %d to %d%s; nothing was changed", s.Desired, count, also)}), nil
	case there:
		return j.end(story.Verdict{Outcome: Unchanged, Summary: fmt.Sprintf("%s already runs %d", j.target.Service, count)}), nil
	}
	if err := j.mayStart(ctx, s, count); err != nil {
		return j.stop(err)
	}
	j.say(story.Note, story.Update, "desired count %d -> %d", s.Desired, count)
	start, err := j.launch(ctx, s, Update{Desired: &count}, "", nil)
	if err != nil {
		return j.stop(err)
	}
	if count != s.Desired {
		j.noteCount(ctx, s, CountChange{Act: r.act, From: s.Desired, To: count}, r.Provenance)
	}
	// A failure is not undone: there is nothing better to go to.
	return j.awaitUnless(ctx, r.NoWait, start, story.Verdict{})
}
