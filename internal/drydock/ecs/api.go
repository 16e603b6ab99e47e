package ecs

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Service is the table of operations.
func (e *ECS) Service() wire.Service {
	return wire.Service{
		Name:   "ECS",
		Target: "AmazonEC2ContainerServiceV20141113",
		Operations: map[string]wire.Operation{
			"CreateCluster":    typed(e.createCluster),
			"DescribeClusters": typed(e.describeClusters),
			"ListClusters":     typed(e.listClusters),
			"DeleteCluster":    typed(e.deleteCluster),

			"UpdateCluster":               typed(e.updateCluster),
			"UpdateClusterSettings":       typed(e.updateClusterSettings),
			"PutClusterCapacityProviders": typed(e.putClusterCapacityProviders),

			"RegisterTaskDefinition":     e.registerTaskDefinition,
			"DescribeTaskDefinition":     e.describeTaskDefinition,
			"DeregisterTaskDefinition":   e.deregisterTaskDefinition,
			"ListTaskDefinitions":        typed(e.listTaskDefinitions),
			"ListTaskDefinitionFamilies": typed(e.listTaskDefinitionFamilies),

			"CreateService":    e.createService,
			"DescribeServices": typed(e.describeServices),
			"UpdateService":    e.updateService,
			"DeleteService":    typed(e.deleteService),
			"ListServices":     typed(e.listServices),

			"ListServiceDeployments":     typed(e.listServiceDeployments),
			"DescribeServiceDeployments": typed(e.describeServiceDeployments),
			"DescribeServiceRevisions":   typed(e.describeServiceRevisions),
			"StopServiceDeployment":      typed(e.stopServiceDeployment),
			"ContinueServiceDeployment":  typed(e.continueServiceDeployment),

			"ListTasks":     typed(e.listTasks),
			"DescribeTasks": typed(e.describeTasks),
			"RunTask":       e.runTask,
			"StopTask":      typed(e.stopTaskByUser),

			"UpdateTaskProtection": e.updateTaskProtection,
			"GetTaskProtection":    typed(e.getTaskProtection),
			"ExecuteCommand":       typed(e.executeCommand),
			"StartTask":            typed(e.startTaskOn),

			"RegisterContainerInstance":     typed(e.registerContainerInstance),
			"DeregisterContainerInstance":   typed(e.deregisterContainerInstance),
			"ListContainerInstances":        typed(e.listContainerInstances),
			"DescribeContainerInstances":    typed(e.describeContainerInstances),
			"UpdateContainerInstancesState": typed(e.updateContainerInstancesState),

			"DeleteTaskDefinitions":   typed(e.deleteTaskDefinitions),
			"ListServicesByNamespace": typed(e.listServicesByNamespace),

			"DescribeCapacityProviders": typed(e.describeCapacityProviders),
			"CreateCapacityProvider":    typed(e.createCapacityProvider),
			"UpdateCapacityProvider":    typed(e.updateCapacityProvider),
			"DeleteCapacityProvider":    typed(e.deleteCapacityProvider),

			"ListAttributes":   typed(e.listAttributes),
			"PutAttributes":    typed(e.putAttributes),
			"DeleteAttributes": typed(e.deleteAttributes),

			"CreateTaskSet":               typed(e.createTaskSet),
			"UpdateTaskSet":               typed(e.updateTaskSet),
			"DeleteTaskSet":               typed(e.deleteTaskSet),
			"DescribeTaskSets":            typed(e.describeTaskSets),
			"UpdateServicePrimaryTaskSet": typed(e.updateServicePrimaryTaskSet),

			"DeleteAccountSetting":     typed(e.deleteAccountSetting),
			"PutAccountSetting":        typed(e.putAccountSetting),
			"PutAccountSettingDefault": typed(e.putAccountSettingDefault),
			"ListAccountSettings":      typed(e.listAccountSettings),

			"TagResource":         typed(e.tagResource),
			"UntagResource":       typed(e.untagResource),
			"ListTagsForResource": typed(e.listTagsForResource),
		},
	}
}

func (e *ECS) listTasks(_ context.Context, in *ecs.ListTasksInput) (*ecs.ListTasksOutput, error) {
	desired := statusRunning
	switch in.DesiredStatus {
	case "", types.DesiredStatusRunning:
	case types.DesiredStatusStopped:
		desired = statusStopped
	case types.DesiredStatusPending: // ECS never sets it, so such a list is empty
		desired = statusPending
	default:
		return nil, wire.Errorf("InvalidParameterException", "Invalid desiredStatus: %s.", in.DesiredStatus)
	}
	if in.StartedBy != nil && (in.ServiceName != nil || in.Family != nil || in.ContainerInstance != nil || in.LaunchType != "") {
		return nil, wire.Errorf("InvalidParameterException", "cannot specify startedBy with any other filter.")
	}
	out := &ecs.ListTasksOutput{}
	err := e.change(func(time.Time) error {
		c, err := e.cluster(in.Cluster)
		if err != nil {
			return err
		}
		candidates := slices.Collect(maps.Values(e.tasks))
		if in.ServiceName != nil {
			s, err := e.service(in.Cluster, in.ServiceName)
			if err != nil {
				return err
			}
			candidates = e.byOwner[s.key()]
		}
		var arns []string
		for _, t := range candidates {
			family, _, _ := strings.Cut(lastPart(t.TaskDefinition), ":")
			switch {
			case t.Cluster != c.Name || t.DesiredStatus != desired:
			case in.StartedBy != nil && t.StartedBy != *in.StartedBy:
			case in.Family != nil && family != *in.Family:
			case in.LaunchType != "" && in.LaunchType != t.launchType():
			case in.ContainerInstance != nil && (t.Instance == "" || t.Instance != lastPart(*in.ContainerInstance)):
			default:
				arns = append(arns, t.ARN)
			}
		}
		slices.Sort(arns)
		out.TaskArns, out.NextToken, err = page(arns, in.MaxResults, in.NextToken, 100, strings.Compare)
		return err
	})
	return out, err
}

// task finds a task by id or ARN; it is nil when the cluster has none of that
// id. An id that cannot be one is an error of its own.
func (e *ECS) task(c *cluster, idOrARN string) (*task, error) {
	if err := e.within(c, idOrARN, "task"); err != nil {
		return nil, err
	}
	id := lastPart(idOrARN)
	if len(id) != 32 && len(id) != 36 {
		return nil, wire.Errorf("InvalidParameterException", "taskId length should be one of [32,36]")
	}
	if t := e.tasks[id]; t != nil && t.Cluster == c.Name {
		return t, nil
	}
	return nil, nil
}

func (e *ECS) describeTasks(_ context.Context, in *ecs.DescribeTasksInput) (*ecs.DescribeTasksOutput, error) {
	if len(in.Tasks) == 0 {
		return nil, wire.Errorf("InvalidParameterException", "Tasks cannot be empty.")
	}
	if len(in.Tasks) > 100 {
		return nil, wire.Errorf("InvalidParameterException", "Tasks cannot have more than 100 elements.")
	}
	out := &ecs.DescribeTasksOutput{Tasks: []types.Task{}, Failures: []types.Failure{}}
	err := e.change(func(time.Time) error {
		c, err := e.cluster(in.Cluster)
		if err != nil {
			return err
		}
		for _, id := range in.Tasks {
			t, err := e.task(c, id)
			if err != nil {
				return err
			}
			if t == nil {
				out.Failures = append(out.Failures, missing(e.arn("task", c.Name, lastPart(id))))
				continue
			}
			shown := e.showTask(t)
			if slices.Contains(in.Include, types.TaskFieldTags) {
				shown.Tags = t.Tags.list()
			}
			out.Tasks = append(out.Tasks, shown)
		}
		return nil
	})
	return out, err
}

func (e *ECS) stopTaskByUser(_ context.Context, in *ecs.StopTaskInput) (*ecs.StopTaskOutput, error) {
	var out types.Task
	err := e.change(func(now time.Time) error {
		c, err := e.cluster(in.Cluster)
		if err != nil {
			return err
		}
		t, err := e.task(c, aws.ToString(in.Task))
		if err != nil {
			return err
		}
		if t == nil {
			return wire.Errorf("InvalidParameterException", "The referenced task was not found.")
		}
		reason := aws.ToString(in.Reason)
		if reason == "" {
			reason = "Task stopped by user"
		}
		e.stopTask(t, "UserInitiated", reason, now)
		out = e.showTask(t)
		return nil
	})
	return &ecs.StopTaskOutput{Task: &out}, err
}

func (e *ECS) listServiceDeployments(_ context.Context, in *ecs.ListServiceDeploymentsInput) (*ecs.ListServiceDeploymentsOutput, error) {
	out := &ecs.ListServiceDeploymentsOutput{ServiceDeployments: []types.ServiceDeploymentBrief{}}
	err := e.change(func(time.Time) error {
		s, err := e.service(in.Cluster, in.Service)
		if err != nil {
			return err
		}
		byARN := map[string]*serviceDeployment{}
		var arns []string // newest first
		for _, r := range slices.Backward(s.Records) {
			between := in.CreatedAt == nil ||
				(in.CreatedAt.After == nil || r.Created.After(*in.CreatedAt.After)) &&
					(in.CreatedAt.Before == nil || r.Created.Before(*in.CreatedAt.Before))
			if between && (len(in.Status) == 0 || slices.Contains(in.Status, r.Status)) {
				byARN[r.ARN] = r
				arns = append(arns, r.ARN)
			}
		}
		arns, out.NextToken, err = page(arns, in.MaxResults, in.NextToken, 20, s.newestFirst)
		for _, arn := range arns {
			r := byARN[arn]
			out.ServiceDeployments = append(out.ServiceDeployments, types.ServiceDeploymentBrief{
				ServiceDeploymentArn: &r.ARN, ServiceArn: aws.String(s.ARN), ClusterArn: aws.String(e.arn("cluster", s.Cluster)),
				Status: r.Status, StatusReason: optional(r.StatusReason), TargetServiceRevisionArn: &r.Target,
				CreatedAt: moment(r.Created), StartedAt: moment(r.Started), FinishedAt: moment(r.Finished),
			})
		}
		return err
	})
	return out, err
}

// newestFirst orders ARNs of service deployments as they are listed. One that
// is not there any more was the oldest.
func (s *service) newestFirst(a, b string) int {
	age := func(arn string) int {
		for i, r := range slices.Backward(s.Records) {
			if r.ARN == arn {
				return len(s.Records) - i
			}
		}
		return len(s.Records) + 1
	}
	return age(a) - age(b)
}

// owned finds the service that an ARN of a service deployment or revision
// belongs to.
func (e *ECS) owned(arn, kind string) *service {
	k, part, ok := resource(arn)
	if !ok || k != kind || len(part) != 3 {
		return nil
	}
	return e.services[joinKey(part[:2])]
}

func (s *service) recordByARN(arn string) *serviceDeployment {
	i := slices.IndexFunc(s.Records, func(r *serviceDeployment) bool { return r.ARN == arn })
	if i < 0 {
		return nil
	}
	return s.Records[i]
}

func (e *ECS) describeServiceDeployments(_ context.Context, in *ecs.DescribeServiceDeploymentsInput) (*ecs.DescribeServiceDeploymentsOutput, error) {
	if err := checkBatch("serviceDeploymentArns", in.ServiceDeploymentArns); err != nil {
		return nil, err
	}
	out := &ecs.DescribeServiceDeploymentsOutput{ServiceDeployments: []types.ServiceDeployment{}, Failures: []types.Failure{}}
	err := e.change(func(time.Time) error {
		for _, arn := range in.ServiceDeploymentArns {
			var r *serviceDeployment
			s := e.owned(arn, "service-deployment")
			if s != nil {
				r = s.recordByARN(arn)
			}
			if r == nil {
				out.Failures = append(out.Failures, missing(arn))
				continue
			}
			out.ServiceDeployments = append(out.ServiceDeployments, e.showServiceDeployment(s, r))
		}
		return nil
	})
	return out, err
}

func (e *ECS) describeServiceRevisions(_ context.Context, in *ecs.DescribeServiceRevisionsInput) (*ecs.DescribeServiceRevisionsOutput, error) {
	if err := checkBatch("serviceRevisionArns", in.ServiceRevisionArns); err != nil {
		return nil, err
	}
	out := &ecs.DescribeServiceRevisionsOutput{ServiceRevisions: []types.ServiceRevision{}, Failures: []types.Failure{}}
	err := e.change(func(time.Time) error {
		for _, arn := range in.ServiceRevisionArns {
			i := -1
			s := e.owned(arn, "service-revision")
			if s != nil {
				i = slices.IndexFunc(s.Revisions, func(r *serviceRevision) bool { return r.ARN == arn })
			}
			if i < 0 {
				out.Failures = append(out.Failures, missing(arn))
				continue
			}
			out.ServiceRevisions = append(out.ServiceRevisions, e.showRevision(s, s.Revisions[i]))
		}
		return nil
	})
	return out, err
}

// checkBatch holds a Describe call to its 1 to 20 ARNs.
func checkBatch(member string, arns []string) error {
	if len(arns) == 0 || len(arns) > 20 {
		return wire.Errorf("InvalidParameterException", "%s must have between 1 and 20 elements.", member)
	}
	return nil
}
