package deploy

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// checkMovement does ECS's arithmetic: while a rollout goes on, at most
// floor(desired × maximumPercent) tasks run and at least ceil(desired ×
// minimumHealthyPercent) are healthy. Where neither a new task may start nor an
// old one stop, ECS says "unable to stop or start tasks" and waits for ever. A
// service of which nothing runs has no old task in the way.
// (DeploymentConfiguration in the ECS API reference.)
func checkMovement(s Service, desired int) []story.Check {
	if s.Daemon || s.Strategy != "ROLLING" || desired == 0 {
		return nil
	}
	upper := desired * s.MaximumPercent / 100
	lower := (desired*s.MinimumPercent + 99) / 100
	if s.Running > 0 && upper <= desired && lower >= desired {
		return []story.Check{checkFail("capacity",
			fmt.Sprintf("this deployment could never move: with %s, maximumPercent %d and minimumHealthyPercent %d ECS may neither start a task nor stop one", noun.Count(desired, "task"), s.MaximumPercent, s.MinimumPercent),
			"set maximumPercent to 200, or minimumHealthyPercent to 0 where a gap is acceptable")}
	}
	return []story.Check{checkOK("capacity", "%s: up to %d at once, at least %d healthy", noun.Count(desired, "task"), upper, lower)}
}

// checkBreaker looks whether ECS would give a bad revision up by itself.
func checkBreaker(s Service) []story.Check {
	switch {
	case s.Strategy != "ROLLING": // the circuit breaker is of rolling deployments
		return nil
	case !s.Breaker:
		return []story.Check{checkWarn("circuit breaker",
			"it is off: when nobody watches, ECS starts a broken revision again and again", "enable deploymentCircuitBreaker, with rollback, on the service")}
	case !s.RollsBack:
		return []story.Check{checkOK("circuit breaker", "on, without rollback")}
	}
	return []story.Check{checkOK("circuit breaker", "on, with rollback")}
}

// lookAtScaling holds a desired count against the range of autoscaling.
func (j *job) lookAtScaling(s Service, desired *int) look {
	return func(ctx context.Context) []story.Check {
		cluster, service := path.Base(j.target.Cluster), path.Base(j.target.Service)
		r, err := j.AWS.Scaling(ctx, cluster, service)
		if errors.Is(err, NotFound) {
			return nil
		}
		if err != nil {
			return []story.Check{unseen("autoscaling", err)}
		}
		n := s.Desired
		if desired != nil {
			n = *desired
		}
		if n < r.Min || n > r.Max {
			return []story.Check{checkWarn("autoscaling", fmt.Sprintf("%s is outside of the %d to %d that autoscaling keeps; it will change the count", noun.Count(n, "task"), r.Min, r.Max), "choose a count in that range, or change the range first")}
		}
		return []story.Check{checkOK("autoscaling", "%s in %d to %d", noun.Count(n, "task"), r.Min, r.Max)}
	}
}

// lookAtBalancers looks whether the service's target groups are there.
func (j *job) lookAtBalancers(s Service) look {
	return func(ctx context.Context) []story.Check {
		var found []story.Check
		for _, arn := range s.TargetGroups {
			switch _, err := j.AWS.TargetGroup(ctx, arn); {
			case errors.Is(err, NotFound):
				found = append(found, checkFail("load balancer", "there is no target group "+arn, "create it again, or take it off the service: new tasks cannot be registered"))
			case err != nil:
				found = append(found, unseen("load balancer", err))
			}
		}
		if len(s.TargetGroups) > 0 && len(found) == 0 {
			found = append(found, checkOK("load balancer", "%s there", noun.Forms(len(s.TargetGroups), "target group is", "target groups are")))
		}
		return once(found)
	}
}

// lookAtWayBack looks whether the revision that a failed rollout would go back
// to could start.
func (j *job) lookAtWayBack(s Service, running *taskdef.Document) look {
	return func(ctx context.Context) []story.Check {
		if s.Running == 0 && running.Tags()[tagVerdict] != "stable" {
			return []story.Check{checkSkipped("rollback target", "no revision of it is known to have run")}
		}
		arn, err := j.lastStable(ctx, s, "")
		if none := (*noRevisionError)(nil); errors.As(err, &none) {
			return []story.Check{checkWarn("rollback target", err.Error()+": a rollout that fails has nothing to go back to", "")}
		}
		if err != nil {
			return []story.Check{unseen("rollback target", err)}
		}
		doc, err := j.document(ctx, arn)
		if err != nil {
			return []story.Check{unseen("rollback target", err)}
		}
		gone, moved, err := j.backOn(ctx, s, doc)
		switch {
		case err != nil:
			return []story.Check{unseen("rollback target", err)}
		case len(gone) > 0:
			return []story.Check{checkWarn("rollback target", fmt.Sprintf("%s needs %s, which ECR no longer has: a rollout that fails could not be put back", revisionName(doc), strings.Join(gone, ", ")), "push it again, or deploy something that can stay first")}
		case len(moved) > 0:
			return []story.Check{checkOK("rollback target", "%s, by the digest it ran: %s no longer stands for it", revisionName(doc), strings.Join(moved, ", "))}
		}
		return []story.Check{checkOK("rollback target", "%s", revisionName(doc))}
	}
}

// backOn looks for what a revision would start from when ECS puts the service
// back on it: the digests that it ran, whatever became of their tags. Where ECS
// keeps no record of rollouts to go back by, the tags are resolved anew.
func (j *job) backOn(ctx context.Context, s Service, doc *taskdef.Document) (gone, moved []string, err error) {
	var ran map[string]string
	if s.Record != "" {
		s.TaskDefinition = doc.ARN()
		if ran, err = j.fixedDigests(ctx, s); err != nil {
			return nil, nil, err
		}
	}
	for _, c := range j.contents(ctx, doc, ran) {
		name := imageName(c.ref)
		switch err := c.pullError(); {
		case errors.Is(err, NotFound) && c.ran != "":
			gone = append(gone, fmt.Sprintf("%s (%s)", name, image.ShortDigest(c.ran)))
		case errors.Is(err, NotFound):
			gone = append(gone, name)
		case err != nil && !errors.Is(err, Unsupported):
			return nil, nil, err
		case c.moved():
			moved = append(moved, name)
		}
	}
	return slices.Compact(gone), slices.Compact(moved), ctx.Err()
}

// lookAtPinned looks whether ECR still has the images that ECS has fixed for
// the deployment that runs: a task that starts later takes these digests,
// whatever their tags stand for by then. ("Container image resolution", ECS
// developer guide.)
func (j *job) lookAtPinned(s Service, doc *taskdef.Document) look {
	return func(ctx context.Context) []story.Check {
		if s.Record == "" {
			return nil
		}
		record, err := j.AWS.ServiceDeployment(ctx, s.Record)
		if err != nil || record.TaskDefinition != s.TaskDefinition {
			return nil // the tags have been looked up: that has to do
		}
		var found []story.Check
		for _, c := range doc.Containers() {
			ref, err := image.Parse(c.Image)
			digest := record.Digests[c.Name]
			if err != nil || digest == "" {
				continue
			}
			if _, err := j.AWS.Digest(ctx, ref); err != nil {
				continue // that is told already
			}
			if _, err := j.AWS.Digest(ctx, ref.WithDigest(digest)); errors.Is(err, NotFound) {
				found = append(found, checkFail("image",
					fmt.Sprintf("ECS has fixed %s for %s, and ECR no longer has that", image.ShortDigest(digest), imageName(ref)),
					"deploy once more, so that ECS takes what the tag stands for now"))
			}
		}
		return once(slices.Clip(found))
	}
}
