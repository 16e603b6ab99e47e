package elb

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// registeringFor is from a target's registration to the first interval of its
// checks: a real service's target with an interval of 30 s counted as healthy
// 40 to 50 s after it was registered.
const registeringFor = 12 * time.Second

// target is one target of a group, with what its checks came to.
type target struct {
	Address   string // or the id of an instance
	Port      int32
	Zone      string
	Task      string // the ECS task behind it; "" for one that was registered by hand
	Container string

	state       types.TargetHealthStateEnum
	reason      types.TargetHealthReasonEnum
	description string

	streak int // checks in a row that speak against the state
	asked  int // checks made; tells the finding of an old one apart
	key    string
}

func zoneOf(d types.TargetDescription) string { return aws.ToString(d.AvailabilityZone) }

// find is the target at that place; task "" is any.
func (g *group) find(address string, port int32, task string) *target {
	for _, t := range g.targets {
		if t.Address == address && t.Port == port && (task == "" || t.Task == task) {
			return t
		}
	}
	return nil
}

// add registers a target, or takes one that drains back.
func (e *ELB) add(g *group, t *target, now time.Time) {
	if old := g.find(t.Address, t.Port, t.Task); old != nil {
		if old.state == types.TargetHealthStateEnumDraining {
			e.begin(g, old, now)
		}
		return
	}
	t.key = "elb/" + *g.Info.TargetGroupArn + "/" + t.Address + ":" + strconv.Itoa(int(t.Port)) + "/" + t.Task
	g.targets = append(g.targets, t)
	e.begin(g, t, now)
}

// begin is the state of a target that was just registered, or whose group has
// just got a load balancer.
func (e *ELB) begin(g *group, t *target, now time.Time) {
	t.streak = 0
	t.asked++
	if !g.used {
		e.unuse(t)
		return
	}
	t.state, t.reason, t.description = types.TargetHealthStateEnumInitial, types.TargetHealthReasonEnumRegistrationInProgress, "Target registration is in progress"
	e.at(g, t, now.Add(e.Clock.Scale(registeringFor)), func(now time.Time) {
		t.reason, t.description = types.TargetHealthReasonEnumInitialHealthChecking, "Initial health checks in progress"
		e.next(g, t, now.Add(e.interval(g)))
	})
}

func (e *ELB) unuse(t *target) {
	e.Clock.Cancel(t.key)
	t.asked++
	t.state, t.reason, t.description = types.TargetHealthStateEnumUnused, types.TargetHealthReasonEnumNotInUse, "Target group is not configured to receive traffic from the load balancer"
}

// reuse begins and ends the checks of groups that a change of listeners or
// rules has given traffic to, or taken it from.
func (e *ELB) reuse(now time.Time) {
	used := e.inUse()
	for _, g := range inOrder(e.groups) {
		if is := used[*g.Info.TargetGroupArn]; is != g.used {
			g.used = is
			for _, t := range g.targets {
				switch {
				case t.state == types.TargetHealthStateEnumDraining:
				case is:
					e.begin(g, t, now)
				default:
					e.unuse(t)
				}
			}
		}
	}
}

// at has step run under the lock when t is still there.
func (e *ELB) at(g *group, t *target, when time.Time, step func(now time.Time)) {
	e.Clock.At(when, t.key, func(now time.Time) {
		e.mu.Lock()
		defer e.mu.Unlock()
		if slices.Contains(g.targets, t) {
			step(now)
		}
	})
}

func (e *ELB) interval(g *group) time.Duration {
	return e.Clock.Scale(time.Duration(*g.Info.HealthCheckIntervalSeconds) * time.Second)
}

// soon has a target checked after one interval of its group, whose settings
// have changed.
func (e *ELB) soon(g *group, t *target, now time.Time) {
	switch t.state {
	case types.TargetHealthStateEnumHealthy, types.TargetHealthStateEnumUnhealthy:
		e.next(g, t, now.Add(e.interval(g)))
	}
}

// next has a target checked at that time.
func (e *ELB) next(g *group, t *target, when time.Time) {
	t.asked++
	asked := t.asked
	e.Clock.At(when, t.key, func(time.Time) {
		e.mu.Lock()
		if t.asked != asked {
			e.mu.Unlock()
			return
		}
		p := runtime.Probe{
			TaskID: t.Task, Container: t.Container, Protocol: string(g.Info.HealthCheckProtocol), Port: int(t.Port),
			Path: aws.ToString(g.Info.HealthCheckPath), Timeout: time.Duration(*g.Info.HealthCheckTimeoutSeconds) * time.Second,
		}
		if port, err := strconv.Atoi(*g.Info.HealthCheckPort); err == nil {
			p.Port = port
		}
		e.mu.Unlock()
		if t.Task == "" { // nothing answers at an address that is no task's
			e.found(g, t, asked, runtime.Finding{Outcome: runtime.TimedOut, Until: when.Add(never)})
			return
		}
		e.Prober.Probe(p, func(f runtime.Finding) { e.found(g, t, asked, f) })
	})
}

// never is longer than any drydock lives.
const never = 200 * 365 * 24 * time.Hour

// found takes what a check came to, unless it is an old one.
func (e *ELB) found(g *group, t *target, asked int, f runtime.Finding) {
	if e.judge(g, t, asked, f) && e.Changed != nil && t.Task != "" {
		e.Changed(t.Task)
	}
}

// judge counts a finding and says whether it changed the target's state. "After
// your target is registered, it must pass one health check to be considered
// healthy"; later the thresholds count (Application Load Balancers guide,
// Health checks for your target groups).
func (e *ELB) judge(g *group, t *target, asked int, f runtime.Finding) (changed bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t.asked != asked || !slices.Contains(g.targets, t) {
		return false
	}
	now := e.Clock.Now()
	passed, reason, description := verdict(g, f)
	was := t.state
	against := passed != (t.state == types.TargetHealthStateEnumHealthy)
	if t.state == types.TargetHealthStateEnumInitial && !passed {
		against = true
	}
	switch {
	case !against:
		t.streak = 0
		if !passed {
			t.reason, t.description = reason, description
		}
	default:
		t.streak++
		switch {
		case passed && (t.state == types.TargetHealthStateEnumInitial || t.streak >= int(*g.Info.HealthyThresholdCount)):
			t.state, t.reason, t.description, t.streak = types.TargetHealthStateEnumHealthy, "", "", 0
		case !passed && t.streak >= int(*g.Info.UnhealthyThresholdCount):
			t.state, t.reason, t.description, t.streak = types.TargetHealthStateEnumUnhealthy, reason, description, 0
		}
	}
	e.next(g, t, e.nextCheck(g, t, now, f.Until))
	return t.state != was
}

// nextCheck is one interval from now; a target whose state nothing speaks
// against, and whose findings stay the same until a known time, is next
// checked at the first of its intervals from that time on.
func (e *ELB) nextCheck(g *group, t *target, now, until time.Time) time.Time {
	interval := e.interval(g)
	ahead := until.Sub(now)
	if t.streak > 0 || t.state == types.TargetHealthStateEnumInitial || ahead <= interval || interval <= 0 {
		return now.Add(interval)
	}
	return now.Add((ahead + interval - 1) / interval * interval)
}

// verdict is what a target group makes of a finding, with the words of
// DescribeTargetHealth (guide, Target health; the descriptions are observed).
func verdict(g *group, f runtime.Finding) (passed bool, reason types.TargetHealthReasonEnum, description string) {
	switch f.Outcome {
	case runtime.Passed:
		return true, "", ""
	case runtime.TimedOut:
		return false, types.TargetHealthReasonEnumTimeout, "Request timed out"
	case runtime.Answered:
		if g.Info.Matcher == nil { // a TCP check is content with a connection
			return true, "", ""
		}
		if wanted, err := parseCodes(*g.Info.Matcher.HttpCode); err == nil && wanted.match(f.Code) {
			return true, "", ""
		}
		return false, types.TargetHealthReasonEnumResponseCodeMismatch, "Health checks failed with these codes: [" + strconv.Itoa(f.Code) + "]"
	}
	return false, types.TargetHealthReasonEnumFailedHealthChecks, "Health checks failed"
}

// remove begins the end of a target: it drains for the group's deregistration
// delay. One that never got traffic goes at once.
func (e *ELB) remove(g *group, t *target, now time.Time) {
	delay := g.delay()
	switch {
	case t.state == types.TargetHealthStateEnumDraining:
	case t.state == types.TargetHealthStateEnumUnused || delay == 0:
		e.drop(g, t)
	default:
		t.asked++
		t.state, t.reason, t.description = types.TargetHealthStateEnumDraining, types.TargetHealthReasonEnumDeregistrationInProgress, "Target deregistration is in progress"
		e.at(g, t, now.Add(e.Clock.Scale(delay)), func(time.Time) { e.drop(g, t) })
	}
}

func (e *ELB) drop(g *group, t *target) {
	t.asked++
	e.Clock.Cancel(t.key)
	g.targets = slices.DeleteFunc(g.targets, func(o *target) bool { return o == t })
}

// place checks a target of a request and fills in the port of the group.
func place(g *group, d types.TargetDescription) (address string, port int32, err error) {
	address, port = aws.ToString(d.Id), *g.Info.Port
	if d.Port != nil {
		port = *d.Port
	}
	switch {
	case address == "":
		return "", 0, invalid("A target ID must be specified")
	case port < 1 || port > 65535:
		return "", 0, invalid("Port '%d' must be between '1' and '65535'", port)
	}
	if g.Info.TargetType == types.TargetTypeEnumIp {
		if _, err := netip.ParseAddr(address); err != nil {
			return "", 0, invalid("The IP address '%s' is not a valid IP address", address)
		}
	}
	return address, port, nil
}

func (e *ELB) registerTargets(_ context.Context, in *elbv2.RegisterTargetsInput) (*elbv2.RegisterTargetsOutput, error) {
	return &elbv2.RegisterTargetsOutput{}, e.change(func(now time.Time) error {
		g, err := e.group(in.TargetGroupArn)
		if err != nil {
			return err
		}
		if len(in.Targets) == 0 {
			return invalid("At least one target must be specified")
		}
		var added []types.TargetDescription
		for _, d := range in.Targets {
			address, port, err := place(g, d)
			if err != nil {
				return err
			}
			if g.Info.TargetType == types.TargetTypeEnumInstance {
				return wire.Errorf("InvalidTarget", "The following targets are not in a running state and cannot be registered: '%s'", address) // there are no instances
			}
			added = append(added, types.TargetDescription{Id: &address, Port: &port, AvailabilityZone: d.AvailabilityZone})
		}
		for _, d := range added {
			if old := g.find(*d.Id, *d.Port, ""); old == nil {
				g.Static = append(g.Static, d)
			}
			e.add(g, &target{Address: *d.Id, Port: *d.Port, Zone: zoneOf(d)}, now)
		}
		e.markGroup(g)
		return nil
	})
}

// deregisterTargets takes targets away, those of ECS too: a service registers
// a task once and does not notice.
func (e *ELB) deregisterTargets(_ context.Context, in *elbv2.DeregisterTargetsInput) (*elbv2.DeregisterTargetsOutput, error) {
	return &elbv2.DeregisterTargetsOutput{}, e.change(func(now time.Time) error {
		g, err := e.group(in.TargetGroupArn)
		if err != nil {
			return err
		}
		if len(in.Targets) == 0 {
			return invalid("At least one target must be specified")
		}
		var leaving []*target
		for _, d := range in.Targets {
			address, port, err := place(g, d)
			if err != nil {
				return err
			}
			if t := g.find(address, port, ""); t != nil { // one that is not registered is no error
				leaving = append(leaving, t)
			}
		}
		for _, t := range leaving {
			g.Static = slices.DeleteFunc(g.Static, func(d types.TargetDescription) bool { return *d.Id == t.Address && *d.Port == t.Port })
			e.remove(g, t, now)
		}
		e.markGroup(g)
		return nil
	})
}

func (e *ELB) describeTargetHealth(_ context.Context, in *elbv2.DescribeTargetHealthInput) (*elbv2.DescribeTargetHealthOutput, error) {
	out := &elbv2.DescribeTargetHealthOutput{TargetHealthDescriptions: []types.TargetHealthDescription{}}
	return out, e.change(func(time.Time) error {
		g, err := e.group(in.TargetGroupArn)
		if err != nil {
			return err
		}
		listed := g.targets
		if len(in.Targets) > 0 {
			listed = nil
			for _, d := range in.Targets {
				address, port, err := place(g, d)
				if err != nil {
					return err
				}
				t := g.find(address, port, "")
				if t == nil {
					t = &target{
						Address: address, Port: port, state: types.TargetHealthStateEnumUnused,
						reason: types.TargetHealthReasonEnumNotRegistered, description: "Target is not registered to the target group",
					}
				}
				listed = append(listed, t)
			}
		}
		for _, t := range listed {
			out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, g.showTarget(t))
		}
		return nil
	})
}

func (g *group) showTarget(t *target) types.TargetHealthDescription {
	port := strconv.Itoa(int(t.Port))
	if p := *g.Info.HealthCheckPort; p != "traffic-port" {
		port = p
	}
	address, traffic := t.Address, t.Port
	out := types.TargetHealthDescription{
		Target:          &types.TargetDescription{Id: &address, Port: &traffic},
		HealthCheckPort: &port,
		TargetHealth:    &types.TargetHealth{State: t.state, Reason: t.reason},
	}
	if t.Zone != "" {
		out.Target.AvailabilityZone = aws.String(t.Zone)
	}
	if t.description != "" {
		out.TargetHealth.Description = aws.String(t.description)
	}
	return out
}
