package deploy

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// tellOutlook says step by step what a deploy would do: for a dry run.
func (j *job) tellOutlook(ctx context.Context, r Request, p *plan) {
	for _, c := range p.changes {
		if !strings.HasSuffix(c.Path, ".image") { // which is told already
			j.say(story.Change, story.Preflight, "%s", brief(c))
		}
	}
	if p.idle(r) {
		return
	}
	would := func(step story.Step, format string, args ...any) {
		j.say(story.Note, step, "would "+format, args...)
	}
	switch {
	case p.rejoin && !r.NoWait:
		would(story.Update, "follow the rollout to this image that is under way")
	case p.again:
		would(story.Register, "register nothing: %s is there, from a deploy that came to no verdict", revisionName(p.base))
	case p.same:
		would(story.Register, "register nothing: %s is what runs", revisionName(p.running))
	default:
		would(story.Register, "register a new revision of %s: %s with %s", p.base.Family(), revisionName(p.base), imageName(r.Image))
	}
	for _, h := range r.Before {
		would(story.Update, "run %s first, in a task of that revision; if it fails, the service is not touched", h)
	}
	if !p.rejoin || r.NoWait {
		would(story.Update, "update %s: %s%s", j.target, p.counts(), p.manner())
	}
	if r.NoWait {
		would(story.Watch, "not wait for the verdict")
		return
	}
	j.allow(p.service)
	until := "until ECS has completed it"
	if r.Until == rollout.Healthy {
		until = "until the new tasks are healthy"
	}
	would(story.Watch, "watch it %s, %s at most", until, j.limit())
	for _, h := range r.After {
		would(story.Watch, "run %s then, in a task of that revision", h)
	}
	j.tellWayBack(ctx, r, p, would)
}

// tellWayBack says what would be done about a failure.
func (j *job) tellWayBack(ctx context.Context, r Request, p *plan, would func(story.Step, string, ...any)) {
	if r.OnFailure == Leave {
		would(story.Rollback, "leave it as it is if it fails (exit 5)")
		return
	}
	arn, err := j.lastStable(ctx, p.service, "")
	if err != nil {
		would(story.Rollback, "have nothing to go back to if it fails: %v", err)
		return
	}
	count := ""
	if p.desired != nil && *p.desired != p.service.Desired {
		count = fmt.Sprintf(", with %s,", noun.Count(p.service.Desired, "task"))
	}
	would(story.Rollback, "go back to %s%s if it fails (exit 4)", rollout.RevisionName(arn), count)
}

// idle reports whether there is nothing to do at all.
func (p *plan) idle(r Request) bool {
	return p.same && !p.again && !r.Force && (r.Desired == nil || *r.Desired == p.service.Desired)
}

// counts is the desired count, and what becomes of it.
func (p *plan) counts() string {
	if p.desired == nil || *p.desired == p.service.Desired {
		return noun.Count(p.service.Desired, "task") + " as now"
	}
	return fmt.Sprintf("%d -> %s", p.service.Desired, noun.Count(*p.desired, "task"))
}

// manner is how ECS would swap the tasks.
func (p *plan) manner() string {
	s := p.service
	desired := s.Desired
	if p.desired != nil {
		desired = *p.desired
	}
	switch {
	case p.same && !p.request.Force:
		return ", in place"
	case s.Daemon, desired == 0:
		return ""
	case s.Strategy == "ROLLING":
		return fmt.Sprintf(", up to %d at once and at least %d healthy meanwhile", desired*s.MaximumPercent/100, (desired*s.MinimumPercent+99)/100)
	}
	waits := ""
	if d := s.Shift.waits(); d > 0 {
		waits = ", with " + minutes(d) + " of bake time"
	}
	return ", " + s.Strategy + waits
}

// outlook is the plan in one sentence.
func (p *plan) outlook() string {
	what := p.summary()
	if p.same && p.request.Force {
		what = "would deploy " + cmp.Or(p.image.Tag, image.ShortDigest(p.digest)) + " once more"
	}
	if p.desired != nil && *p.desired != p.service.Desired {
		what += ", " + p.counts()
	}
	return what
}
