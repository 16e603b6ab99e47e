package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// Watching is how a rollout is followed, and what is done when it does not go
// well. The zero value is usual: to its end, two failures alike prove a crash
// loop, a failure is put back, an interrupt leaves ECS to go on.
type Watching struct {
	Until       rollout.Goal
	FailAfter   int // so many distinct tasks failing alike prove it; 0 leaves it to the knowledge base, which says 2
	Poll        Poll
	OnInterrupt Reaction // zero: Leave
	OnFailure   Reaction // zero: PutBack
}

// Reaction is what to do about a rollout that fails or is interrupted.
type Reaction string

// The reactions.
const (
	Leave   Reaction = "leave"
	PutBack Reaction = "rollback"
)

// follow begins to track a rollout as the request wants it.
func (j *job) follow(s rollout.Start) *rollout.Tracker {
	s.Until, s.FailAfter = j.watching.Until, j.watching.FailAfter
	return rollout.Follow(s)
}

// interrupted is the verdict of a deploy that was interrupted, for those who
// want it undone. The way back is no longer to be interrupted politely: a
// second signal ends the process.
func (j *job) interrupted(ctx context.Context, w *watch, v story.Verdict, from origin) (story.Verdict, error) {
	j.say(story.Failed, story.Watch, "interrupted")
	j.putsBackInterrupted = true
	return j.undo(context.WithoutCancel(ctx), w, rollout.Verdict{Outcome: rollout.Failed, Reason: "interrupted"}, v, from)
}

// left is the verdict of a rollout that failed and is not to be put back.
func (j *job) left(w *watch, result rollout.Verdict, v story.Verdict) (story.Verdict, error) {
	v.Outcome = Failed
	v.Summary = fmt.Sprintf("%s failed: %s; the service was left as it is", v.TaskDefinition, result.Reason)
	v.Next = j.waysOut(w.last, j.command("rollback", "--take-over"))
	return j.end(v), nil
}

// superseded is the verdict of a rollout that another one has taken over: which
// one, and who registered what it runs, as far as that can be read.
func (j *job) superseded(ctx context.Context, result rollout.Verdict, v story.Verdict) (story.Verdict, error) {
	v.Outcome, v.Summary = Superseded, result.Reason
	v.Next = []string{j.command("status"), j.command("wait")}
	if doc, err := j.document(ctx, result.TaskDefinition); err == nil && result.TaskDefinition != "" {
		var facts []string
		if tag := imageTagOf(doc, ""); tag != "" {
			facts = append(facts, "it runs "+tag)
		}
		if by := registrant(doc.Tags()[tagActor], doc.RegisteredBy()); by != "" {
			facts = append(facts, "registered by "+by)
		}
		if pipeline := doc.Tags()[tagPipeline]; pipeline != "" {
			facts = append(facts, "in "+pipeline)
		}
		if len(facts) > 0 {
			v.Summary += ": " + strings.Join(facts, ", ")
		}
	}
	return j.end(v), nil
}

// registrant is who registered a revision: the person whom the deploy named,
// else the role or user that ECS saw.
func registrant(actor, arn string) string {
	if actor != "" {
		return actor
	}
	_, name, _ := strings.Cut(arn, "/") // arn:aws:sts::123456789012:assumed-role/ci/session
	return name
}

// taken looks whether somebody else has deployed since the last look: what is
// done to a rollout that failed must never hit another one.
func (j *job) taken(ctx context.Context, w *watch) (rollout.Verdict, bool) {
	s, err := j.AWS.Service(ctx, j.target.Cluster, j.target.Service)
	if err != nil {
		return rollout.Verdict{}, false
	}
	p, ok := w.tracker.Usurper(s.Service)
	if !ok {
		return rollout.Verdict{}, false
	}
	w.last = s
	return rollout.Verdict{
		Outcome: rollout.Superseded, TaskDefinition: p.TaskDefinition,
		Reason: fmt.Sprintf("another deployment (%s, %s) took over", p.ID, rollout.RevisionName(p.TaskDefinition)),
	}, true
}

// takenError ends the undoing of a rollout that somebody else has taken over.
type takenError struct{ by rollout.Verdict }

func (e *takenError) Error() string { return e.by.Reason }

// copyOf finds the copy of a deregistered revision that an earlier run has
// registered and not come to use: the newest of the family.
func (j *job) copyOf(ctx context.Context, doc *taskdef.Document) (arn string, ok bool) {
	newest, err := j.document(ctx, doc.Family())
	if err != nil || newest.Tags()[tagCopyOf] != revisionName(doc) || taskdef.Fingerprint(newest) != taskdef.Fingerprint(doc) {
		return "", false
	}
	return newest.ARN(), true
}

// failing reports whether a service shows that a task of a deployment that is
// followed has failed, or may have, since it was last read: that is worth
// reading at once. ECS's own count leaves out tasks that ended by themselves.
func (w *watch) failing(now Service) bool {
	for _, d := range now.Deployments {
		if !slices.Contains(w.tracker.IDs(), d.ID) {
			continue
		}
		i := slices.IndexFunc(w.last.Deployments, func(o rollout.Deployment) bool { return o.ID == d.ID })
		if i < 0 {
			return d.FailedTasks > 0
		}
		was := w.last.Deployments[i]
		if d.FailedTasks > was.FailedTasks || d.Running+d.Pending < was.Running+was.Pending || d.Running < was.Running {
			return true
		}
	}
	return slices.ContainsFunc(newerEvents(now, w.last), func(e rollout.Event) bool {
		return strings.Contains(e.Message, "unable to") || strings.Contains(e.Message, "unhealthy") || strings.Contains(e.Message, "failed")
	})
}

// newerEvents are the events of a service that came since another read of it.
func newerEvents(now, before Service) []rollout.Event {
	if len(before.Events) == 0 {
		return now.Events
	}
	if i := slices.IndexFunc(now.Events, func(e rollout.Event) bool { return e.ID == before.Events[0].ID }); i >= 0 {
		return now.Events[:i]
	}
	return now.Events
}

// leftBehind reports whether the template is the very revision that would be
// registered, left by a deploy that came to an end before its verdict: with the
// same content, for the same digest.
func (p *plan) leftBehind() bool {
	tags := p.base.Tags()
	return p.digest != "" && p.base.Status() == "ACTIVE" &&
		tags[tagVerdict] == "pending" && tags[tagDigest] == p.digest &&
		taskdef.Fingerprint(p.base) == taskdef.Fingerprint(p.next)
}
