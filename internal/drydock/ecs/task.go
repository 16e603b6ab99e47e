package ecs

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/identifier"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime"
)

// The life of a task, in order. It only ever moves forward; a task that ends
// before it ran skips the middle.
const (
	statusProvisioning   = "PROVISIONING"
	statusPending        = "PENDING"
	statusActivating     = "ACTIVATING"
	statusRunning        = "RUNNING"
	statusDeactivating   = "DEACTIVATING"
	statusStopping       = "STOPPING"
	statusDeprovisioning = "DEPROVISIONING"
	statusStopped        = "STOPPED"
)

// task is one task. Times that have not come are zero.
type task struct {
	ID             string
	ARN            string
	Cluster        string // name
	Service        string // name; "" for a task of RunTask
	Deployment     string // ecs-svc/…; "" for a task of RunTask
	Revision       string // number of the service revision
	Group          string // service:NAME, or what RunTask was given
	StartedBy      string // the deployment, or what RunTask was given
	TaskDefinition string // ARN
	Overrides      types.TaskOverride
	Provider       string // capacity provider; "" for a plain launch type
	Execute        bool   // enableExecuteCommand
	Tags           tags
	CPU, Memory    string
	Storage        int32 // ephemeral, GiB
	Arch           string
	Zone           string
	Subnet         string
	Attachment     string // id of the network interface's attachment
	Request        string // of RunTask with a clientToken: what makes a retry the same
	Token          string // clientToken of RunTask

	LastStatus    string
	DesiredStatus string // RUNNING or STOPPED
	Created       time.Time
	PullStarted   time.Time
	PullStopped   time.Time
	Started       time.Time
	Stopping      time.Time
	Executed      time.Time // executionStoppedAt
	Stopped       time.Time
	StopCode      string
	StoppedReason string
	Containers    []*container
	Version       int64

	PullTries  int
	Launched   bool // the runtime knows it
	WasHealthy bool
	Adopted    bool // stands for an imported one that ran: needs no image to start
	Failed     bool // counts as a failure of its deployment when it has STOPPED
	Sick       bool // its failing health was told

	Targets  []target // where it is registered
	Enlisted bool     // it was registered, unless the target groups were gone

	ProtectedUntil time.Time // of UpdateTaskProtection; zero or past: not protected
	Instance       string    // id of its container instance; "" on Fargate
	Need           need      // what it takes of it

	Retirement string    // id; "" for a task that nobody announced the end of
	RetireBy   time.Time // set when its retirement began: stopped then, replaced or not

	resolved resolved // never stored

	told  string // what the last event about it said
	phase int    // counts wake-ups scheduled, so that one that came too late is told apart
}

type container struct {
	Name       string
	ARN        string
	Image      string
	Digest     string
	RuntimeID  string
	LastStatus string
	ExitCode   *int
	Reason     string
	Health     types.HealthStatus // "" without a health check
	Essential  bool
	Begun      bool   // it has run
	CPU        string // units of the definition
	Memory     string // MiB of the definition; "" for none
	Reserved   string // memoryReservation
}

// serviceKey is the key of the service a task belongs to. Tasks of RunTask
// share one that no service has.
func (t *task) serviceKey() string { return t.Cluster + "/" + t.Service }

// pending is what pendingCount counts.
func (t *task) pending() bool {
	switch t.LastStatus {
	case statusProvisioning, statusPending, statusActivating:
		return true
	}
	return false
}

// health is the task's health: of its essential containers with a check. It
// is "" when none has one.
func (t *task) health() types.HealthStatus {
	var all types.HealthStatus
	for _, c := range t.Containers {
		switch {
		case !c.Essential || c.Health == "":
		case c.Health == types.HealthStatusUnhealthy:
			return types.HealthStatusUnhealthy
		case c.Health == types.HealthStatusUnknown || all == types.HealthStatusUnknown:
			all = types.HealthStatusUnknown
		default:
			all = types.HealthStatusHealthy
		}
	}
	return all
}

func (e *ECS) own(t *task) {
	key := t.serviceKey()
	list := e.byOwner[key]
	i, _ := slices.BinarySearchFunc(list, t, func(a, b *task) int {
		if c := a.Created.Compare(b.Created); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	e.byOwner[key] = slices.Insert(list, i, t)
}

// service is the service a task belongs to, nil for a task of RunTask.
func (e *ECS) serviceOf(t *task) *service { return e.services[t.serviceKey()] }

// startTask starts a task of a deployment.
func (e *ECS) startTask(s *service, d *deployment, now time.Time) *task {
	_, def := e.definition(d.TaskDefinition)
	t := &task{
		Cluster: s.Cluster, Service: s.Name, Deployment: d.ID, Revision: d.Revision,
		Group: "service:" + s.Name, StartedBy: d.ID, Execute: s.ExecuteCommand,
		Provider: provider(s.CapacityProviders, e.providers(s)), Tags: tags{},
	}
	if s.Adopt > 0 {
		s.Adopt--
		t.Adopted = true
	}
	switch s.PropagateTags {
	case types.PropagateTagsService:
		maps.Copy(t.Tags, s.Tags)
	case types.PropagateTagsTaskDefinition:
		maps.Copy(t.Tags, def.Tags)
	}
	if s.ManagedTags {
		t.Tags["aws:ecs:clusterName"], t.Tags["aws:ecs:serviceName"] = s.Cluster, s.Name
	}
	e.launchTask(t, def, s.Network, now)
	return t
}

// launchTask fills a new task in from its definition and sets it going.
func (e *ECS) launchTask(t *task, def *definition, network *types.NetworkConfiguration, now time.Time) {
	t.ID = identifier.Hex(e.rand)
	t.ARN, t.TaskDefinition = e.arn("task", t.Cluster, t.ID), def.ARN
	t.Zone = e.Region + string("ac"[e.rand.IntN(2)])
	t.LastStatus, t.DesiredStatus, t.Created = statusProvisioning, statusRunning, now
	t.Storage, t.Arch = 20, "x86_64" // Fargate's least
	if network != nil && network.AwsvpcConfiguration != nil {
		subnets := network.AwsvpcConfiguration.Subnets
		t.Subnet, t.Attachment = subnets[e.rand.IntN(len(subnets))], identifier.UUID(e.rand)
	}
	if spec, err := def.spec(); err == nil {
		t.CPU = cmp.Or(aws.ToString(t.Overrides.Cpu), aws.ToString(spec.Cpu))
		t.Memory = cmp.Or(aws.ToString(t.Overrides.Memory), aws.ToString(spec.Memory))
		if spec.EphemeralStorage != nil {
			t.Storage = spec.EphemeralStorage.SizeInGiB
		}
		if platform(spec) == "linux/arm64" {
			t.Arch = "arm64"
		}
		for _, c := range spec.ContainerDefinitions {
			n := &container{
				Name: *c.Name, Image: *c.Image, LastStatus: statusPending,
				ARN:       e.arn("container", t.Cluster, t.ID, identifier.UUID(e.rand)),
				Essential: c.Essential == nil || *c.Essential,
				CPU:       strconv.Itoa(int(c.Cpu)), Memory: number(c.Memory), Reserved: number(c.MemoryReservation),
			}
			if c.HealthCheck != nil {
				n.Health = types.HealthStatusUnknown
			}
			t.Containers = append(t.Containers, n)
		}
	}
	e.tasks[t.ID] = t
	e.own(t)
	e.markTask(t)
	e.after(t, provisionFor, e.pull)
}

// number is how a task shows an optional number of its definition.
func number(n *int32) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(int(*n))
}

// after has step run on t when one of AWS's own durations has passed.
func (e *ECS) after(t *task, d time.Duration, step func(*task, time.Time)) {
	t.phase++
	phase := t.phase
	e.Clock.At(e.Clock.Now().Add(e.Clock.Scale(d)), "task/"+t.ID, func(time.Time) {
		e.wake(func(now time.Time) {
			if t.phase == phase { // else the task went another way while this waited for the lock
				e.markTask(t)
				step(t, now)
			}
		})
	})
}

// report takes what the runtime tells about a container.
func (e *ECS) report(id string, ev runtime.Event) {
	e.wake(func(now time.Time) {
		t := e.tasks[id]
		if t == nil || t.LastStatus == statusStopped {
			return
		}
		i := slices.IndexFunc(t.Containers, func(c *container) bool { return c.Name == ev.Container })
		if i < 0 {
			return
		}
		c := t.Containers[i]
		e.markTask(t)
		switch ev.Kind {
		case runtime.Started:
			c.LastStatus, c.RuntimeID, c.Begun = statusRunning, ev.RuntimeID, true
			e.started(t)
		case runtime.Failed:
			c.LastStatus = statusStopped
			e.failStart(t, c.Name, ev.Reason, now)
		case runtime.Exited:
			c.LastStatus, c.Reason = statusStopped, ev.Reason
			if c.Begun { // one stopped before it began has no exit code
				c.ExitCode = aws.Int(ev.ExitCode)
			}
			e.exited(t, c, now)
		case runtime.Healthy, runtime.Unhealthy:
			if c.Health != "" {
				c.Health = types.HealthStatusHealthy
				if ev.Kind == runtime.Unhealthy {
					c.Health = types.HealthStatusUnhealthy
				}
				e.nudge(t, now)
			}
		}
	})
}

// started moves the task to ACTIVATING when every container has begun.
func (e *ECS) started(t *task) {
	if t.LastStatus != statusPending || slices.ContainsFunc(t.Containers, func(c *container) bool { return !c.Begun }) {
		return
	}
	t.LastStatus = statusActivating
	e.after(t, activateFor, func(t *task, now time.Time) {
		t.LastStatus, t.Started = statusRunning, now
		if s := e.serviceOf(t); s != nil {
			s.LaunchFailures, s.NotBefore = 0, time.Time{} // the throttle is for tasks that never run
			e.markService(s)
		}
		e.nudge(t, now)
	})
}

// nudge has the scheduler look at the service of a task, if it has one.
func (e *ECS) nudge(t *task, now time.Time) {
	if s := e.serviceOf(t); s != nil {
		e.look(s, now)
	}
}

// exited ends the task when the container was essential or the last one.
func (e *ECS) exited(t *task, c *container, now time.Time) {
	if t.DesiredStatus == statusStopped {
		e.finish(t, now)
		return
	}
	over := !slices.ContainsFunc(t.Containers, func(c *container) bool { return c.LastStatus != statusStopped })
	if c.Essential || over {
		e.end(t, "EssentialContainerExited", "Essential container in task exited", now)
		return
	}
	e.started(t)
}

// failStart ends a task that could not start. The container that failed
// carries the reason too.
func (e *ECS) failStart(t *task, name, reason string, now time.Time) {
	for _, c := range t.Containers {
		if c.Name == name && c.Reason == "" {
			c.Reason = reason
		}
	}
	if t.DesiredStatus == statusStopped {
		e.finish(t, now)
		return
	}
	e.end(t, "TaskFailedToStart", reason, now)
}

// end is how a task ends by itself. It counts as a failure of its deployment,
// unless it was healthy before.
func (e *ECS) end(t *task, code, reason string, now time.Time) {
	s := e.serviceOf(t)
	if s == nil {
		e.stopTask(t, code, reason, now)
		return
	}
	t.Failed = !t.WasHealthy
	if t.Started.IsZero() && code == "TaskFailedToStart" {
		s.LaunchFailures++
		if wait := backOff(s.LaunchFailures); wait > 0 {
			s.NotBefore = now.Add(e.Clock.Scale(wait))
			if e.tell(s, now, "is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.") {
				e.tellAction(s, "WARN", "SERVICE_TASK_START_IMPAIRED", "", now)
			}
		}
		e.tell(s, now, "was unable to place a task. Reason: %s", reason)
	}
	s.Steady = false
	e.markService(s)
	e.stopTask(t, code, reason, now)
}

// stopTask begins the end of a task, whoever asked for it.
func (e *ECS) stopTask(t *task, code, reason string, now time.Time) {
	if t.DesiredStatus == statusStopped {
		return
	}
	t.DesiredStatus, t.Stopping, t.StopCode, t.StoppedReason = statusStopped, now, code, reason
	t.resolved = resolved{}
	t.phase++
	e.Clock.Cancel("task/" + t.ID)
	e.markTask(t)
	e.nudge(t, now)
	if t.LastStatus == statusRunning && code != "EssentialContainerExited" {
		t.LastStatus = statusDeactivating
		if len(t.Targets) == 0 { // else the next tick deregisters it
			e.after(t, deactivateFor, e.signal)
		}
		return
	}
	e.signal(t, now)
}

// signal is the STOPPING phase: SIGTERM, then SIGKILL after the longest
// stopTimeout of the containers.
func (e *ECS) signal(t *task, now time.Time) {
	if t.Launched {
		t.LastStatus = statusStopping
		e.Runtime.Stop(t.ID, e.Clock.Scale(e.stopTimeout(t)))
	}
	e.finish(t, now)
}

func (e *ECS) stopTimeout(t *task) time.Duration {
	spec, _, err := e.plan(t)
	if err != nil {
		return defaultStopTimeout
	}
	longest := time.Duration(0)
	for _, c := range spec.ContainerDefinitions {
		timeout := defaultStopTimeout
		if c.StopTimeout != nil {
			timeout = time.Duration(*c.StopTimeout) * time.Second
		}
		longest = max(longest, timeout)
	}
	return longest
}

// finish is the DEPROVISIONING phase; it waits until no container is left.
func (e *ECS) finish(t *task, now time.Time) {
	if t.LastStatus == statusDeactivating || t.LastStatus == statusDeprovisioning {
		return
	}
	if t.Launched && slices.ContainsFunc(t.Containers, func(c *container) bool { return c.LastStatus == statusRunning }) {
		return
	}
	t.Executed = now
	t.LastStatus = statusDeprovisioning
	e.after(t, deprovisionIn, e.taskStopped)
}

// taskStopped is the end. The task stays visible for an hour.
func (e *ECS) taskStopped(t *task, now time.Time) {
	t.LastStatus, t.Stopped = statusStopped, now
	for _, c := range t.Containers {
		c.LastStatus = statusStopped
	}
	e.markTask(t)
	if s := e.serviceOf(t); s != nil {
		if d := s.deployment(t.Deployment); t.Failed && d != nil {
			s.countFailure(d)
		}
		e.markService(s)
		e.look(s, now)
	}
	if r := e.retirements[t.Retirement]; r != nil {
		e.closeRetired(r, now)
	}
	if t.Instance != "" {
		e.freed(t, now)
	}
	e.forgetLater(t)
}

func (e *ECS) forgetLater(t *task) {
	e.Clock.At(t.Stopped.Add(stoppedVisible), "task/"+t.ID, func(time.Time) {
		e.wake(func(time.Time) {
			delete(e.tasks, t.ID)
			key := t.serviceKey()
			e.byOwner[key] = slices.DeleteFunc(e.byOwner[key], func(o *task) bool { return o == t })
			if len(e.byOwner[key]) == 0 {
				delete(e.byOwner, key)
			}
			e.dirty.Delete(bucketTasks, t.ID)
		})
	})
}

func (e *ECS) showTask(t *task) types.Task {
	out := types.Task{
		TaskArn: &t.ARN, ClusterArn: aws.String(e.arn("cluster", t.Cluster)), TaskDefinitionArn: &t.TaskDefinition,
		Group: &t.Group, StartedBy: optional(t.StartedBy), CapacityProviderName: optional(t.Provider), EnableExecuteCommand: t.Execute,
		LastStatus: aws.String(t.LastStatus), DesiredStatus: aws.String(t.DesiredStatus),
		LaunchType: types.LaunchTypeFargate, PlatformVersion: aws.String("1.4.0"), PlatformFamily: aws.String("Linux"),
		AvailabilityZone: &t.Zone,
		Cpu:              optional(t.CPU), Memory: optional(t.Memory),
		CreatedAt: moment(t.Created), PullStartedAt: moment(t.PullStarted), PullStoppedAt: moment(t.PullStopped), StartedAt: moment(t.Started),
		StoppingAt: moment(t.Stopping), ExecutionStoppedAt: moment(t.Executed), StoppedAt: moment(t.Stopped),
		StopCode: types.TaskStopCode(t.StopCode), StoppedReason: optional(t.StoppedReason),
		HealthStatus: types.HealthStatusUnknown, Version: t.Version,
		Attachments: t.attachments(), Containers: []types.Container{}, Tags: []types.Tag{},
		Attributes:       []types.Attribute{{Name: aws.String("ecs.cpu-architecture"), Value: aws.String(t.Arch)}},
		EphemeralStorage: &types.EphemeralStorage{SizeInGiB: t.Storage}, FargateEphemeralStorage: &types.TaskEphemeralStorage{SizeInGiB: t.Storage},
		Overrides: t.overrides(),
	}
	if !t.PullStarted.IsZero() { // the agent is there from PENDING on
		out.Connectivity, out.ConnectivityAt = types.ConnectivityConnected, moment(t.PullStarted)
	}
	if h := t.health(); h != "" {
		out.HealthStatus = h
	}
	for _, c := range t.Containers {
		n := types.Container{
			Name: &c.Name, ContainerArn: &c.ARN, TaskArn: &t.ARN, Image: &c.Image, ImageDigest: optional(c.Digest),
			RuntimeId: optional(c.RuntimeID), LastStatus: aws.String(c.LastStatus), Reason: optional(c.Reason),
			HealthStatus: types.HealthStatusUnknown, NetworkBindings: []types.NetworkBinding{}, NetworkInterfaces: t.interfaces(),
			Cpu: optional(c.CPU), Memory: optional(c.Memory), MemoryReservation: optional(c.Reserved),
		}
		if c.Health != "" {
			n.HealthStatus = c.Health
		}
		if t.Execute {
			n.ManagedAgents = execAgent()
		}
		if c.ExitCode != nil {
			n.ExitCode = aws.Int32(int32(*c.ExitCode))
		}
		out.Containers = append(out.Containers, n)
	}
	e.showOn(t, &out)
	return out
}
