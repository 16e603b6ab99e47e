package ecs

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// breaker is the circuit breaker's configuration; nil when it is off.
func (s *service) breaker() *types.DeploymentCircuitBreaker {
	b := s.Configuration.DeploymentCircuitBreaker
	if b == nil || !b.Enable {
		return nil
	}
	return b
}

// breakerThreshold is how many failed tasks end a deployment: half of the
// desired count, at least 3 and at most 200, unless the service says
// otherwise. Percentages are of the latest desired count (developer guide,
// "How the Amazon ECS deployment circuit breaker detects failures").
func breakerThreshold(s *service) int {
	kind, value := types.ThresholdTypeBoundedPercent, 50
	if b := s.breaker(); b != nil && b.ThresholdConfiguration != nil {
		kind, value = b.ThresholdConfiguration.Type, int(b.ThresholdConfiguration.Value)
	}
	percent := (s.Desired*value + 99) / 100
	switch kind {
	case types.ThresholdTypeCount:
		return max(1, value)
	case types.ThresholdTypeUnboundedPercent:
		return max(1, percent)
	}
	return min(max(percent, 3), 200)
}

// countFailure counts a task that failed, when it has STOPPED: a real service
// whose tasks exited at once was rolled back 158 s after the first one's start,
// when the third had just stopped. Only a deployment that is under way is judged: the restart of a deployment that
// once completed never trips the breaker.
func (s *service) countFailure(d *deployment) {
	if d.RolloutState != rolloutInProgress {
		return
	}
	d.FailedTasks++
	d.BreakerCount++
	s.showCount(d)
}

// taskHealthy resets the count: failedTasks goes back to 0 once a task runs
// successfully, and so does the breaker unless resetOnHealthyTask is off.
func (s *service) taskHealthy(d *deployment) {
	d.FailedTasks = 0
	if b := s.breaker(); b == nil || b.ResetOnHealthyTask == nil || aws.ToBool(b.ResetOnHealthyTask) {
		d.BreakerCount = 0
		s.showCount(d)
	}
}

// showCount brings the PRIMARY deployment's count into the service deployment
// that is under way; one that has ended keeps what it ended with.
func (s *service) showCount(d *deployment) {
	if r := s.current(); d == s.primary() && r != nil && r.live() {
		r.FailureCount = d.BreakerCount
	}
}

// judge ends the PRIMARY deployment when its failures reached the threshold,
// and says so.
func (e *ECS) judge(s *service, now time.Time) bool {
	d, b := s.primary(), s.breaker()
	if b == nil || d.RolloutState != rolloutInProgress || d.BreakerCount < breakerThreshold(s) {
		return false
	}
	if r := s.current(); r != nil && r.live() {
		r.BreakerStatus = types.ServiceDeploymentRollbackMonitorsStatusTriggered
	}
	e.fail(s, "ECS deployment circuit breaker: tasks failed to start.", "tasks failed to start", b.Rollback, now)
	if b.Rollback {
		e.rollBack(s, "Service deployment rolled back because the circuit breaker threshold was exceeded.", "ECS deployment circuit breaker: ", now)
	}
	return true
}

// fail marks the PRIMARY deployment as failed. It launches nothing more. why is
// how events say it; rollback is whether the service is to be put back.
func (e *ECS) fail(s *service, reason, why string, rollback bool, now time.Time) {
	d := s.primary()
	d.RolloutState, d.Reason, d.Updated = rolloutFailed, reason, now
	e.tell(s, now, "(deployment %s) deployment failed: %s.", d.ID, why)
	e.tellDeployment(s, d, now)
	r := s.current()
	if r == nil {
		return
	}
	r.Updated = now
	switch {
	case r.Status == types.ServiceDeploymentStatusRollbackInProgress:
		r.end(types.ServiceDeploymentStatusRollbackFailed, "The service deployment could not be rolled back: "+why+".", now)
	case s.rollbackTarget() == nil || !rollback:
		r.end(types.ServiceDeploymentStatusStopped, "Service deployment failed: "+why+".", now)
	}
}

// rollBack makes the last completed deployment PRIMARY again, under its old id
// and creation time, and drains the present one (seen on real fleets: the
// failed deployment disappears when that is done). Without a completed one
// there is nothing to go back to.
func (e *ECS) rollBack(s *service, why, by string, now time.Time) {
	target := s.rollbackTarget()
	if target == nil {
		return
	}
	failed := s.primary()
	failed.Desired = 0
	back := *target
	back.Desired, back.Updated = s.Desired, now
	back.RolloutState, back.FailedTasks, back.BreakerCount = rolloutInProgress, 0, 0
	back.Reason = by + "rolling back to deploymentId " + back.ID + "."
	s.makePrimary(&back)
	s.TaskDefinition = back.TaskDefinition
	s.LoadBalancers = s.revision(back.Revision).LoadBalancers
	s.LastCompleted = nil // until it has completed once more
	s.Steady = false
	s.LaunchFailures, s.NotBefore = 0, time.Time{}
	e.tell(s, now, "rolling back to deployment %s.", back.ID)
	e.tellDeployment(s, &back, now)
	if r := s.current(); r != nil && r.live() {
		r.Status, r.Updated = types.ServiceDeploymentStatusRollbackInProgress, now
		r.RollbackReason, r.RollbackStarted = why, now
		r.RollbackTo = s.revision(back.Revision).ARN
		e.endStages(s, r, now)
	}
}
