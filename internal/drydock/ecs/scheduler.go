package ecs

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// look has the service scheduler look at a service at its next tick. Ticks of
// a service lie [tickEvery] apart, counted from its creation; a tick at which
// nothing could have changed is left out. A time that is past means the next
// tick: looking twice at one moment shows nothing new, and would never end.
func (e *ECS) look(s *service, from time.Time) {
	if now := e.Clock.Now(); from.Before(now) {
		from = now
	}
	tick := e.Clock.Scale(tickEvery)
	since := from.Sub(s.Created)
	at := s.Created.Add((since/tick + 1) * tick)
	if !s.nextLook.IsZero() && !at.Before(s.nextLook) {
		return
	}
	s.nextLook = at
	e.Clock.At(at, "service/"+s.key(), func(time.Time) {
		e.wake(func(now time.Time) { e.tick(s, now) })
	})
}

// tick is one look of the scheduler: count, move, conclude, judge. A rollback
// begins at one tick and moves from the next on, so it is seen as one even
// when nothing is left to stop; and the breaker trips just after the next task
// was started, as on a real service (starts 0, 53, 104 and 153 s, trip 158 s).
func (e *ECS) tick(s *service, now time.Time) {
	if s.Status == statusInactive {
		return
	}
	s.nextLook = time.Time{}
	e.markService(s)
	e.delist(s, now)
	if s.Status == statusDraining {
		e.drain(s, now)
		return
	}
	s.prune(now)
	e.begin(s, now)
	e.enlist(s, now)
	if e.turnBack(s, now) {
		e.look(s, now)
		return
	}
	if e.alarmed(s, now) {
		e.look(s, now)
		return
	}
	next := append(e.giveUp(s, now), e.settle(s, now)...)
	next = append(next, e.protections(s, now)...)
	e.move(s, e.decide(s, now), now)
	next = append(next, e.advance(s, now)...)
	e.conclude(s, now)
	if e.judge(s, now) {
		e.look(s, now)
	}
	if s.NotBefore.After(now) {
		next = append(next, s.NotBefore)
	}
	if s.Steady {
		next = append(next, s.SteadyAt.Add(steadyEvery))
	}
	if len(next) > 0 {
		e.look(s, slices.MinFunc(next, time.Time.Compare).Add(-1)) // the first tick at or after it
	}
}

// begin moves the service deployments on that only waited for the scheduler.
func (e *ECS) begin(s *service, now time.Time) {
	for _, r := range s.Records {
		switch r.Status {
		case types.ServiceDeploymentStatusPending:
			r.Status, r.Started, r.Updated = types.ServiceDeploymentStatusInProgress, now, now
		case types.ServiceDeploymentStatusStopRequested:
			r.end(types.ServiceDeploymentStatusStopped, r.StatusReason, now)
		}
	}
}

// turnBack begins the rollback that StopServiceDeployment asked for.
func (e *ECS) turnBack(s *service, now time.Time) bool {
	r := s.current()
	if r == nil || r.Status != types.ServiceDeploymentStatusRollbackRequested {
		return false
	}
	d := s.primary()
	d.RolloutState, d.Updated = rolloutFailed, now
	d.Reason = "ECS deployment " + d.ID + " was stopped by the user."
	e.rollBack(s, r.RollbackReason, "", now)
	return true
}

// settle notices tasks that have become healthy, and says when it will be
// worth looking again for those that have not.
func (e *ECS) settle(s *service, now time.Time) (next []time.Time) {
	for _, t := range e.byOwner[s.key()] {
		if t.DesiredStatus != statusRunning || t.LastStatus != statusRunning {
			continue
		}
		healthy, at := e.healthy(s, t, now)
		if !healthy {
			if at.After(now) {
				next = append(next, at)
			}
			if _, event := e.failing(s, t, now); event != "" && !t.Sick {
				t.Sick, s.Steady = true, false
				e.markTask(t)
				e.tell(s, now, "%s", event)
			}
			continue
		}
		t.Sick = false
		if !t.WasHealthy {
			t.WasHealthy = true
			e.markTask(t)
			s.LaunchFailures, s.NotBefore = 0, time.Time{}
			if d := s.deployment(t.Deployment); d != nil {
				s.taskHealthy(d)
			}
		}
	}
	return next
}

// healthy is whether a RUNNING task counts towards the minimum: its load
// balancers find it healthy and its essential containers' health checks pass,
// or, without any of both, it has run for 40 s. at is when the last kind will
// be, or when the grace period ends; only an event can tell of more.
func (e *ECS) healthy(s *service, t *task, now time.Time) (ok bool, at time.Time) {
	checked := len(s.revision(t.Revision).LoadBalancers) > 0
	if checked {
		if ok, _, _ := e.balanced(s, t); !ok {
			return false, e.graceEnd(s, t)
		}
	}
	switch h := t.health(); {
	case h == types.HealthStatusHealthy, h == "" && checked:
		return true, time.Time{}
	case h == "":
		at = t.Started.Add(e.Clock.Scale(settleFor))
		return !now.Before(at), at
	}
	return false, e.graceEnd(s, t)
}

// failing is why a task is to be replaced for its health, as its stopped
// reason and as an event; both are empty for one that is not. The grace period
// covers load balancers and container checks, counted from the task's start.
func (e *ECS) failing(s *service, t *task, now time.Time) (reason, event string) {
	if now.Before(e.graceEnd(s, t)) {
		return "", ""
	}
	if _, bad, why := e.balanced(s, t); bad != nil {
		return "Task failed ELB health checks in (target-group " + bad.Group + ")",
			fmt.Sprintf("(task %s) (port %d) is unhealthy in (target-group %s) due to (reason %s).", t.ID, bad.Port, bad.Group, why)
	}
	if t.health() == types.HealthStatusUnhealthy {
		return "Task failed container health checks", "(task " + t.ID + ") failed container health checks."
	}
	return "", ""
}

func (e *ECS) isFailing(s *service, t *task, now time.Time) bool {
	reason, _ := e.failing(s, t, now)
	return reason != ""
}

func (e *ECS) graceEnd(s *service, t *task) time.Time {
	var grace time.Duration
	if s.GracePeriod != nil {
		grace = time.Duration(*s.GracePeriod) * time.Second
	}
	return t.Started.Add(e.Clock.Scale(grace))
}

// fleet is what roll needs to know of a service.
func (e *ECS) fleet(s *service, now time.Time) fleet {
	f := fleet{desired: s.Desired, paused: s.NotBefore.After(now)}
	f.minPercent, f.maxPercent = s.percents()
	f.halted = s.primary().RolloutState == rolloutFailed
	for _, d := range s.Deployments {
		g := group{desired: d.Desired}
		for _, t := range e.tasksOf(s, d.ID) {
			m := member{id: t.ID, wanted: t.DesiredStatus == statusRunning, running: t.LastStatus == statusRunning, retiring: e.leaving(t), protected: t.protected(now)}
			if m.running {
				m.healthy, _ = e.healthy(s, t, now)
				m.failing = !m.healthy && e.isFailing(s, t, now)
			}
			g.tasks = append(g.tasks, m)
		}
		f.groups = append(f.groups, g)
	}
	return f
}

// move carries out what roll decided.
func (e *ECS) move(s *service, m moves, now time.Time) {
	for i, d := range s.Deployments {
		if n := m.start[i]; n > 0 && !s.fargate() {
			e.startOnInstances(s, d, n, now)
		} else if n > 0 {
			ids := make([]string, n)
			for j := range ids {
				ids[j] = e.startTask(s, d, now).ID
			}
			e.tell(s, now, "has started %d tasks: %s.", n, taskList(ids))
			d.Updated, s.Steady = now, false
		}
		if ids := m.stop[i]; len(ids) > 0 {
			for _, id := range ids {
				e.retireTask(s, e.tasks[id], i == 0, now)
				if i > 0 && !e.tasks[id].Failed {
					d.Desired = max(0, d.Desired-1)
				}
			}
			e.tell(s, now, "has stopped %d running tasks: %s.", len(ids), taskList(ids))
			d.Updated, s.Steady = now, false
		}
	}
	if m.stuck {
		e.tell(s, now, "was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.")
	}
}

// retireTask stops a task that the rollout has no more use for, or that is to
// be replaced. One whose health fails counts for the breaker's second stage,
// however healthy it once was.
func (e *ECS) retireTask(s *service, t *task, primary bool, now time.Time) {
	code, reason := "ServiceSchedulerInitiated", "Scaling activity initiated by (deployment "+s.primary().ID+")"
	switch sick, _ := e.failing(s, t, now); {
	case sick != "" && t.LastStatus == statusRunning:
		reason, t.Failed = sick, true
	case primary && t.retiring():
		code, reason = maintenanceCode, maintenanceReason
	}
	e.stopTask(t, code, reason, now)
}

// conclude drops deployments that have drained, completes the PRIMARY one, and
// says when the service is steady.
func (e *ECS) conclude(s *service, now time.Time) {
	primary := s.primary()
	s.Deployments = slices.DeleteFunc(s.Deployments, func(d *deployment) bool {
		kept := s.staging() != nil && d.Desired > 0 // blue, all of whose tasks have just ended
		return d != primary && primary.RolloutState != rolloutFailed && !kept && len(e.tasksOf(s, d.ID)) == 0
	})
	if primary.RolloutState == rolloutFailed {
		return
	}
	mine, healthy := e.tasksOf(s, primary.ID), 0
	for _, t := range mine {
		if ok, _ := e.healthy(s, t, now); ok && !t.retiring() && t.DesiredStatus == statusRunning && t.LastStatus == statusRunning {
			healthy++
		}
	}
	whole := len(s.Deployments) == 1 && len(mine) == s.Desired && healthy == s.Desired
	if primary.RolloutState == rolloutInProgress && (whole || s.earlySuccess(healthy)) {
		if e.held(s, now) {
			return
		}
		e.complete(s, primary, now)
	}
	if !whole {
		return
	}
	if !s.Steady || now.Sub(s.SteadyAt) >= steadyEvery {
		s.Steady, s.SteadyAt = true, now
		e.say(s, now, "(service "+s.Name+") has reached a steady state.") // after every deployment, however soon the next
		e.tellAction(s, "INFO", "SERVICE_STEADY_STATE", "", now)
	}
}

func (e *ECS) complete(s *service, d *deployment, now time.Time) {
	d.RolloutState, d.Updated = rolloutCompleted, now
	d.Reason = "ECS deployment " + d.ID + " completed."
	done := *d
	s.LastCompleted = &done
	if r := s.current(); r != nil {
		switch r.Status {
		case types.ServiceDeploymentStatusInProgress:
			r.end(types.ServiceDeploymentStatusSuccessful, "", now)
		case types.ServiceDeploymentStatusRollbackInProgress:
			r.end(types.ServiceDeploymentStatusRollbackSuccessful, "", now)
		}
	}
	e.tell(s, now, "(deployment %s) deployment completed.", d.ID)
	e.tellDeployment(s, d, now)
}

// drain ends a deleted service: all its tasks, then the service itself.
func (e *ECS) drain(s *service, now time.Time) {
	left := false
	for _, t := range e.byOwner[s.key()] {
		if t.LastStatus == statusStopped {
			continue
		}
		left = true
		if t.DesiredStatus == statusRunning {
			e.stopTask(t, "ServiceSchedulerInitiated", "Scaling activity initiated by (deployment "+s.primary().ID+")", now)
		}
	}
	if !left {
		s.Status, s.Ended = statusInactive, now
		s.Deployments[0].Desired = 0
		e.forgetService(s)
	}
}

// forgetService drops a deleted service from the records after a while.
func (e *ECS) forgetService(s *service) {
	e.Clock.At(s.Ended.Add(inactiveVisible), "service/"+s.key(), func(time.Time) {
		e.wake(func(time.Time) {
			if e.services[s.key()] == s { // else it was created again
				delete(e.services, s.key())
				e.dirty.Delete(bucketServices, s.key())
			}
		})
	})
}

// prune forgets service deployments after 90 days, and revisions that nothing
// tells of any more.
func (s *service) prune(now time.Time) {
	current := s.current()
	kept := slices.DeleteFunc(s.Records, func(r *serviceDeployment) bool {
		return r != current && !r.live() && now.Sub(r.Created) > recordsKept
	})
	if len(kept) == len(s.Records) {
		return
	}
	s.Records = kept
	inUse := map[string]bool{}
	for _, r := range s.Records {
		inUse[r.Target], inUse[r.RollbackTo] = true, true
		for _, arn := range r.Sources {
			inUse[arn] = true
		}
	}
	for _, d := range s.Deployments {
		inUse[s.revision(d.Revision).ARN] = true
	}
	if s.LastCompleted != nil {
		inUse[s.revision(s.LastCompleted.Revision).ARN] = true
	}
	s.Revisions = slices.DeleteFunc(s.Revisions, func(r *serviceRevision) bool { return !inUse[r.ARN] })
}

// count counts the tasks of a deployment, of all deployments when id is "".
func (e *ECS) count(s *service, id string) (running, pending int) {
	for _, t := range e.byOwner[s.key()] {
		switch {
		case id != "" && t.Deployment != id:
		case t.LastStatus == statusRunning:
			running++
		case t.pending():
			pending++
		}
	}
	return running, pending
}

// tasksOf are the tasks of a deployment that are not STOPPED, oldest first.
func (e *ECS) tasksOf(s *service, id string) []*task {
	var out []*task
	for _, t := range e.byOwner[s.key()] {
		if t.Deployment == id && t.LastStatus != statusStopped {
			out = append(out, t)
		}
	}
	return out
}
