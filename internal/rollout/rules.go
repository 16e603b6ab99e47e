package rollout

import (
	"cmp"
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
	// Rule is the rule that decided, by its name in docs/verdicts.md.
	Rule string
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

// rule is one way to come to a verdict. docs/verdicts.md says of each which
// evidence it needs and why that is enough.
type rule struct {
	name  string
	judge func(*Tracker) Verdict
}

// rules are asked in order: success first, then what ECS says outright, then
// what can be concluded before ECS does.
func rules() []rule {
	return []rule{
		{"stable", (*Tracker).isStable},
		{"healthy", (*Tracker).isHealthy},
		{"record-failed", (*Tracker).recordFailed},
		{"state-failed", (*Tracker).stateFailed},
		{"put-back", (*Tracker).putBack},
		{"event-failed", (*Tracker).eventFailed},
		{"superseded", (*Tracker).isSuperseded},
		{"service-gone", (*Tracker).serviceGone},
		{"hopeless", (*Tracker).isHopeless},
		{"exhausted", (*Tracker).isExhausted},
		{"lost", (*Tracker).isLost},
	}
}

func (t *Tracker) judge() Verdict {
	for _, r := range rules() {
		if v := r.judge(t); v.Final() {
			v.Rule = r.name
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
	another := func(o Deployment) bool { return o.ID != d.ID && o.Status != inactive }
	if d.RolloutState == "" && slices.ContainsFunc(t.service.Deployments, another) || slices.ContainsFunc(t.others(), Deployment.hasTasks) {
		return false
	}
	recorded := t.record != nil && !t.rollback && t.record.Status == "SUCCESSFUL"
	return d.RolloutState == completed || d.RolloutState == "" || recorded
}

// isHealthy is asked when the new tasks are all that is waited for. It needs
// ours as PRIMARY with as many tasks running as desired, none starting, and
// proof that they are healthy: ECS's word (COMPLETED, or a record that is
// SUCCESSFUL), or that ECS has told every old task to stop where it must keep
// 100 % healthy, or every task's own health where no load balancer has a say.
func (t *Tracker) isHealthy() Verdict {
	d, listed := t.current()
	if t.start.Until != Healthy || t.rollback || !listed || !t.caughtUp ||
		d.Status != primary || d.Running != d.Desired || d.Pending > 0 {
		return Verdict{}
	}
	said := d.RolloutState == completed || t.record != nil && t.record.Status == "SUCCESSFUL"
	if !said && !t.oldLetGo() && !t.allHealthy(d) {
		return Verdict{}
	}
	reason := RevisionName(t.start.TaskDefinition) + " is healthy"
	if slices.ContainsFunc(t.others(), Deployment.hasTasks) {
		reason += "; old tasks still drain"
	}
	return Verdict{Outcome: Stable, Reason: reason}
}

// oldLetGo reports whether ECS has told all old tasks to stop, of a service
// whose healthy tasks must never be fewer than desired: it does that only when
// the new ones are healthy in their place (API reference,
// minimumHealthyPercent). There must have been old tasks, and the service's
// deployments and its tasks must agree.
func (t *Tracker) oldLetGo() bool {
	replaced := slices.ContainsFunc(t.start.Answer.Deployments, func(d Deployment) bool {
		return t.earlier(d.ID) && d.Running >= t.start.Answer.Desired && d.Running > 0
	})
	if !replaced || t.tasks == nil || t.service.MinHealthyPercent < 100 || t.service.Desired != t.start.Answer.Desired {
		return false
	}
	wanted := slices.ContainsFunc(t.others(), func(d Deployment) bool { return d.Desired > 0 })
	return !wanted && !slices.ContainsFunc(t.tasks, func(task Task) bool { return !t.Mine(task) && task.alive() })
}

func (t *Tracker) allHealthy(d Deployment) bool {
	n := 0
	for _, task := range t.tasks {
		if t.Mine(task) && task.alive() && task.LastStatus == running && task.Health == healthy {
			n++
		}
	}
	return !t.service.LoadBalanced && n > 0 && n >= d.Desired
}

// recordFailed needs ECS's record of our rollout to say that it goes back, or
// went back. A record that is STOPPED proves nothing by itself: a superseded
// rollout has it too. While following a rollback it is only the failure of
// that which counts.
func (t *Tracker) recordFailed() Verdict {
	if t.record == nil || !strings.HasPrefix(t.record.Status, "ROLLBACK_") || t.rollback && t.record.Status != "ROLLBACK_FAILED" {
		return Verdict{}
	}
	v := failedFor(t.record.RollbackReason, t.record.Reason, "ECS is rolling the deployment back")
	if len(t.record.Alarms) > 0 {
		v.Reason += " (alarms: " + strings.Join(t.record.Alarms, ", ") + ")"
	}
	return v
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
// so one look is enough. A strategy that shifts traffic keeps both sets of
// tasks on purpose: there it is for the record to say.
func (t *Tracker) putBack() Verdict {
	_, listed := t.current()
	p, ok := t.service.Primary()
	if t.rollback || t.record.shiftsTraffic() || !listed || !ok || !t.earlier(p.ID) {
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
	p, ok := t.Usurper(t.service)
	if !ok {
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
// as prove it. One is enough where no retry can help: an image that does not
// exist will not exist for the next task either. A crash or a failing health
// check needs several of the deployment that goes on, and that nothing speaks
// for the revision meanwhile.
func (t *Tracker) isHopeless() Verdict {
	byCause := map[string][]Task{}
	d, _ := t.current()
	for _, f := range t.fallen() {
		if f.Cause != nil && (f.Cause.Enough == 1 || f.Cause.Enough > 1 && f.StartedBy == d.ID) {
			byCause[f.Cause.ID] = append(byCause[f.Cause.ID], f)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(byCause)) {
		list := byCause[id]
		cause := list[len(list)-1].Cause
		if cause.Enough == 1 {
			return failedFor(cause.Reason)
		}
		need := cmp.Or(t.start.FailAfter, cause.Enough)
		if t.oneZone(list) && need > 1 {
			need++
		}
		if len(list) >= need && !t.defended(list, need) {
			return failedFor(cause.Reason)
		}
	}
	return Verdict{}
}

// fallen are the failed tasks of ours, the first created first.
func (t *Tracker) fallen() []Task {
	return slices.SortedFunc(maps.Values(t.failures), func(a, b Task) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
}

// defended reports whether something speaks against taking some failures for
// the end: a task of ours that is healthy; one that is as old as the last of
// them, still alive and not unhealthy, whose fate is a test of the same
// revision; one that the service counts and that has not been read yet. The
// last says nothing any more once there are patience times as many failures:
// tasks may come and go between two reads. Nor does an old task then where
// health checks fail: ECS keeps an unhealthy task until another one can take
// its place, and does not tell which targets are. Tasks from before the update
// never speak: that they started once is no news of now.
func (t *Tracker) defended(failures []Task, need int) bool {
	const patience = 3
	patient := len(failures) < patience*need
	last := failures[need-1]
	byHealth := strings.HasPrefix(last.StoppedReason, "Task failed ")
	alive := 0
	for _, task := range t.tasks {
		if !t.Mine(task) || !task.alive() {
			continue
		}
		alive++
		switch {
		case slices.Contains(t.start.KnownTasks, task.ID), task.Health == unhealthy:
		case task.Health == healthy:
			return true
		case !task.CreatedAt.After(last.CreatedAt) && (patient || !byHealth):
			return true
		}
	}
	d, _ := t.current()
	return alive < d.Running+d.Pending && patient
}

// oneZone reports whether failures all come from one availability zone while
// the service is known to run in others too: then the zone may be the cause.
func (t *Tracker) oneZone(failures []Task) bool {
	zone := failures[0].Zone
	elsewhere := func(task Task) bool { return task.Zone != zone }
	return zone != "" && !slices.ContainsFunc(failures, elsewhere) &&
		slices.ContainsFunc(t.tasks, func(task Task) bool { return task.Zone != "" && elsewhere(task) })
}

// isExhausted needs as many failures as ECS's circuit breaker would take, no
// task of ours running, and none that speaks for the revision: so a service
// without a breaker, which ECS would go on retrying for ever, fails too.
// Failures that pass by themselves are left out; where tasks cannot be read,
// ECS's own count stands in, and must cover the first task of every place.
// The threshold is the breaker's own where ECS tells it.
func (t *Tracker) isExhausted() Verdict {
	d, listed := t.current()
	if !listed || d.Running > 0 || d.Desired == 0 {
		return Verdict{}
	}
	threshold := breakerThreshold(d.Desired)
	if t.record != nil && t.record.Threshold > 0 {
		threshold = t.record.Threshold
	}
	threshold = max(threshold, t.start.FailAfter)
	if t.tasks == nil {
		threshold = max(threshold, d.Desired)
		failures := 0
		if d.RolloutState != completed { // a scale-out keeps the count of an earlier rollout
			failures = d.FailedTasks
		}
		if t.record != nil {
			failures = max(failures, t.record.Failures)
		}
		return exhausted(failures, threshold)
	}
	failures := slices.DeleteFunc(t.fallen(), func(task Task) bool {
		return task.StartedBy != d.ID || task.Cause != nil && task.Cause.Enough == 0
	})
	if len(failures) < threshold || t.defended(failures, threshold) {
		return Verdict{}
	}
	return exhausted(len(failures), threshold)
}

func exhausted(failures, threshold int) Verdict {
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
