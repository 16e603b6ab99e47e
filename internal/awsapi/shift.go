package awsapi

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

// shift reads how traffic moves. What ECS leaves out is its default, by the API
// reference of CanaryConfiguration and LinearConfiguration.
func shift(c *types.DeploymentConfiguration) deploy.Shift {
	s := deploy.Shift{Bake: inMinutes(c.BakeTimeInMinutes, 0)}
	switch c.Strategy {
	case types.DeploymentStrategyCanary:
		s.Step, s.Steps = 10*time.Minute, 1
		if canary := c.CanaryConfiguration; canary != nil {
			s.Step = inMinutes(canary.CanaryBakeTimeInMinutes, 10)
		}
	case types.DeploymentStrategyLinear:
		s.Step, s.Steps = 6*time.Minute, deploy.ShiftSteps(10)
		if linear := c.LinearConfiguration; linear != nil {
			s.Step = inMinutes(linear.StepBakeTimeInMinutes, 6)
			if linear.StepPercent != nil {
				s.Steps = deploy.ShiftSteps(*linear.StepPercent)
			}
		}
	}
	for _, hook := range c.LifecycleHooks {
		if hook.TargetType != types.DeploymentLifecycleHookTargetTypePause {
			continue
		}
		for _, stage := range hook.LifecycleStages {
			s.Pauses = append(s.Pauses, string(stage))
		}
	}
	return s
}

func inMinutes(n *int32, otherwise int32) time.Duration {
	if n == nil {
		return time.Duration(otherwise) * time.Minute
	}
	return time.Duration(aws.ToInt32(n)) * time.Minute
}
