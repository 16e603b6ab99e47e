package awsapi

import (
	"context"
	"fmt"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

// autoscaling names its operations after its front end, and IAM's actions after
// neither that nor its host.
func autoscaling() api {
	return api{
		id: "Application Auto Scaling", signing: "application-autoscaling", host: "application-autoscaling", version: "AnyScaleFrontendService",
	}
}

// scalable is the name of a service to Application Auto Scaling.
func scalable(cluster, service string) string { return "service/" + cluster + "/" + service }

const (
	scalableECS   = "ecs"
	scalableCount = "ecs:service:DesiredCount"
)

// suspended is what of a scalable target's scaling is switched off.
type suspended struct {
	DynamicScalingInSuspended  bool
	DynamicScalingOutSuspended bool
	ScheduledScalingSuspended  bool
}

// Scaling implements deploy.Autoscaling.
func (c *Client) Scaling(ctx context.Context, cluster, service string) (deploy.Scaling, error) {
	doing := fmt.Sprintf("read the autoscaling of %s/%s", cluster, service)
	var out struct {
		ScalableTargets []struct {
			MinCapacity    int
			MaxCapacity    int
			SuspendedState suspended
		}
	}
	err := c.askJSON(ctx, autoscaling(), "", "DescribeScalableTargets", struct {
		ServiceNamespace  string
		ScalableDimension string
		ResourceIds       []string
	}{scalableECS, scalableCount, []string{scalable(cluster, service)}}, &out)
	if err != nil {
		return deploy.Scaling{}, wrap(doing, err)
	}
	if len(out.ScalableTargets) == 0 {
		return deploy.Scaling{}, notThere(doing, "scalable target "+scalable(cluster, service))
	}
	t := out.ScalableTargets[0]
	return deploy.Scaling{Min: t.MinCapacity, Max: t.MaxCapacity, Suspended: deploy.Suspended{
		In: t.SuspendedState.DynamicScalingInSuspended, Out: t.SuspendedState.DynamicScalingOutSuspended,
		Scheduled: t.SuspendedState.ScheduledScalingSuspended,
	}}, nil
}

// Suspend implements deploy.Autoscaling. RegisterScalableTarget changes of a
// target that is there only what it is given.
func (c *Client) Suspend(ctx context.Context, cluster, service string, s deploy.Suspended) error {
	err := c.askJSON(ctx, autoscaling(), "", "RegisterScalableTarget", struct {
		ServiceNamespace  string
		ScalableDimension string
		ResourceId        string
		SuspendedState    suspended
	}{scalableECS, scalableCount, scalable(cluster, service), suspended{s.In, s.Out, s.Scheduled}}, nil)
	return wrap(fmt.Sprintf("set the autoscaling of %s/%s", cluster, service), err)
}
