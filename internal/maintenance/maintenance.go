// Package maintenance is what plimsoll does about the retirement of Fargate
// tasks: AWS announces days ahead that it will replace the tasks of a service,
// and a task that cannot be replaced, because its image is gone, is stopped all
// the same (Amazon ECS developer guide, "Task retirement and maintenance").
//
// Notices come from the AWS Health API ([FromHealth]), from an event as a file
// or as the input of a Lambda function ([ParseEvents]), or from a queue
// ([FromQueue]). [Foresee] makes a [Plan] of them: which services, by when, and
// whether the restart would work. [Run] carries it out ahead of time, inside
// the allowed [Windows]: new tasks from the same images, one service after the
// other.
//
// Notices come twice, in pages and in copies; a service whose tasks have been
// replaced since is left alone. So everything here may be run again at any time.
package maintenance

import (
	"context"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// Ports is everything outside that the use cases need.
type Ports struct {
	Deploy deploy.Ports
	Tasks  Tasks
	// Pin keeps the images of a service from ECR's lifecycle policy before its
	// tasks are replaced; nil leaves them as they are. What fails of it is told
	// as a warning: the redeploy does not depend on it.
	Pin func(ctx context.Context, t deploy.Target, tell story.Teller)
	// Judge foresees the restarts of services, by "cluster/service", besides what
	// [deploy.CanRestart] says of now: see [ByAudit]. nil foresees nothing.
	Judge func(ctx context.Context, services []audit.Retirement) (map[string]Outlook, error)
}

// Tasks reads tasks.
type Tasks interface {
	// TasksByARN are those of these tasks that ECS still knows, in no order.
	TasksByARN(ctx context.Context, cluster string, arns []string) ([]Task, error)
}

// Task is a task that a notice names.
type Task struct {
	ARN     string
	Group   string // "service:NAME" for one of a service
	Running bool   // or on its way there
}

// Health reads AWS Health.
type Health interface {
	// RetirementEvents are the events of this kind that are not over, in the
	// region of the client; [deploy.Unsupported] where the account's support
	// plan does not have the API.
	RetirementEvents(ctx context.Context, code string) ([]HealthEvent, error)
	// AffectedEntities are what the events are about. With an error come those
	// that could be read.
	AffectedEntities(ctx context.Context, events []string) ([]HealthEntity, error)
}

// HealthEvent is an event as DescribeEvents has it.
type HealthEvent struct {
	ARN     string
	Region  string
	Start   time.Time
	Updated time.Time
	Status  string // open, upcoming or closed
}

// HealthEntity is one thing that an event is about.
type HealthEntity struct {
	Event   string
	Value   string // "cluster/service" or the ARN of a task
	Account string
	Status  string // PENDING, RESOLVED, …
}

// Queue is an SQS queue that an EventBridge rule sends its events to.
type Queue interface {
	// Receive takes up to ten messages; none is no error.
	Receive(ctx context.Context, url string) ([]Message, error)
	// Delete ends a message.
	Delete(ctx context.Context, url string, m Message) error
}

// Message is one message of a queue.
type Message struct {
	ID      string
	Receipt string // what Delete wants
	Body    string
}

// retirementCode is the one kind of event that this is about. (AWS Health
// reference, "Amazon ECS".)
const retirementCode = "AWS_ECS_TASK_PATCHING_RETIREMENT"
