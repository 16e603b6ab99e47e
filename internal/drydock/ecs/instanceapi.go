package ecs

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/identifier"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// registerContainerInstance is what an agent calls. The identity document says
// which instance it is; its signature is not checked.
func (e *ECS) registerContainerInstance(_ context.Context, in *ecs.RegisterContainerInstanceInput) (*ecs.RegisterContainerInstanceOutput, error) {
	var identity struct{ InstanceID, InstanceType, AvailabilityZone string }
	if doc := aws.ToString(in.InstanceIdentityDocument); doc != "" {
		if err := json.Unmarshal([]byte(doc), &identity); err != nil {
			return nil, wire.Errorf("ClientException", "The instance identity document is not valid JSON.")
		}
	}
	given, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	i := &instance{Type: cmp.Or(identity.InstanceType, "t3.medium"), Tags: given, Attributes: newestAttributes(in.Attributes)}
	for _, r := range in.TotalResources {
		switch aws.ToString(r.Name) {
		case "CPU":
			i.CPU = int(r.IntegerValue)
		case "MEMORY":
			i.Memory = int(r.IntegerValue)
		}
	}
	if i.CPU <= 0 || i.Memory <= 0 {
		return nil, wire.Errorf("InvalidParameterException", "totalResources must have CPU and MEMORY above 0.")
	}
	out := new(ecs.RegisterContainerInstanceOutput)
	return out, e.change(func(now time.Time) error {
		c, err := e.cluster(in.Cluster)
		if err != nil {
			return err
		}
		if arn := aws.ToString(in.ContainerInstanceArn); arn != "" { // the agent was there before
			old := e.instance(c, arn)
			if old == nil {
				return noInstance()
			}
			shown := e.showInstance(old, true)
			out.ContainerInstance = &shown
			return nil
		}
		if len(e.instancesOf(c.Name)) >= maxInstances {
			return wire.Errorf("InvalidParameterException", "A cluster can have at most %d container instances.", maxInstances)
		}
		i.EC2, i.Zone = cmp.Or(identity.InstanceID, "i-0"+identifier.Hex(e.rand)[:16]), cmp.Or(identity.AvailabilityZone, e.Region+"a")
		shown := e.showInstance(e.addInstance(c, i, now), true)
		out.ContainerInstance = &shown
		return nil
	})
}

// deregisterContainerInstance takes an instance out of the cluster. On AWS the
// tasks of a forced one run on as orphans that ECS does not know any more;
// here they end.
func (e *ECS) deregisterContainerInstance(_ context.Context, in *ecs.DeregisterContainerInstanceInput) (*ecs.DeregisterContainerInstanceOutput, error) {
	out := new(ecs.DeregisterContainerInstanceOutput)
	return out, e.change(func(now time.Time) error {
		c, err := e.cluster(in.Cluster)
		if err != nil {
			return err
		}
		i := e.instance(c, aws.ToString(in.ContainerInstance))
		if i == nil {
			return noInstance()
		}
		if len(e.tasksOn(i)) > 0 && !aws.ToBool(in.Force) {
			return wire.Errorf("InvalidParameterException", "Found running tasks on the instance.")
		}
		e.endInstance(i, "The container instance "+i.ID+" was deregistered.", now)
		shown := e.showInstance(i, false)
		out.ContainerInstance = &shown
		return nil
	})
}

func (e *ECS) listContainerInstances(_ context.Context, in *ecs.ListContainerInstancesInput) (*ecs.ListContainerInstancesOutput, error) {
	if in.Status != "" && !slices.Contains(in.Status.Values(), in.Status) {
		return nil, wire.Errorf("InvalidParameterException", "Invalid container instance status: %q.", string(in.Status))
	}
	match := func(*instance) bool { return true }
	if filter := aws.ToString(in.Filter); filter != "" {
		var err error
		if match, err = query(filter); err != nil {
			return nil, err
		}
	}
	out := &ecs.ListContainerInstancesOutput{}
	err := e.change(func(time.Time) error {
		c, err := e.cluster(in.Cluster)
		if err != nil {
			return err
		}
		arns := []string{}
		for _, i := range e.instancesOf(c.Name) {
			if (in.Status == "" || string(in.Status) == i.Status) && match(i) {
				arns = append(arns, i.ARN)
			}
		}
		out.ContainerInstanceArns, out.NextToken, err = page(arns, in.MaxResults, in.NextToken, 100, strings.Compare)
		return err
	})
	return out, err
}

func (e *ECS) describeContainerInstances(_ context.Context, in *ecs.DescribeContainerInstancesInput) (*ecs.DescribeContainerInstancesOutput, error) {
	if len(in.ContainerInstances) == 0 {
		return nil, wire.Errorf("InvalidParameterException", "Container instances cannot be empty.")
	}
	if len(in.ContainerInstances) > 100 {
		return nil, wire.Errorf("InvalidParameterException", "Container instances cannot have more than 100 elements.")
	}
	out := &ecs.DescribeContainerInstancesOutput{ContainerInstances: []types.ContainerInstance{}, Failures: []types.Failure{}}
	return out, e.change(func(time.Time) error {
		c, err := e.cluster(in.Cluster)
		if err != nil {
			return err
		}
		for _, id := range in.ContainerInstances {
			i := e.instances[lastPart(id)] // one that was deregistered is shown as INACTIVE for a while
			if i == nil || i.Cluster != c.Name {
				out.Failures = append(out.Failures, missing(e.arn("container-instance", c.Name, lastPart(id))))
				continue
			}
			out.ContainerInstances = append(out.ContainerInstances, e.showInstance(i, slices.Contains(in.Include, types.ContainerInstanceFieldTags)))
		}
		return nil
	})
}

// updateContainerInstancesState drains instances or takes them back. Service
// tasks of a draining one that do not run yet are stopped at once, those that
// run are replaced within the service's deployment configuration, and tasks of
// no service stay (API reference).
func (e *ECS) updateContainerInstancesState(_ context.Context, in *ecs.UpdateContainerInstancesStateInput) (*ecs.UpdateContainerInstancesStateOutput, error) {
	if in.Status != types.ContainerInstanceStatusActive && in.Status != types.ContainerInstanceStatusDraining {
		return nil, wire.Errorf("InvalidParameterException", "The container instance status must be ACTIVE or DRAINING.")
	}
	if len(in.ContainerInstances) == 0 || len(in.ContainerInstances) > 10 {
		return nil, wire.Errorf("InvalidParameterException", "Container instances must have between 1 and 10 elements.")
	}
	out := &ecs.UpdateContainerInstancesStateOutput{ContainerInstances: []types.ContainerInstance{}, Failures: []types.Failure{}}
	return out, e.change(func(now time.Time) error {
		c, err := e.cluster(in.Cluster)
		if err != nil {
			return err
		}
		for _, id := range in.ContainerInstances {
			i := e.instance(c, id)
			if i == nil {
				out.Failures = append(out.Failures, missing(e.arn("container-instance", c.Name, lastPart(id))))
				continue
			}
			e.setInstance(i, string(in.Status), now)
			out.ContainerInstances = append(out.ContainerInstances, e.showInstance(i, false))
		}
		return nil
	})
}

func (e *ECS) setInstance(i *instance, status string, now time.Time) {
	if i.Status == status {
		return
	}
	i.Status = status
	if status == statusDraining {
		for _, t := range e.tasksOn(i) {
			if s := e.serviceOf(t); s != nil && t.pending() {
				e.stopTask(t, "ServiceSchedulerInitiated", "Scaling activity initiated by (deployment "+s.primary().ID+")", now)
			}
		}
	}
	for _, t := range e.tasksOn(i) {
		if s := e.serviceOf(t); s != nil {
			s.Steady = false
			e.markService(s)
		}
	}
	e.instanceChanged(i, now)
}
