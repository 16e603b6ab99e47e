package ecs

import (
	"maps"
	"slices"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/identifier"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// How ECS stops a task for maintenance (developer guide, Fargate task
// retirement FAQ; stopped tasks error messages).
const (
	maintenanceCode   = "TerminationNotice"
	maintenanceReason = "ECS is performing maintenance on the underlying infrastructure hosting the task."
)

// Retirement is one maintenance of the tasks of a service: they are to be
// replaced by tasks on patched infrastructure from Start on.
type Retirement struct {
	ID         string
	Cluster    string // name
	Service    string // name
	ServiceARN string
	Tasks      []string // ARNs of those that ran when it was announced
	Status     RetirementStatus
	Announced  time.Time
	Start      time.Time
	Updated    time.Time
	Closed     time.Time // zero until it is
}

// RetirementStatus is how far a retirement has come, in AWS Health's words.
type RetirementStatus string

// A retirement is upcoming until its Start, open until the last of its tasks
// has stopped, for whatever reason, and then closed.
const (
	RetirementUpcoming RetirementStatus = "upcoming"
	RetirementOpen     RetirementStatus = "open"
	RetirementClosed   RetirementStatus = "closed"
)

// Notifier is told of every retirement when it is announced and whenever its
// status changes. It must not call back.
type Notifier interface {
	Notify(Retirement)
}

// Retire announces the retirement of all tasks that a service has now; those
// that are announced already are left out. It begins when wait has passed, or
// the account's fargateTaskRetirementWaitPeriod when wait is nil, and only for
// the tasks that are still there: a deployment meanwhile makes it unnecessary.
func (e *ECS) Retire(clusterID, serviceID string, wait *time.Duration) (Retirement, error) {
	var out Retirement
	return out, e.change(func(now time.Time) error {
		s, err := e.service(&clusterID, &serviceID)
		if err != nil {
			return err
		}
		r := &Retirement{
			Cluster: s.Cluster, Service: s.Name, ServiceARN: s.ARN,
			Status: RetirementUpcoming, Announced: now, Updated: now,
			Start: now.Add(e.retirementWait()),
		}
		if wait != nil {
			r.Start = now.Add(*wait)
		}
		var leaving []*task
		for _, t := range e.byOwner[s.key()] {
			if t.DesiredStatus == statusRunning && t.Retirement == "" {
				leaving = append(leaving, t)
				r.Tasks = append(r.Tasks, t.ARN)
			}
		}
		if len(leaving) == 0 {
			return wire.Errorf("InvalidParameterException", "Service %s has no task whose retirement is not announced.", s.Name)
		}
		r.ID = identifier.Hex(e.rand)
		for _, t := range leaving {
			t.Retirement = r.ID
			e.markTask(t)
		}
		e.retirements[r.ID] = r
		e.Clock.At(r.Start, "retirement/"+r.ID, func(time.Time) {
			e.wake(func(now time.Time) { e.beginRetirement(r, now) })
		})
		e.noteRetirement(r)
		out = *r
		return nil
	})
}

// Retirements are those of the last 90 days, the oldest first.
func (e *ECS) Retirements() []Retirement {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []Retirement
	for _, id := range slices.Sorted(maps.Keys(e.retirements)) {
		out = append(out, *e.retirements[id])
	}
	slices.SortStableFunc(out, func(a, b Retirement) int { return a.Announced.Compare(b.Announced) })
	return out
}

// noteRetirement stores a retirement and tells of it.
func (e *ECS) noteRetirement(r *Retirement) {
	e.dirty.Put(bucketRetirements, r.ID, r)
	if e.Notices != nil {
		told := *r
		e.later(func() { e.Notices.Notify(told) })
	}
}

// beginRetirement hands the tasks to the scheduler of their service.
func (e *ECS) beginRetirement(r *Retirement, now time.Time) {
	if r.Status != RetirementUpcoming {
		return
	}
	r.Status, r.Updated = RetirementOpen, now
	e.noteRetirement(r)
	for _, arn := range r.Tasks {
		t := e.tasks[lastPart(arn)]
		if t == nil || t.DesiredStatus != statusRunning {
			continue
		}
		t.RetireBy = now.Add(e.Clock.Scale(retireGrace))
		e.markTask(t)
		if s := e.serviceOf(t); s != nil {
			s.Steady = false
			e.markService(s)
			e.look(s, now)
		}
	}
}

// closeRetired closes a retirement when the last of its tasks has stopped.
func (e *ECS) closeRetired(r *Retirement, now time.Time) {
	left := slices.ContainsFunc(r.Tasks, func(arn string) bool {
		t := e.tasks[lastPart(arn)]
		return t != nil && t.LastStatus != statusStopped
	})
	if left || r.Status == RetirementClosed {
		return
	}
	r.Status, r.Updated, r.Closed = RetirementClosed, now, now
	e.noteRetirement(r)
	e.forgetRetirement(r)
}

// forgetRetirement drops a closed retirement after the 90 days for which AWS
// Health shows events.
func (e *ECS) forgetRetirement(r *Retirement) {
	e.Clock.At(r.Closed.Add(recordsKept), "retirement/"+r.ID, func(time.Time) {
		e.wake(func(time.Time) {
			delete(e.retirements, r.ID)
			e.dirty.Delete(bucketRetirements, r.ID)
		})
	})
}

// retiring is whether the task is to be replaced for maintenance now.
func (t *task) retiring() bool { return !t.RetireBy.IsZero() }

// giveUp stops the tasks of a service whose time for a replacement is over,
// and says when that will be for the others.
func (e *ECS) giveUp(s *service, now time.Time) (next []time.Time) {
	var stopped []string
	for _, t := range e.byOwner[s.key()] {
		switch {
		case !t.retiring() || t.DesiredStatus != statusRunning:
		case now.Before(t.RetireBy):
			next = append(next, t.RetireBy)
		default:
			e.stopTask(t, maintenanceCode, maintenanceReason, now)
			stopped = append(stopped, t.ID)
		}
	}
	if len(stopped) > 0 {
		e.tell(s, now, "has stopped %d running tasks: %s.", len(stopped), taskList(stopped))
		s.primary().Updated, s.Steady = now, false
	}
	return next
}
