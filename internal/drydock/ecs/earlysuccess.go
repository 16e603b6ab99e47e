package ecs

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// earlySuccess is whether the PRIMARY deployment, with that many healthy
// tasks, meets the early success criteria of its service: the percentage of
// the desired count rounds up, and the tasks of earlier revisions must be gone
// unless their cleanup is DEFERRED (API reference,
// DeploymentEarlySuccessCriteria).
func (s *service) earlySuccess(healthy int) bool {
	c := s.Configuration.EarlySuccessCriteria
	if c == nil || !c.Enable {
		return false
	}
	if c.SourceServiceRevisionCleanup == types.ServiceRevisionCleanupBlocking && len(s.Deployments) > 1 {
		return false
	}
	return healthy >= (s.Desired*int(*c.HealthyPercent)+99)/100
}

// checkEarlySuccess holds early success criteria to what the API reference
// says of them; the texts are drydock's.
func checkEarlySuccess(d *types.DeploymentConfiguration) error {
	c := d.EarlySuccessCriteria
	if c == nil || !c.Enable {
		return nil
	}
	invalid := func(format string, args ...any) error {
		return wire.Errorf("InvalidParameterException", format, args...)
	}
	if c.HealthyPercent == nil || *c.HealthyPercent < 0 || *c.HealthyPercent > 100 {
		return invalid("healthyPercent of earlySuccessCriteria must be between 0 and 100.")
	}
	if !slices.Contains(c.SourceServiceRevisionCleanup.Values(), c.SourceServiceRevisionCleanup) {
		return invalid("sourceServiceRevisionCleanup of earlySuccessCriteria must be BLOCKING or DEFERRED.")
	}
	return nil
}

// checkMinimum refuses early success below the minimum of healthy tasks. Both
// may come from different requests.
func checkMinimum(d types.DeploymentConfiguration) error {
	c := d.EarlySuccessCriteria
	if c != nil && c.Enable && *c.HealthyPercent < *d.MinimumHealthyPercent {
		return wire.Errorf("InvalidParameterException", "healthyPercent of earlySuccessCriteria must be greater than or equal to minimumHealthyPercent.")
	}
	return nil
}
