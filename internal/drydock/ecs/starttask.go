package ecs

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// startTaskOn places a task on named container instances. There are none that it
// could name, so every one is a failure.
func (e *ECS) startTaskOn(_ context.Context, in *ecs.StartTaskInput) (*ecs.StartTaskOutput, error) {
	const most = 10 // container instances (API reference)
	if len(in.ContainerInstances) == 0 {
		return nil, wire.Errorf("InvalidParameterException", "Container instances cannot be empty.")
	}
	if len(in.ContainerInstances) > most {
		return nil, wire.Errorf("InvalidParameterException", "Container instances cannot have more than %d elements.", most)
	}
	if _, err := newTags(in.Tags); err != nil {
		return nil, err
	}
	out := &ecs.StartTaskOutput{Tasks: []types.Task{}, Failures: []types.Failure{}}
	return out, e.change(func(time.Time) error {
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
		for _, id := range in.ContainerInstances {
			out.Failures = append(out.Failures, missing(e.arn("container-instance", c.Name, lastPart(id))))
		}
		return nil
	})
}
