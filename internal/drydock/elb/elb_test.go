package elb

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// yard is an ELB on a clock that the test turns; what its probes find, the
// test says.
type yard struct {
	*testing.T
	*ELB
	clock   *clock.Clock
	store   *store.Store
	finding runtime.Finding
	probes  int
	changed []string
}

// Probe implements [Prober].
func (y *yard) Probe(_ runtime.Probe, report func(runtime.Finding)) {
	y.probes++
	report(y.finding)
}

func newYard(t *testing.T, st *store.Store, c *clock.Clock) *yard {
	y := &yard{T: t, clock: c, store: st, finding: runtime.Finding{Outcome: runtime.Passed}}
	var err error
	y.ELB, err = New(Options{
		Account: "123456789012", Region: "ap-northeast-1", Clock: c, Store: st, Prober: y, Log: slog.New(slog.DiscardHandler), Seed: 1,
		Changed: func(task string) { y.changed = append(y.changed, task) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return y
}

func fresh(t *testing.T) *yard {
	return newYard(t, store.Memory(), clock.Manual(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)))
}

func (y *yard) try(op string, members ...string) (any, error) {
	y.Helper()
	form := url.Values{}
	for i := 0; i < len(members); i += 2 {
		form.Set(members[i], members[i+1])
	}
	return y.Service().Operations[op](context.Background(), wire.Call{Operation: op, Body: []byte(form.Encode())})
}

func do[Out any](y *yard, op string, members ...string) *Out {
	y.Helper()
	answer, err := y.try(op, members...)
	if err != nil {
		y.Fatalf("%s %v: %v", op, members, err)
	}
	return answer.(*Out)
}

func (y *yard) newGroup(name string, members ...string) string {
	y.Helper()
	return *do[elbv2.CreateTargetGroupOutput](y, "CreateTargetGroup", append([]string{"Name", name, "Protocol", "HTTP", "Port", "80", "VpcId", "vpc-1", "TargetType", "ip"}, members...)...).TargetGroups[0].TargetGroupArn
}

func (y *yard) newBalancer(name string) string {
	y.Helper()
	return *do[elbv2.CreateLoadBalancerOutput](y, "CreateLoadBalancer", "Name", name, "Subnets.member.1", "a", "Subnets.member.2", "b").LoadBalancers[0].LoadBalancerArn
}

func (y *yard) newListener(lb, group, port string) string {
	y.Helper()
	return *do[elbv2.CreateListenerOutput](y, "CreateListener", "LoadBalancerArn", lb, "Protocol", "HTTP", "Port", port,
		"DefaultActions.member.1.Type", "forward", "DefaultActions.member.1.TargetGroupArn", group).Listeners[0].ListenerArn
}

// state is a group's only target, as "state reason description".
func (y *yard) state(group string) string {
	y.Helper()
	list := do[elbv2.DescribeTargetHealthOutput](y, "DescribeTargetHealth", "TargetGroupArn", group).TargetHealthDescriptions
	if len(list) == 0 {
		return ""
	}
	h := list[0].TargetHealth
	description := ""
	if h.Description != nil {
		description = *h.Description
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", h.State, h.Reason, description))
}

func member() Member {
	return Member{Task: "t1", Container: "web", Address: "10.0.0.7", Port: 8080, Zone: "ap-northeast-1a"}
}

// The life of a target, from one that no load balancer asks for to its end.
func TestTargetHealth(t *testing.T) {
	y := fresh(t)
	group := y.newGroup("web", "HealthCheckIntervalSeconds", "10", "HealthCheckTimeoutSeconds", "5", "HealthyThresholdCount", "3", "UnhealthyThresholdCount", "2", "Matcher.HttpCode", "200,204-299")
	y.Register(group, member())
	expect := func(after time.Duration, want string) {
		t.Helper()
		y.clock.Advance(after)
		if got := y.state(group); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	expect(time.Hour, "unused Target.NotInUse Target group is not configured to receive traffic from the load balancer")
	lb := y.newBalancer("web")
	listener := y.newListener(lb, group, "80")
	expect(0, "initial Elb.RegistrationInProgress Target registration is in progress")
	expect(registeringFor, "initial Elb.InitialHealthChecking Initial health checks in progress")
	expect(9*time.Second, "initial Elb.InitialHealthChecking Initial health checks in progress")
	expect(time.Second, "healthy") // one check is enough after registration
	y.finding = runtime.Finding{Outcome: runtime.Answered, Code: 500}
	expect(10*time.Second, "healthy")
	y.finding = runtime.Finding{Outcome: runtime.Answered, Code: 250}
	expect(10*time.Second, "healthy")
	y.finding = runtime.Finding{Outcome: runtime.Answered, Code: 500}
	expect(10*time.Second, "healthy")
	expect(10*time.Second, "unhealthy Target.ResponseCodeMismatch Health checks failed with these codes: [500]")
	y.finding = runtime.Finding{Outcome: runtime.TimedOut}
	expect(10*time.Second, "unhealthy Target.Timeout Request timed out")
	y.finding = runtime.Finding{Outcome: runtime.Refused}
	expect(10*time.Second, "unhealthy Target.FailedHealthChecks Health checks failed")
	y.finding = runtime.Finding{Outcome: runtime.Answered, Code: 204}
	expect(20*time.Second, "unhealthy Target.FailedHealthChecks Health checks failed")
	expect(10*time.Second, "healthy")
	if want := []string{"t1", "t1", "t1"}; !slices.Equal(y.changed, want) {
		t.Errorf("told of %q, want %q", y.changed, want)
	}
	if drain := y.Deregister(group, member()); drain != 5*time.Minute {
		t.Errorf("drains for %v", drain)
	}
	expect(299*time.Second, "draining Target.DeregistrationInProgress Target deregistration is in progress")
	expect(time.Second, "")
	y.Register(group, member())
	y.clock.Advance(time.Minute)
	do[elbv2.DeleteListenerOutput](y, "DeleteListener", "ListenerArn", listener)
	expect(0, "unused Target.NotInUse Target group is not configured to receive traffic from the load balancer")
	if drain := y.Deregister(group, member()); drain != 0 || y.state(group) != "" {
		t.Errorf("a target that got no traffic drains for %v: %s", drain, y.state(group))
	}
}

// A finding that holds for long is not asked for again and again.
func TestProbesOfWhatIsKnownAreFew(t *testing.T) {
	y := fresh(t)
	group := y.newGroup("web")
	y.newListener(y.newBalancer("web"), group, "80")
	fails := y.clock.Now().Add(30 * 24 * time.Hour)
	y.finding = runtime.Finding{Outcome: runtime.Passed, Until: fails}
	y.Register(group, member())
	y.clock.Advance(30*24*time.Hour - time.Minute)
	if y.probes != 1 || y.state(group) != "healthy" {
		t.Errorf("%d probes in 30 days of health, %s", y.probes, y.state(group))
	}
	y.finding = runtime.Finding{Outcome: runtime.Refused, Until: fails.Add(time.Hour)}
	y.clock.Advance(3 * time.Minute)
	if got := y.state(group); !strings.HasPrefix(got, "unhealthy") {
		t.Errorf("two minutes into its failure: %s", got)
	}
}

func TestStateSurvivesARestart(t *testing.T) {
	y := fresh(t)
	group, lb := y.newGroup("web", "Tags.member.1.Key", "team", "Tags.member.1.Value", "harbour"), y.newBalancer("web")
	listener := y.newListener(lb, group, "80")
	do[elbv2.CreateRuleOutput](y, "CreateRule", "ListenerArn", listener, "Priority", "7", "Conditions.member.1.Field", "path-pattern", "Conditions.member.1.Values.member.1", "/a",
		"Actions.member.1.Type", "fixed-response", "Actions.member.1.FixedResponseConfig.StatusCode", "404")
	do[elbv2.ModifyTargetGroupAttributesOutput](y, "ModifyTargetGroupAttributes", "TargetGroupArn", group, "Attributes.member.1.Key", delayKey, "Attributes.member.1.Value", "15")
	do[elbv2.RegisterTargetsOutput](y, "RegisterTargets", "TargetGroupArn", group, "Targets.member.1.Id", "10.9.9.9")
	y.Register(group, member())
	again := newYard(t, y.store, y.clock)
	for _, call := range [][]string{
		{"DescribeTargetGroups"}, {"DescribeLoadBalancers"}, {"DescribeListeners", "LoadBalancerArn", lb}, {"DescribeRules", "ListenerArn", listener},
		{"DescribeTags", "ResourceArns.member.1", group}, {"DescribeTargetGroupAttributes", "TargetGroupArn", group},
	} {
		before, err := y.try(call[0], call[1:]...)
		if err != nil {
			t.Fatal(err)
		}
		after, err := again.try(call[0], call[1:]...)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := wire.Encode(before)
		b, _ := wire.Encode(after)
		if string(a) != string(b) {
			t.Errorf("%s before\n%s\nafter\n%s", call[0], a, b)
		}
	}
	list := do[elbv2.DescribeTargetHealthOutput](again, "DescribeTargetHealth", "TargetGroupArn", group).TargetHealthDescriptions
	if len(list) != 1 || *list[0].Target.Id != "10.9.9.9" || list[0].TargetHealth.State != types.TargetHealthStateEnumInitial {
		t.Errorf("of the targets, the one registered by hand is left and begins anew: %+v", list)
	}
	again.clock.Advance(2 * time.Minute)
	if got := again.state(group); got != "unhealthy Target.Timeout Request timed out" {
		t.Errorf("an address where nothing answers: %s", got)
	}
}

func TestRefusals(t *testing.T) {
	y := fresh(t)
	group, lb := y.newGroup("web"), y.newBalancer("web")
	other := y.newBalancer("other")
	listener := y.newListener(lb, group, "80")
	forward := []string{"DefaultActions.member.1.Type", "forward", "DefaultActions.member.1.TargetGroupArn", group}
	base := func(name string, members ...string) []string {
		return append([]string{"Name", name, "Protocol", "HTTP", "Port", "80", "VpcId", "vpc-1", "TargetType", "ip"}, members...)
	}
	for _, tt := range []struct {
		op      string
		members []string
		want    string
	}{
		{"CreateTargetGroup", base("web", "HealthCheckPath", "/other"), "DuplicateTargetGroupName: A target group with the same name 'web' exists, but with different settings"},
		{"CreateTargetGroup", base("-a"), "ValidationError: Target group name '-a' cannot begin or end with a hyphen(-)"},
		{"CreateTargetGroup", base(strings.Repeat("a", 33)), "ValidationError: Target group name '" + strings.Repeat("a", 33) + "' cannot be longer than '32' characters"},
		{"CreateTargetGroup", base("a_b"), "ValidationError: Target group name 'a_b' can only contain characters that are alphanumeric characters and hyphens(-)"},
		{"CreateTargetGroup", base("a", "HealthCheckIntervalSeconds", "4"), "ValidationError: Health check interval '4' must be between '5' and '300'"},
		{"CreateTargetGroup", base("a", "HealthCheckIntervalSeconds", "x"), "MalformedInput: HealthCheckIntervalSeconds must be an integer"},
		{"CreateTargetGroup", base("a", "Matcher.HttpCode", "99"), "ValidationError"},
		{"CreateTargetGroup", base("a", "HealthCheckPath", "healthz"), "ValidationError"},
		{"CreateTargetGroup", base("a", "HealthCheckProtocol", "TCP"), "ValidationError"},
		{"CreateTargetGroup", base("a", "TargetType", "lambda"), "ValidationError"},
		{"CreateTargetGroup", base("a", "ProtocolVersion", "GRPC"), "ValidationError"},
		{"ModifyTargetGroup", []string{"TargetGroupArn", "arn:nope"}, "TargetGroupNotFound: One or more target groups not found"},
		{"DescribeTargetGroups", []string{"Names.member.1", "nope"}, "TargetGroupNotFound"},
		{"DescribeTargetHealth", []string{"TargetGroupArn", "arn:nope"}, "TargetGroupNotFound"},
		{"DeleteTargetGroup", []string{"TargetGroupArn", group}, "ResourceInUse: Target group '" + group + "' is currently in use by a listener or a rule"},
		{"ModifyTargetGroupAttributes", []string{"TargetGroupArn", group, "Attributes.member.1.Key", delayKey, "Attributes.member.1.Value", "3601"}, "ValidationError"},
		{"ModifyTargetGroupAttributes", []string{"TargetGroupArn", group, "Attributes.member.1.Key", "delay"}, "ValidationError: Target group attribute key 'delay' is not recognized"},
		{"RegisterTargets", []string{"TargetGroupArn", group, "Targets.member.1.Id", "web"}, "ValidationError"},
		{"CreateLoadBalancer", []string{"Name", "one", "Subnets.member.1", "a"}, "ValidationError: At least two subnets in two different Availability Zones must be specified"},
		{"DescribeLoadBalancers", []string{"Names.member.1", "nope"}, "LoadBalancerNotFound: Load balancers '[nope]' not found"},
		{"CreateListener", append([]string{"LoadBalancerArn", lb, "Protocol", "HTTP", "Port", "80"}, forward...), "DuplicateListener: A listener already exists on this port for this load balancer '" + lb + "'"},
		{"CreateListener", append([]string{"LoadBalancerArn", lb, "Protocol", "TCP", "Port", "81"}, forward...), "UnsupportedProtocol"},
		{"CreateListener", append([]string{"LoadBalancerArn", lb, "Protocol", "HTTPS", "Port", "443"}, forward...), "ValidationError: A certificate must be specified for HTTPS listeners"},
		{"CreateListener", append([]string{"LoadBalancerArn", other, "Protocol", "HTTP", "Port", "80"}, forward...), "TargetGroupAssociationLimit: The following target groups cannot be associated with more than one load balancer: " + group},
		{"DeleteListener", []string{"ListenerArn", "arn:nope"}, "ListenerNotFound: One or more listeners not found"},
		{"DescribeRules", nil, "ValidationError"},
		{"DeleteRule", []string{"RuleArn", *do[elbv2.DescribeRulesOutput](y, "DescribeRules", "ListenerArn", listener).Rules[0].RuleArn}, "OperationNotPermitted: Default rule"},
		{"CreateRule", []string{"ListenerArn", listener, "Priority", "0", "Conditions.member.1.Field", "path-pattern"}, "ValidationError: Priority '0' must be between '1' and '50000'"},
		{"AddTags", []string{"ResourceArns.member.1", "arn:nope", "Tags.member.1.Key", "a"}, "ValidationError: 'arn:nope' is not a valid ARN"},
		{"AddTags", []string{"ResourceArns.member.1", group, "Tags.member.1.Key", "a", "Tags.member.2.Key", "a"}, "DuplicateTagKeys"},
	} {
		if _, err := y.try(tt.op, tt.members...); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s %v\n got %v\nwant %s", tt.op, tt.members, err, tt.want)
		}
	}
}

// The same request again is no error, and what is gone already is gone.
func TestRepeatedRequests(t *testing.T) {
	y := fresh(t)
	if a, b := y.newGroup("web"), y.newGroup("web"); a != b {
		t.Errorf("the same target group is %s and %s", a, b)
	}
	lb := y.newBalancer("web")
	if again := y.newBalancer("web"); again != lb {
		t.Errorf("the same load balancer is %s and %s", lb, again)
	}
	y.newListener(lb, y.newGroup("web"), "80")
	for range 2 {
		do[elbv2.DeleteLoadBalancerOutput](y, "DeleteLoadBalancer", "LoadBalancerArn", lb)
		do[elbv2.DeleteTargetGroupOutput](y, "DeleteTargetGroup", "TargetGroupArn", y.newGroup("web"))
	}
	if len(y.listeners)+len(y.rules)+len(y.balancers)+len(y.ELB.groups) != 0 {
		t.Error("something is left")
	}
}

func TestPages(t *testing.T) {
	y := fresh(t)
	for i := range 7 {
		y.newGroup(fmt.Sprintf("g%d", i))
	}
	var seen []string
	marker := ""
	for {
		out := do[elbv2.DescribeTargetGroupsOutput](y, "DescribeTargetGroups", "PageSize", "3", "Marker", marker)
		for _, g := range out.TargetGroups {
			seen = append(seen, *g.TargetGroupName)
		}
		if out.NextMarker == nil {
			break
		}
		marker = *out.NextMarker
	}
	slices.Sort(seen)
	if len(slices.Compact(seen)) != 7 {
		t.Errorf("saw %q", seen)
	}
}
