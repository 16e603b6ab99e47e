package ecs

import (
	"cmp"
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

// request is one task that looks for an instance.
type request struct {
	cluster     string
	group       string // service:NAME, or the group of RunTask
	need        need
	constraints []types.PlacementConstraint
	strategy    []types.PlacementStrategy
}

// misfit is why no instance will do: the one that comes closest, in the words
// of service events and in those of RunTask's failures (developer guide,
// "Amazon ECS service event messages" and "Amazon ECS API failure reasons").
type misfit struct {
	instance *instance // nil: the cluster has none
	event    string
	failure  string
}

// text is the service event without its head.
func (m misfit) text() string {
	const head = "was unable to place a task because no container instance met all of its requirements. "
	const tail = " For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
	if m.instance == nil {
		return head + "Reason: No Container Instances were found in your cluster." + tail
	}
	return head + "The closest matching (container-instance " + m.instance.ID + ") " + m.event + tail
}

// reason is what the placement failure event gives as its reason.
func (m misfit) reason() string {
	if m.instance == nil {
		return "No Container Instances were found in your cluster."
	}
	return m.failure
}

// place finds the instance for one more task: of the ACTIVE ones that meet the
// constraints and have room, the one that the strategies like best, the first
// by id among equals. The misfit is of the instance that got furthest.
func (e *ECS) place(r request) (*instance, misfit) {
	best, furthest := misfit{}, -1
	var fitting []*instance
	for _, i := range e.instancesOf(r.cluster) {
		if i.Status != statusActive {
			continue
		}
		m, passed := e.suits(i, r)
		if m.event == "" {
			fitting = append(fitting, i)
		} else if passed > furthest {
			best, furthest = m, passed
		}
	}
	if len(fitting) == 0 {
		return nil, best
	}
	return e.choose(fitting, r), misfit{}
}

// suits checks one instance; the event is "" when it will do. passed counts
// the checks that it passed.
func (e *ECS) suits(i *instance, r request) (m misfit, passed int) {
	left := e.left(i)
	taken := func() bool {
		return slices.ContainsFunc(r.need.Ports, func(p int) bool {
			return slices.Contains(left.Ports, p) || slices.Contains(agentPorts(), p)
		})
	}
	for _, check := range []struct {
		ok             func() bool
		event, failure string
	}{
		{func() bool { return r.need.arch == "" || r.need.arch == i.Attributes["ecs.cpu-architecture"] }, "is missing an attribute required by your task.", "ATTRIBUTE"},
		{func() bool { return meets(i, r.constraints) }, `encountered error "MemberOf placement constraint unsatisfied.".`, "MemberOf placement constraint unsatisfied."},
		{func() bool { return !distinct(r.constraints) || e.groupOn(i, r.group) == 0 }, `encountered error "DistinctInstance placement constraint unsatisfied.".`, "DistinctInstance placement constraint unsatisfied."},
		{func() bool { return left.CPU >= r.need.CPU }, "has insufficient CPU units available.", "RESOURCE:CPU"},
		{func() bool { return left.Memory >= r.need.Memory }, "has insufficient memory available.", "RESOURCE:MEMORY"},
		{func() bool { return !taken() }, "is already using a port required by your task.", "RESOURCE:PORTS"},
	} {
		if !check.ok() {
			return misfit{i, check.event, check.failure}, passed
		}
		passed++
	}
	return misfit{}, passed
}

// groupOn is how many tasks of a group an instance has.
func (e *ECS) groupOn(i *instance, group string) int {
	n := 0
	for _, t := range e.tasksOn(i) {
		if t.Group == group {
			n++
		}
	}
	return n
}

func distinct(constraints []types.PlacementConstraint) bool {
	return slices.ContainsFunc(constraints, func(c types.PlacementConstraint) bool {
		return c.Type == types.PlacementConstraintTypeDistinctInstance
	})
}

// meets is whether an instance is a member of all that the constraints name.
func meets(i *instance, constraints []types.PlacementConstraint) bool {
	for _, c := range constraints {
		if c.Type != types.PlacementConstraintTypeMemberOf {
			continue
		}
		if match, err := query(aws.ToString(c.Expression)); err != nil || !match(i) {
			return false
		}
	}
	return true
}

// query reads an expression of the cluster query language, as far as drydock
// has it: clauses joined by "and", each "attribute:NAME OPERATOR VALUE" or
// "ec2InstanceId OPERATOR VALUE" with ==, !=, in and not_in (or exists and
// !exists without a value). Anything else is an InvalidParameterException.
func query(expression string) (func(*instance) bool, error) {
	var clauses []func(*instance) bool
	for _, clause := range strings.Split(strings.ReplaceAll(expression, "&&", " and "), " and ") {
		fields := strings.Fields(clause)
		if len(fields) < 2 {
			return nil, wire.Errorf("InvalidParameterException", "Invalid expression: %q is not a clause that drydock can read.", strings.TrimSpace(clause))
		}
		subject, operator := fields[0], fields[1]
		values := strings.FieldsFunc(strings.Join(fields[2:], " "), func(r rune) bool { return strings.ContainsRune("[], '\"", r) })
		name, isAttribute := strings.CutPrefix(subject, "attribute:")
		if !isAttribute && subject != "ec2InstanceId" {
			return nil, wire.Errorf("InvalidParameterException", "Invalid expression: %q is not supported by drydock.", subject)
		}
		value := func(i *instance) (string, bool) {
			if !isAttribute {
				return i.EC2, true
			}
			v, ok := i.Attributes[name]
			return v, ok
		}
		want := 1
		var holds func(v string, ok bool) bool
		switch operator {
		case "==", "equals":
			holds = func(v string, ok bool) bool { return ok && v == values[0] }
		case "!=", "not_equals":
			holds = func(v string, ok bool) bool { return !ok || v != values[0] }
		case "in":
			holds, want = func(v string, ok bool) bool { return ok && slices.Contains(values, v) }, -1
		case "not_in", "!in":
			holds, want = func(v string, ok bool) bool { return !ok || !slices.Contains(values, v) }, -1
		case "exists":
			holds, want = func(_ string, ok bool) bool { return ok }, 0
		case "!exists", "not_exists":
			holds, want = func(_ string, ok bool) bool { return !ok }, 0
		default:
			return nil, wire.Errorf("InvalidParameterException", "Invalid expression: the operator %q is not supported by drydock.", operator)
		}
		if want >= 0 && len(values) != want || want < 0 && len(values) == 0 {
			return nil, wire.Errorf("InvalidParameterException", "Invalid expression: %q does not have the values that %s takes.", strings.TrimSpace(clause), operator)
		}
		clauses = append(clauses, func(i *instance) bool { return holds(value(i)) })
	}
	return func(i *instance) bool {
		return !slices.ContainsFunc(clauses, func(c func(*instance) bool) bool { return !c(i) })
	}, nil
}

// How many constraints or strategies a service or task may
// have (API reference, CreateService).
const (
	maxPlacementConstraints = 10
	maxPlacementStrategies  = 5
)

// checkPlacement refuses constraints and strategies that cannot be kept.
func checkPlacement(constraints []types.PlacementConstraint, strategies []types.PlacementStrategy) error {
	invalid := func(format string, args ...any) error {
		return wire.Errorf("InvalidParameterException", format, args...)
	}
	if len(constraints) > maxPlacementConstraints {
		return invalid("Placement constraints cannot have more than %d elements.", maxPlacementConstraints)
	}
	if len(strategies) > maxPlacementStrategies {
		return invalid("Placement strategies cannot have more than %d elements.", maxPlacementStrategies)
	}
	for _, c := range constraints {
		switch c.Type {
		case types.PlacementConstraintTypeDistinctInstance:
			if aws.ToString(c.Expression) != "" {
				return invalid("An expression can not be specified for the placement constraint distinctInstance.")
			}
		case types.PlacementConstraintTypeMemberOf:
			if _, err := query(aws.ToString(c.Expression)); err != nil {
				return err
			}
		default:
			return invalid("Invalid placement constraint type: %q.", string(c.Type))
		}
	}
	for _, p := range strategies {
		field := aws.ToString(p.Field)
		switch p.Type {
		case types.PlacementStrategyTypeRandom:
			if field != "" {
				return invalid("A field can not be specified for the placement strategy random.")
			}
		case types.PlacementStrategyTypeBinpack:
			if !strings.EqualFold(field, "cpu") && !strings.EqualFold(field, "memory") {
				return invalid("The field of the placement strategy binpack must be cpu or memory.")
			}
		case types.PlacementStrategyTypeSpread:
			if name, isAttribute := strings.CutPrefix(field, "attribute:"); field != "instanceId" && field != "host" && !(isAttribute && name != "") {
				return invalid("The field of the placement strategy spread must be instanceId, host or an attribute.")
			}
		default:
			return invalid("Invalid placement strategy type: %q.", string(p.Type))
		}
	}
	return nil
}

// choose applies the strategies in their order, each to those that the one
// before left equal; without any, tasks are spread over Availability Zones and
// then instances (developer guide, "Replica scheduling strategy").
func (e *ECS) choose(fitting []*instance, r request) *instance {
	strategies := r.strategy
	if len(strategies) == 0 {
		strategies = []types.PlacementStrategy{
			{Type: types.PlacementStrategyTypeSpread, Field: aws.String("attribute:ecs.availability-zone")},
			{Type: types.PlacementStrategyTypeSpread, Field: aws.String("instanceId")},
		}
	}
	for _, p := range strategies {
		if p.Type == types.PlacementStrategyTypeRandom {
			fitting = []*instance{fitting[e.rand.IntN(len(fitting))]}
			continue
		}
		ranks := e.ranks(fitting, p, r)
		least := slices.Min(ranks)
		var kept []*instance
		for n, i := range fitting {
			if ranks[n] == least {
				kept = append(kept, i)
			}
		}
		fitting = kept
	}
	return fitting[0]
}

// ranks is how well each instance suits a strategy, the least best: the tasks
// of the group that share its place, or what of the resource it has left.
func (e *ECS) ranks(fitting []*instance, p types.PlacementStrategy, r request) []int {
	field := aws.ToString(p.Field)
	out := make([]int, len(fitting))
	if p.Type == types.PlacementStrategyTypeBinpack {
		for n, i := range fitting {
			if left := e.left(i); strings.EqualFold(field, "cpu") {
				out[n] = left.CPU
			} else {
				out[n] = left.Memory
			}
		}
		return out
	}
	placeOf := func(i *instance) string {
		if name, isAttribute := strings.CutPrefix(field, "attribute:"); isAttribute {
			return i.Attributes[name]
		}
		return i.ID
	}
	crowd := map[string]int{}
	for _, i := range e.instancesOf(r.cluster) {
		crowd[placeOf(i)] += e.groupOn(i, r.group)
	}
	for n, i := range fitting {
		out[n] = crowd[placeOf(i)]
	}
	return out
}

// settleOn puts a task that was just launched on its instance.
func (e *ECS) settleOn(t *task, i *instance, n need) {
	t.Instance, t.Zone, t.Need = i.ID, i.Zone, n
	t.CPU, t.Memory = cmp.Or(t.CPU, strconv.Itoa(n.CPU)), cmp.Or(t.Memory, strconv.Itoa(n.Memory))
	e.placed[i.ID] = append(e.placed[i.ID], t)
	i.Version++
	e.dirty.Put(bucketInstances, i.ID, i)
	e.markTask(t)
}

// startOnInstances starts up to n tasks of a deployment where there is room,
// and says what is in the way of the others. It is tried again when the
// cluster changes.
func (e *ECS) startOnInstances(s *service, d *deployment, n int, now time.Time) {
	need, err := e.needOfDeployment(d)
	if err != nil {
		e.Log.Error("a task was not placed", "service", s.key(), "error", err)
		return
	}
	var ids []string
	for range n {
		i, m := e.place(request{s.Cluster, "service:" + s.Name, need, s.Constraints, s.Placement})
		if i == nil {
			if e.tell(s, now, "%s", m.text()) {
				e.tellAction(s, "ERROR", "SERVICE_TASK_PLACEMENT_FAILURE", m.reason(), now)
			}
			break
		}
		t := e.startTask(s, d, now)
		e.settleOn(t, i, need)
		ids = append(ids, t.ID)
	}
	e.sayStarted(s, d, ids, now)
}

func (e *ECS) sayStarted(s *service, d *deployment, ids []string, now time.Time) {
	if len(ids) > 0 {
		e.tell(s, now, "has started %d tasks: %s.", len(ids), taskList(ids))
		d.Updated, s.Steady = now, false
	}
}

func (e *ECS) needOfDeployment(d *deployment) (need, error) {
	_, def := e.definition(d.TaskDefinition)
	if def == nil {
		return need{}, fmt.Errorf("the task definition %s is gone", d.TaskDefinition)
	}
	spec, err := def.spec()
	if err != nil {
		return need{}, err
	}
	return needOf(spec), nil
}

// runOnInstances is RunTask on container instances: every task that finds no
// place is a failure of its own.
func (e *ECS) runOnInstances(c *cluster, d *definition, in *ecs.RunTaskInput, launch func() *task) (tasks []*task, failures []types.Failure, err error) {
	failures = []types.Failure{}
	if err := checkPlacement(in.PlacementConstraints, in.PlacementStrategy); err != nil {
		return nil, nil, err
	}
	spec, err := d.spec()
	if err != nil {
		return nil, nil, err
	}
	n, group := needOf(spec), runGroup(in, d)
	for range runCount(in) {
		i, m := e.place(request{c.Name, group, n, in.PlacementConstraints, in.PlacementStrategy})
		if i == nil {
			f := types.Failure{Reason: aws.String(m.reason())}
			if m.instance != nil {
				f.Arn = aws.String(m.instance.ARN)
			}
			failures = append(failures, f)
			continue
		}
		t := launch()
		e.settleOn(t, i, n)
		tasks = append(tasks, t)
	}
	return tasks, failures, nil
}

func (t *task) launchType() types.LaunchType {
	if t.Instance != "" {
		return types.LaunchTypeEc2
	}
	return types.LaunchTypeFargate
}

// showOn corrects what a task shows when it is on a container instance.
func (e *ECS) showOn(t *task, out *types.Task) {
	if t.Instance == "" {
		return
	}
	out.LaunchType = t.launchType()
	out.ContainerInstanceArn = aws.String(e.arn("container-instance", t.Cluster, t.Instance))
	out.PlatformVersion, out.PlatformFamily = nil, nil
	out.EphemeralStorage, out.FargateEphemeralStorage = nil, nil
}

// newestAttributes are the attributes of an instance that a request gives.
func newestAttributes(given []types.Attribute) map[string]string {
	out := map[string]string{}
	for _, a := range given {
		out[aws.ToString(a.Name)] = aws.ToString(a.Value)
	}
	maps.DeleteFunc(out, func(name, _ string) bool { return name == "" })
	return out
}
