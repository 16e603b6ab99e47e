package awsapi

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

// scalable is the name of a service to Application Auto Scaling.
func scalable(cluster, service string) string { return "service/" + cluster + "/" + service }

// Scaling implements deploy.Autoscaling.
func (c *Client) Scaling(ctx context.Context, cluster, service string) (deploy.Scaling, error) {
	doing := fmt.Sprintf("read the autoscaling of %s/%s", cluster, service)
	out, err := c.scaling().DescribeScalableTargets(ctx, &applicationautoscaling.DescribeScalableTargetsInput{
		ServiceNamespace: types.ServiceNamespaceEcs, ScalableDimension: types.ScalableDimensionECSServiceDesiredCount,
		ResourceIds: []string{scalable(cluster, service)},
	})
	if err != nil {
		return deploy.Scaling{}, wrap(doing, err)
	}
	if len(out.ScalableTargets) == 0 {
		return deploy.Scaling{}, notThere(doing, "scalable target "+scalable(cluster, service))
	}
	t := out.ScalableTargets[0]
	s := deploy.Scaling{Min: int(aws.ToInt32(t.MinCapacity)), Max: int(aws.ToInt32(t.MaxCapacity))}
	if t.SuspendedState != nil {
		s.Suspended = deploy.Suspended{
			In:        aws.ToBool(t.SuspendedState.DynamicScalingInSuspended),
			Out:       aws.ToBool(t.SuspendedState.DynamicScalingOutSuspended),
			Scheduled: aws.ToBool(t.SuspendedState.ScheduledScalingSuspended),
		}
	}
	return s, nil
}

// Suspend implements deploy.Autoscaling. RegisterScalableTarget changes of a
// target that is there only what it is given.
func (c *Client) Suspend(ctx context.Context, cluster, service string, s deploy.Suspended) error {
	_, err := c.scaling().RegisterScalableTarget(ctx, &applicationautoscaling.RegisterScalableTargetInput{
		ServiceNamespace: types.ServiceNamespaceEcs, ScalableDimension: types.ScalableDimensionECSServiceDesiredCount,
		ResourceId: aws.String(scalable(cluster, service)),
		SuspendedState: &types.SuspendedState{
			DynamicScalingInSuspended: &s.In, DynamicScalingOutSuspended: &s.Out, ScheduledScalingSuspended: &s.Scheduled,
		},
	})
	return wrap(fmt.Sprintf("set the autoscaling of %s/%s", cluster, service), err)
}
