package deploy

import (
	"context"
	"fmt"
	"slices"

	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// rejoins reports whether the rollout under way is the very one that the request
// would begin: a deploy that was killed after its update has left it without a
// verdict. Beginning it once more would throw away what it has come to.
func (p *plan) rejoins(r Request) bool {
	return p.service.Rolling() && !r.TakeOver && !r.Force &&
		p.next != nil && p.base.ARN() == p.service.TaskDefinition && p.leftBehind() &&
		(r.Desired == nil || *r.Desired == p.service.Desired)
}

// rejoinCheck takes the place of the check that finds a rollout in the way.
func rejoinCheck(checks []story.Check, s Service) []story.Check {
	for i, c := range checks {
		if c.Name == rolloutCheck {
			p, _ := s.Primary()
			checks[i] = checkOK(rolloutCheck, "%s to %s is under way for this image, without a verdict: it is followed", p.ID, rollout.RevisionName(p.TaskDefinition))
		}
	}
	return checks
}

// rejoin follows the rollout to the verdict that a deploy would have come to.
func (j *job) rejoin(ctx context.Context, p *plan, v story.Verdict) (story.Verdict, error) {
	primary, ok := p.service.Primary()
	if !ok {
		return story.Verdict{}, fmt.Errorf("%s has no primary deployment any more", j.target)
	}
	j.say(story.Note, story.Update, "%s to %s is under way for this image: following it", primary.ID, rollout.RevisionName(primary.TaskDefinition))
	start := rollout.Start{
		DeploymentID: primary.ID, TaskDefinition: primary.TaskDefinition, Answer: p.service.Service,
		ImageTags: map[string]string{},
	}
	v.TaskDefinition = rollout.RevisionName(primary.TaskDefinition)
	p.service = beforeRollout(p.service, primary.ID)
	if was, err := j.document(ctx, p.service.TaskDefinition); err == nil {
		p.fromTag = imageTagOf(was, p.request.Container)
		v.From, start.ImageTags[was.ARN()] = p.fromTag, p.fromTag
	}
	start.ImageTags[primary.TaskDefinition] = p.image.Tag
	j.allow(p.service)
	return j.awaitDeploy(ctx, start, v, p)
}

// beforeRollout is a service as it was before a rollout began, as far as that
// can still be told: what a failed one is put back to.
func beforeRollout(s Service, id string) Service {
	s.Deployments = slices.DeleteFunc(slices.Clone(s.Deployments), func(d rollout.Deployment) bool { return d.ID == id })
	if len(s.Deployments) > 0 {
		s.TaskDefinition = s.Deployments[0].TaskDefinition
	}
	return s
}
