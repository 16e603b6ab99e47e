package ecs

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// onCluster changes one ACTIVE cluster, stores it and shows all of it.
func (e *ECS) onCluster(id *string, change func(*cluster) error) (*types.Cluster, error) {
	if aws.ToString(id) == "" {
		return nil, wire.Errorf("InvalidParameterException", "Cluster can not be blank.")
	}
	var out types.Cluster
	err := e.change(func(time.Time) error {
		c, err := e.cluster(id)
		if err != nil {
			return err
		}
		if err := change(c); err != nil {
			return err
		}
		e.markCluster(c)
		out = e.showCluster(c, types.ClusterFieldTags.Values()...)
		return nil
	})
	return &out, err
}

// updateCluster replaces what is given and leaves the rest.
func (e *ECS) updateCluster(_ context.Context, in *ecs.UpdateClusterInput) (*ecs.UpdateClusterOutput, error) {
	if err := checkClusterParts(in.Settings, in.ServiceConnectDefaults); err != nil {
		return nil, err
	}
	c, err := e.onCluster(in.Cluster, func(c *cluster) error {
		if len(in.Settings) > 0 {
			c.Settings = in.Settings
		}
		if in.Configuration != nil {
			c.Execute = in.Configuration
		}
		return nil
	})
	return &ecs.UpdateClusterOutput{Cluster: c}, err
}

func (e *ECS) updateClusterSettings(_ context.Context, in *ecs.UpdateClusterSettingsInput) (*ecs.UpdateClusterSettingsOutput, error) {
	if len(in.Settings) == 0 {
		return nil, wire.Errorf("InvalidParameterException", "Settings can not be empty.")
	}
	if err := checkClusterParts(in.Settings, nil); err != nil {
		return nil, err
	}
	c, err := e.onCluster(in.Cluster, func(c *cluster) error {
		c.Settings = in.Settings
		return nil
	})
	return &ecs.UpdateClusterSettingsOutput{Cluster: c}, err
}

// putClusterCapacityProviders replaces both the providers and the default
// strategy: what the request leaves out is taken away, and so both members
// are required, even when they are empty (API reference).
func (e *ECS) putClusterCapacityProviders(_ context.Context, in *ecs.PutClusterCapacityProvidersInput) (*ecs.PutClusterCapacityProvidersOutput, error) {
	if err := checkProviders(in.CapacityProviders, in.DefaultCapacityProviderStrategy); err != nil {
		return nil, err
	}
	c, err := e.onCluster(in.Cluster, func(c *cluster) error {
		for _, name := range c.Providers {
			if !slices.Contains(in.CapacityProviders, name) && e.providerInUse(c, name) {
				return wire.Errorf("ResourceInUseException", "The specified capacity provider is in use and cannot be removed.")
			}
		}
		c.Providers, c.Strategy = in.CapacityProviders, in.DefaultCapacityProviderStrategy
		return nil
	})
	return &ecs.PutClusterCapacityProvidersOutput{Cluster: c}, err
}

// providerInUse is whether a service or task of the cluster runs on it.
func (e *ECS) providerInUse(c *cluster, name string) bool {
	for _, s := range e.services {
		if s.Cluster == c.Name && s.Status != statusInactive && slices.ContainsFunc(s.CapacityProviders, ofProvider(name)) {
			return true
		}
	}
	for _, t := range e.tasks {
		if t.Cluster == c.Name && t.Provider == name && t.LastStatus != statusStopped {
			return true
		}
	}
	return false
}

func ofProvider(name string) func(types.CapacityProviderStrategyItem) bool {
	return func(item types.CapacityProviderStrategyItem) bool { return aws.ToString(item.CapacityProvider) == name }
}

// maxProviders is the most capacity providers of a cluster and the most items
// of a strategy.
const maxProviders = 20

// checkProviders holds providers and a strategy to what drydock runs on, the
// two of Fargate, and to each other.
func checkProviders(providers []string, strategy []types.CapacityProviderStrategyItem) error {
	invalid := func(format string, args ...any) error {
		return wire.Errorf("InvalidParameterException", format, args...)
	}
	if len(providers) > maxProviders || len(strategy) > maxProviders {
		return invalid("A cluster and a capacity provider strategy can have at most %d capacity providers.", maxProviders)
	}
	for _, name := range providers {
		if name != "FARGATE" && name != "FARGATE_SPOT" {
			return invalid("The specified capacity provider '%s' was not found. Specify a valid name or ARN and try again.", name)
		}
	}
	based := false
	for _, item := range strategy {
		name := aws.ToString(item.CapacityProvider)
		switch {
		case !slices.Contains(providers, name):
			return invalid("The capacity provider '%s' of the default strategy is not associated with the cluster.", name)
		case item.Weight < 0 || item.Weight > 1000:
			return invalid("The weight of a capacity provider must be between 0 and 1000.")
		case item.Base < 0 || item.Base > 100000:
			return invalid("The base of a capacity provider must be between 0 and 100000.")
		case item.Base > 0 && based: // "Only one capacity provider in a strategy can have a base defined"
			return invalid("Only one capacity provider in a strategy can have a base.")
		}
		based = based || item.Base > 0
	}
	return nil
}

// checkClusterParts refuses settings that ECS does not have. A Service Connect
// namespace is one of Cloud Map, of which drydock has none.
func checkClusterParts(settings []types.ClusterSetting, connect *types.ClusterServiceConnectDefaultsRequest) error {
	for _, s := range settings {
		if !slices.Contains([]string{"enabled", "disabled", "enhanced"}, aws.ToString(s.Value)) {
			return wire.Errorf("InvalidParameterException", "Invalid value for the cluster setting %s: %q.", s.Name, aws.ToString(s.Value))
		}
	}
	if connect != nil && aws.ToString(connect.Namespace) != "" {
		return wire.Errorf("NamespaceNotFoundException", "The namespace %s was not found.", *connect.Namespace)
	}
	return nil
}
