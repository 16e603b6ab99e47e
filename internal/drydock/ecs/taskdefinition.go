package ecs

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// family is all revisions of a task definition. Numbers are never used again,
// not even after a revision was deleted.
type family struct {
	Name      string
	Last      int // the highest number given out
	Revisions []*definition
}

// definition is one revision. Document is what was registered, with ECS's
// defaults filled in; members that the SDK of this build does not know are in
// it too and are given back as they came.
type definition struct {
	ARN          string
	Family       string
	Revision     int
	Status       string // ACTIVE or INACTIVE
	Registered   time.Time
	Deregistered time.Time
	Document     json.RawMessage
	Tags         tags

	parsed *ecs.RegisterTaskDefinitionInput // the document, once spec has read it
}

// spec is the part of a definition that the scheduler needs; it is not to be
// changed. The caller holds the lock.
func (d *definition) spec() (*ecs.RegisterTaskDefinitionInput, error) {
	if d.parsed != nil {
		return d.parsed, nil
	}
	in := new(ecs.RegisterTaskDefinitionInput)
	if err := wire.Decode(d.Document, in); err != nil {
		return nil, fmt.Errorf("task definition %s: %w", d.ARN, err)
	}
	d.parsed = in
	return in, nil
}

// definition finds a revision by "family", "family:revision" or ARN. A bare
// family means its newest ACTIVE revision. It is nil when there is none.
func (e *ECS) definition(id string) (*family, *definition) {
	name, number, numbered := strings.Cut(lastPart(id), ":")
	f := e.families[name]
	if f == nil {
		return nil, nil
	}
	for _, d := range slices.Backward(f.Revisions) {
		if numbered && strconv.Itoa(d.Revision) == number || !numbered && d.Status == statusActive {
			return f, d
		}
	}
	return f, nil
}

// usable finds the revision that a service or task is to run.
func (e *ECS) usable(id *string) (*definition, error) {
	if aws.ToString(id) == "" {
		return nil, wire.Errorf("InvalidParameterException", "Task definition can not be blank.")
	}
	_, d := e.definition(*id)
	if d == nil {
		return nil, wire.Errorf("ClientException", "Unable to find task definition: %s", *id)
	}
	if d.Status != statusActive {
		return nil, wire.Errorf("ClientException", "TaskDefinition is inactive")
	}
	return d, nil
}

// registerTaskDefinition works on the raw document, so that nothing of it is
// lost on the way through this build's structs.
func (e *ECS) registerTaskDefinition(_ context.Context, c wire.Call) (any, error) {
	in := new(ecs.RegisterTaskDefinitionInput)
	if err := wire.Decode(c.Body, in); err != nil {
		return nil, err
	}
	if err := checkDefinition(in); err != nil {
		return nil, err
	}
	given, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	doc, err := membersOf(c.Body)
	if err != nil {
		return nil, wire.Errorf("SerializationException", "%v", err)
	}
	delete(doc, "tags")
	fillDefaults(doc)
	raw, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("render task definition: %w", err)
	}
	var out map[string]any
	err = e.change(func(now time.Time) error {
		f := e.families[*in.Family]
		if f == nil {
			f = &family{Name: *in.Family}
			e.families[f.Name] = f
		}
		f.Last++
		d := &definition{
			ARN:        e.arn("task-definition", f.Name+":"+strconv.Itoa(f.Last)),
			Family:     f.Name,
			Revision:   f.Last,
			Status:     statusActive,
			Registered: now,
			Document:   raw,
			Tags:       given,
		}
		f.Revisions = append(f.Revisions, d)
		e.markFamily(f)
		out, err = e.showDefinition(d)
		return err
	})
	return out, err
}

// checkDefinition is RegisterTaskDefinition's validation. Errors are
// ClientException, with AWS's wording where it is known.
func checkDefinition(in *ecs.RegisterTaskDefinitionInput) error {
	client := func(format string, args ...any) error { return wire.Errorf("ClientException", format, args...) }
	if name := aws.ToString(in.Family); name == "" || checkName("family", name) != nil {
		return client("Family contains invalid characters or is blank: %q.", name)
	}
	if len(in.ContainerDefinitions) == 0 {
		return client("Container list cannot be empty.")
	}
	seen, essential := map[string]bool{}, false
	for i, c := range in.ContainerDefinitions {
		name := aws.ToString(c.Name)
		if name == "" || checkName("container name", name) != nil {
			return client("Container.name contains invalid characters or is blank: containerDefinitions[%d].", i)
		}
		if seen[name] {
			return client("Container list contains duplicate name: %s.", name)
		}
		seen[name] = true
		if image := aws.ToString(c.Image); image == "" || strings.TrimSpace(image) != image {
			return client("Container.image should not be null or empty.")
		}
		essential = essential || aws.ToBool(c.Essential) || c.Essential == nil
		for _, d := range c.DependsOn {
			if !slices.ContainsFunc(in.ContainerDefinitions, func(o types.ContainerDefinition) bool {
				return aws.ToString(o.Name) == aws.ToString(d.ContainerName)
			}) {
				return client("Container '%s' depends on '%s', which is not in the task definition.", name, aws.ToString(d.ContainerName))
			}
		}
		if h := c.HealthCheck; h != nil {
			if err := checkHealthCheck(name, h); err != nil {
				return err
			}
		}
		if c.StopTimeout != nil && (*c.StopTimeout < 0 || *c.StopTimeout > maxStopTimeout) {
			return client("Container '%s': stopTimeout must be between 0 and %d seconds.", name, maxStopTimeout)
		}
		if c.LogConfiguration != nil && c.LogConfiguration.LogDriver == types.LogDriverAwslogs && c.LogConfiguration.Options["awslogs-group"] == "" {
			return client("Log driver awslogs requires options: awslogs-group, awslogs-region.")
		}
	}
	if !essential {
		return client("At least one container in a task definition must be essential.")
	}
	if slices.Contains(in.RequiresCompatibilities, types.CompatibilityFargate) {
		if in.NetworkMode != types.NetworkModeAwsvpc {
			return client("Fargate only supports network mode 'awsvpc'.")
		}
		if in.Cpu == nil || in.Memory == nil {
			return client("Fargate requires that 'cpu' and 'memory' be defined at the task level.")
		}
		if !fargateSize(*in.Cpu, *in.Memory) {
			return client("No Fargate configuration exists for given values.")
		}
		if hasAwslogs(in.ContainerDefinitions) && aws.ToString(in.ExecutionRoleArn) == "" {
			return client("Fargate requires task definition to have execution role ARN to support log driver awslogs.")
		}
	}
	return nil
}

// maxStopTimeout is Fargate's (API reference, ContainerDefinition).
const maxStopTimeout = 120

// checkHealthCheck holds a health check to the ranges of the API reference,
// HealthCheck.
func checkHealthCheck(container string, h *types.HealthCheck) error {
	if len(h.Command) == 0 {
		return wire.Errorf("ClientException", "Container '%s': the health check command cannot be empty.", container)
	}
	for _, r := range []struct {
		name      string
		value     *int32
		low, high int32
	}{{"interval", h.Interval, 5, 300}, {"timeout", h.Timeout, 2, 60}, {"retries", h.Retries, 1, 10}, {"startPeriod", h.StartPeriod, 0, 300}} {
		if r.value != nil && (*r.value < r.low || *r.value > r.high) {
			return wire.Errorf("ClientException", "Container '%s': the health check's %s must be between %d and %d.", container, r.name, r.low, r.high)
		}
	}
	return nil
}

func hasAwslogs(containers []types.ContainerDefinition) bool {
	return slices.ContainsFunc(containers, func(c types.ContainerDefinition) bool {
		return c.LogConfiguration != nil && c.LogConfiguration.LogDriver == types.LogDriverAwslogs
	})
}

// fargateSize says whether Fargate offers that pair of CPU units and MiB
// (developer guide, task size).
func fargateSize(cpu, memory string) bool {
	units, err := strconv.Atoi(cpu)
	mib, err2 := strconv.Atoi(memory)
	if err != nil || err2 != nil {
		return false
	}
	inSteps := func(from, to, step int) bool {
		return mib >= from*1024 && mib <= to*1024 && (mib-from*1024)%(step*1024) == 0
	}
	switch units {
	case 256:
		return mib == 512 || inSteps(1, 2, 1)
	case 512:
		return inSteps(1, 4, 1)
	case 1024:
		return inSteps(2, 8, 1)
	case 2048:
		return inSteps(4, 16, 1)
	case 4096:
		return inSteps(8, 30, 1)
	case 8192:
		return inSteps(16, 60, 4)
	case 16384:
		return inSteps(32, 120, 8)
	}
	return false
}

// fillDefaults adds what RegisterTaskDefinition adds to a document: clients
// compare definitions with these in them.
func fillDefaults(doc map[string]any) {
	setDefault := func(m map[string]any, key string, value any) {
		if m[key] == nil {
			m[key] = value
		}
	}
	setDefault(doc, "volumes", []any{})
	setDefault(doc, "placementConstraints", []any{})
	containers, _ := doc["containerDefinitions"].([]any)
	for _, c := range containers {
		m, isObject := c.(map[string]any)
		if !isObject {
			continue
		}
		setDefault(m, "cpu", 0)
		setDefault(m, "essential", true)
		for _, list := range []string{"portMappings", "environment", "mountPoints", "volumesFrom", "systemControls"} {
			setDefault(m, list, []any{})
		}
		ports, _ := m["portMappings"].([]any)
		for _, p := range ports {
			port, isObject := p.(map[string]any)
			if !isObject {
				continue
			}
			setDefault(port, "protocol", "tcp")
			if doc["networkMode"] == "awsvpc" && port["containerPort"] != nil {
				setDefault(port, "hostPort", port["containerPort"])
			}
		}
	}
}

// membersOf reads a JSON object and keeps its numbers as they are written: a
// float64 would round them.
func membersOf(doc []byte) (map[string]any, error) {
	members := map[string]any{}
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	return members, d.Decode(&members)
}

// showDefinition is the answer of the operations that show one revision. The
// caller holds the lock.
func (e *ECS) showDefinition(d *definition) (map[string]any, error) {
	doc, err := membersOf(d.Document)
	if err != nil {
		return nil, fmt.Errorf("stored task definition %s: %w", d.ARN, err)
	}
	spec, err := d.spec()
	if err != nil {
		return nil, err
	}
	doc["taskDefinitionArn"] = d.ARN
	doc["revision"] = d.Revision
	doc["status"] = d.Status
	doc["registeredAt"] = d.Registered
	doc["registeredBy"] = "arn:aws:iam::" + e.Account + ":user/drydock"
	doc["compatibilities"] = compatibilities(spec)
	doc["requiresAttributes"] = attributes(spec)
	if !d.Deregistered.IsZero() {
		doc["deregisteredAt"] = d.Deregistered
	}
	return map[string]any{"taskDefinition": doc, "tags": d.Tags.list()}, nil
}

func compatibilities(spec *ecs.RegisterTaskDefinitionInput) []string {
	out := []string{"EC2"}
	if spec.NetworkMode == types.NetworkModeAwsvpc && spec.Cpu != nil && spec.Memory != nil && fargateSize(*spec.Cpu, *spec.Memory) {
		out = append(out, "FARGATE")
	}
	return out
}

// attributes names what an instance must offer to run the definition.
func attributes(spec *ecs.RegisterTaskDefinitionInput) []types.Attribute {
	names := []string{"com.amazonaws.ecs.capability.docker-remote-api.1.18"}
	if hasAwslogs(spec.ContainerDefinitions) {
		names = append(names, "com.amazonaws.ecs.capability.logging-driver.awslogs", "ecs.capability.execution-role-awslogs")
	}
	if aws.ToString(spec.TaskRoleArn) != "" {
		names = append(names, "com.amazonaws.ecs.capability.task-iam-role")
	}
	if spec.NetworkMode == types.NetworkModeAwsvpc {
		names = append(names, "ecs.capability.task-eni")
	}
	if slices.ContainsFunc(spec.ContainerDefinitions, func(c types.ContainerDefinition) bool { return strings.Contains(aws.ToString(c.Image), ".dkr.ecr.") }) {
		names = append(names, "com.amazonaws.ecs.capability.ecr-auth")
	}
	out := make([]types.Attribute, len(names))
	for i := range names {
		out[i] = types.Attribute{Name: &names[i]}
	}
	return out
}

func (e *ECS) describeTaskDefinition(_ context.Context, c wire.Call) (any, error) {
	in := new(ecs.DescribeTaskDefinitionInput)
	if err := wire.Decode(c.Body, in); err != nil {
		return nil, err
	}
	var out map[string]any
	err := e.change(func(time.Time) error {
		_, d := e.definition(aws.ToString(in.TaskDefinition))
		if d == nil {
			return wire.Errorf("ClientException", "Unable to describe task definition.")
		}
		var err error
		out, err = e.showDefinition(d)
		if !slices.Contains(in.Include, types.TaskDefinitionFieldTags) {
			delete(out, "tags")
		}
		return err
	})
	return out, err
}

func (e *ECS) deregisterTaskDefinition(_ context.Context, c wire.Call) (any, error) {
	in := new(ecs.DeregisterTaskDefinitionInput)
	if err := wire.Decode(c.Body, in); err != nil {
		return nil, err
	}
	var out map[string]any
	err := e.change(func(now time.Time) error {
		id := lastPart(aws.ToString(in.TaskDefinition))
		f, d := e.definition(id)
		if d == nil || !strings.Contains(id, ":") { // a bare family is not enough here
			return wire.Errorf("ClientException", "Unable to describe task definition.")
		}
		if d.Status == statusActive {
			d.Status, d.Deregistered = statusInactive, now
			e.markFamily(f)
		}
		var err error
		out, err = e.showDefinition(d)
		delete(out, "tags")
		return err
	})
	return out, err
}

func (e *ECS) listTaskDefinitions(_ context.Context, in *ecs.ListTaskDefinitionsInput) (*ecs.ListTaskDefinitionsOutput, error) {
	status := cmp.Or(string(in.Status), statusActive)
	out := &ecs.ListTaskDefinitionsOutput{}
	err := e.change(func(time.Time) error {
		var arns []string
		for _, name := range slices.Sorted(maps.Keys(e.families)) {
			if in.FamilyPrefix != nil && *in.FamilyPrefix != name { // named a prefix, matched whole
				continue
			}
			for _, d := range e.families[name].Revisions {
				if d.Status == status {
					arns = append(arns, d.ARN)
				}
			}
		}
		order := compareRevisions
		if in.Sort == types.SortOrderDesc {
			slices.Reverse(arns)
			order = func(a, b string) int { return compareRevisions(b, a) }
		}
		var err error
		out.TaskDefinitionArns, out.NextToken, err = page(arns, in.MaxResults, in.NextToken, 100, order)
		return err
	})
	return out, err
}

// compareRevisions orders "family:revision" by family, then by number.
func compareRevisions(a, b string) int {
	family, number, _ := strings.Cut(lastPart(a), ":")
	family2, number2, _ := strings.Cut(lastPart(b), ":")
	n, _ := strconv.Atoi(number)
	n2, _ := strconv.Atoi(number2)
	return cmp.Or(strings.Compare(family, family2), cmp.Compare(n, n2))
}

func (e *ECS) listTaskDefinitionFamilies(_ context.Context, in *ecs.ListTaskDefinitionFamiliesInput) (*ecs.ListTaskDefinitionFamiliesOutput, error) {
	out := &ecs.ListTaskDefinitionFamiliesOutput{}
	err := e.change(func(time.Time) error {
		var names []string
		for _, name := range slices.Sorted(maps.Keys(e.families)) {
			active := slices.ContainsFunc(e.families[name].Revisions, func(d *definition) bool { return d.Status == statusActive })
			fits := in.Status == "" || in.Status == types.TaskDefinitionFamilyStatusAll || (in.Status == types.TaskDefinitionFamilyStatusActive) == active
			if fits && strings.HasPrefix(name, aws.ToString(in.FamilyPrefix)) {
				names = append(names, name)
			}
		}
		var err error
		out.Families, out.NextToken, err = page(names, in.MaxResults, in.NextToken, 100, strings.Compare)
		return err
	})
	return out, err
}
