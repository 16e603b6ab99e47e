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

// maxRun is how many tasks one RunTask may start.
const maxRun = 10

// runTask starts tasks that belong to no service: they run once and are not
// replaced.
func (e *ECS) runTask(_ context.Context, call wire.Call) (any, error) {
	in := new(ecs.RunTaskInput)
	if err := decode(call.Body, in); err != nil {
		return nil, err
	}
	if err := checkRun(in); err != nil {
		return nil, err
	}
	given, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	request, err := fingerprint(call.Body)
	if err != nil {
		return nil, err
	}
	out := &ecs.RunTaskOutput{Tasks: []types.Task{}, Failures: []types.Failure{}}
	return out, e.change(func(now time.Time) error {
		c, err := e.cluster(in.Cluster)
		if err != nil {
			return err
		}
		d, err := e.startable(in.TaskDefinition)
		if err != nil {
			return err
		}
		launch, strategy := in.LaunchType, in.CapacityProviderStrategy
		if launch == "" && len(strategy) == 0 {
			strategy = c.Strategy
		}
		fargate := onFargate(launch, strategy)
		if !fargate && len(e.instancesOf(c.Name)) == 0 {
			return wire.Errorf("InvalidParameterException", "No Container Instances were found in your cluster.")
		}
		network := withNetworkDefaults(in.NetworkConfiguration)
		if err := e.runnable(d, fargate, network); err != nil {
			return err
		}
		if err := checkOverrides(d, in.Overrides); err != nil {
			return err
		}
		tasks, err := e.ranBefore(c, aws.ToString(in.ClientToken), request)
		if err != nil {
			return err
		}
		if tasks == nil {
			placed := map[string]int{} // by provider: the base of a strategy is per call here
			launch := func() *task {
				t := e.runOne(c, d, in, given, provider(strategy, placed), network, now)
				placed[t.Provider]++
				return t
			}
			if fargate {
				tasks = e.run(runCount(in), launch)
			} else if tasks, out.Failures, err = e.runOnInstances(c, d, in, launch); err != nil {
				return err
			}
			slices.SortFunc(tasks, func(a, b *task) int { return strings.Compare(a.ID, b.ID) }) // as a retry finds them
			for _, t := range tasks {
				t.Request, t.Token = request, aws.ToString(in.ClientToken)
			}
		}
		for _, t := range tasks {
			shown := e.showTask(t)
			shown.Tags = t.Tags.list()
			out.Tasks = append(out.Tasks, shown)
		}
		return nil
	})
}

func checkRun(in *ecs.RunTaskInput) error {
	invalid := func(format string, args ...any) error {
		return wire.Errorf("InvalidParameterException", format, args...)
	}
	if n := in.Count; n != nil && (*n < 1 || *n > maxRun) {
		return invalid("Count must be between 1 and %d.", maxRun)
	}
	if in.LaunchType != "" && len(in.CapacityProviderStrategy) > 0 {
		return invalid("Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.")
	}
	if strings.HasPrefix(aws.ToString(in.Group), "service:") {
		return invalid("The group namespace service: is reserved for the tasks of services.")
	}
	if len(aws.ToString(in.StartedBy)) > 128 {
		return invalid("startedBy must have at most 128 characters.")
	}
	if in.PropagateTags == types.PropagateTagsService {
		return invalid("A standalone task has no service to propagate tags from.")
	}
	return checkServiceParts(serviceParts{providers: in.CapacityProviderStrategy})
}

func checkOverrides(d *definition, o *types.TaskOverride) error {
	if o == nil {
		return nil
	}
	spec, err := d.spec()
	if err != nil {
		return err
	}
	for _, c := range o.ContainerOverrides {
		if !slices.ContainsFunc(spec.ContainerDefinitions, func(known types.ContainerDefinition) bool { return *known.Name == aws.ToString(c.Name) }) {
			return wire.Errorf("InvalidParameterException", "Override for container named %s is not a container in the TaskDefinition.", aws.ToString(c.Name))
		}
	}
	o.Cpu, o.Memory = normalize(o.Cpu, "vcpu"), normalize(o.Memory, "gb")
	if o.Cpu != nil || o.Memory != nil {
		cpu, memory := aws.ToString(spec.Cpu), aws.ToString(spec.Memory)
		if o.Cpu != nil {
			cpu = *o.Cpu
		}
		if o.Memory != nil {
			memory = *o.Memory
		}
		if !fargateSize(cpu, memory) {
			return wire.Errorf("InvalidParameterException", "No Fargate configuration exists for given values.")
		}
	}
	return nil
}

// ranBefore finds the tasks that an earlier RunTask of that client token
// started; nil when there was none. The same token for something else is a
// conflict.
func (e *ECS) ranBefore(c *cluster, token, request string) ([]*task, error) {
	if token == "" {
		return nil, nil
	}
	var found []*task
	for _, t := range e.byOwner[c.Name+"/"] {
		if t.Token != token {
			continue
		}
		if t.Request != request {
			return nil, wire.Errorf("ConflictException", "The clientToken %s was used with another request.", token)
		}
		found = append(found, t)
	}
	return found, nil
}

// runCount is how many tasks RunTask is to start.
func runCount(in *ecs.RunTaskInput) int {
	if in.Count == nil {
		return 1
	}
	return int(*in.Count)
}

// runGroup is the group of the tasks of RunTask.
func runGroup(in *ecs.RunTaskInput, d *definition) string {
	if group := aws.ToString(in.Group); group != "" {
		return group
	}
	return "family:" + d.Family
}

func (e *ECS) run(count int, launch func() *task) []*task {
	var out []*task
	for range count {
		out = append(out, launch())
	}
	return out
}

// runOne starts one task of RunTask on a capacity provider, "" for none.
func (e *ECS) runOne(c *cluster, d *definition, in *ecs.RunTaskInput, given tags, provider string, network *types.NetworkConfiguration, now time.Time) *task {
	t := &task{
		Cluster: c.Name, Group: runGroup(in, d), StartedBy: aws.ToString(in.StartedBy), Execute: in.EnableExecuteCommand,
		Provider: provider, Tags: tags{},
	}
	if in.Overrides != nil {
		t.Overrides = *in.Overrides
	}
	if in.PropagateTags == types.PropagateTagsTaskDefinition {
		maps.Copy(t.Tags, d.Tags)
	}
	maps.Copy(t.Tags, given) // what the call says goes over what is propagated
	if in.EnableECSManagedTags {
		t.Tags["aws:ecs:clusterName"] = c.Name
	}
	e.launchTask(t, d, network, now)
	return t
}

// override is what RunTask changes about one container.
type override types.ContainerOverride

func (t *task) override(container string) override {
	for _, o := range t.Overrides.ContainerOverrides {
		if aws.ToString(o.Name) == container {
			return override(o)
		}
	}
	return override{}
}

func (o override) command(c types.ContainerDefinition) []string {
	if o.Command != nil {
		return o.Command
	}
	return c.Command
}

// environment is the definition's, with variables added or replaced.
func (o override) environment(c types.ContainerDefinition) []types.KeyValuePair {
	out := slices.Clone(c.Environment)
	for _, kv := range o.Environment {
		out = slices.DeleteFunc(out, func(old types.KeyValuePair) bool { return aws.ToString(old.Name) == aws.ToString(kv.Name) })
		out = append(out, kv)
	}
	return out
}

// overrides is how a task shows them: every container by name, with what was
// changed about it.
func (t *task) overrides() *types.TaskOverride {
	out := t.Overrides
	out.ContainerOverrides = []types.ContainerOverride{}
	for _, c := range t.Containers {
		shown := types.ContainerOverride(t.override(c.Name))
		shown.Name = aws.String(c.Name)
		out.ContainerOverrides = append(out.ContainerOverrides, shown)
	}
	return &out
}
