package ecs

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// service is an ECS service with everything its scheduler remembers.
type service struct {
	Name           string
	Cluster        string // name
	ARN            string
	Status         string // ACTIVE, DRAINING or INACTIVE
	Created        time.Time
	Ended          time.Time // when it became INACTIVE
	Request        string    // fingerprint of the CreateService request; "" once the service was updated
	Desired        int
	TaskDefinition string // ARN, what the PRIMARY deployment runs
	Tags           tags

	LaunchType        types.LaunchType
	CapacityProviders []types.CapacityProviderStrategyItem
	PlatformVersion   string
	Network           *types.NetworkConfiguration
	Configuration     types.DeploymentConfiguration
	GracePeriod       *int32 // healthCheckGracePeriodSeconds
	Constraints       []types.PlacementConstraint
	Placement         []types.PlacementStrategy
	AZRebalancing     types.AvailabilityZoneRebalancing
	PropagateTags     types.PropagateTags
	ManagedTags       bool
	ExecuteCommand    bool
	Extra             map[string]json.RawMessage // members of the requests that this build does not know

	Deployments   []*deployment // PRIMARY first, then newest first
	LastCompleted *deployment   // what a rollback goes back to, as it was when it completed
	Records       []*serviceDeployment
	Revisions     []*serviceRevision
	Events        []event // newest first

	Steady         bool      // said so since the last change
	SteadyAt       time.Time // when it was last said
	LaunchFailures int       // consecutive tasks that failed before they ran
	NotBefore      time.Time // starts are throttled until then

	nextLook time.Time // when the scheduler will look next; zero: not planned
}

func (s *service) key() string { return s.Cluster + "/" + s.Name }

// joinKey is the key of the parts of a service's ARN.
func joinKey(part []string) string { return strings.Join(part, "/") }

func (s *service) primary() *deployment { return s.Deployments[0] }

func (s *service) deployment(id string) *deployment {
	for _, d := range s.Deployments {
		if d.ID == id {
			return d
		}
	}
	return nil
}

// makePrimary puts d first; the deployment of that id leaves its old place.
func (s *service) makePrimary(d *deployment) {
	s.Deployments = slices.DeleteFunc(s.Deployments, func(o *deployment) bool { return o.ID == d.ID })
	s.Deployments = slices.Insert(s.Deployments, 0, d)
}

// current is the newest service deployment.
func (s *service) current() *serviceDeployment {
	if len(s.Records) == 0 {
		return nil
	}
	return s.Records[len(s.Records)-1]
}

func (s *service) revision(number string) *serviceRevision {
	for _, r := range s.Revisions {
		if r.Number == number {
			return r
		}
	}
	return &serviceRevision{Number: number} // never: revisions live as long as their service
}

// rollbackTarget is the last completed deployment, unless it is the present one.
func (s *service) rollbackTarget() *deployment {
	if s.LastCompleted == nil || s.LastCompleted.ID == s.primary().ID {
		return nil
	}
	return s.LastCompleted
}

func (s *service) percents() (minimum, maximum int) {
	return int(aws.ToInt32(s.Configuration.MinimumHealthyPercent)), int(aws.ToInt32(s.Configuration.MaximumPercent))
}

// fargate is whether the service's tasks need no instance.
func (s *service) fargate() bool {
	return onFargate(s.LaunchType, s.CapacityProviders)
}

func onFargate(launch types.LaunchType, providers []types.CapacityProviderStrategyItem) bool {
	if launch == types.LaunchTypeFargate {
		return true
	}
	return slices.ContainsFunc(providers, func(c types.CapacityProviderStrategyItem) bool {
		return strings.HasPrefix(aws.ToString(c.CapacityProvider), "FARGATE")
	})
}

func (s *service) platformVersion() string {
	if !s.fargate() {
		return ""
	}
	return cmp.Or(s.PlatformVersion, "LATEST")
}

// service finds a service of an ACTIVE cluster by name or ARN.
func (e *ECS) service(clusterID, id *string) (*service, error) {
	c, err := e.cluster(clusterID)
	if err != nil {
		return nil, err
	}
	if aws.ToString(id) == "" {
		return nil, wire.Errorf("InvalidParameterException", "Service can not be blank.")
	}
	s, ok := e.services[c.Name+"/"+lastPart(*id)]
	if !ok {
		return nil, wire.Errorf("ServiceNotFoundException", "Service not found.")
	}
	return s, nil
}

// serviceAnswer is the answer of the operations that show one service, and
// servicesAnswer that of DescribeServices.
type (
	serviceAnswer  struct{ Service wire.Extended }
	servicesAnswer struct {
		Services []wire.Extended
		Failures []types.Failure
	}
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
	members := map[string]any{}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&members); err != nil {
		return "", wire.Errorf("SerializationException", "%v", err)
	}
	maps.DeleteFunc(members, func(name string, v any) bool { return name == "clientToken" || v == nil })
	canonical, err := json.Marshal(members)
	if err != nil {
		return "", fmt.Errorf("fingerprint of a request: %w", err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(canonical)), nil
}

func (e *ECS) createService(_ context.Context, call wire.Call) (any, error) {
	in := new(ecs.CreateServiceInput)
	if err := wire.Decode(call.Body, in); err != nil {
		return nil, err
	}
	name := aws.ToString(in.ServiceName)
	if err := checkName("service name", name); err != nil {
		return nil, err
	}
	given, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	if err := checkServiceParts(servicePartsOfCreate(in)); err != nil {
		return nil, err
	}
	if in.SchedulingStrategy == types.SchedulingStrategyDaemon {
		return nil, wire.Errorf("InvalidParameterException", "The daemon scheduling strategy is not supported by drydock.")
	}
	if in.DesiredCount == nil {
		return nil, wire.Errorf("InvalidParameterException", "DesiredCount cannot be null or less than 0 for the replica scheduling strategy.")
	}
	if in.LaunchType != "" && len(in.CapacityProviderStrategy) > 0 {
		return nil, wire.Errorf("InvalidParameterException", "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.")
	}
	extra, err := extraOf(call, in)
	if err != nil {
		return nil, err
	}
	request, err := fingerprint(call.Body)
	if err != nil {
		return nil, err
	}
	configuration := withDefaults(in.DeploymentConfiguration)
	var out serviceAnswer
	err = e.change(func(now time.Time) error {
		c, err := e.cluster(in.Cluster)
		if err != nil {
			return err
		}
		if old, ok := e.services[c.Name+"/"+name]; ok && old.Status != statusInactive {
			switch {
			case old.Status == statusDraining:
				return wire.Errorf("InvalidParameterException", "Unable to Start a service that is still Draining.")
			case old.Request != request:
				return wire.Errorf("InvalidParameterException", "Creation of service was not idempotent.")
			}
			out.Service = e.showService(old, true) // the same request again, a retry
			return nil
		}
		d, err := e.usable(in.TaskDefinition)
		if err != nil {
			return err
		}
		s := &service{
			Name: name, Cluster: c.Name, ARN: e.arn("service", c.Name, name), Status: statusActive, Created: now,
			Desired: int(*in.DesiredCount), Tags: given,
			LaunchType: in.LaunchType, CapacityProviders: in.CapacityProviderStrategy, PlatformVersion: aws.ToString(in.PlatformVersion),
			Network: withNetworkDefaults(in.NetworkConfiguration), Configuration: configuration, GracePeriod: in.HealthCheckGracePeriodSeconds,
			Constraints: in.PlacementConstraints, Placement: in.PlacementStrategy, Extra: extra, Request: request,
			AZRebalancing: cmp.Or(in.AvailabilityZoneRebalancing, types.AvailabilityZoneRebalancingEnabled),
			PropagateTags: cmp.Or(in.PropagateTags, types.PropagateTagsNone), ManagedTags: in.EnableECSManagedTags, ExecuteCommand: in.EnableExecuteCommand,
		}
		if s.LaunchType == "" && len(s.CapacityProviders) == 0 {
			if s.CapacityProviders = c.Strategy; len(c.Strategy) == 0 {
				s.LaunchType = types.LaunchTypeEc2
			}
		}
		if err := e.fits(s, d); err != nil {
			return err
		}
		e.services[s.key()] = s
		e.deploy(s, d, now)
		out.Service = e.showService(s, true)
		return nil
	})
	return out, err
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

func checkServiceParts(p serviceParts) error {
	invalid := func(format string, args ...any) error {
		return wire.Errorf("InvalidParameterException", format, args...)
	}
	if p.desired != nil && *p.desired < 0 {
		return invalid("DesiredCount cannot be null or less than 0 for the replica scheduling strategy.")
	}
	if p.desired != nil && *p.desired > maxTasks {
		return invalid("The desired count of %d exceeds the quota of %d tasks per service.", *p.desired, maxTasks)
	}
	if p.grace != nil && *p.grace < 0 {
		return invalid("healthCheckGracePeriodSeconds must be between 0 and 2147483647.")
	}
	for _, lb := range p.loadBalancers {
		return invalid("The target group with targetGroupArn %s does not exist.", aws.ToString(lb.TargetGroupArn))
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
		if c.Strategy != "" && c.Strategy != types.DeploymentStrategyRolling {
			return invalid("The deployment strategy %s is not supported by drydock.", c.Strategy)
		}
		if c.Alarms != nil && c.Alarms.Enable {
			return invalid("Deployment alarms are not supported by drydock.")
		}
		if c.EarlySuccessCriteria != nil {
			return invalid("Early success criteria are not supported by drydock.")
		}
		if len(c.LifecycleHooks) > 0 {
			return invalid("Lifecycle hooks are only valid with the blue/green, linear and canary strategies, which drydock does not support.")
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

// withDefaults fills a deployment configuration up: 200 and 100 percent.
func withDefaults(given *types.DeploymentConfiguration) types.DeploymentConfiguration {
	c := types.DeploymentConfiguration{}
	if given != nil {
		c = *given
	}
	c.MaximumPercent = cmp.Or(c.MaximumPercent, aws.Int32(200))
	c.MinimumHealthyPercent = cmp.Or(c.MinimumHealthyPercent, aws.Int32(100))
	c.Strategy = types.DeploymentStrategyRolling
	if c.DeploymentCircuitBreaker == nil {
		c.DeploymentCircuitBreaker = &types.DeploymentCircuitBreaker{}
	}
	return c
}

// fits refuses a definition that the service's launch type cannot run.
func (e *ECS) fits(s *service, d *definition) error {
	return e.runnable(d, s.fargate(), s.Network)
}

// runnable refuses a definition that cannot run so.
func (e *ECS) runnable(d *definition, fargate bool, network *types.NetworkConfiguration) error {
	spec, err := d.spec()
	if err != nil {
		return err
	}
	if fargate && !slices.Contains(compatibilities(spec), "FARGATE") {
		return wire.Errorf("InvalidParameterException", "Task definition does not support launch_type FARGATE.")
	}
	if spec.NetworkMode == types.NetworkModeAwsvpc {
		if network == nil || network.AwsvpcConfiguration == nil {
			return wire.Errorf("InvalidParameterException", "Network Configuration must be provided when networkMode 'awsvpc' is specified.")
		}
		if len(network.AwsvpcConfiguration.Subnets) == 0 {
			return wire.Errorf("InvalidParameterException", "subnets can not be empty.")
		}
	} else if network != nil {
		return wire.Errorf("InvalidParameterException", "Network Configuration is not valid for the given networkMode of this task definition.")
	}
	return nil
}

// deploy begins a deployment of d: a new deployment id, service revision and
// service deployment. The one before becomes ACTIVE and drains.
func (e *ECS) deploy(s *service, d *definition, now time.Time) {
	revision := &serviceRevision{Number: e.digits(19), TaskDefinition: d.ARN, Created: now}
	revision.ARN = e.arn("service-revision", s.Cluster, s.Name, revision.Number)
	s.Revisions = append(s.Revisions, revision)

	record := &serviceDeployment{
		ARN:     e.arn("service-deployment", s.Cluster, s.Name, e.hex()[:21]),
		Status:  types.ServiceDeploymentStatusPending,
		Created: now, Updated: now,
		Target:        revision.ARN,
		Configuration: s.Configuration,
		BreakerStatus: types.ServiceDeploymentRollbackMonitorsStatusDisabled,
	}
	if s.breaker() != nil {
		record.BreakerStatus = types.ServiceDeploymentRollbackMonitorsStatusMonitoring
	}
	for i, old := range s.Deployments {
		record.Sources = append(record.Sources, s.revision(old.Revision).ARN)
		if i == 0 && old.RolloutState != rolloutCompleted {
			old.Desired = 0 // its tasks drain, but are not replaced any more
		}
	}
	if before := s.current(); before != nil && before.live() {
		before.Status, before.Updated = types.ServiceDeploymentStatusStopRequested, now
		before.StatusReason = "Service deployment stopped because a newer service deployment was started."
	}
	n := &deployment{
		ID: "ecs-svc/" + e.digits(19), TaskDefinition: d.ARN, Revision: revision.Number,
		Desired: s.Desired, Created: now, Updated: now, RolloutState: rolloutInProgress,
	}
	n.Reason = "ECS deployment " + n.ID + " in progress."
	s.Records = append(s.Records, record)
	s.makePrimary(n)
	s.TaskDefinition = d.ARN
	s.Steady = false
	s.LaunchFailures, s.NotBefore = 0, time.Time{} // a new deployment resets the throttle
	e.tellDeployment(s, n, now)
	e.look(s, now)
}

func (e *ECS) updateService(_ context.Context, call wire.Call) (any, error) {
	in := new(ecs.UpdateServiceInput)
	if err := wire.Decode(call.Body, in); err != nil {
		return nil, err
	}
	if err := checkServiceParts(servicePartsOfUpdate(in)); err != nil {
		return nil, err
	}
	extra, err := extraOf(call, in)
	if err != nil {
		return nil, err
	}
	var out serviceAnswer
	err = e.change(func(now time.Time) error {
		s, err := e.service(in.Cluster, in.Service)
		if err != nil {
			return err
		}
		if s.Status != statusActive {
			return wire.Errorf("ServiceNotActiveException", "Service was not ACTIVE.")
		}
		next := *s // validated as a whole before anything changes
		next.Request = ""
		if next.Extra, err = withExtra(s.Extra, extra, call.Body); err != nil {
			return err
		}
		redeploy := in.ForceNewDeployment
		if in.NetworkConfiguration != nil {
			next.Network, redeploy = withNetworkDefaults(in.NetworkConfiguration), true
		}
		if in.PlatformVersion != nil {
			redeploy = redeploy || s.PlatformVersion != *in.PlatformVersion
			next.PlatformVersion = *in.PlatformVersion
		}
		if in.CapacityProviderStrategy != nil {
			next.CapacityProviders, next.LaunchType = in.CapacityProviderStrategy, ""
		}
		if in.DeploymentConfiguration != nil {
			next.Configuration = merge(s.Configuration, *in.DeploymentConfiguration)
		}
		if in.HealthCheckGracePeriodSeconds != nil {
			next.GracePeriod = in.HealthCheckGracePeriodSeconds
		}
		if in.PlacementConstraints != nil { // an empty list removes them
			next.Constraints = in.PlacementConstraints
		}
		if in.PlacementStrategy != nil {
			next.Placement = in.PlacementStrategy
		}
		next.AZRebalancing = cmp.Or(in.AvailabilityZoneRebalancing, s.AZRebalancing)
		next.PropagateTags = cmp.Or(in.PropagateTags, s.PropagateTags)
		if in.EnableECSManagedTags != nil {
			next.ManagedTags = *in.EnableECSManagedTags
		}
		if in.EnableExecuteCommand != nil {
			next.ExecuteCommand = *in.EnableExecuteCommand
		}
		if in.DesiredCount != nil {
			next.Desired = int(*in.DesiredCount)
		}
		wanted := &s.TaskDefinition
		if in.TaskDefinition != nil {
			wanted = in.TaskDefinition
		}
		_, d := e.definition(*wanted)
		if in.TaskDefinition != nil {
			if d, err = e.usable(in.TaskDefinition); err != nil {
				return err
			}
			redeploy = redeploy || d.ARN != s.TaskDefinition
		}
		if d == nil {
			return fmt.Errorf("task definition %s of service %s is gone", *wanted, s.Name)
		}
		if err := e.fits(&next, d); err != nil {
			return err
		}
		if next.Desired != s.Desired {
			next.Steady = false
		}
		*s = next
		e.markService(s)
		if redeploy {
			e.deploy(s, d, now)
		} else {
			s.primary().Desired = s.Desired
			e.look(s, now)
		}
		out.Service = e.showService(s, true)
		return nil
	})
	return out, err
}

// merge lays the given members of a deployment configuration over the present
// ones; what is not given stays.
func merge(now, given types.DeploymentConfiguration) types.DeploymentConfiguration {
	now.MaximumPercent = cmp.Or(given.MaximumPercent, now.MaximumPercent)
	now.MinimumHealthyPercent = cmp.Or(given.MinimumHealthyPercent, now.MinimumHealthyPercent)
	now.DeploymentCircuitBreaker = cmp.Or(given.DeploymentCircuitBreaker, now.DeploymentCircuitBreaker)
	now.Alarms = cmp.Or(given.Alarms, now.Alarms)
	now.BakeTimeInMinutes = cmp.Or(given.BakeTimeInMinutes, now.BakeTimeInMinutes)
	return now
}

func (e *ECS) deleteService(_ context.Context, in *ecs.DeleteServiceInput) (*serviceAnswer, error) {
	var out serviceAnswer
	err := e.change(func(now time.Time) error {
		s, err := e.service(in.Cluster, in.Service)
		if err != nil {
			return err
		}
		if s.Status == statusInactive { // DeleteService has no ServiceNotActiveException in the model
			return wire.Errorf("ServiceNotFoundException", "Service not found.")
		}
		if s.Desired > 0 && !aws.ToBool(in.Force) {
			return wire.Errorf("InvalidParameterException", "The service cannot be stopped while it is scaled above 0.")
		}
		s.Status, s.Desired = statusDraining, 0
		for _, d := range s.Deployments {
			d.Desired = 0
		}
		if r := s.current(); r != nil && r.live() {
			r.end(types.ServiceDeploymentStatusStopped, "Service deployment stopped because the service was deleted.", now)
		}
		e.markService(s)
		e.look(s, now)
		out.Service = e.showService(s, true)
		return nil
	})
	return &out, err
}

func (e *ECS) describeServices(_ context.Context, in *ecs.DescribeServicesInput) (*servicesAnswer, error) {
	if len(in.Services) == 0 {
		return nil, wire.Errorf("InvalidParameterException", "Services cannot be empty.")
	}
	if len(in.Services) > 10 {
		return nil, wire.Errorf("InvalidParameterException", "Services cannot have more than 10 elements.")
	}
	out := &servicesAnswer{Services: []wire.Extended{}, Failures: []types.Failure{}}
	err := e.change(func(time.Time) error {
		c, err := e.cluster(in.Cluster)
		if err != nil {
			return err
		}
		for _, id := range in.Services {
			s, ok := e.services[c.Name+"/"+lastPart(id)]
			if !ok {
				out.Failures = append(out.Failures, missing(e.arn("service", c.Name, lastPart(id))))
				continue
			}
			out.Services = append(out.Services, e.showService(s, slices.Contains(in.Include, types.ServiceFieldTags)))
		}
		return nil
	})
	return out, err
}

func (e *ECS) listServices(_ context.Context, in *ecs.ListServicesInput) (*ecs.ListServicesOutput, error) {
	out := &ecs.ListServicesOutput{ServiceArns: []string{}}
	err := e.change(func(time.Time) error {
		c, err := e.cluster(in.Cluster)
		if err != nil {
			return err
		}
		var arns []string
		for _, key := range slices.Sorted(maps.Keys(e.services)) {
			s := e.services[key]
			if s.Cluster == c.Name && s.Status != statusInactive &&
				(in.LaunchType == "" || in.LaunchType == s.LaunchType) &&
				(in.SchedulingStrategy == "" || in.SchedulingStrategy == types.SchedulingStrategyReplica) {
				arns = append(arns, s.ARN)
			}
		}
		out.ServiceArns, out.NextToken, err = page(arns, in.MaxResults, in.NextToken, 10, strings.Compare)
		return err
	})
	return out, err
}

func (e *ECS) showService(s *service, withTags bool) wire.Extended {
	// What changes later is copied: the answer is rendered after the lock is gone.
	running, pending := e.count(s, "")
	configuration := s.Configuration
	out := types.Service{
		ServiceName: &s.Name, ServiceArn: &s.ARN, ClusterArn: aws.String(e.arn("cluster", s.Cluster)),
		Status: aws.String(s.Status), CreatedAt: moment(s.Created), CreatedBy: aws.String("arn:aws:iam::" + e.Account + ":user/drydock"),
		DesiredCount: int32(s.Desired), RunningCount: int32(running), PendingCount: int32(pending),
		TaskDefinition: aws.String(s.TaskDefinition), LaunchType: s.LaunchType, CapacityProviderStrategy: s.CapacityProviders,
		PlatformVersion: optional(s.platformVersion()), PlatformFamily: aws.String("Linux"), NetworkConfiguration: s.Network,
		DeploymentConfiguration: &configuration, DeploymentController: &types.DeploymentController{Type: types.DeploymentControllerTypeEcs},
		SchedulingStrategy: types.SchedulingStrategyReplica, HealthCheckGracePeriodSeconds: s.GracePeriod,
		AvailabilityZoneRebalancing: s.AZRebalancing, PropagateTags: s.PropagateTags,
		EnableECSManagedTags: s.ManagedTags, EnableExecuteCommand: s.ExecuteCommand,
		RoleArn:       aws.String("arn:aws:iam::" + e.Account + ":role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"),
		LoadBalancers: []types.LoadBalancer{}, ServiceRegistries: []types.ServiceRegistry{},
		PlacementConstraints: append([]types.PlacementConstraint{}, s.Constraints...),
		PlacementStrategy:    append([]types.PlacementStrategy{}, s.Placement...),
		Deployments:          []types.Deployment{}, Events: []types.ServiceEvent{},
	}
	if withTags {
		out.Tags = s.Tags.list()
	}
	if s.Status != statusInactive {
		for i, d := range s.Deployments {
			out.Deployments = append(out.Deployments, e.showDeployment(s, d, i == 0))
			summary := e.revisionSummary(s, s.revision(d.Revision).ARN)
			out.CurrentServiceRevisions = append(out.CurrentServiceRevisions, types.ServiceCurrentRevisionSummary{
				Arn: summary.Arn, RequestedTaskCount: summary.RequestedTaskCount,
				RunningTaskCount: summary.RunningTaskCount, PendingTaskCount: summary.PendingTaskCount,
			})
		}
		if r := s.current(); r != nil {
			out.CurrentServiceDeployment = &r.ARN
		}
	}
	for i := range s.Events {
		ev := s.Events[i]
		out.Events = append(out.Events, types.ServiceEvent{Id: &ev.ID, CreatedAt: moment(ev.Created), Message: &ev.Message})
	}
	return wire.Extended{Value: out, Extra: s.Extra} // Extra is replaced as a whole, never changed
}
