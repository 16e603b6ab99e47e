package deploy

import (
	"context"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// Clues is what explains a failure beyond what ECS says of it. Nothing secret
// is read: of a secret and a parameter its metadata alone. Errors are as
// those of [AWS]; a clue that is [Denied] or [Unsupported] is done without.
type Clues interface {
	Shelf
	SecretMetadata
	LogGroups
	Roles
	TargetGroups
}

// Shelf reads an ECR repository.
type Shelf interface {
	// Shelved are the images of the reference's repository, in no order;
	// whole is false when there are more than were read. [NotFound] without
	// the repository, [Unsupported] for a registry that is not an ECR.
	Shelved(ctx context.Context, ref image.Reference) (images []lifecycle.Image, whole bool, err error)
	// LifecyclePolicy is the text of the repository's policy. [NotFound]
	// when it has none.
	LifecyclePolicy(ctx context.Context, ref image.Reference) ([]byte, error)
	// Platforms are what an image was built for, as linux/arm64/v8; those of
	// its parts for an index. [NotFound] without the image.
	Platforms(ctx context.Context, ref image.Reference) ([]string, error)
}

// SecretMetadata tells about secrets without reading one.
type SecretMetadata interface {
	// Secret is a secret of Secrets Manager by name or ARN. [NotFound] when
	// there is none.
	Secret(ctx context.Context, id string) (Secret, error)
	// Parameter reports whether the Parameter Store has a parameter of that
	// name, or ARN.
	Parameter(ctx context.Context, name string) (bool, error)
}

// Secret is what is known of a secret without its value.
type Secret struct {
	Name       string
	Deleted    time.Time           // when its deletion was asked for; zero when it was not
	ChangedAt  time.Time           // of the value; zero when it never was
	HasCurrent bool                // a version is staged AWSCURRENT
	Versions   map[string][]string // version id -> its stages
}

// LogGroups finds log groups.
type LogGroups interface {
	// LogGroups are the names that begin so, in a region ("" is the
	// client's own); some hundred at most.
	LogGroups(ctx context.Context, region, prefix string) ([]string, error)
}

// Roles reads IAM roles.
type Roles interface {
	// TrustPolicy is the document that says who may assume the role, as JSON.
	// [NotFound] without the role.
	TrustPolicy(ctx context.Context, role string) ([]byte, error)
}

// TargetGroups reads what load balancers think of tasks.
type TargetGroups interface {
	// TargetGroup is how a target group checks. [NotFound] when there is none.
	TargetGroup(ctx context.Context, arn string) (TargetGroup, error)
	// Targets are those that are registered.
	Targets(ctx context.Context, arn string) ([]TargetState, error)
}

// TargetGroup is how a load balancer checks targets.
type TargetGroup struct {
	Name     string
	Protocol string
	Port     string // traffic-port, or a number
	Path     string // "" for a check that only connects
	Matcher  string // the codes that are healthy: "200", "200-399"
}

// TargetState is what a load balancer thinks of a target.
type TargetState struct {
	ID          string // an address, or an instance
	Port        int
	State       string // initial, healthy, unhealthy, unused, draining, unavailable
	Reason      string // Target.ResponseCodeMismatch …
	Description string // in AWS's words
}

// LoadBalancer is one target group that a service's tasks are registered with.
type LoadBalancer struct {
	TargetGroup   string // ARN
	Container     string
	ContainerPort int
}
