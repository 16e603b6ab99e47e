package deploy

import (
	"context"
	"slices"

	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// turnsTo reports whether ECS comes to a goal by itself when it is told to end the
// rollout that is under way: that is what it goes away from, and nothing in it has
// to be replaced. Its tasks still serve, so ECS has only to let the new ones go;
// under a strategy that shifts traffic, another deployment would go through test
// traffic, hooks and bake time once more before it served anybody.
func (s Service) turnsTo(g *goal) bool {
	primary, ok := s.Primary()
	if !ok || s.Record == "" || !s.Rolling() || g.pinned() || s.Daemon {
		return false
	}
	var left []rollout.Deployment
	for _, d := range s.Deployments {
		if d.ID != primary.ID && d.Running > 0 {
			left = append(left, d)
		}
	}
	return len(left) == 1 && left[0].TaskDefinition == g.was.ARN() && left[0].Running >= s.Desired &&
		(left[0].RolloutState == "COMPLETED" || left[0].RolloutState == "")
}

// turn has ECS end the rollout that is under way. It is false where ECS cannot:
// then there is another deployment to be made.
func (j *job) turn(ctx context.Context, s Service) (*watch, bool) {
	known, err := j.before(ctx, s, true)
	if err == nil {
		err = j.AWS.RollBack(context.WithoutCancel(ctx), s.Record)
	}
	if err != nil {
		j.say(story.Note, story.Update, "ECS cannot end the rollout that is under way: %v", err)
		return nil, false
	}
	j.say(story.Note, story.Update, "asked ECS to roll back the deployment that is under way")
	primary, _ := s.Primary()
	start := rollout.Start{Answer: s.Service, KnownTasks: known.tasks, ImageTags: j.imageTags(ctx, s)}
	left := slices.IndexFunc(s.Deployments, func(d rollout.Deployment) bool { return d.ID != primary.ID && d.Running > 0 })
	start.TaskDefinition = s.Deployments[left].TaskDefinition
	w := j.newWatch(story.Watch, rollout.FollowRollback(start, primary.ID), start)
	w.record = s.Record
	return w, true
}
