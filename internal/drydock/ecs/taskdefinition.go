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
	ARN             string
	Family          string
	Revision        int
	Status          string // ACTIVE, INACTIVE or DELETE_IN_PROGRESS
	Registered      time.Time
	Deregistered    time.Time
	DeleteRequested time.Time // of DeleteTaskDefinitions
	By              string    // ARN of who registered it; "" for the account's administrator
	Document        json.RawMessage
	Tags            tags

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

// usable finds the revision that a service is to run.
func (e *ECS) usable(id *string) (*definition, error) {
	return e.activeDefinition(id, "ClientException")
}

// startable finds the revision that RunTask or StartTask is to run. Of an
// inactive one they say the same as the others, with another exception
// (observed).
func (e *ECS) startable(id *string) (*definition, error) {
	return e.activeDefinition(id, "InvalidParameterException")
}

func (e *ECS) activeDefinition(id *string, inactive string) (*definition, error) {
	if aws.ToString(id) == "" {
		return nil, wire.Errorf("InvalidParameterException", "Task definition can not be blank.")
	}
	if err := e.ours(*id, "task-definition"); err != nil {
		return nil, err
	}
	_, d := e.definition(*id)
	if d == nil {
		return nil, wire.Errorf("ClientException", "TaskDefinition not found.")
	}
	if d.Status != statusActive {
		return nil, wire.Errorf(inactive, "TaskDefinition is inactive")
	}
	return d, nil
}

// registerTaskDefinition works on the raw document, so that nothing of it is
// lost on the way through this build's structs.
func (e *ECS) registerTaskDefinition(ctx context.Context, c wire.Call) (any, error) {
	in := new(ecs.RegisterTaskDefinitionInput)
	if err := decode(c.Body, in); err != nil {
		return nil, err
	}
	if err := checkLength(c.Body); err != nil {
		return nil, err
	}
	size, err := taskSizeOf(in)
	if err != nil {
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
	size.put(doc)
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
			By:         wire.CallerOf(ctx),
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
	volumes, _ := doc["volumes"].([]any)
	for _, v := range volumes {
		if volume, isObject := v.(map[string]any); isObject {
			fillVolume(volume)
		}
	}
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
			fillHostPort(doc["networkMode"], port)
		}
	}
}

// fillHostPort: where a task has the network for itself, or all of the host's,
// a port is the same inside and outside, and 0 means that too; else 0 is a port
// that docker picks.
func fillHostPort(mode any, port map[string]any) {
	if port["containerPort"] == nil { // a range
		return
	}
	given, _ := port["hostPort"].(json.Number)
	switch same := mode == "awsvpc" || mode == "host"; {
	case same && (port["hostPort"] == nil || given == "0"):
		port["hostPort"] = port["containerPort"]
	case port["hostPort"] == nil:
		port["hostPort"] = 0
	}
}

// fillVolume: a volume that says nothing of what it is lives on the host.
func fillVolume(volume map[string]any) {
	for name, v := range volume {
		if v != nil && name != "name" {
			return
		}
	}
	volume["host"] = map[string]any{}
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
	doc["registeredBy"] = cmp.Or(d.By, "arn:aws:iam::"+e.Account+":user/drydock")
	doc["compatibilities"] = compatibilities(spec)
	doc["requiresAttributes"] = attributes(spec)
	if !d.Deregistered.IsZero() {
		doc["deregisteredAt"] = d.Deregistered
	}
	if !d.DeleteRequested.IsZero() {
		doc["deleteRequestedAt"] = d.DeleteRequested
	}
	return map[string]any{"taskDefinition": doc, "tags": d.Tags.list()}, nil
}

func (e *ECS) describeTaskDefinition(_ context.Context, c wire.Call) (any, error) {
	in := new(ecs.DescribeTaskDefinitionInput)
	if err := decode(c.Body, in); err != nil {
		return nil, err
	}
	var out map[string]any
	err := e.change(func(time.Time) error {
		if err := e.ours(*in.TaskDefinition, "task-definition"); err != nil {
			return err
		}
		_, d := e.definition(*in.TaskDefinition)
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
	if err := decode(c.Body, in); err != nil {
		return nil, err
	}
	var out map[string]any
	err := e.change(func(now time.Time) error {
		if err := e.ours(*in.TaskDefinition, "task-definition"); err != nil {
			return err
		}
		id := lastPart(*in.TaskDefinition)
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
			if fits && len(e.families[name].Revisions) > 0 && strings.HasPrefix(name, aws.ToString(in.FamilyPrefix)) {
				names = append(names, name)
			}
		}
		var err error
		out.Families, out.NextToken, err = page(names, in.MaxResults, in.NextToken, 100, strings.Compare)
		return err
	})
	return out, err
}
