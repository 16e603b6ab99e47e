package ecs

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// What the strategies do when the request does not say (API reference,
// LinearConfiguration, CanaryConfiguration,
// DeploymentLifecycleHookTimeoutConfiguration).
const (
	linearPercent  = 10.0
	linearMinutes  = 6
	canaryPercent  = 5.0
	canaryMinutes  = 10
	hookMinutes    = 1440
	maxHookMinutes = 20160
	maxBakeMinutes = 1440
	maxHooks       = 10 // of each kind (developer guide, "Pause hooks for Amazon ECS service deployments")
)

// staged is whether a deployment goes through lifecycle stages: BLUE_GREEN,
// LINEAR and CANARY do, a rolling update does not.
func staged(c types.DeploymentConfiguration) bool {
	return c.Strategy != "" && c.Strategy != types.DeploymentStrategyRolling
}

// withStrategy fills in what a strategy needs and the request left out, and
// drops what belongs to another one. A BLUE_GREEN request without
// bakeTimeInMinutes is taken as 0: the API reference says that it must be
// given, the developer guide's own examples leave it out.
func withStrategy(c types.DeploymentConfiguration) types.DeploymentConfiguration {
	c.Strategy = cmp.Or(c.Strategy, types.DeploymentStrategyRolling)
	if staged(c) {
		c.BakeTimeInMinutes = cmp.Or(c.BakeTimeInMinutes, aws.Int32(0))
	}
	if c.Strategy == types.DeploymentStrategyLinear {
		l := types.LinearConfiguration{}
		if c.LinearConfiguration != nil {
			l = *c.LinearConfiguration
		}
		l.StepPercent = cmp.Or(l.StepPercent, aws.Float64(linearPercent))
		l.StepBakeTimeInMinutes = cmp.Or(l.StepBakeTimeInMinutes, aws.Int32(linearMinutes))
		c.LinearConfiguration = &l
	}
	if c.Strategy == types.DeploymentStrategyCanary {
		l := types.CanaryConfiguration{}
		if c.CanaryConfiguration != nil {
			l = *c.CanaryConfiguration
		}
		l.CanaryPercent = cmp.Or(l.CanaryPercent, aws.Float64(canaryPercent))
		l.CanaryBakeTimeInMinutes = cmp.Or(l.CanaryBakeTimeInMinutes, aws.Int32(canaryMinutes))
		c.CanaryConfiguration = &l
	}
	return c
}

// mergeStrategy lays what an update says of the strategy over what is there.
// Another strategy takes nothing over from the one before.
func mergeStrategy(now, given types.DeploymentConfiguration) types.DeploymentConfiguration {
	if given.Strategy != "" && given.Strategy != now.Strategy {
		now.Strategy = given.Strategy
		now.LinearConfiguration, now.CanaryConfiguration = nil, nil
		if !staged(now) {
			now.LifecycleHooks, now.BakeTimeInMinutes = nil, nil
		}
	}
	now.BakeTimeInMinutes = cmp.Or(given.BakeTimeInMinutes, now.BakeTimeInMinutes)
	now.LinearConfiguration = cmp.Or(given.LinearConfiguration, now.LinearConfiguration)
	now.CanaryConfiguration = cmp.Or(given.CanaryConfiguration, now.CanaryConfiguration)
	if given.LifecycleHooks != nil { // an empty list removes them
		now.LifecycleHooks = given.LifecycleHooks
	}
	return withStrategy(now)
}

// checkStrategy holds a whole deployment configuration to what the API
// reference allows of strategies, hooks and alarms.
func (e *ECS) checkStrategy(c types.DeploymentConfiguration) error {
	invalid := func(format string, args ...any) error {
		return wire.Errorf("InvalidParameterException", format, args...)
	}
	if !slices.Contains(c.Strategy.Values(), c.Strategy) {
		return invalid("Invalid deployment strategy: %q.", string(c.Strategy))
	}
	if m := aws.ToInt32(c.BakeTimeInMinutes); m < 0 || m > maxBakeMinutes {
		return invalid("bakeTimeInMinutes must be between 0 and %d.", maxBakeMinutes)
	}
	if l := c.LinearConfiguration; l != nil {
		switch m := aws.ToInt32(l.StepBakeTimeInMinutes); {
		case c.Strategy != types.DeploymentStrategyLinear:
			return invalid("linearConfiguration is only valid with the deployment strategy LINEAR.")
		case !tenths(aws.ToFloat64(l.StepPercent), 3):
			return invalid("stepPercent must be a multiple of 0.1 between 3.0 and 100.0.")
		case m < 0 || m > maxBakeMinutes:
			return invalid("stepBakeTimeInMinutes must be between 0 and %d.", maxBakeMinutes)
		}
	}
	if l := c.CanaryConfiguration; l != nil {
		switch m := aws.ToInt32(l.CanaryBakeTimeInMinutes); {
		case c.Strategy != types.DeploymentStrategyCanary:
			return invalid("canaryConfiguration is only valid with the deployment strategy CANARY.")
		case !tenths(aws.ToFloat64(l.CanaryPercent), 0.1):
			return invalid("canaryPercent must be a multiple of 0.1 between 0.1 and 100.0.")
		case m < 0 || m > maxBakeMinutes:
			return invalid("canaryBakeTimeInMinutes must be between 0 and %d.", maxBakeMinutes)
		}
	}
	if err := checkAlarms(c.Alarms); err != nil {
		return err
	}
	return e.checkHooks(c)
}

// tenths is whether a percentage is a multiple of 0.1 from least to 100.
func tenths(percent, least float64) bool {
	n := percent * 10
	return percent >= least && percent <= 100 && math.Abs(n-math.Round(n)) < 1e-6
}

// trafficSteps are the shares of production traffic, in percent, that the new
// revision gets one after the other. The last one is 100.
func trafficSteps(c types.DeploymentConfiguration) []float64 {
	var steps []float64
	switch c.Strategy {
	case types.DeploymentStrategyLinear:
		step := int(math.Round(aws.ToFloat64(c.LinearConfiguration.StepPercent) * 10))
		for at := step; at < 1000; at += step {
			steps = append(steps, float64(at)/10)
		}
	case types.DeploymentStrategyCanary:
		if p := aws.ToFloat64(c.CanaryConfiguration.CanaryPercent); p < 100 {
			steps = append(steps, p)
		}
	}
	return append(steps, 100)
}

// stepBake is how long each share but the last stays. Like all that a
// deployment waits for by itself, the clock scales it.
func stepBake(c types.DeploymentConfiguration) time.Duration {
	switch c.Strategy {
	case types.DeploymentStrategyLinear:
		return minutes(c.LinearConfiguration.StepBakeTimeInMinutes)
	case types.DeploymentStrategyCanary:
		return minutes(c.CanaryConfiguration.CanaryBakeTimeInMinutes)
	}
	return 0
}

func minutes(n *int32) time.Duration { return time.Duration(aws.ToInt32(n)) * time.Minute }
