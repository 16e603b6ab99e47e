package ecs

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// maxExtra bounds what a service keeps for clients newer than this build.
const maxExtra = 64 << 10

// extraOf are the members of a request that its struct does not have. Those
// of tags have no place in a service.
func extraOf(c wire.Call, in any) (map[string]json.RawMessage, error) {
	extra, err := wire.Unknown(c.Body, in)
	if err != nil {
		return nil, err
	}
	delete(extra, "tags")
	size := 0
	for name, doc := range extra {
		size += len(name) + len(doc)
	}
	if size > maxExtra {
		return nil, wire.Errorf("InvalidParameterException", "members that drydock does not know take %d bytes; it keeps at most %d.", size, maxExtra)
	}
	return extra, nil
}

// withExtra lays the unknown members of an update over those a service has:
// a member that is given, known or not, replaces all of what was kept of it.
func withExtra(kept, given map[string]json.RawMessage, body []byte) (map[string]json.RawMessage, error) {
	if len(kept) == 0 {
		return given, nil
	}
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, wire.Errorf("SerializationException", "%v", err)
	}
	merged := maps.Clone(kept)
	for name, doc := range members {
		if string(doc) != "null" {
			delete(merged, name)
		}
	}
	maps.Copy(merged, given)
	return merged, nil
}

// fingerprint is the same for two requests that ask for the same: clientToken
// and nulls do not count.
func fingerprint(body []byte) (string, error) {
	members, err := membersOf(body)
	if err != nil {
		return "", wire.Errorf("SerializationException", "%v", err)
	}
	maps.DeleteFunc(members, func(name string, v any) bool { return name == "clientToken" || v == nil })
	canonical, err := json.Marshal(members)
	if err != nil {
		return "", fmt.Errorf("fingerprint of a request: %w", err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(canonical)), nil
}

// withNetworkDefaults fills in what ECS shows of a network that says less.
func withNetworkDefaults(given *types.NetworkConfiguration) *types.NetworkConfiguration {
	if given == nil || given.AwsvpcConfiguration == nil {
		return given
	}
	vpc := *given.AwsvpcConfiguration
	vpc.AssignPublicIp = cmp.Or(vpc.AssignPublicIp, types.AssignPublicIpDisabled)
	if vpc.SecurityGroups == nil {
		vpc.SecurityGroups = []string{}
	}
	return &types.NetworkConfiguration{AwsvpcConfiguration: &vpc}
}

// serviceParts are members that CreateService and UpdateService share and that
// need something drydock has not got: a service that used them would come up
// without, which would be a wrong success.
type serviceParts struct {
	loadBalancers  []types.LoadBalancer
	registries     []types.ServiceRegistry
	connect        *types.ServiceConnectConfiguration
	lattice        []types.VpcLatticeConfiguration
	volumes        []types.ServiceVolumeConfiguration
	controller     *types.DeploymentController
	desired        *int32
	configuration  *types.DeploymentConfiguration
	taskDefinition *string
	grace          *int32
	gateways       []types.GatewayConnector
	providers      []types.CapacityProviderStrategyItem
}

func servicePartsOfCreate(in *ecs.CreateServiceInput) serviceParts {
	return serviceParts{in.LoadBalancers, in.ServiceRegistries, in.ServiceConnectConfiguration, in.VpcLatticeConfigurations, in.VolumeConfigurations, in.DeploymentController, in.DesiredCount, in.DeploymentConfiguration, in.TaskDefinition, in.HealthCheckGracePeriodSeconds, in.GatewayConnectors, in.CapacityProviderStrategy}
}

func servicePartsOfUpdate(in *ecs.UpdateServiceInput) serviceParts {
	return serviceParts{in.LoadBalancers, in.ServiceRegistries, in.ServiceConnectConfiguration, in.VpcLatticeConfigurations, in.VolumeConfigurations, in.DeploymentController, in.DesiredCount, in.DeploymentConfiguration, in.TaskDefinition, in.HealthCheckGracePeriodSeconds, in.GatewayConnectors, in.CapacityProviderStrategy}
}

// maxTasks is ECS's quota of tasks per service.
const maxTasks = 5000

func tooMany(desired int) error {
	return wire.Errorf("InvalidParameterException", "The desired count of %d exceeds the quota of %d tasks per service.", desired, maxTasks)
}

func checkServiceParts(p serviceParts) error {
	invalid := func(format string, args ...any) error {
		return wire.Errorf("InvalidParameterException", format, args...)
	}
	if p.desired != nil && *p.desired < 0 {
		return invalid("DesiredCount cannot be null or less than 0 for the replica scheduling strategy.")
	}
	if p.desired != nil && *p.desired > maxTasks {
		return tooMany(int(*p.desired))
	}
	if p.grace != nil && *p.grace < 0 {
		return invalid("healthCheckGracePeriodSeconds must be between 0 and 2147483647.")
	}
	if err := checkLoadBalancers(p.loadBalancers); err != nil {
		return err
	}
	for _, r := range p.registries {
		return invalid("The service registry %s does not exist.", aws.ToString(r.RegistryArn))
	}
	if p.connect != nil && p.connect.Enabled {
		return invalid("Service Connect is not supported by drydock.")
	}
	if len(p.lattice) > 0 {
		return invalid("VPC Lattice is not supported by drydock.")
	}
	if len(p.gateways) > 0 {
		return invalid("Gateway connectors are not supported by drydock.")
	}
	if err := checkShares(p.providers); err != nil {
		return err
	}
	for _, item := range p.providers {
		if name := aws.ToString(item.CapacityProvider); name != "FARGATE" && name != "FARGATE_SPOT" {
			return invalid("The specified capacity provider '%s' was not found. Specify a valid name or ARN and try again.", name)
		}
	}
	if len(p.volumes) > 0 {
		return invalid("Volumes configured at deployment are not supported by drydock.")
	}
	if p.controller != nil && p.controller.Type != types.DeploymentControllerTypeEcs {
		return invalid("The deployment controller %s is not supported by drydock.", p.controller.Type)
	}
	if c := p.configuration; c != nil {
		if err := checkEarlySuccess(c); err != nil {
			return err
		}
		if err := checkBreaker(c.DeploymentCircuitBreaker); err != nil {
			return err
		}
		if c.MinimumHealthyPercent != nil && (*c.MinimumHealthyPercent < 0 || *c.MinimumHealthyPercent > 100) {
			return invalid("minimumHealthyPercent must be between 0 and 100.")
		}
		if c.MaximumPercent != nil && *c.MaximumPercent < 100 {
			return invalid("maximumPercent must be at least 100.")
		}
	}
	return nil
}

// withDefaults fills a deployment configuration up: 200 and 100 percent.
func withDefaults(given *types.DeploymentConfiguration) types.DeploymentConfiguration {
	c := types.DeploymentConfiguration{}
	if given != nil {
		c = *given
	}
	c.MaximumPercent = cmp.Or(c.MaximumPercent, aws.Int32(200))
	c.MinimumHealthyPercent = cmp.Or(c.MinimumHealthyPercent, aws.Int32(100))
	if c.DeploymentCircuitBreaker == nil {
		c.DeploymentCircuitBreaker = &types.DeploymentCircuitBreaker{}
	}
	return withStrategy(c)
}

// fits refuses a definition that the service's launch type cannot run, or that
// has no role for ECS Exec where the service wants that.
func (e *ECS) fits(s *service, d *definition) error {
	if err := e.runnable(d, s.fargate(), s.Network); err != nil {
		return err
	}
	if err := checkTargets(s.LoadBalancers, d); err != nil {
		return err
	}
	spec, err := d.spec()
	if err != nil || !s.ExecuteCommand || aws.ToString(spec.TaskRoleArn) != "" {
		return err
	}
	done := "created"
	if _, there := e.services[s.key()]; there {
		done = "updated"
	}
	return wire.Errorf("InvalidParameterException", "The service couldn't be %s because a valid taskRoleArn is not being used. Specify a valid task role in your task definition and try again.", done) // observed
}

// merge lays the given members of a deployment configuration over the present
// ones; what is not given stays.
func merge(now, given types.DeploymentConfiguration) types.DeploymentConfiguration {
	now.MaximumPercent = cmp.Or(given.MaximumPercent, now.MaximumPercent)
	now.MinimumHealthyPercent = cmp.Or(given.MinimumHealthyPercent, now.MinimumHealthyPercent)
	now.DeploymentCircuitBreaker = cmp.Or(given.DeploymentCircuitBreaker, now.DeploymentCircuitBreaker)
	now.EarlySuccessCriteria = cmp.Or(given.EarlySuccessCriteria, now.EarlySuccessCriteria)
	now.Alarms = cmp.Or(given.Alarms, now.Alarms)
	return mergeStrategy(now, given)
}

// checkBreaker holds a threshold to a value that can be reached.
func checkBreaker(b *types.DeploymentCircuitBreaker) error {
	if b == nil || b.ThresholdConfiguration == nil {
		return nil
	}
	t := b.ThresholdConfiguration
	percent := t.Type == types.ThresholdTypeBoundedPercent || t.Type == types.ThresholdTypeUnboundedPercent
	if !percent && t.Type != types.ThresholdTypeCount {
		return wire.Errorf("InvalidParameterException", "Invalid thresholdConfiguration type: %q.", string(t.Type))
	}
	if t.Value < 1 || percent && t.Value > 100 {
		return wire.Errorf("InvalidParameterException", "Invalid thresholdConfiguration value: %d.", t.Value)
	}
	return nil
}
