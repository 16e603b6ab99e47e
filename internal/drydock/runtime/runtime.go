// Package runtime says what it takes to run the containers of a task. ECS's
// scheduler decides what should run, looks the images up and pins their
// digests; a [Runtime] starts the containers and reports what became of them.
//
// There are two: simulated, which obeys labels of the image on the virtual
// clock, and docker, which starts real containers.
package runtime

import (
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// Runtime starts and stops tasks. Both calls return at once; everything that
// happens is told to the report function of the task's Start, in order, from
// any goroutine but never from inside Start or Stop.
type Runtime interface {
	// Start pulls and starts the containers of a task, in dependency order.
	Start(task Task, report func(Event))
	// Stop asks the containers of a task to end (SIGTERM), and ends them
	// (SIGKILL) when the grace, taken as it is and never scaled, is over. Every
	// container that has not Failed is reported as Exited: one that had not
	// started yet without a Started before it, and then ExitCode means nothing.
	// A task that is unknown or has ended is no error.
	Stop(taskID string, grace time.Duration)
	// Probe makes the request, or says what it would come to, and reports the
	// finding once: before Probe returns or later, from any goroutine. A task
	// or container that does not run refuses it. Nothing is reported after
	// Close.
	Probe(p Probe, report func(Finding))
	// Close ends every container that is left and reports nothing more.
	Close() error
}

// Task is what a Runtime needs to know of an ECS task.
type Task struct {
	ID         string // the 32 hex digits at the end of the task's ARN
	Cluster    string // the cluster's name
	Family     string
	Revision   int
	Containers []Container // in the order of the task definition
}

// Container is one container of a [Task].
type Container struct {
	Name        string
	Image       image.Reference // as the task definition has it
	Digest      string          // the manifest to pull, "sha256:…"; "" for an image that is not in drydock's ECR
	Labels      map[string]string
	Command     []string // nil: the image's own
	EntryPoint  []string // nil: the image's own
	Environment []string // KEY=value
	WorkingDir  string
	User        string
	MemoryMiB   int // 0: no limit
	Ports       []int
	HealthCheck *HealthCheck
	DependsOn   []Dependency
	Login       Login                           // to the registry of an image from elsewhere; zero: none
	Log         func(at time.Time, line string) // one line of output; never nil
}

// Login is who pulls from a registry other than drydock's own. It is never
// logged.
type Login struct{ Username, Password string }

// HealthCheck is a container's own check, as in the task definition.
type HealthCheck struct {
	Command     []string // CMD or CMD-SHELL first
	Interval    time.Duration
	Timeout     time.Duration
	Retries     int
	StartPeriod time.Duration
}

// Dependency makes a container wait for another one.
type Dependency struct {
	Container string
	Condition string // START, COMPLETE, SUCCESS or HEALTHY
}

// Event is one thing that happened to a container.
type Event struct {
	Container string
	Kind      Kind
	RuntimeID string // Started: the engine's id of the container
	ExitCode  int    // Exited
	Reason    string // Failed, and Exited where ECS would say more ("OutOfMemoryError: Container killed due to memory usage")
}

// Kind is the kind of an [Event].
type Kind int

// What can happen to a container.
const (
	Started   Kind = iota + 1 // it runs
	Failed                    // it could not be pulled, created or started: Reason begins with ECS's error name
	Exited                    // it ran and ended
	Healthy                   // its health check passes
	Unhealthy                 // its health check fails
)
