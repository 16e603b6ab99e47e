package ecs

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

const (
	statusActive   = "ACTIVE"
	statusDraining = "DRAINING"
	statusInactive = "INACTIVE"
)

type cluster struct {
	Name      string
	ARN       string
	Status    string // ACTIVE or INACTIVE
	Ended     time.Time
	Settings  []types.ClusterSetting
	Providers []string // capacityProviders
	Strategy  []types.CapacityProviderStrategyItem
	Execute   *types.ClusterConfiguration
	Tags      tags
}

// defaultCluster is the one that a call without a cluster means.
const defaultCluster = "default"

// cluster finds an ACTIVE cluster by name or ARN; "" is the default one.
func (e *ECS) cluster(nameOrARN *string) (*cluster, error) {
	if err := e.ours(aws.ToString(nameOrARN), "cluster"); err != nil {
		return nil, err
	}
	name := lastPart(aws.ToString(nameOrARN))
	if name == "" {
		name = defaultCluster
	}
	c, ok := e.clusters[name]
	switch {
	case checkName("cluster", name) != nil:
		return nil, wire.Errorf("InvalidParameterException", `Cluster must match ^[a-zA-Z0-9\-_]{1,255}$, but was %s`, name) // observed
	case !ok:
		return nil, wire.Errorf("ClusterNotFoundException", "Cluster not found.")
	case c.Status != statusActive:
		return nil, wire.Errorf("ClusterNotFoundException", "The referenced cluster was inactive.") // observed
	}
	return c, nil
}

func (e *ECS) createCluster(_ context.Context, in *ecs.CreateClusterInput) (*ecs.CreateClusterOutput, error) {
	name := aws.ToString(in.ClusterName)
	if name == "" {
		name = defaultCluster
	}
	if err := checkName("cluster name", name); err != nil {
		return nil, err
	}
	if err := checkClusterParts(in.Settings, in.ServiceConnectDefaults); err != nil {
		return nil, err
	}
	if err := checkProviders(in.CapacityProviders, in.DefaultCapacityProviderStrategy); err != nil {
		return nil, err
	}
	given, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	var out types.Cluster
	err = e.change(func(time.Time) error {
		c := e.clusters[name]
		if c == nil || c.Status != statusActive { // creating an ACTIVE one again answers with it
			c = &cluster{
				Name: name, ARN: e.arn("cluster", name), Status: statusActive, Settings: in.Settings, Tags: given,
				Providers: in.CapacityProviders, Strategy: in.DefaultCapacityProviderStrategy, Execute: in.Configuration,
			}
			if c.Settings == nil {
				insights := e.effective(types.SettingNameContainerInsights, e.userARN()).Value
				c.Settings = []types.ClusterSetting{{Name: types.ClusterSettingNameContainerInsights, Value: &insights}}
			}
			e.clusters[name] = c
			e.markCluster(c)
		}
		out = e.showCluster(c, types.ClusterFieldTags.Values()...)
		return nil
	})
	return &ecs.CreateClusterOutput{Cluster: &out}, err
}

func (e *ECS) describeClusters(_ context.Context, in *ecs.DescribeClustersInput) (*ecs.DescribeClustersOutput, error) {
	wanted := in.Clusters
	if len(wanted) == 0 {
		wanted = []string{defaultCluster}
	}
	if len(wanted) > 100 {
		return nil, wire.Errorf("InvalidParameterException", "Clusters cannot have more than 100 elements.")
	}
	out := &ecs.DescribeClustersOutput{Clusters: []types.Cluster{}, Failures: []types.Failure{}}
	err := e.change(func(time.Time) error {
		for _, id := range wanted {
			if err := e.ours(id, "cluster"); err != nil {
				return err
			}
			c, ok := e.clusters[lastPart(id)]
			if !ok {
				out.Failures = append(out.Failures, missing(e.arn("cluster", lastPart(id))))
				continue
			}
			out.Clusters = append(out.Clusters, e.showCluster(c, in.Include...))
		}
		return nil
	})
	return out, err
}

func (e *ECS) listClusters(_ context.Context, in *ecs.ListClustersInput) (*ecs.ListClustersOutput, error) {
	out := &ecs.ListClustersOutput{}
	err := e.change(func(time.Time) error {
		var arns []string
		for _, name := range slices.Sorted(maps.Keys(e.clusters)) {
			if c := e.clusters[name]; c.Status == statusActive {
				arns = append(arns, c.ARN)
			}
		}
		var err error
		out.ClusterArns, out.NextToken, err = page(arns, in.MaxResults, in.NextToken, 100, strings.Compare)
		return err
	})
	return out, err
}

// forgetCluster drops a deleted cluster from the records after a while.
func (e *ECS) forgetCluster(c *cluster) {
	e.Clock.At(c.Ended.Add(inactiveVisible), "cluster/"+c.Name, func(time.Time) {
		e.wake(func(time.Time) {
			if e.clusters[c.Name] == c { // else it was created again
				delete(e.clusters, c.Name)
				e.dirty.Delete(bucketClusters, c.Name)
			}
		})
	})
}

func (e *ECS) deleteCluster(_ context.Context, in *ecs.DeleteClusterInput) (*ecs.DeleteClusterOutput, error) {
	var out types.Cluster
	err := e.change(func(now time.Time) error {
		if aws.ToString(in.Cluster) == "" { // the one operation where a cluster must be named
			return wire.Errorf("InvalidParameterException", "Cluster can not be blank.")
		}
		c, err := e.cluster(in.Cluster)
		if err != nil {
			return err
		}
		shown := e.showCluster(c)
		if shown.ActiveServicesCount > 0 {
			return wire.Errorf("ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active.")
		}
		if shown.RegisteredContainerInstancesCount > 0 {
			return wire.Errorf("ClusterContainsContainerInstancesException", "The Cluster cannot be deleted while Container Instances are active or draining.")
		}
		if shown.RunningTasksCount+shown.PendingTasksCount > 0 {
			return wire.Errorf("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
		}
		c.Status, c.Ended = statusInactive, now
		e.markCluster(c)
		e.forgetCluster(c)
		out = e.showCluster(c)
		return nil
	})
	return &ecs.DeleteClusterOutput{Cluster: &out}, err
}

// showCluster shows a cluster with the parts that were asked for.
func (e *ECS) showCluster(c *cluster, include ...types.ClusterField) types.Cluster {
	out := types.Cluster{
		ClusterArn:                      &c.ARN,
		ClusterName:                     &c.Name,
		Status:                          aws.String(c.Status),
		Settings:                        []types.ClusterSetting{},
		Statistics:                      []types.KeyValuePair{},
		CapacityProviders:               append([]string{}, c.Providers...),
		DefaultCapacityProviderStrategy: append([]types.CapacityProviderStrategyItem{}, c.Strategy...),
		Tags:                            []types.Tag{},
	}
	if slices.Contains(include, types.ClusterFieldTags) {
		out.Tags = c.Tags.list()
	}
	if slices.Contains(include, types.ClusterFieldSettings) {
		out.Settings = c.Settings
	}
	if slices.Contains(include, types.ClusterFieldConfigurations) {
		out.Configuration = c.Execute
	}
	for _, s := range e.services {
		if s.Cluster == c.Name && s.Status != statusInactive {
			out.ActiveServicesCount++
		}
	}
	out.RegisteredContainerInstancesCount = int32(len(e.instancesOf(c.Name)))
	for _, t := range e.tasks {
		if t.Cluster != c.Name {
			continue
		}
		switch {
		case t.LastStatus == statusRunning:
			out.RunningTasksCount++
		case t.pending():
			out.PendingTasksCount++
		}
	}
	return out
}

// missing is the failure of a Describe call for something that is not there.
func missing(arn string) types.Failure {
	return types.Failure{Arn: aws.String(arn), Reason: aws.String("MISSING")}
}

// checkName holds a name to ECS's rule: up to 255 letters, digits, hyphens
// and underscores.
func checkName(what, name string) error {
	if name == "" {
		return wire.Errorf("InvalidParameterException", "The %s can not be blank.", what)
	}
	if len(name) > 255 || strings.ContainsFunc(name, badNameRune) {
		return wire.Errorf("InvalidParameterException", "The %s %q is not valid: up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.", what, name)
	}
	return nil
}

func badNameRune(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-')
}
