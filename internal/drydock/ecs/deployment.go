package ecs

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Rollout states of a deployment.
const (
	rolloutInProgress = "IN_PROGRESS"
	rolloutCompleted  = "COMPLETED"
	rolloutFailed     = "FAILED"
)

// deployment is one entry of DescribeServices' deployments: the tasks of one
// service revision. The PRIMARY one is first in its service's list, the others
// are draining.
type deployment struct {
	ID             string // ecs-svc/<19 digits>; startedBy of its tasks
	TaskDefinition string // ARN
	Revision       string // number of its service revision
	Desired        int    // PRIMARY: the service's; else how many tasks are to stay for now
	Created        time.Time
	Updated        time.Time
	RolloutState   string
	Reason         string
	FailedTasks    int // since the last task that became healthy, or since the start
	BreakerCount   int // what the circuit breaker counts: as FailedTasks, or all of them
}

// serviceDeployment is the record of ListServiceDeployments: it outlives the
// deployment and tells how it ended (kept for 90 days).
type serviceDeployment struct {
	ARN             string
	Status          types.ServiceDeploymentStatus
	StatusReason    string
	Created         time.Time
	Started         time.Time
	Updated         time.Time
	Finished        time.Time
	Stopped         time.Time
	Sources         []string // ARNs of the service revisions that ran before
	Target          string   // ARN of the service revision
	Configuration   types.DeploymentConfiguration
	BreakerStatus   types.ServiceDeploymentRollbackMonitorsStatus
	FailureCount    int
	RollbackReason  string
	RollbackStarted time.Time
	RollbackTo      string // ARN of the service revision

	progress // of the strategies that go through stages
	watch    // of deployment alarms
}

// serviceRevision is what one deployment wants to run. Images holds the
// digests that the deployment's first task fixed (software version
// consistency): every later task of the revision pulls by them.
type serviceRevision struct {
	ARN            string
	Number         string
	TaskDefinition string
	Created        time.Time
	Images         []containerImage
	LoadBalancers  []types.LoadBalancer
	Attempts       int // resolutions that failed; after the third one tasks pull by tag
}

type containerImage struct {
	Container string
	Image     string
	Digest    string // "" until resolved, or for ever with versionConsistency disabled
}

// resolveAttempts is after how many failed resolutions ECS goes on without
// digests (developer guide, container image resolution).
const resolveAttempts = 3

// live is whether the record can still change.
func (d *serviceDeployment) live() bool {
	switch d.Status {
	case types.ServiceDeploymentStatusPending, types.ServiceDeploymentStatusInProgress,
		types.ServiceDeploymentStatusStopRequested, types.ServiceDeploymentStatusRollbackRequested,
		types.ServiceDeploymentStatusRollbackInProgress:
		return true
	}
	return false
}

func (d *serviceDeployment) end(status types.ServiceDeploymentStatus, reason string, now time.Time) {
	d.Status, d.StatusReason, d.Updated = status, reason, now
	switch status {
	case types.ServiceDeploymentStatusStopped:
		d.Stopped = now
	default:
		d.Finished = now
	}
	if d.BreakerStatus == types.ServiceDeploymentRollbackMonitorsStatusMonitoring {
		d.BreakerStatus = types.ServiceDeploymentRollbackMonitorsStatusMonitoringComplete
	}
	if d.AlarmStatus == types.ServiceDeploymentRollbackMonitorsStatusMonitoring {
		d.AlarmStatus = types.ServiceDeploymentRollbackMonitorsStatusMonitoringComplete
	}
}

func (e *ECS) showServiceDeployment(s *service, d *serviceDeployment) types.ServiceDeployment {
	out := types.ServiceDeployment{
		ServiceDeploymentArn:    &d.ARN,
		ServiceArn:              aws.String(s.ARN),
		ClusterArn:              aws.String(e.arn("cluster", s.Cluster)),
		Status:                  d.Status,
		StatusReason:            optional(d.StatusReason),
		CreatedAt:               moment(d.Created),
		StartedAt:               moment(d.Started),
		UpdatedAt:               moment(d.Updated),
		FinishedAt:              moment(d.Finished),
		StoppedAt:               moment(d.Stopped),
		DeploymentConfiguration: &d.Configuration,
		SourceServiceRevisions:  []types.ServiceRevisionSummary{},
		DeploymentCircuitBreaker: &types.ServiceDeploymentCircuitBreaker{
			Status:       d.BreakerStatus,
			FailureCount: int32(d.FailureCount),
			Threshold:    int32(breakerThreshold(s)),
		},
	}
	for _, arn := range d.Sources {
		out.SourceServiceRevisions = append(out.SourceServiceRevisions, e.revisionSummary(s, arn))
	}
	target := e.revisionSummary(s, d.Target)
	out.TargetServiceRevision = &target
	d.showProgress(&out)
	d.showAlarms(&out)
	if d.RollbackTo != "" {
		out.Rollback = &types.Rollback{
			Reason:             optional(d.RollbackReason),
			ServiceRevisionArn: aws.String(d.RollbackTo),
			StartedAt:          moment(d.RollbackStarted),
		}
	}
	return out
}

// revisionSummary counts the tasks of a service revision.
func (e *ECS) revisionSummary(s *service, arn string) types.ServiceRevisionSummary {
	out := types.ServiceRevisionSummary{Arn: &arn}
	for _, d := range s.Deployments {
		if s.revision(d.Revision).ARN != arn {
			continue
		}
		running, pending := e.count(s, d.ID)
		out.RequestedTaskCount = int32(d.Desired)
		out.RunningTaskCount, out.PendingTaskCount = int32(running), int32(pending)
	}
	return out
}

func (e *ECS) showRevision(s *service, r *serviceRevision) types.ServiceRevision {
	out := types.ServiceRevision{
		ServiceRevisionArn:       &r.ARN,
		ServiceArn:               aws.String(s.ARN),
		ClusterArn:               aws.String(e.arn("cluster", s.Cluster)),
		TaskDefinition:           &r.TaskDefinition,
		CreatedAt:                moment(r.Created),
		LaunchType:               s.LaunchType,
		CapacityProviderStrategy: s.CapacityProviders,
		PlatformVersion:          optional(s.platformVersion()),
		PlatformFamily:           aws.String("Linux"),
		NetworkConfiguration:     s.Network,
		LoadBalancers:            r.LoadBalancers,
		ContainerImages:          []types.ContainerImage{},
	}
	for _, i := range r.Images {
		out.ContainerImages = append(out.ContainerImages, types.ContainerImage{
			ContainerName: aws.String(i.Container), Image: aws.String(i.Image), ImageDigest: optional(i.Digest),
		})
	}
	return out
}

func (e *ECS) showDeployment(s *service, d *deployment, primary bool) types.Deployment {
	status := "ACTIVE"
	if primary {
		status = "PRIMARY"
	}
	running, pending := e.count(s, d.ID)
	return types.Deployment{
		Id:                       &d.ID,
		Status:                   &status,
		TaskDefinition:           &d.TaskDefinition,
		DesiredCount:             int32(d.Desired),
		RunningCount:             int32(running),
		PendingCount:             int32(pending),
		FailedTasks:              int32(d.FailedTasks),
		CreatedAt:                moment(d.Created),
		UpdatedAt:                moment(d.Updated),
		RolloutState:             types.DeploymentRolloutState(d.RolloutState),
		RolloutStateReason:       optional(d.Reason),
		LaunchType:               s.LaunchType,
		CapacityProviderStrategy: s.CapacityProviders,
		PlatformVersion:          optional(s.platformVersion()),
		PlatformFamily:           aws.String("Linux"),
		NetworkConfiguration:     s.Network,
	}
}

// optional and moment make the SDK's pointers; nothing becomes nil.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
