package rollout

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
	Health string `json:"health,omitempty"` // HEALTHY, UNHEALTHY or "" where there is no check
}
