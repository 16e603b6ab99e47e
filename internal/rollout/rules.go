package rollout

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Outcome is what a deployment came to.
type Outcome string

// The outcomes. The zero value means that it is not decided.
const (
	Stable     Outcome = "stable"
	Failed     Outcome = "failed"
	Superseded Outcome = "superseded"
)

// Verdict is the last word on a deployment.
type Verdict struct {
	Outcome Outcome
	// Reason is the evidence in one sentence, in ECS's own words where it
	// has any.
	Reason string
	// RollingBack means that ECS itself puts the service back: there is
	// nothing to start, only something to follow.
	RollingBack bool
	// TaskDefinition is the ARN that the service is moving to, or is on,
	// where that is not ours.
	TaskDefinition string
}

// Final reports whether the verdict has been reached.
func (v Verdict) Final() bool { return v.Outcome != "" }

// looks is how many reads in a row must agree where a single stale one could
// mislead.
const looks = 3

// lostLooks is the same for a deployment that vanished without a word. ECS
// says why a deployment failed within seconds, so this is a last resort.
const lostLooks = 20

// judge asks the rules in order: success first, then what ECS says outright,
// then what can be concluded before ECS does.
func (t *Tracker) judge() Verdict {
	for _, rule := range []func() Verdict{
		t.isStable, t.recordFailed, t.stateFailed, t.putBack, t.eventFailed, t.isSuperseded,
		t.serviceGone, t.isHopeless, t.isExhausted, t.isLost,
	} {
		if v := rule(); v.Final() {
			v.RollingBack, v.TaskDefinition = t.wayBack(v)
			return v
		}
	}
	return Verdict{}
}

// wayBack says whether ECS is putting another revision in place of ours, and
// which. It needs an earlier deployment as PRIMARY again, or a record that
// says ROLLBACK and has not failed at it.
func (t *Tracker) wayBack(v Verdict) (rollingBack bool, taskDefinition string) {
	if v.Outcome == Stable || t.rollback {
		return false, ""
	}
	p, ok := t.service.Primary()
	if ok && !slices.Contains(t.ours, p.ID) {
		taskDefinition = p.TaskDefinition
	}
	if v.Outcome == Superseded {
		return false, taskDefinition
	}
	if t.record != nil && t.record.Status == "ROLLBACK_FAILED" {
		return false, taskDefinition
	}
	rollingBack = ok && t.earlier(p.ID) ||
		t.record != nil && strings.HasPrefix(t.record.Status, "ROLLBACK_")
	return rollingBack, taskDefinition
}

// isStable needs ours as PRIMARY, COMPLETED (or ECS's record of it
// SUCCESSFUL), as many tasks running as desired, none starting, and no task of
// any other deployment left. A service without rollout states must have no
// other deployment at all, which is how the SDK's own waiter judges it.
// A rollback must look so for some reads: its deployment may be one that was
// stable once, and a read from that time would look the same.
func (t *Tracker) isStable() Verdict {
	if !t.settled() || t.rollback && t.lookedBack < looks {
		return Verdict{}
	}
	return Verdict{Outcome: Stable, Reason: fmt.Sprintf("%s is stable", RevisionName(t.start.TaskDefinition))}
}

func (t *Tracker) settled() bool {
	d, listed := t.current()
	if !listed || !t.caughtUp || d.Status != primary || d.Running != d.Desired || d.Pending > 0 {
		return false
	}
	others := t.others()
	if d.RolloutState == "" && len(others) > 0 || slices.ContainsFunc(others, Deployment.hasTasks) {
		return false
	}
	recorded := t.record != nil && !t.rollback && t.record.Status == "SUCCESSFUL"
	return d.RolloutState == completed || d.RolloutState == "" || recorded
}

// recordFailed needs ECS's record of our rollout to say that it goes back, or
// went back. A record that is STOPPED proves nothing by itself: a superseded
// rollout has it too. While following a rollback it is only the failure of
// that which counts.
func (t *Tracker) recordFailed() Verdict {
	if t.record == nil || !strings.HasPrefix(t.record.Status, "ROLLBACK_") || t.rollback && t.record.Status != "ROLLBACK_FAILED" {
		return Verdict{}
	}
	return failedFor(t.record.RollbackReason, t.record.Reason, "ECS is rolling the deployment back")
}

// stateFailed needs ours in rolloutState FAILED, which no deployment leaves.
func (t *Tracker) stateFailed() Verdict {
	d, listed := t.current()
	if !listed || d.RolloutState != failed {
		return Verdict{}
	}
	return failedFor(d.RolloutReason, "ECS says that the deployment failed")
}

// putBack needs an earlier deployment as PRIMARY in a read that still lists
// ours: ECS's circuit breaker rolls back by making the old deployment, under
// its old id, PRIMARY again. A read from before our update does not list ours,
// so one look is enough.
func (t *Tracker) putBack() Verdict {
	_, listed := t.current()
	p, ok := t.service.Primary()
	if t.rollback || !listed || !ok || !t.earlier(p.ID) {
		return Verdict{}
	}
	return failedFor(p.RolloutReason, "an earlier deployment is PRIMARY again")
}

// eventFailed needs ECS's event that names ours as failed. It stays in the
// service's events when the deployment has already vanished from the list.
func (t *Tracker) eventFailed() Verdict {
	if t.saidFailed == "" {
		return Verdict{}
	}
	return failedFor(t.saidFailed)
}

// isSuperseded needs a PRIMARY that was not there when ours began (so it is
// later) and that runs another task definition. One of our own revision has
// been adopted before this rule is asked.
func (t *Tracker) isSuperseded() Verdict {
	p, ok := t.service.Primary()
	if !ok || slices.Contains(t.ours, p.ID) || t.earlier(p.ID) {
		return Verdict{}
	}
	return Verdict{Outcome: Superseded, Reason: fmt.Sprintf("another deployment (%s, %s) took over", p.ID, RevisionName(p.TaskDefinition))}
}

// serviceGone needs the service to be deleted, or on the way to it.
func (t *Tracker) serviceGone() Verdict {
	if s := t.service.Status; s == "DRAINING" || s == inactive {
		return failedFor("the service is being deleted (" + s + ")")
	}
	return Verdict{}
}

// isHopeless needs as many distinct failed tasks of ours with the same cause
// as that cause says is enough: an image that does not exist will not exist
// for the next task either, while a network that is slow may recover.
func (t *Tracker) isHopeless() Verdict {
	counts := map[string]int{}
	for _, id := range slices.Sorted(maps.Keys(t.failures)) {
		c := t.failures[id]
		if c == nil || c.Enough <= 0 {
			continue
		}
		if counts[c.ID]++; counts[c.ID] >= c.Enough {
			return failedFor(c.Reason)
		}
	}
	return Verdict{}
}

// isExhausted needs as many failures as ECS's circuit breaker would take, and
// no task of ours running: so a service without a breaker, which ECS would go
// on retrying for ever, fails too. The threshold is the
// breaker's own where ECS tells it.
func (t *Tracker) isExhausted() Verdict {
	d, listed := t.current()
	if !listed || d.Running > 0 || d.Desired == 0 {
		return Verdict{}
	}
	failures, threshold := len(t.failures), breakerThreshold(d.Desired)
	if d.RolloutState != completed { // a scale-out keeps the count of an earlier rollout
		failures = max(failures, d.FailedTasks)
	}
	if t.record != nil {
		failures = max(failures, t.record.Failures)
		if t.record.Threshold > 0 {
			threshold = t.record.Threshold
		}
	}
	if failures < threshold {
		return Verdict{}
	}
	return failedFor(fmt.Sprintf("%d tasks failed and none is running", failures))
}

// breakerThreshold is ECS's own default: half the desired count, rounded up,
// but at least 3 and at most 200.
func breakerThreshold(desired int) int { return min(max((desired+1)/2, 3), 200) }

// isLost needs ours to have been listed once, and then to be missing from many
// reads in a row without any word on why.
func (t *Tracker) isLost() Verdict {
	if t.lookedGone < lostLooks {
		return Verdict{}
	}
	return failedFor("the deployment is no longer listed, and ECS does not say why")
}

// failedFor is a failure for the first reason that says anything.
func failedFor(reasons ...string) Verdict {
	for _, r := range reasons {
		if r = strings.TrimSpace(r); r != "" {
			return Verdict{Outcome: Failed, Reason: strings.TrimSuffix(r, ".")}
		}
	}
	return Verdict{Outcome: Failed}
}
