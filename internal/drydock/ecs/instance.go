package ecs

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/identifier"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// instance is a container instance: an EC2 instance that tasks are placed on.
// It runs nothing by itself; its tasks are the runtime's, as Fargate's are.
type instance struct {
	ID         string // 32 hex digits, the last part of the ARN
	ARN        string
	Cluster    string // name
	EC2        string // i-…
	Type       string
	Zone       string
	Status     string // ACTIVE, DRAINING or INACTIVE
	CPU        int    // units registered
	Memory     int    // MiB registered
	Attributes map[string]string
	Tags       tags
	Registered time.Time
	Ended      time.Time // when it became INACTIVE
	Version    int64
}

// maxInstances is ECS's quota of container instances per cluster.
const maxInstances = 5000

// usableMemory is the share of an instance's memory that its agent registers:
// the operating system keeps the rest. The real one depends on the AMI; a
// t3.medium of 4096 MiB was seen with about 3900.
const usableMemory = 15.0 / 16

// AddInstances registers n new container instances of a type with a cluster,
// as their agents would. zone "" spreads them over the region's. The error is
// a [*wire.Error] for what cannot be meant.
func (e *ECS) AddInstances(cluster string, n int, kind, zone string) ([]Instance, error) {
	cpu, memory, arch, err := instanceSize(kind)
	if err != nil {
		return nil, err
	}
	if n < 1 || n > maxInstances {
		return nil, wire.Errorf("InvalidParameterException", "The number of instances must be between 1 and %d.", maxInstances)
	}
	if zone != "" && !(strings.HasPrefix(zone, e.Region) && len(zone) == len(e.Region)+1) {
		return nil, wire.Errorf("InvalidParameterException", "%q is not an Availability Zone of %s.", zone, e.Region)
	}
	var out []Instance
	return out, e.change(func(now time.Time) error {
		c, err := e.cluster(&cluster)
		if err != nil {
			return err
		}
		if len(e.instancesOf(c.Name))+n > maxInstances {
			return wire.Errorf("InvalidParameterException", "A cluster can have at most %d container instances.", maxInstances)
		}
		for range n {
			in := zone
			if in == "" {
				in = e.Region + string("ac"[len(e.instancesOf(c.Name))%2])
			}
			i := e.addInstance(c, &instance{
				EC2: "i-0" + identifier.Hex(e.rand)[:16], Type: kind, Zone: in, CPU: cpu, Memory: memory,
				Attributes: map[string]string{"ecs.cpu-architecture": arch},
			}, now)
			out = append(out, i.summary())
		}
		return nil
	})
}

// Instance is what the control API tells of a container instance.
type Instance struct {
	ARN    string `json:"containerInstanceArn"`
	EC2    string `json:"ec2InstanceId"`
	Type   string `json:"instanceType"`
	Zone   string `json:"zone"`
	Status string `json:"status"`
}

func (i *instance) summary() Instance {
	return Instance{ARN: i.ARN, EC2: i.EC2, Type: i.Type, Zone: i.Zone, Status: i.Status}
}

// Instances are the container instances of a cluster.
func (e *ECS) Instances(cluster string) ([]Instance, error) {
	out := []Instance{}
	return out, e.change(func(time.Time) error {
		c, err := e.cluster(&cluster)
		if err != nil {
			return err
		}
		for _, i := range e.instancesOf(c.Name) {
			out = append(out, i.summary())
		}
		return nil
	})
}

// TerminateInstance ends an EC2 instance with all that runs on it. ECS
// deregisters it by itself then (API reference, DeregisterContainerInstance).
func (e *ECS) TerminateInstance(cluster, id string) error {
	return e.change(func(now time.Time) error {
		c, err := e.cluster(&cluster)
		if err != nil {
			return err
		}
		i := e.instance(c, id)
		if i == nil {
			return noInstance()
		}
		e.endInstance(i, "Host EC2 (instance "+i.EC2+") terminated.", now)
		return nil
	})
}

// addInstance fills an instance in and makes it known.
func (e *ECS) addInstance(c *cluster, i *instance, now time.Time) *instance {
	i.ID = identifier.Hex(e.rand)
	i.ARN, i.Cluster, i.Status, i.Registered = e.arn("container-instance", c.Name, i.ID), c.Name, statusActive, now
	attributes := map[string]string{
		"ecs.availability-zone": i.Zone, "ecs.instance-type": i.Type, "ecs.os-type": "linux", "ecs.os-family": "LINUX",
		"ecs.ami-id": "ami-00000000000000000", "ecs.cpu-architecture": "x86_64",
	}
	maps.Copy(attributes, i.Attributes)
	i.Attributes = attributes
	e.instances[i.ID] = i
	e.instanceChanged(i, now)
	return i
}

// endInstance takes an instance out of its cluster and ends its tasks.
func (e *ECS) endInstance(i *instance, reason string, now time.Time) {
	i.Status, i.Ended = statusInactive, now
	for _, t := range e.tasksOn(i) {
		e.stopTask(t, "TerminationNotice", reason, now)
	}
	e.forgetInstance(i)
	e.instanceChanged(i, now)
}

// instanceChanged stores an instance that came, went or changed its status,
// tells of it (developer guide, "Amazon ECS container instance state change
// events") and has its cluster's services looked at.
func (e *ECS) instanceChanged(i *instance, now time.Time) {
	i.Version++
	e.dirty.Put(bucketInstances, i.ID, i)
	e.lookAround(i.Cluster, now)
	e.emit(now, "ECS Container Instance State Change", i.ARN, instanceChange{e.showInstance(i, false), e.arn("cluster", i.Cluster), now})
}

// instanceChange is the detail of an "ECS Container Instance State Change".
type instanceChange struct {
	shown   types.ContainerInstance
	cluster string // ARN
	at      time.Time
}

// MarshalJSON renders the detail, when somebody reads the event.
func (c instanceChange) MarshalJSON() ([]byte, error) {
	c.shown.Tags = nil
	return eventDetail(c.shown, c.at, map[string]string{"clusterArn": c.cluster})
}

// forgetInstance drops an instance from the records after a while.
func (e *ECS) forgetInstance(i *instance) {
	e.Clock.At(i.Ended.Add(inactiveVisible), "instance/"+i.ID, func(time.Time) {
		e.wake(func(time.Time) {
			delete(e.instances, i.ID)
			e.dirty.Delete(bucketInstances, i.ID)
		})
	})
}

// lookAround has the scheduler look at the services of a cluster that need
// instances: there is more or less room than before.
func (e *ECS) lookAround(cluster string, now time.Time) {
	for _, key := range slices.Sorted(maps.Keys(e.services)) {
		if s := e.services[key]; s.Cluster == cluster && s.Status == statusActive && !s.fargate() {
			e.look(s, now)
		}
	}
}

// freed is for a task that has stopped: its instance has room again.
func (e *ECS) freed(t *task, now time.Time) {
	e.placed[t.Instance] = slices.DeleteFunc(e.placed[t.Instance], func(o *task) bool { return o == t })
	if len(e.placed[t.Instance]) == 0 {
		delete(e.placed, t.Instance)
	}
	if i := e.instances[t.Instance]; i != nil {
		i.Version++
		e.dirty.Put(bucketInstances, i.ID, i)
		e.lookAround(t.Cluster, now)
	}
}

// instance finds an instance of a cluster by id or ARN; nil when there is none.
func (e *ECS) instance(c *cluster, idOrARN string) *instance {
	if i := e.instances[lastPart(idOrARN)]; i != nil && i.Cluster == c.Name && i.Status != statusInactive {
		return i
	}
	return nil
}

func noInstance() error {
	return wire.Errorf("InvalidParameterException", "Container instance not found.")
}

// instancesOf are the registered instances of a cluster, by id.
func (e *ECS) instancesOf(cluster string) []*instance {
	var out []*instance
	for _, id := range slices.Sorted(maps.Keys(e.instances)) {
		if i := e.instances[id]; i.Cluster == cluster && i.Status != statusInactive {
			out = append(out, i)
		}
	}
	return out
}

// tasksOn are the tasks of an instance that are not STOPPED, by id.
func (e *ECS) tasksOn(i *instance) []*task {
	return slices.SortedFunc(slices.Values(e.placed[i.ID]), func(a, b *task) int { return strings.Compare(a.ID, b.ID) })
}

// leaving is whether a task is to be replaced: for maintenance, or because its
// instance drains.
func (e *ECS) leaving(t *task) bool {
	i := e.instances[t.Instance]
	return t.retiring() || i != nil && i.Status != statusActive
}

// need is what a task takes of an instance.
type need struct {
	CPU    int // units
	Memory int // MiB
	Ports  []int
	arch   string // "" for any
}

// needOf reads it from a definition: the task's size where it has one, else
// what its containers ask for (developer guide, task definition parameters).
// With awsvpc a task has ports of its own.
func needOf(spec *ecs.RegisterTaskDefinitionInput) need {
	var n need
	for _, c := range spec.ContainerDefinitions {
		n.CPU += int(c.Cpu)
		switch {
		case c.MemoryReservation != nil:
			n.Memory += int(*c.MemoryReservation)
		case c.Memory != nil:
			n.Memory += int(*c.Memory)
		}
		for _, p := range c.PortMappings {
			switch {
			case spec.NetworkMode == types.NetworkModeAwsvpc:
			case spec.NetworkMode == types.NetworkModeHost:
				n.Ports = append(n.Ports, int(aws.ToInt32(p.ContainerPort)))
			case aws.ToInt32(p.HostPort) > 0:
				n.Ports = append(n.Ports, int(*p.HostPort))
			}
		}
	}
	if cpu, err := strconv.Atoi(aws.ToString(spec.Cpu)); err == nil && cpu > 0 {
		n.CPU = cpu
	}
	if memory, err := strconv.Atoi(aws.ToString(spec.Memory)); err == nil && memory > 0 {
		n.Memory = memory
	}
	if spec.RuntimePlatform != nil {
		switch spec.RuntimePlatform.CpuArchitecture {
		case types.CPUArchitectureArm64:
			n.arch = "arm64"
		case types.CPUArchitectureX8664:
			n.arch = "x86_64"
		}
	}
	return n
}

// left is what the tasks of an instance leave.
func (e *ECS) left(i *instance) need {
	n := need{CPU: i.CPU, Memory: i.Memory}
	for _, t := range e.tasksOn(i) {
		n.CPU -= t.Need.CPU
		n.Memory -= t.Need.Memory
		n.Ports = append(n.Ports, t.Need.Ports...)
	}
	return n
}

// instanceSize is the CPU units and memory that an instance of a type
// registers, and its architecture. The families are those of general use.
func instanceSize(kind string) (cpu, memory int, arch string, err error) {
	family, size, _ := strings.Cut(kind, ".")
	perCPU := 0 // GiB
	if len(family) > 1 {
		switch family[0] {
		case 't', 'm':
			perCPU = 4
		case 'c':
			perCPU = 2
		case 'r':
			perCPU = 8
		}
		if family[1] < '1' || family[1] > '9' {
			perCPU = 0
		}
	}
	cpus, gib := 0, 0.0
	switch {
	case family != "" && family[0] == 't' && slices.Contains([]string{"nano", "micro", "small", "medium"}, size):
		cpus, gib = 2, map[string]float64{"nano": 0.5, "micro": 1, "small": 2, "medium": 4}[size]
	case size == "medium":
		cpus = 1
	case size == "large":
		cpus = 2
	case size == "xlarge":
		cpus = 4
	default:
		if times, isLarge := strings.CutSuffix(size, "xlarge"); isLarge {
			if n, err := strconv.Atoi(times); err == nil && n > 1 && n <= 48 {
				cpus = 4 * n
			}
		}
	}
	if perCPU == 0 || cpus == 0 {
		return 0, 0, "", wire.Errorf("InvalidParameterException", "The instance type %q is not known to drydock; it knows the families t, m, c and r, such as t3.medium and m6g.large.", kind)
	}
	if gib == 0 {
		gib = float64(cpus * perCPU)
	}
	arch = "x86_64"
	if strings.Contains(family[2:], "g") {
		arch = "arm64"
	}
	return cpus * 1024, int(gib * 1024 * usableMemory), arch, nil
}

func (e *ECS) showInstance(i *instance, withTags bool) types.ContainerInstance {
	left := e.left(i)
	out := types.ContainerInstance{
		ContainerInstanceArn: aws.String(i.ARN), Ec2InstanceId: aws.String(i.EC2), Status: aws.String(i.Status), Version: i.Version,
		AgentConnected: i.Status != statusInactive, RegisteredAt: moment(i.Registered),
		VersionInfo:         &types.VersionInfo{AgentVersion: aws.String("1.99.0"), DockerVersion: aws.String("DockerVersion: 25.0.8")},
		RegisteredResources: resources(need{CPU: i.CPU, Memory: i.Memory}), RemainingResources: resources(left),
		Attributes: []types.Attribute{}, Attachments: []types.Attachment{}, Tags: []types.Tag{},
	}
	for _, name := range slices.Sorted(maps.Keys(i.Attributes)) {
		a := types.Attribute{Name: aws.String(name), Value: optional(i.Attributes[name])}
		out.Attributes = append(out.Attributes, a)
	}
	for _, t := range e.tasksOn(i) {
		switch {
		case t.LastStatus == statusRunning:
			out.RunningTasksCount++
		case t.pending():
			out.PendingTasksCount++
		}
	}
	if withTags {
		out.Tags = i.Tags.list()
	}
	return out
}

// agentPorts are those that the container agent keeps for itself.
func agentPorts() []int { return []int{22, 2375, 2376, 51678, 51679} }

func resources(n need) []types.Resource {
	number := func(name string, value int) types.Resource {
		return types.Resource{Name: &name, Type: aws.String("INTEGER"), IntegerValue: int32(value)}
	}
	set := func(name string, values []int) types.Resource {
		r := types.Resource{Name: &name, Type: aws.String("STRINGSET"), StringSetValue: []string{}}
		for _, v := range values {
			r.StringSetValue = append(r.StringSetValue, fmt.Sprint(v))
		}
		return r
	}
	return []types.Resource{number("CPU", n.CPU), number("MEMORY", n.Memory), set("PORTS", append(agentPorts(), n.Ports...)), set("PORTS_UDP", nil)}
}
