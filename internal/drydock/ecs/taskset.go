package ecs

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Task sets belong to services with the EXTERNAL deployment controller. Every
// service here has ECS's own, so each of these operations is refused as ECS
// refuses it for such a service.

func (e *ECS) createTaskSet(_ context.Context, in *ecs.CreateTaskSetInput) (*ecs.CreateTaskSetOutput, error) {
	return nil, e.noTaskSets(in.Cluster, in.Service)
}

func (e *ECS) updateTaskSet(_ context.Context, in *ecs.UpdateTaskSetInput) (*ecs.UpdateTaskSetOutput, error) {
	return nil, e.noTaskSets(in.Cluster, in.Service)
}

func (e *ECS) deleteTaskSet(_ context.Context, in *ecs.DeleteTaskSetInput) (*ecs.DeleteTaskSetOutput, error) {
	return nil, e.noTaskSets(in.Cluster, in.Service)
}

func (e *ECS) describeTaskSets(_ context.Context, in *ecs.DescribeTaskSetsInput) (*ecs.DescribeTaskSetsOutput, error) {
	return nil, e.noTaskSets(in.Cluster, in.Service)
}

func (e *ECS) updateServicePrimaryTaskSet(_ context.Context, in *ecs.UpdateServicePrimaryTaskSetInput) (*ecs.UpdateServicePrimaryTaskSetOutput, error) {
	return nil, e.noTaskSets(in.Cluster, in.Service)
}

func (e *ECS) noTaskSets(cluster, name *string) error {
	return e.change(func(time.Time) error {
		s, err := e.service(cluster, name)
		if err != nil {
			return err
		}
		if s.Status != statusActive {
			return wire.Errorf("ServiceNotActiveException", "Service was not ACTIVE.")
		}
		return wire.Errorf("InvalidParameterException", "Amazon ECS only supports task set management on services with external deployment controllers.")
	})
}
