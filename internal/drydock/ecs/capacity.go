package ecs

import (
	"time"
)

// Capacity is the desired count of a service, for Application Auto Scaling to
// compare with its range, and whether a deployment of it is under way. ok is
// false for a service that is not there or not ACTIVE.
func (e *ECS) Capacity(cluster, service string) (desired int, deploying, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.services[cluster+"/"+service]
	if s == nil || s.Status != statusActive {
		return 0, false, false
	}
	return s.Desired, s.primary().RolloutState == rolloutInProgress, true
}

// SetCapacity changes the desired count of a service as UpdateService would.
func (e *ECS) SetCapacity(cluster, service string, desired int) error {
	return e.change(func(now time.Time) error {
		s, err := e.service(&cluster, &service)
		if err != nil {
			return err
		}
		if desired < 0 || desired > maxTasks {
			return tooMany(desired)
		}
		s.Desired, s.Request, s.Steady = desired, "", false
		s.primary().Desired = desired
		e.markService(s)
		e.look(s, now)
		return nil
	})
}
