package audit

import (
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// Fleet is what was seen of ECS and ECR at one time: everything that a verdict
// on restarts needs, and nothing secret. It is plain data, so that a fleet can
// be kept in a file and judged again later. What could not be seen is in Blind.
type Fleet struct {
	TakenAt      time.Time           `json:"takenAt"`
	Places       []Place             `json:"places"`
	Services     []Service           `json:"services,omitempty"`
	Tasks        []Task              `json:"tasks,omitempty"`     // running ones, of services too
	Schedules    []Schedule          `json:"schedules,omitempty"` // what starts tasks by itself
	Definitions  map[string]Revision `json:"definitions,omitempty"`
	Repositories []Repository        `json:"repositories,omitempty"`
	Retirements  []Retirement        `json:"retirements,omitempty"`
	Roles        map[string]Role     `json:"roles,omitempty"`     // by ARN, those that task definitions name, and those of Pipelines
	Pipelines    []string            `json:"pipelines,omitempty"` // ARNs of roles that tokens of a pipeline take
	Blind        []Blind             `json:"blind,omitempty"`
}

// Place is a region of an account.
type Place struct {
	Account string `json:"account"` // 12 digits
	Region  string `json:"region"`
}

// Service is an ECS service, running or scaled to zero.
type Service struct {
	Place
	Cluster    string `json:"cluster"` // name
	Name       string `json:"name"`
	ARN        string `json:"arn"`
	Controller string `json:"controller"` // ECS, CODE_DEPLOY or EXTERNAL
	LaunchType string `json:"launchType,omitempty"`
	Desired    int    `json:"desired"`
	Running    int    `json:"running"`
	MostTasks  int    `json:"mostTasks,omitempty"` // the upper end of its autoscaling range; 0 without one
	// Remembered is the count that a stopped service comes back with; 0 when
	// nobody wrote it down.
	Remembered int `json:"remembered,omitempty"`
	// Runs is what its tasks are started from. There are several while a
	// deployment is under way.
	Runs []Release `json:"runs"`
	// Before is what it ran to steady state earlier, the newest first: where a
	// rollback could go.
	Before []Release `json:"before,omitempty"`
}

// Release is a service revision: a task definition with the digests that ECS
// has fixed for its images.
type Release struct {
	ARN            string      `json:"arn,omitempty"` // of the service revision; "" where ECS keeps none
	TaskDefinition string      `json:"taskDefinition"`
	At             time.Time   `json:"at,omitzero"` // when the service began to use it
	Containers     []Container `json:"containers"`
}

// Container is a container's image, as written and as pinned.
type Container struct {
	Name  string `json:"name"`
	Image string `json:"image"` // as the task definition writes it
	// Digest is what ECS pulls whatever the tag says now, "" when nothing is
	// pinned: version consistency is off, or no task has started yet.
	Digest string `json:"digest,omitempty"`
	// Unpinned says that version consistency is switched off: every start
	// resolves the tag anew.
	Unpinned bool `json:"unpinned,omitempty"`
}

// Task is a task that runs.
type Task struct {
	Place
	Cluster        string      `json:"cluster"`
	ARN            string      `json:"arn"`
	Group          string      `json:"group"` // "service:NAME", "family:NAME" or what its starter chose
	TaskDefinition string      `json:"taskDefinition"`
	LaunchType     string      `json:"launchType,omitempty"`
	StartedAt      time.Time   `json:"startedAt,omitzero"`
	Containers     []Container `json:"containers"`
}

// Schedule is an EventBridge rule or an EventBridge Scheduler schedule that
// runs a task. Its images are resolved by tag at every run: no service revision
// pins them.
type Schedule struct {
	Place
	Kind           string `json:"kind"` // "rule" or "schedule"
	Name           string `json:"name"` // with the bus or group: "default/nightly"
	ARN            string `json:"arn"`
	Enabled        bool   `json:"enabled"`
	Expression     string `json:"expression,omitempty"` // cron(…), rate(…), at(…); "" for an event pattern
	Cluster        string `json:"cluster"`
	TaskDefinition string `json:"taskDefinition"` // ARN of a revision, or of a family, which means the newest
}

// Revision is a registered task definition, as far as a restart depends on it.
type Revision struct {
	ARN           string      `json:"arn"`
	Family        string      `json:"family"`
	Number        int         `json:"number"`
	Active        bool        `json:"active"` // not deregistered
	RegisteredAt  time.Time   `json:"registeredAt,omitzero"`
	ExecutionRole string      `json:"executionRole,omitempty"` // ARN
	TaskRole      string      `json:"taskRole,omitempty"`      // ARN
	Containers    []Container `json:"containers"`              // without digests, unless they are written in
}

// Repository is an ECR repository with all its images. One that is not in the
// fleet is not there, unless its place was not looked into or has a Blind of
// ecr:DescribeRepositories.
type Repository struct {
	Place
	Name        string    `json:"name"`
	ARN         string    `json:"arn"`
	URI         string    `json:"uri"`
	Mutability  string    `json:"mutability"` // MUTABLE, IMMUTABLE, MUTABLE_WITH_EXCLUSION, IMMUTABLE_WITH_EXCLUSION
	Exclusions  []string  `json:"exclusions,omitempty"`
	Policy      string    `json:"policy,omitempty"` // the lifecycle policy's text; "" without one
	EvaluatedAt time.Time `json:"evaluatedAt,omitzero"`
	// Images are all that DescribeImages lists, archived ones too. Children of
	// indexes are known where the indexes could be read.
	Images []Image `json:"images,omitempty"`
	// Unread says why the images or the policy are not known, "" when they are.
	Unread string `json:"unread,omitempty"`
}

// Image is an image of a repository.
type Image struct {
	lifecycle.Image
	Bytes int64 `json:"bytes"` // compressed, as ECR bills it
}

// Retirement is an announced end of tasks: AWS_ECS_TASK_PATCHING_RETIREMENT.
type Retirement struct {
	Place
	Event   string    `json:"event"` // ARN
	At      time.Time `json:"at"`    // not before this
	Cluster string    `json:"cluster"`
	Service string    `json:"service,omitempty"` // name; "" for tasks of their own
	Tasks   []string  `json:"tasks,omitempty"`   // ARNs, where the event names tasks
}

// Role is an IAM role as far as its separation from others can be judged.
type Role struct {
	ARN        string      `json:"arn"`
	Trust      string      `json:"trust,omitempty"`      // the trust policy, JSON
	Statements []Statement `json:"statements,omitempty"` // of all its policies, inline and attached
	Unread     string      `json:"unread,omitempty"`
}

// Statement is one Allow of a role's policies.
type Statement struct {
	Policy    string   `json:"policy"` // name of the policy it is from
	Actions   []string `json:"actions"`
	Resources []string `json:"resources"`
	PassedTo  []string `json:"passedTo,omitempty"` // what its conditions ask of iam:PassedToService; empty asks nothing
}

// Blind is something that could not be read.
type Blind struct {
	Place
	Action string `json:"action"` // "ecr:DescribeImages"
	About  string `json:"about"`  // "repository web", "all services of cluster prod"
	Reason string `json:"reason"`
}
