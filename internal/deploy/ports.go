// Package deploy is what plimsoll does to a service: deploy an image, scale,
// roll back, wait for a rollout, report its state. Most callers need [Deploy];
// the others ([Scale], [Stop], [Start], [Rollback], [Run], [Wait], [Status]) take the
// same [Ports] and come to the same kind of verdict.
//
// Promises: nothing is changed before every check has passed, and then all
// faults are reported at once ([PreflightError]). A deploy touches the image
// of one container and the desired count, nothing else. The deployment id in
// the answer of UpdateService is followed, and no other. A rollout that fails
// is put back, and never reported as success. Nothing is ever deregistered.
//
// The package speaks to AWS through the interfaces below alone.
package deploy

import (
	"context"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/diagnose"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// Ports is everything outside that the use cases need. All fields but Clues
// and Settled are required.
type Ports struct {
	AWS       AWS
	Clues     Clues // nil: failures are explained by what ECS and the logs say
	Console   bool  // AWS's own console shows what these calls are about
	Knowledge *diagnose.Knowledge
	Now       func() time.Time
	// Sleep waits for the duration, or returns the context's error as soon as
	// that is done. [Sleep] is the one for production.
	Sleep func(context.Context, time.Duration) error
	// Settled is called when a deploy, a rollback or a wait has found the
	// service stable, before the verdict is told. The verdict stands whatever
	// comes of it. nil: nothing is to be done.
	Settled func(ctx context.Context, t Target, tell story.Teller)
}

// Sleep waits in real time.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// AWS is the calls that the use cases make. All methods are safe for
// concurrent use, retry what is worth retrying themselves, and return errors
// that match the [Kind] named in their comment, or [Denied] or [Throttled],
// by errors.Is.
type AWS interface {
	Identity
	Clusters
	Services
	TaskDefinitions
	ServiceDeployments
	Images
	Repositories
	Logs
	Secrets
	Clues
	Autoscaling
	Runner
}

// Identity says who is asking.
type Identity interface {
	Caller(ctx context.Context) (Caller, error)
}

// Caller is whose credentials are in use, and where.
type Caller struct {
	Account string // 12 digits
	ARN     string
	Region  string
}

// Clusters reads clusters.
type Clusters interface {
	// Cluster is a cluster by name or ARN. [NotFound] when there is none.
	Cluster(ctx context.Context, name string) (Cluster, error)
	// ClusterNames lists all clusters.
	ClusterNames(ctx context.Context) ([]string, error)
}

// Cluster is an ECS cluster.
type Cluster struct {
	ARN    string
	Name   string
	Status string // ACTIVE, PROVISIONING, DEPROVISIONING, FAILED or INACTIVE
}

// Services reads and changes services and reads their tasks.
type Services interface {
	// Service is a service in one consistent read. [NotFound] when there is
	// none, or the cluster is not there.
	Service(ctx context.Context, cluster, name string) (Service, error)
	// ServiceNames lists the services of a cluster.
	ServiceNames(ctx context.Context, cluster string) ([]string, error)
	// UpdateService changes a service and answers with its new state, in
	// which a deployment that this call has started is PRIMARY.
	UpdateService(ctx context.Context, u Update) (Service, error)
	// Tasks are the tasks of a service that should run, or those that have
	// stopped (ECS shows these for about an hour). The newest some hundred.
	Tasks(ctx context.Context, cluster, service string, stopped bool) ([]rollout.Task, error)
	// Tag sets tags of a service or task definition and leaves its others.
	Tag(ctx context.Context, arn string, tags map[string]string) error
	// Untag takes tags away, by their keys. One that is not there is no error.
	Untag(ctx context.Context, arn string, keys ...string) error
}

// Service is a service as DescribeServices has it.
type Service struct {
	rollout.Service
	ARN            string
	Name           string
	TaskDefinition string   // ARN
	Controller     string   // ECS, CODE_DEPLOY or EXTERNAL
	Strategy       string   // ROLLING, BLUE_GREEN, LINEAR or CANARY
	Shift          Shift    // of a strategy other than ROLLING
	Daemon         bool     // one task on every container instance; it has no count of its own
	MaximumPercent int      // of the desired count, how many tasks may run during a rollout
	MinimumPercent int      // and how many have to be healthy
	Breaker        bool     // ECS's circuit breaker ends a deployment whose tasks keep failing
	RollsBack      bool     // and puts it back by itself
	TargetGroups   []string // ARNs
	Record         string   // ARN of the current service deployment; "" where ECS keeps none
	Tags           map[string]string
	LoadBalancers  []LoadBalancer
	Exec           bool // enableExecuteCommand: a shell can be had in its tasks
}

// Update is a change to a service. Nothing but this is sent: how tasks are
// swapped is the service's own affair.
type Update struct {
	Cluster        string
	Service        string
	TaskDefinition string // full ARN; "" leaves it
	Force          bool   // forceNewDeployment
	Desired        *int   // nil leaves it
}

// TaskDefinitions reads and registers task definitions as raw documents, so
// that members this build has never heard of survive.
type TaskDefinitions interface {
	// TaskDefinition is the answer of DescribeTaskDefinition with tags, byte
	// for byte, for an ARN, family:revision, or a family (its newest ACTIVE
	// revision). [NotFound] when there is none.
	TaskDefinition(ctx context.Context, name string) ([]byte, error)
	// Register sends the document as RegisterTaskDefinition's request, byte
	// for byte, and returns the answer the same way.
	Register(ctx context.Context, document []byte) ([]byte, error)
	// Revisions are the ARNs of a family's newest revisions, ACTIVE or
	// INACTIVE, the newest first, at most limit.
	Revisions(ctx context.Context, family string, active bool, limit int) ([]string, error)
	// Families lists the active families that begin so.
	Families(ctx context.Context, prefix string) ([]string, error)
}

// ServiceDeployments reads ECS's own records of rollouts, which it keeps for
// about 90 days, and stops one.
type ServiceDeployments interface {
	// ServiceDeployment is one record. [NotFound] or [Unsupported] when ECS
	// has none.
	ServiceDeployment(ctx context.Context, arn string) (rollout.ServiceDeployment, error)
	// ServiceDeployments are the newest records of a service, the newest
	// first, at most limit, without their counts, digests and rollbacks.
	// [Unsupported] when ECS keeps none.
	ServiceDeployments(ctx context.Context, cluster, service string, limit int) ([]rollout.ServiceDeployment, error)
	// DescribeServiceDeployments are the records of these ARNs with all that
	// ECS knows of them; those that are gone are left out.
	DescribeServiceDeployments(ctx context.Context, arns []string) ([]rollout.ServiceDeployment, error)
	// RollBack ends a rollout that goes on and has ECS put the service back.
	// [Conflict] when it is over, [NotFound] or [Unsupported] when ECS has
	// none.
	RollBack(ctx context.Context, arn string) error
}

// Images looks into ECR.
type Images interface {
	// Digest is the digest that a tag stands for (or the reference's own,
	// once ECR has it). [NotFound] when the repository or the image is not
	// there; [Unsupported] for a registry that is not an ECR.
	Digest(ctx context.Context, ref image.Reference) (string, error)
}

// Repositories looks into ECR's repositories.
type Repositories interface {
	// Repository is the settings of an image's repository. [NotFound] when
	// there is none, [Unsupported] for a registry that is not an ECR.
	Repository(ctx context.Context, ref image.Reference) (Repository, error)
	// RepositoryNames lists the repositories of an image's registry.
	RepositoryNames(ctx context.Context, ref image.Reference) ([]string, error)
}

// Repository is an ECR repository.
type Repository struct {
	Mutability string   // MUTABLE, IMMUTABLE, MUTABLE_WITH_EXCLUSION or IMMUTABLE_WITH_EXCLUSION
	Exclusions []string // patterns of the tags for which the opposite holds; * is anything
}

// Secrets looks closer at Secrets Manager and the Parameter Store than
// [SecretMetadata]. No value is read but by SecretKeys.
type Secrets interface {
	// SecretKeys are the keys of the JSON object that a version of a secret
	// is, and none when it is something else. The values stay in the adapter.
	SecretKeys(ctx context.Context, arn, stage, version string) ([]string, error)
	// Parameters are those of the named parameters that there are. region ""
	// means the client's own.
	Parameters(ctx context.Context, region string, names []string) ([]string, error)
}

// Logs reads what containers wrote.
type Logs interface {
	// Tail is the last n lines of a stream, oldest first. [NotFound] when the
	// group or the stream is not there.
	Tail(ctx context.Context, from LogStream, n int) ([]string, error)
}

// LogStream is where a container writes.
type LogStream struct {
	Region string // "" means the client's own
	Group  string
	Stream string
}
