// Package rollout reads what ECS says of a service and decides what has become
// of one deployment. A [Tracker] made by [Follow] or [FollowRollback] takes
// [Observation]s in any order, says what is new in each, and comes to one
// [Verdict] that never changes again.
//
// It asks nobody and knows no clock: reads come in, news and a verdict come
// out. Only what ECS itself says counts (ids, states, counts, events), never
// this machine's time. Every rule of judgement is a function in rules.go that
// says which evidence it needs.
package rollout

import (
	"strings"
	"time"
)

// Observation is one look at a service. Its parts may come from separate
// reads of different age; a part that was not read is nil.
type Observation struct {
	At                time.Time // when the look was taken, for display only
	Service           Service
	Tasks             []Task // running and stopped ones, those that were read
	ServiceDeployment *ServiceDeployment
	Targets           *Targets // for display only: no rule asks for it
}

// Service is a service as one DescribeServices answer has it: one consistent
// moment.
type Service struct {
	Status      string // ACTIVE, DRAINING or INACTIVE
	Desired     int
	Running     int
	Pending     int
	Deployments []Deployment
	Events      []Event

	MinHealthyPercent int  // minimumHealthyPercent of its rolling updates, 0 where it is not known
	MaxPercent        int  // maximumPercent, 0 where it is not known or does not apply: then neither limit is shown
	LoadBalanced      bool // a load balancer judges its tasks too, which their own health does not show
}

// Deployment is one entry of a service's deployments.
type Deployment struct {
	ID             string // ecs-svc/<digits>
	Status         string // PRIMARY, ACTIVE or INACTIVE; others have been seen, and count as ACTIVE
	TaskDefinition string // ARN
	RolloutState   string // IN_PROGRESS, COMPLETED, FAILED, or "" where ECS gives none
	RolloutReason  string // ECS's own words
	Desired        int
	Running        int
	Pending        int
	FailedTasks    int
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// Task is a task of the service.
type Task struct {
	ID             string // the last part of its ARN
	StartedBy      string // the id of the deployment that started it
	TaskDefinition string // ARN
	Zone           string // availability zone, "" until it is placed
	LastStatus     string // PROVISIONING … STOPPED
	Stopping       bool   // ECS wants it to stop (desiredStatus STOPPED)
	Health         string // HEALTHY, UNHEALTHY, UNKNOWN
	StopCode       string
	StoppedReason  string
	CreatedAt      time.Time
	StoppedAt      time.Time // zero while it runs
	PullStarted    time.Time // zero when it came to no pull; likewise below
	PullStopped    time.Time
	StartedAt      time.Time // when it was RUNNING
	Containers     []Container

	// Cause is what the observer made of a failed task, nil when it could
	// name none. The tracker counts the tasks with the same cause.
	Cause *Cause
}

// Container is one container of a [Task].
type Container struct {
	Name     string
	Image    string
	Digest   string // "" until pulled
	Status   string
	Health   string // HEALTHY, UNHEALTHY, UNKNOWN; "" without a health check
	Reason   string
	ExitCode *int // nil while it runs, and when it never did
}

// Cause names why a task failed, and how much it proves.
type Cause struct {
	ID     string // stable name, "image-not-found"
	Reason string // one sentence
	// Enough is how many distinct tasks prove that no retry will help. 0: none
	// do, it passes by itself. 1: the first one does. More: this many where
	// [Start] does not say otherwise.
	Enough int
}

// Event is one entry of a service's events.
type Event struct {
	ID      string
	At      time.Time
	Message string
}

// ServiceDeployment is ECS's own record of a rollout, where ECS keeps one
// (since October 2024).
type ServiceDeployment struct {
	ARN            string
	Status         string // PENDING, IN_PROGRESS, SUCCESSFUL, STOPPED, ROLLBACK_…
	Reason         string
	TaskDefinition string // ARN of the target revision's, "" when it could not be read
	CreatedAt      time.Time
	FinishedAt     time.Time // or stopped; zero while it goes on
	Failures       int       // the circuit breaker's count, and
	Threshold      int       // its limit; 0 when it is off
	RollbackReason string
	Strategy       string   // ROLLING, BLUE_GREEN, LINEAR or CANARY; "" where ECS does not say
	Stage          string   // lifecycleStage of a strategy that shifts traffic: SCALE_UP … BAKE_TIME, CLEAN_UP
	Hooks          []Hook   // those of the stage
	Alarms         []string // the alarms that ended it

	Requested    int               // tasks of the target revision
	Digests      map[string]string // what ECS fixed for the target revision's containers, by name; empty until the first task pulled
	RolledBackTo string            // ARN of a task definition; "" without a rollback
}

// Primary is the deployment that the service is moving to, or false for a
// service without one.
func (s Service) Primary() (Deployment, bool) {
	for _, d := range s.Deployments {
		if d.Status == primary {
			return d, true
		}
	}
	return Deployment{}, false
}

// States that the rules ask about.
const (
	primary    = "PRIMARY"
	inactive   = "INACTIVE"
	inProgress = "IN_PROGRESS"
	completed  = "COMPLETED"
	failed     = "FAILED"
	stopped    = "STOPPED"
	running    = "RUNNING"
	healthy    = "HEALTHY"
	unhealthy  = "UNHEALTHY"
)

// Rolling reports whether a rollout is under way. One that has FAILED is not:
// ECS starts nothing more of it. Where ECS gives no rollout state, more than
// one deployment means that the service moves.
func (s Service) Rolling() bool {
	p, ok := s.Primary()
	if !ok {
		return false
	}
	return p.RolloutState == inProgress || p.RolloutState == "" && len(s.Deployments) > 1
}

// shiftsTraffic reports whether the record's strategy moves traffic between two
// full sets of tasks, so that the record leads and the deployments follow.
func (r *ServiceDeployment) shiftsTraffic() bool {
	return r != nil && r.Strategy != "" && r.Strategy != "ROLLING"
}

// over reports whether the record says how the rollout ended. It never goes
// back from there.
func (r *ServiceDeployment) over() bool {
	switch r.Status {
	case "SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED":
		return true
	}
	return false
}

// alive reports whether the task may still come to something: it has not
// ended, and nobody has told it to.
func (t Task) alive() bool {
	switch t.LastStatus {
	case "PROVISIONING", "PENDING", "ACTIVATING", running:
		return !t.Stopping
	}
	return false
}

func (d Deployment) hasTasks() bool { return d.Running+d.Pending > 0 }

// Ended reports whether the containers of the task have come to an end, so
// that exit codes and reasons are there to read. ECS tears the network down
// after that (DEPROVISIONING), which takes it up to half a minute on Fargate.
func (t Task) Ended() bool {
	return t.StopCode != "" && (t.LastStatus == stopped || t.LastStatus == "DEPROVISIONING")
}

// Failed reports whether the task came to an end that nobody asked for. A
// task that ECS's scheduler stopped to scale in or to replace it, or that a
// person stopped, is no failure; one that the scheduler stopped for failing
// its health checks is.
func (t Task) Failed() bool {
	if !t.Ended() {
		return false
	}
	switch t.StopCode {
	case "UserInitiated":
		return false
	case "ServiceSchedulerInitiated":
		return strings.HasPrefix(t.StoppedReason, "Task failed ")
	}
	return true
}

// RevisionName is the family:revision at the end of a task definition's ARN;
// anything else comes back as it is.
func RevisionName(arn string) string {
	if _, name, ok := strings.Cut(arn, ":task-definition/"); ok {
		return name
	}
	return arn
}
