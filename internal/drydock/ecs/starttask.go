package ecs

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// startTaskOn starts a task on each of the container instances that it names,
// whatever placement would say, if there is room.
func (e *ECS) startTaskOn(_ context.Context, in *ecs.StartTaskInput) (*ecs.StartTaskOutput, error) {
	const most = 10 // container instances (API reference)
	if len(in.ContainerInstances) == 0 {
		return nil, wire.Errorf("InvalidParameterException", "Container instances cannot be empty.")
	}
	if len(in.ContainerInstances) > most {
		return nil, wire.Errorf("InvalidParameterException", "Container instances cannot have more than %d elements.", most)
	}
	given, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	out := &ecs.StartTaskOutput{Tasks: []types.Task{}, Failures: []types.Failure{}}
	return out, e.change(func(now time.Time) error {
		c, err := e.cluster(in.Cluster)
		if err != nil {
			return err
		}
		d, err := e.startable(in.TaskDefinition)
		if err != nil {
			return err
		}
		if err := checkOverrides(d, in.Overrides); err != nil {
			return err
		}
		network := withNetworkDefaults(in.NetworkConfiguration)
		spec, err := d.spec()
		if err != nil {
			return err
		}
		size := needOf(spec)
		run := &ecs.RunTaskInput{
			Group: in.Group, StartedBy: in.StartedBy, Overrides: in.Overrides, PropagateTags: in.PropagateTags,
			EnableECSManagedTags: in.EnableECSManagedTags, EnableExecuteCommand: in.EnableExecuteCommand,
		}
		for _, id := range in.ContainerInstances {
			i := e.instance(c, id)
			if i == nil {
				out.Failures = append(out.Failures, missing(e.arn("container-instance", c.Name, lastPart(id))))
				continue
			}
			if err := e.runnable(d, false, network); err != nil {
				return err
			}
			if m, _ := e.suits(i, request{cluster: c.Name, need: size}); m.event != "" {
				out.Failures = append(out.Failures, types.Failure{Arn: aws.String(i.ARN), Reason: aws.String(m.failure)})
				continue
			}
			t := e.runOne(c, d, run, given, "", network, now)
			e.settleOn(t, i, size)
			shown := e.showTask(t)
			shown.Tags = t.Tags.list()
			out.Tasks = append(out.Tasks, shown)
		}
		return nil
	})
}
