package awsapi

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
)

// RunTask implements deploy.Runner.
func (c *Client) RunTask(ctx context.Context, r deploy.OneOff) ([]rollout.Task, error) {
	doing := "run a task of " + rollout.RevisionName(r.TaskDefinition)
	of, err := c.ecs().DescribeServices(ctx, &ecs.DescribeServicesInput{
		Cluster: &r.Cluster, Services: []string{r.Service}, Include: []types.ServiceField{types.ServiceFieldTags},
	})
	if err != nil {
		return nil, wrap(doing, err)
	}
	if len(of.Services) == 0 {
		return nil, notThere(doing, "service "+r.Service)
	}
	out, err := c.ecs().RunTask(ctx, oneOff(r, of.Services[0]))
	if err != nil {
		return nil, wrap(doing, err)
	}
	var tasks []rollout.Task
	for _, t := range out.Tasks {
		tasks = append(tasks, task(t))
	}
	if len(out.Failures) > 0 {
		f := out.Failures[0]
		return tasks, &Error{Doing: doing, Code: aws.ToString(f.Reason), Message: strings.TrimSpace(path.Base(aws.ToString(f.Arn)) + " " + aws.ToString(f.Detail))}
	}
	return tasks, nil
}

// oneOff is the request for a task that runs where those of the service do.
func oneOff(r deploy.OneOff, s types.Service) *ecs.RunTaskInput {
	in := &ecs.RunTaskInput{
		Cluster: &r.Cluster, TaskDefinition: &r.TaskDefinition, Count: aws.Int32(int32(r.Count)), StartedBy: &r.StartedBy,
		NetworkConfiguration: s.NetworkConfiguration, PlatformVersion: s.PlatformVersion,
		CapacityProviderStrategy: s.CapacityProviderStrategy, PlacementConstraints: s.PlacementConstraints,
		EnableECSManagedTags: s.EnableECSManagedTags, EnableExecuteCommand: s.EnableExecuteCommand,
	}
	if len(s.CapacityProviderStrategy) == 0 { // both at once are refused
		in.LaunchType = s.LaunchType
	}
	if s.LaunchType != types.LaunchTypeFargate {
		in.PlacementStrategy = s.PlacementStrategy
	}
	if s.PropagateTags == types.PropagateTagsTaskDefinition {
		in.PropagateTags = types.PropagateTagsTaskDefinition
	}
	for _, t := range s.Tags {
		// AWS's own may not be set, and ours are about the service.
		if key := strings.ToLower(aws.ToString(t.Key)); !strings.HasPrefix(key, "aws:") && !strings.HasPrefix(key, "plimsoll:") {
			in.Tags = append(in.Tags, t)
		}
	}
	container := types.ContainerOverride{Name: &r.Container, Command: r.Command}
	for _, v := range r.Environment {
		container.Environment = append(container.Environment, types.KeyValuePair{Name: aws.String(v.Name), Value: aws.String(v.Value)})
	}
	overrides := &types.TaskOverride{}
	if r.Command != nil || len(r.Environment) > 0 {
		overrides.ContainerOverrides = []types.ContainerOverride{container}
	}
	if r.CPU != "" {
		overrides.Cpu = &r.CPU
	}
	if r.Memory != "" {
		overrides.Memory = &r.Memory
	}
	if len(overrides.ContainerOverrides) > 0 || overrides.Cpu != nil || overrides.Memory != nil {
		in.Overrides = overrides
	}
	return in
}

// TasksByID implements deploy.Runner.
func (c *Client) TasksByID(ctx context.Context, cluster string, ids []string) ([]rollout.Task, error) {
	out, err := c.ecs().DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &cluster, Tasks: ids})
	if err != nil {
		return nil, wrap("read task "+strings.Join(ids, ", "), err)
	}
	tasks := make([]rollout.Task, len(out.Tasks))
	for i, t := range out.Tasks {
		tasks[i] = task(t)
	}
	return tasks, nil
}

// StopTask implements deploy.Runner.
func (c *Client) StopTask(ctx context.Context, cluster, id, reason string) error {
	_, err := c.ecs().StopTask(ctx, &ecs.StopTaskInput{Cluster: &cluster, Task: &id, Reason: &reason})
	return wrap("stop task "+id, err)
}

// Since implements deploy.Runner. At the end of a stream CloudWatch answers
// with the token that it was given.
func (c *Client) Since(ctx context.Context, from deploy.LogStream, position string) ([]string, string, error) {
	ask := logQuestion{Group: from.Group, Stream: from.Stream, FromHead: true, NextToken: position}
	var page logAnswer
	err := c.askJSON(ctx, cloudWatchLogs(), from.Region, "GetLogEvents", ask, &page)
	if err != nil {
		return nil, position, wrap(fmt.Sprintf("read log %s %s", from.Group, from.Stream), err)
	}
	var lines []string
	for _, e := range page.Events {
		lines = append(lines, strings.TrimRight(e.Message, "\r\n"))
	}
	return lines, cmp.Or(page.NextForwardToken, position), nil
}
