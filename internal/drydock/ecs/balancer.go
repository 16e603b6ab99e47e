package ecs

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/elb"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Balancer is the load balancing that services put their tasks behind. It is
// called with the state of ECS locked and must not call back; of a target that
// became healthy or unhealthy it tells [ECS.TargetChanged].
type Balancer interface {
	// Group tells of a target group; ok is false when there is none.
	Group(arn string) (g elb.Group, ok bool)
	// Register adds a task to a target group; ok is false when there is none.
	Register(arn string, m elb.Member) (ok bool)
	// Deregister takes a task out and says how long it drains, at AWS's pace.
	Deregister(arn string, m elb.Member) time.Duration
	// Health is what the load balancer makes of a task.
	Health(arn string, m elb.Member) elb.Health
}

// target is one place of a task behind a load balancer.
type target struct {
	Group     string // ARN
	Container string
	Port      int32
}

// member is the task as the target group has it.
func (t *task) member(at target) elb.Member {
	return elb.Member{Task: t.ID, Container: at.Container, Address: t.address(), Port: at.Port, Zone: t.Zone}
}

// TargetChanged has the scheduler look at the service of a task whose target
// has become healthy or unhealthy.
func (e *ECS) TargetChanged(taskID string) {
	e.wake(func(now time.Time) {
		if t := e.tasks[taskID]; t != nil {
			e.nudge(t, now)
		}
	})
}

// maxTargetGroups is ECS's quota per service.
const maxTargetGroups = 5

// checkLoadBalancers refuses what needs no look at any state.
func checkLoadBalancers(given []types.LoadBalancer) error {
	invalid := func(format string, args ...any) error {
		return wire.Errorf("InvalidParameterException", format, args...)
	}
	if len(given) > maxTargetGroups {
		return invalid("load balancers can have at most %d items.", maxTargetGroups)
	}
	for _, lb := range given {
		switch {
		case lb.LoadBalancerName != nil: // a Classic Load Balancer, of which there are none
			return invalid("The load balancer %s does not exist.", *lb.LoadBalancerName)
		case aws.ToString(lb.TargetGroupArn) == "":
			return invalid("targetGroupArn can not be blank.")
		case aws.ToString(lb.ContainerName) == "":
			return invalid("Container Name can not be blank.")
		case lb.ContainerPort == nil:
			return invalid("Container Port can not be blank.")
		case lb.AdvancedConfiguration != nil:
			return invalid("advancedConfiguration is not valid with the ROLLING deployment strategy.")
		}
	}
	return nil
}

// checkTargetGroups refuses target groups that cannot take the tasks of d. The
// texts are ECS's own.
func (e *ECS) checkTargetGroups(given []types.LoadBalancer, d *definition) error {
	spec, err := d.spec()
	if err != nil {
		return err
	}
	for _, lb := range given {
		arn := *lb.TargetGroupArn
		var g elb.Group
		ok := false
		if e.Balancer != nil {
			g, ok = e.Balancer.Group(arn)
		}
		switch wanted := targetType(spec.NetworkMode); {
		case !ok:
			return wire.Errorf("InvalidParameterException", "The target group with targetGroupArn %s does not exist.", arn)
		case !g.Balanced:
			return wire.Errorf("InvalidParameterException", "The target group with targetGroupArn %s does not have an associated load balancer.", arn)
		case g.Type != wanted:
			return wire.Errorf("InvalidParameterException", "The provided target group %s has target type %s, which is incompatible with the %s network mode specified in the task definition.", arn, g.Type, spec.NetworkMode)
		}
	}
	return nil
}

func targetType(mode types.NetworkMode) elbtypes.TargetTypeEnum {
	if mode == types.NetworkModeAwsvpc {
		return elbtypes.TargetTypeEnumIp
	}
	return elbtypes.TargetTypeEnumInstance
}

// checkTargets refuses a definition without the containers and ports that the
// load balancers want.
func checkTargets(lbs []types.LoadBalancer, d *definition) error {
	if len(lbs) == 0 {
		return nil
	}
	spec, err := d.spec()
	if err != nil {
		return err
	}
	for _, lb := range lbs {
		name, port := *lb.ContainerName, *lb.ContainerPort
		i := slices.IndexFunc(spec.ContainerDefinitions, func(c types.ContainerDefinition) bool { return *c.Name == name })
		if i < 0 {
			return wire.Errorf("InvalidParameterException", "The container %s does not exist in the task definition.", name)
		}
		if !slices.ContainsFunc(spec.ContainerDefinitions[i].PortMappings, func(p types.PortMapping) bool { return aws.ToInt32(p.ContainerPort) == port }) {
			return wire.Errorf("InvalidParameterException", "The container %s did not have a container port %d defined.", name, port)
		}
	}
	return nil
}

// enlist registers the tasks that have come to RUNNING with the target groups
// of their service revision.
func (e *ECS) enlist(s *service, now time.Time) {
	added := map[string]int{}
	var order []string
	for _, t := range e.byOwner[s.key()] {
		if t.LastStatus != statusRunning || t.DesiredStatus != statusRunning || t.Enlisted {
			continue
		}
		for _, lb := range s.revision(t.Revision).LoadBalancers {
			at := target{Group: *lb.TargetGroupArn, Container: *lb.ContainerName, Port: *lb.ContainerPort}
			if !e.Balancer.Register(at.Group, t.member(at)) {
				e.tell(s, now, "failed to register targets in (target-group %s) with (error One or more target groups not found)", at.Group)
				continue
			}
			t.Targets = append(t.Targets, at)
			if added[at.Group]++; added[at.Group] == 1 {
				order = append(order, at.Group)
			}
		}
		t.Enlisted = true
		e.markTask(t)
	}
	for _, group := range order {
		e.tell(s, now, "registered %d targets in (target-group %s)", added[group], group)
	}
}

// delist deregisters the tasks that are to stop. One that still runs goes on
// until its targets have drained, and gets its SIGTERM then.
func (e *ECS) delist(s *service, now time.Time) {
	removed, draining := map[string]int{}, map[string]int{}
	var groups, deployments []string
	for _, t := range e.byOwner[s.key()] {
		if t.DesiredStatus != statusStopped || len(t.Targets) == 0 {
			continue
		}
		drain := time.Duration(0)
		for _, at := range t.Targets {
			drain = max(drain, e.Balancer.Deregister(at.Group, t.member(at)))
			if removed[at.Group]++; removed[at.Group] == 1 {
				groups = append(groups, at.Group)
			}
		}
		t.Targets = nil
		e.markTask(t)
		if draining[t.Deployment]++; draining[t.Deployment] == 1 {
			deployments = append(deployments, t.Deployment)
		}
		if t.LastStatus == statusDeactivating {
			e.after(t, max(drain, deactivateFor), e.signal)
		}
	}
	for _, group := range groups {
		e.tell(s, now, "deregistered %d targets in (target-group %s)", removed[group], group)
	}
	for _, id := range deployments {
		e.say(s, now, fmt.Sprintf("(service %s, taskSet %s) has begun draining connections on %d tasks.", s.Name, id, draining[id]))
	}
}

// balanced is whether every load balancer of a task finds it healthy; bad is
// the first place at which one finds it unhealthy, with what is wrong.
func (e *ECS) balanced(s *service, t *task) (ok bool, bad *target, why string) {
	wanted := len(s.revision(t.Revision).LoadBalancers)
	healthy := 0
	for i, at := range t.Targets {
		switch h := e.Balancer.Health(at.Group, t.member(at)); h.State {
		case elbtypes.TargetHealthStateEnumHealthy:
			healthy++
		case elbtypes.TargetHealthStateEnumUnhealthy:
			return false, &t.Targets[i], h.Description
		}
	}
	return healthy == wanted, nil, ""
}
