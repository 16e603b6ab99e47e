package rollout

import (
	"slices"
	"time"
)

// View is a rollout at one moment, as a person wants to see it: how many
// tasks of the new and of the old revisions are in which state, and the newest
// thing ECS said.
type View struct {
	DeploymentID string  `json:"deploymentId"`
	RolloutState string  `json:"rolloutState"` // IN_PROGRESS, COMPLETED, FAILED, or "" where ECS gives none
	Desired      int     `json:"desired"`
	FailedTasks  int     `json:"failedTasks"`
	New          Group   `json:"new"`
	Old          []Group `json:"old,omitempty"` // newest first; empty when nothing old is left
	LastEvent    string  `json:"lastEvent,omitempty"`
	// Stage is what a strategy that shifts traffic is at, in lower case: "bake
	// time". "" for rolling deployments.
	Stage string `json:"stage,omitempty"`
	// Hold is what keeps it there, nil where nothing but time does.
	Hold *Hold `json:"hold,omitempty"`
	// Bounds is what ECS keeps to while it swaps tasks, nil where it is not known
	// or does not apply.
	Bounds *Bounds `json:"bounds,omitempty"`
	// Targets is what the load balancer thinks of the tasks, nil where nobody has
	// asked it.
	Targets *Targets `json:"targets,omitempty"`
	// Usual is how long rollouts of this service take, 0 where that is not known.
	Usual time.Duration `json:"usualNs,omitempty"`
}

// Bounds are the limits of a rolling update: the percentages that the service
// has, and the tasks they come to.
type Bounds struct {
	MinPercent int `json:"minimumHealthyPercent"`
	MaxPercent int `json:"maximumPercent"`
	Min        int `json:"min"` // so many tasks have to stay up
	Max        int `json:"max"` // so many there may be
}

// Targets is the health of a service's targets in its load balancers.
type Targets struct {
	Healthy int `json:"healthy"`
	Total   int `json:"total"` // without those that drain
	// Reason is why one is not healthy, in the load balancer's words.
	Reason string `json:"reason,omitempty"`
}

// bounds rounds as ECS does: the minimum up, the maximum down
// (DeploymentConfiguration in the ECS API reference).
func bounds(desired, minPercent, maxPercent int) *Bounds {
	return &Bounds{
		MinPercent: minPercent, MaxPercent: maxPercent,
		Min: (desired*minPercent + 99) / 100, Max: desired * maxPercent / 100,
	}
}

// Up is how many tasks run, new and old.
func (v View) Up() int {
	up := v.New.Running
	for _, g := range v.Old {
		up += g.Running
	}
	return up
}

// Tasks is how many tasks run or start, new and old.
func (v View) Tasks() int {
	tasks := v.Up() + v.New.Pending
	for _, g := range v.Old {
		tasks += g.Pending
	}
	return tasks
}

// checked reports whether any task has a health check that has come to
// something. ECS says UNKNOWN of a task without a check too (HealthStatus in the
// ECS API reference), so that word alone tells nothing.
func checked(tasks []Task) bool {
	return slices.ContainsFunc(tasks, func(t Task) bool { return t.Health == healthy || t.Health == unhealthy })
}

// Group is the tasks of one deployment.
type Group struct {
	TaskDefinition string      `json:"taskDefinition"` // family:revision
	ImageTag       string      `json:"imageTag,omitempty"`
	Running        int         `json:"running"`
	Pending        int         `json:"pending"`
	Tasks          []TaskState `json:"tasks,omitempty"` // in the order they were created
}

// TaskState is one task in a [Group].
type TaskState struct {
	ID     string `json:"id"`
	Status string `json:"status"`           // ECS's lastStatus: PROVISIONING … STOPPED
	Health string `json:"health,omitempty"` // HEALTHY, UNHEALTHY, UNKNOWN while a check has not come to anything, "" where there is none
}
