package survey

import (
	"context"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

// AWS is what a survey needs of a region of an account. Errors match the
// [deploy.Kind] of their cause. A method that returns a list may return a part
// of it together with an error that says what is missing. Nobody needs to fill
// in the Place of what is returned.
type AWS interface {
	deploy.Identity

	// ClusterNames are those of all clusters.
	ClusterNames(ctx context.Context) ([]string, error)
	// ServiceNames are those of all services of a cluster.
	ServiceNames(ctx context.Context, cluster string) ([]string, error)
	// DescribeServices reads up to [ServicesPerCall] services of a cluster. What
	// is not there any more is left out.
	DescribeServices(ctx context.Context, cluster string, names []string) ([]Service, error)
	// TaskARNs are those of all running tasks of a cluster.
	TaskARNs(ctx context.Context, cluster string) ([]string, error)
	// DescribeTasks reads up to [TasksPerCall] tasks of a cluster. What is not
	// there any more is left out.
	DescribeTasks(ctx context.Context, cluster string, arns []string) ([]audit.Task, error)
	// SuccessfulRevisions are the ARNs of the service revisions that a service
	// was deployed to with success, the newest first.
	SuccessfulRevisions(ctx context.Context, cluster, service string) ([]string, error)
	// DescribeServiceRevisions reads up to [RevisionsPerCall] service revisions.
	// What is not there any more is left out.
	DescribeServiceRevisions(ctx context.Context, arns []string) ([]audit.Release, error)
	// TaskDefinition is DescribeTaskDefinition's answer of a revision, or of the
	// newest ACTIVE one of a family.
	TaskDefinition(ctx context.Context, name string) ([]byte, error)
	// ScalingLimits are the most tasks that autoscaling goes to, by
	// "service/CLUSTER/NAME".
	ScalingLimits(ctx context.Context) (map[string]int, error)

	// Rules are the EventBridge rules that start tasks on ECS, on all buses.
	Rules(ctx context.Context) ([]audit.Schedule, error)
	// Schedules are the EventBridge Scheduler schedules that do.
	Schedules(ctx context.Context) ([]audit.Schedule, error)
	// Retirements are what AWS Health announces for tasks of this region.
	Retirements(ctx context.Context) ([]audit.Retirement, error)
	// PipelineRoles are the ARNs of the account's roles that tokens of an OIDC
	// provider take.
	PipelineRoles(ctx context.Context) ([]string, error)
	// Role is a role with its policies, by ARN.
	Role(ctx context.Context, arn string) (audit.Role, error)

	// IsRegistry reports whether a host is this account's registry under
	// another name than AWS gives it.
	IsRegistry(host string) bool
	// Repositories describes repositories of a registry: all, or up to
	// [RepositoriesPerCall] by name. With names, [deploy.NotFound] when one of
	// them is not there.
	Repositories(ctx context.Context, registry audit.Place, names []string) ([]audit.Repository, error)
	// RepositoryPolicy is the lifecycle policy of a repository and when it last
	// ran. [deploy.NotFound] without one.
	RepositoryPolicy(ctx context.Context, registry audit.Place, name string) (text string, evaluated time.Time, err error)
	// ImagesOf lists all images of a repository, archived ones too.
	ImagesOf(ctx context.Context, registry audit.Place, name string) ([]audit.Image, error)
	// ReadChildrenOf fills in the Children of the indexes among the images of a
	// repository. What is in the archive cannot be read, and is left alone.
	ReadChildrenOf(ctx context.Context, registry audit.Place, name string, images []audit.Image) error
}

// How much AWS takes in one call.
const (
	ServicesPerCall     = 10
	TasksPerCall        = 100
	RevisionsPerCall    = 20
	RepositoriesPerCall = 100
)

// Service is a service as DescribeServices has it.
type Service struct {
	audit.Service // without Runs and Before
	CreatedAt     time.Time
	Revisions     []string        // ARNs of the service revisions that it runs
	Rollouts      []audit.Release // its deployments, or its task sets: what they are started from, and since when
}
