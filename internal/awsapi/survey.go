package awsapi

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/survey"
)

var _ survey.AWS = (*Client)(nil)

// IsRegistry implements survey.AWS: of a drydock the endpoint is the registry.
func (c *Client) IsRegistry(host string) bool { return c.isEndpoint(host) }

// DescribeServices implements survey.AWS.
func (c *Client) DescribeServices(ctx context.Context, cluster string, names []string) ([]survey.Service, error) {
	out, err := c.ecs().DescribeServices(ctx, &ecs.DescribeServicesInput{
		Cluster: &cluster, Services: names, Include: []types.ServiceField{types.ServiceFieldTags},
	})
	if err != nil {
		return nil, wrap("read services of "+cluster, err)
	}
	var list []survey.Service
	for _, s := range out.Services {
		if aws.ToString(s.Status) != "INACTIVE" {
			list = append(list, surveyed(s))
		}
	}
	return list, nil
}

func surveyed(s types.Service) survey.Service {
	out := survey.Service{
		Service: audit.Service{
			Name: aws.ToString(s.ServiceName), ARN: aws.ToString(s.ServiceArn), Controller: "ECS",
			LaunchType: string(s.LaunchType), Desired: int(s.DesiredCount), Running: int(s.RunningCount),
		},
		CreatedAt: aws.ToTime(s.CreatedAt),
	}
	if s.DeploymentController != nil && s.DeploymentController.Type != "" {
		out.Controller = string(s.DeploymentController.Type)
	}
	tags := map[string]string{}
	for _, t := range s.Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	out.Remembered = deploy.RememberedCount(tags)
	for _, r := range s.CurrentServiceRevisions {
		out.Revisions = append(out.Revisions, aws.ToString(r.Arn))
	}
	for _, d := range s.Deployments {
		out.Rollouts = append(out.Rollouts, audit.Release{TaskDefinition: aws.ToString(d.TaskDefinition), At: aws.ToTime(d.CreatedAt)})
	}
	for _, t := range s.TaskSets { // of the controllers CODE_DEPLOY and EXTERNAL, in place of deployments
		out.Rollouts = append(out.Rollouts, audit.Release{TaskDefinition: aws.ToString(t.TaskDefinition), At: aws.ToTime(t.CreatedAt)})
		out.LaunchType = cmp.Or(out.LaunchType, string(t.LaunchType))
	}
	return out
}

// TaskARNs implements survey.AWS.
func (c *Client) TaskARNs(ctx context.Context, cluster string) ([]string, error) {
	var arns []string
	pages := ecs.NewListTasksPaginator(c.ecs(), &ecs.ListTasksInput{Cluster: &cluster, MaxResults: aws.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap("list tasks of "+cluster, err)
		}
		arns = append(arns, page.TaskArns...)
	}
	return arns, nil
}

// DescribeTasks implements survey.AWS.
func (c *Client) DescribeTasks(ctx context.Context, cluster string, arns []string) ([]audit.Task, error) {
	out, err := c.ecs().DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &cluster, Tasks: arns})
	if err != nil {
		return nil, wrap("read tasks of "+cluster, err)
	}
	var list []audit.Task
	for _, t := range out.Tasks {
		one := audit.Task{
			ARN: aws.ToString(t.TaskArn), Group: aws.ToString(t.Group), TaskDefinition: aws.ToString(t.TaskDefinitionArn),
			LaunchType: string(t.LaunchType), StartedAt: aws.ToTime(t.StartedAt),
		}
		for _, c := range t.Containers {
			one.Containers = append(one.Containers, audit.Container{
				Name: aws.ToString(c.Name), Image: aws.ToString(c.Image), Digest: aws.ToString(c.ImageDigest),
			})
		}
		list = append(list, one)
	}
	return list, nil
}

// SuccessfulRevisions implements survey.AWS. One page of a hundred deployments
// is further back than anybody goes.
func (c *Client) SuccessfulRevisions(ctx context.Context, cluster, service string) ([]string, error) {
	out, err := c.ecs().ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{
		Cluster: &cluster, Service: &service, MaxResults: aws.Int32(100),
		Status: []types.ServiceDeploymentStatus{types.ServiceDeploymentStatusSuccessful},
	})
	if err != nil {
		return nil, wrap(fmt.Sprintf("list the service deployments of %s/%s", cluster, service), err)
	}
	slices.SortStableFunc(out.ServiceDeployments, func(a, b types.ServiceDeploymentBrief) int {
		return aws.ToTime(b.CreatedAt).Compare(aws.ToTime(a.CreatedAt))
	})
	var arns []string
	for _, d := range out.ServiceDeployments {
		arns = append(arns, aws.ToString(d.TargetServiceRevisionArn))
	}
	return arns, nil
}

// DescribeServiceRevisions implements survey.AWS.
func (c *Client) DescribeServiceRevisions(ctx context.Context, arns []string) ([]audit.Release, error) {
	out, err := c.ecs().DescribeServiceRevisions(ctx, &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: arns})
	if err != nil {
		return nil, wrap("read service revisions", err)
	}
	var list []audit.Release
	for _, r := range out.ServiceRevisions {
		release := audit.Release{ARN: aws.ToString(r.ServiceRevisionArn), TaskDefinition: aws.ToString(r.TaskDefinition), At: aws.ToTime(r.CreatedAt)}
		for _, i := range r.ContainerImages {
			release.Containers = append(release.Containers, audit.Container{
				Name: aws.ToString(i.ContainerName), Image: aws.ToString(i.Image), Digest: aws.ToString(i.ImageDigest),
			})
		}
		list = append(list, release)
	}
	return list, nil
}

// ScalingLimits implements survey.AWS. A scalable dimension goes only with names
// of resources, says Application Auto Scaling; a service of ECS has no other.
func (c *Client) ScalingLimits(ctx context.Context) (map[string]int, error) {
	limits := map[string]int{}
	in := struct {
		ServiceNamespace string
		NextToken        string `json:",omitempty"`
	}{ServiceNamespace: scalableECS}
	for {
		var out struct {
			ScalableTargets []struct {
				ResourceId  string
				MaxCapacity int
			}
			NextToken string
		}
		if err := c.askJSON(ctx, autoscaling(), "", "DescribeScalableTargets", in, &out); err != nil {
			return limits, wrap("read the autoscaling of all services", err)
		}
		for _, t := range out.ScalableTargets {
			limits[t.ResourceId] = t.MaxCapacity
		}
		if in.NextToken = out.NextToken; in.NextToken == "" {
			return limits, nil
		}
	}
}
