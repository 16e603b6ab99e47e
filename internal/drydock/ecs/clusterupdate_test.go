package ecs

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

func onProvider(name string) []types.CapacityProviderStrategyItem {
	return []types.CapacityProviderStrategyItem{{CapacityProvider: &name, Weight: 1}}
}

func TestUpdateClusterLeavesWhatIsNotGiven(t *testing.T) {
	st := store.Memory()
	w := newWorld(t, st)
	do[ecs.UpdateClusterOutput](w, "UpdateCluster", &ecs.UpdateClusterInput{
		Cluster:       aws.String("prod"),
		Configuration: &types.ClusterConfiguration{ExecuteCommandConfiguration: &types.ExecuteCommandConfiguration{Logging: types.ExecuteCommandLoggingDefault}},
	})
	do[ecs.UpdateClusterSettingsOutput](w, "UpdateClusterSettings", &ecs.UpdateClusterSettingsInput{
		Cluster:  aws.String("prod"),
		Settings: []types.ClusterSetting{{Name: types.ClusterSettingNameContainerInsights, Value: aws.String("enhanced")}},
	})
	do[ecs.PutClusterCapacityProvidersOutput](w, "PutClusterCapacityProviders", &ecs.PutClusterCapacityProvidersInput{
		Cluster: aws.String("prod"), CapacityProviders: []string{"FARGATE", "FARGATE_SPOT"}, DefaultCapacityProviderStrategy: onProvider("FARGATE_SPOT"),
	})
	again := newBareWorld(t, st, w.clock) // what was changed is stored
	for _, w := range []*world{w, again} {
		c := do[ecs.DescribeClustersOutput](w, "DescribeClusters", &ecs.DescribeClustersInput{
			Clusters: []string{"prod"}, Include: []types.ClusterField{types.ClusterFieldSettings, types.ClusterFieldConfigurations},
		}).Clusters[0]
		if c.Configuration == nil || c.Configuration.ExecuteCommandConfiguration.Logging != types.ExecuteCommandLoggingDefault ||
			len(c.Settings) != 1 || *c.Settings[0].Value != "enhanced" ||
			!slices.Equal(c.CapacityProviders, []string{"FARGATE", "FARGATE_SPOT"}) ||
			len(c.DefaultCapacityProviderStrategy) != 1 || *c.DefaultCapacityProviderStrategy[0].CapacityProvider != "FARGATE_SPOT" {
			t.Errorf("cluster %s", pretty(c))
		}
	}
}

// A provider leaves the cluster only when nothing runs on it.
func TestCapacityProviderInUse(t *testing.T) {
	w := newWorld(t, store.Memory())
	put := func(names ...string) error {
		_, err := try[ecs.PutClusterCapacityProvidersOutput](w, "PutClusterCapacityProviders", &ecs.PutClusterCapacityProvidersInput{
			Cluster: aws.String("prod"), CapacityProviders: append([]string{}, names...), DefaultCapacityProviderStrategy: []types.CapacityProviderStrategyItem{},
		})
		return err
	}
	if err := put("FARGATE", "FARGATE_SPOT"); err != nil {
		t.Fatal(err)
	}
	w.register("v1")
	do[ecs.CreateServiceOutput](w, "CreateService", &ecs.CreateServiceInput{
		Cluster: aws.String("prod"), ServiceName: aws.String("api"), TaskDefinition: aws.String("web"), DesiredCount: aws.Int32(1),
		CapacityProviderStrategy: onProvider("FARGATE_SPOT"), NetworkConfiguration: network(),
	})
	if err := put("FARGATE"); err == nil || !strings.HasPrefix(err.Error(), "ResourceInUseException") {
		t.Errorf("a provider that a service uses was removed: %v", err)
	}
	if err := put("FARGATE_SPOT"); err != nil {
		t.Errorf("a provider that nothing uses was kept: %v", err)
	}
}

func TestClusterRefusals(t *testing.T) {
	w := newWorld(t, store.Memory())
	for _, tt := range []struct {
		op, in, want string
	}{
		{"UpdateCluster", `{"cluster":"nope"}`, "ClusterNotFoundException: Cluster not found."},
		{"UpdateCluster", `{}`, "InvalidParameterException: Cluster can not be blank."},
		{"UpdateCluster", `{"cluster":"prod","settings":[{"name":"containerInsights","value":"on"}]}`, "InvalidParameterException: Invalid value for the cluster setting containerInsights"},
		{"CreateCluster", `{"clusterName":"b","settings":[{"name":"sparkle","value":"enabled"}]}`, "InvalidParameterException: 1 validation error detected: Value 'sparkle' at 'settings.1.member.name'"},
		{"CreateCluster", `{"clusterName":"b","serviceConnectDefaults":{"namespace":"internal"}}`, "NamespaceNotFoundException"},
		{"CreateCluster", `{"clusterName":"b","capacityProviders":["mine"]}`, "InvalidParameterException: The specified capacity provider 'mine' was not found."},
		{"UpdateClusterSettings", `{"cluster":"prod","settings":[]}`, "InvalidParameterException: Settings can not be empty."},
		{"PutClusterCapacityProviders", `{"cluster":"prod","capacityProviders":["FARGATE"]}`, "InvalidParameterException: Default capacity provider strategy cannot be empty."},
		{"PutClusterCapacityProviders", `{"cluster":"prod","capacityProviders":["FARGATE"],"defaultCapacityProviderStrategy":[{"capacityProvider":"FARGATE_SPOT"}]}`, "InvalidParameterException: The capacity provider 'FARGATE_SPOT' of the default strategy is not associated"},
		{"PutClusterCapacityProviders", `{"cluster":"prod","capacityProviders":["FARGATE","FARGATE_SPOT"],"defaultCapacityProviderStrategy":[{"capacityProvider":"FARGATE_SPOT","base":1},{"capacityProvider":"FARGATE","base":1}]}`, "InvalidParameterException: Only one capacity provider in a strategy can have a base."},
	} {
		_, err := w.Service().Operations[tt.op](context.Background(), wire.Call{Body: []byte(tt.in)})
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s %s\n got %v\nwant %s", tt.op, tt.in, err, tt.want)
		}
	}
}
