package ecs

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/identifier"
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
	Daemon            bool // schedulingStrategy
	PlatformVersion   string
	Network           *types.NetworkConfiguration
	LoadBalancers     []types.LoadBalancer
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

	Adopt int // how many tasks to come stand for imported ones that run

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
	if err := e.within(c, *id, "service"); err != nil {
		return nil, err
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

func (e *ECS) createService(_ context.Context, call wire.Call) (any, error) {
	in := new(ecs.CreateServiceInput)
	if err := decode(call.Body, in); err != nil {
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
	daemon := in.SchedulingStrategy == types.SchedulingStrategyDaemon
	if daemon {
		if err := checkDaemon(in); err != nil {
			return nil, err
		}
		in.DeploymentConfiguration, in.DesiredCount = daemonDefaults(in.DeploymentConfiguration), aws.Int32(0)
	}
	if err := checkPlacement(in.PlacementConstraints, in.PlacementStrategy); err != nil {
		return nil, err
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
	if err := checkMinimum(configuration); err != nil {
		return nil, err
	}
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
		if err := e.checkStrategy(configuration); err != nil {
			return err
		}
		s := &service{
			Name: name, Cluster: c.Name, ARN: e.arn("service", c.Name, name), Status: statusActive, Created: now,
			Desired: int(*in.DesiredCount), Daemon: daemon, Tags: given,
			LaunchType: in.LaunchType, CapacityProviders: in.CapacityProviderStrategy, PlatformVersion: aws.ToString(in.PlatformVersion),
			LoadBalancers: in.LoadBalancers,
			Network:       withNetworkDefaults(in.NetworkConfiguration), Configuration: configuration, GracePeriod: in.HealthCheckGracePeriodSeconds,
			Constraints: in.PlacementConstraints, Placement: in.PlacementStrategy, Extra: extra, Request: request,
			AZRebalancing: cmp.Or(in.AvailabilityZoneRebalancing, types.AvailabilityZoneRebalancingEnabled),
			PropagateTags: cmp.Or(in.PropagateTags, types.PropagateTagsNone), ManagedTags: in.EnableECSManagedTags, ExecuteCommand: in.EnableExecuteCommand,
		}
		if s.LaunchType == "" && len(s.CapacityProviders) == 0 {
			if s.CapacityProviders = c.Strategy; len(c.Strategy) == 0 {
				s.LaunchType = types.LaunchTypeEc2
			}
		}
		if daemon && s.fargate() { // by the cluster's default strategy
			return checkDaemon(&ecs.CreateServiceInput{CapacityProviderStrategy: s.CapacityProviders})
		}
		if err := e.fits(s, d); err != nil {
			return err
		}
		if err := e.checkTargetGroups(s.LoadBalancers, d); err != nil {
			return err
		}
		e.services[s.key()] = s
		e.deploy(s, d, now)
		out.Service = e.showService(s, true)
		return nil
	})
	return out, err
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
	revision := &serviceRevision{Number: e.digits(19), TaskDefinition: d.ARN, Created: now, LoadBalancers: s.LoadBalancers}
	revision.ARN = e.arn("service-revision", s.Cluster, s.Name, revision.Number)
	s.Revisions = append(s.Revisions, revision)

	record := &serviceDeployment{
		ARN:     e.arn("service-deployment", s.Cluster, s.Name, identifier.Hex(e.rand)[:21]),
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
		e.endStages(s, before, now)
	}
	s.prepare(record)
	e.setWatch(record)
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
	if err := decode(call.Body, in); err != nil {
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
		if s.Daemon {
			if err := checkDaemonUpdate(in); err != nil {
				return err
			}
		}
		if err := checkPlacement(in.PlacementConstraints, in.PlacementStrategy); err != nil {
			return err
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
		if in.LoadBalancers != nil { // an empty list removes them
			redeploy = redeploy || !reflect.DeepEqual(s.LoadBalancers, in.LoadBalancers)
			next.LoadBalancers = in.LoadBalancers
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
			if err := checkMinimum(next.Configuration); err != nil {
				return err
			}
			if err := e.checkStrategy(next.Configuration); err != nil {
				return err
			}
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
		if err := e.checkTargetGroups(in.LoadBalancers, d); err != nil {
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
		if s.Desired > 0 && !s.Daemon && !aws.ToBool(in.Force) {
			return wire.Errorf("InvalidParameterException", "The service cannot be stopped while it is scaled above 0.")
		}
		s.Status, s.Desired = statusDraining, 0
		for _, d := range s.Deployments {
			d.Desired = 0
		}
		if r := s.current(); r != nil && r.live() {
			r.end(types.ServiceDeploymentStatusStopped, "Service deployment stopped because the service was deleted.", now)
			e.endStages(s, r, now)
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
			if err := e.within(c, id, "service"); err != nil {
				return err
			}
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
				in.ResourceManagementType != types.ResourceManagementTypeEcs && // all are the customer's
				(in.SchedulingStrategy == "" || in.SchedulingStrategy == s.schedulingStrategy()) {
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
		ServiceName: aws.String(s.Name), ServiceArn: aws.String(s.ARN), ClusterArn: aws.String(e.arn("cluster", s.Cluster)),
		Status: aws.String(s.Status), CreatedAt: moment(s.Created), CreatedBy: aws.String("arn:aws:iam::" + e.Account + ":user/drydock"),
		DesiredCount: int32(s.Desired), RunningCount: int32(running), PendingCount: int32(pending),
		TaskDefinition: aws.String(s.TaskDefinition), LaunchType: s.LaunchType, CapacityProviderStrategy: s.CapacityProviders,
		PlatformVersion: optional(s.platformVersion()), PlatformFamily: aws.String("Linux"), NetworkConfiguration: s.Network,
		DeploymentConfiguration: &configuration, DeploymentController: &types.DeploymentController{Type: types.DeploymentControllerTypeEcs},
		SchedulingStrategy: s.schedulingStrategy(), HealthCheckGracePeriodSeconds: s.GracePeriod,
		AvailabilityZoneRebalancing: s.AZRebalancing, PropagateTags: s.PropagateTags,
		EnableECSManagedTags: s.ManagedTags, EnableExecuteCommand: s.ExecuteCommand,
		RoleArn:       aws.String("arn:aws:iam::" + e.Account + ":role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"),
		LoadBalancers: append([]types.LoadBalancer{}, s.LoadBalancers...), ServiceRegistries: []types.ServiceRegistry{},
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
