package ecs

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// provider picks one of a capacity provider strategy for the next task, given
// how many tasks each has: first the base, then by the weights (API reference,
// CapacityProviderStrategyItem). It is "" when there is no strategy.
func provider(strategy []types.CapacityProviderStrategyItem, placed map[string]int) string {
	best := -1
	for i, item := range strategy {
		if placed[aws.ToString(item.CapacityProvider)] < int(item.Base) {
			return aws.ToString(item.CapacityProvider)
		}
		if best < 0 || sooner(item, strategy[best], placed) {
			best = i
		}
	}
	if best < 0 {
		return ""
	}
	return aws.ToString(strategy[best].CapacityProvider)
}

// sooner is whether a is further behind its share than b: the ratio of the
// tasks beyond its base, with one more, to its weight is the smaller one.
func sooner(a, b types.CapacityProviderStrategyItem, placed map[string]int) bool {
	beyond := func(item types.CapacityProviderStrategyItem) int64 {
		return int64(placed[aws.ToString(item.CapacityProvider)]-int(item.Base)) + 1
	}
	switch {
	case a.Weight <= 0:
		return false
	case b.Weight <= 0:
		return true
	}
	return beyond(a)*int64(b.Weight) < beyond(b)*int64(a.Weight)
}

// providers counts the tasks of a service that are to run, by provider.
func (e *ECS) providers(s *service) map[string]int {
	placed := map[string]int{}
	for _, t := range e.byOwner[s.key()] {
		if t.DesiredStatus == statusRunning {
			placed[t.Provider]++
		}
	}
	return placed
}

// checkShares holds the numbers of a capacity provider strategy to their ranges
// and rules.
func checkShares(strategy []types.CapacityProviderStrategyItem) error {
	bases, weights := 0, 0
	for _, item := range strategy {
		if item.Base < 0 || item.Base > 100_000 {
			return wire.Errorf("InvalidParameterException", "The base of a capacity provider must be between 0 and 100000.")
		}
		if item.Weight < 0 || item.Weight > 1000 {
			return wire.Errorf("InvalidParameterException", "The weight of a capacity provider must be between 0 and 1000.")
		}
		if item.Base > 0 {
			bases++
		}
		weights += int(item.Weight)
	}
	if bases > 1 {
		return wire.Errorf("InvalidParameterException", "Only one capacity provider in a capacity provider strategy can have a base defined.")
	}
	if len(strategy) > 1 && weights == 0 {
		return wire.Errorf("InvalidParameterException", "At least one capacity provider in a capacity provider strategy must have a weight greater than 0.")
	}
	return nil
}
