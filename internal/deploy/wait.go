package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// WaitRequest is a rollout to wait for.
type WaitRequest struct {
	Target
	// Revision is the family:revision that should come to run; "" takes
	// whatever the service is moving to. It makes resuming an interrupted
	// deploy safe: another revision is then not taken for success.
	Revision string
	Timeout  time.Duration
	Watching
}

// Wait follows the rollout that a service is in, started by whomever, to its
// verdict. It changes nothing but the note of the verdict on a revision that a
// deploy of ours left pending: a rollout that fails is followed back when ECS
// rolls back by itself, and left alone otherwise.
func Wait(ctx context.Context, p Ports, r WaitRequest, tell story.Teller) (story.Verdict, error) {
	j := begin(p, r.Target, r.Timeout, tell)
	j.watching = r.Watching
	j.settles(ctx)
	s, err := j.active(ctx)
	if err != nil {
		return j.stop(err)
	}
	primary, ok := s.Primary()
	if !ok {
		return j.stop(&PreflightError{Faults: []Fault{{"service", j.target.String() + " has no deployment", ""}}})
	}
	start := rollout.Start{DeploymentID: primary.ID, TaskDefinition: primary.TaskDefinition, Answer: s.Service}
	j.allow(s)
	w := j.newWatch(story.Watch, j.follow(start), start)
	running := rollout.RevisionName(primary.TaskDefinition)
	failed, reason, err := j.rolledBack(ctx, s, primary, r.Revision)
	switch {
	case err != nil:
		return j.stop(err)
	case failed != "":
		return j.followBack(ctx, w, s, failed, reason)
	case r.Revision != "" && r.Revision != running:
		return j.end(story.Verdict{
			Outcome: Superseded, TaskDefinition: running,
			Summary: fmt.Sprintf("the service is on %s, not on %s", running, r.Revision),
			Next:    []string{j.command("status")},
		}), nil
	}
	return j.await(ctx, w, story.Verdict{})
}

// followBack follows a rollback that ECS leads, of the revision that failed.
func (j *job) followBack(ctx context.Context, w *watch, s Service, failed, reason string) (story.Verdict, error) {
	w.last = s
	result := rollout.Verdict{Outcome: rollout.Failed, Reason: reason, RollingBack: true}
	if primary, _ := s.Primary(); failed != rollout.RevisionName(primary.TaskDefinition) { // ECS has turned round already
		result.TaskDefinition = primary.TaskDefinition
		w.tracker = rollout.Follow(rollout.Start{Answer: s.Service})
	}
	j.markPending(ctx, failed, "failed")
	return j.undo(ctx, w, result, story.Verdict{TaskDefinition: failed}, origin{})
}

// rolledBack finds out whether ECS is putting the service back, or, when a
// revision is expected, whether it has put it back from that one: which
// revision failed, and why.
func (j *job) rolledBack(ctx context.Context, s Service, primary rollout.Deployment, expected string) (revision, reason string, err error) {
	if expected == rollout.RevisionName(primary.TaskDefinition) || s.Record == "" {
		return "", "", nil
	}
	record, err := j.AWS.ServiceDeployment(ctx, s.Record)
	switch {
	case errors.Is(err, Unsupported), errors.Is(err, NotFound), errors.Is(err, Denied):
		return "", "", nil
	case err != nil:
		return "", "", err
	}
	revision = rollout.RevisionName(record.TaskDefinition)
	under := record.Status == "ROLLBACK_REQUESTED" || record.Status == "ROLLBACK_IN_PROGRESS"
	if under && expected == "" || strings.HasPrefix(record.Status, "ROLLBACK_") && expected == revision {
		return revision, strings.TrimSuffix(cmp.Or(record.RollbackReason, record.Reason, "ECS rolled it back"), "."), nil
	}
	return "", "", nil
}
