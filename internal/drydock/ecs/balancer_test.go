package ecs

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// balance calls an operation of the load balancing with pairs of members.
func balance[Out any](w *world, op string, members ...string) *Out {
	w.t.Helper()
	form := url.Values{}
	for i := 0; i < len(members); i += 2 {
		form.Set(members[i], members[i+1])
	}
	answer, err := w.elb.Service().Operations[op](context.Background(), wire.Call{Operation: op, Body: []byte(form.Encode())})
	if err != nil {
		w.t.Fatalf("%s %v: %v", op, members, err)
	}
	return answer.(*Out)
}

// targetGroup makes a target group, behind a listener of a load balancer of
// its own, whose members are as AWS has them but for those given.
func (w *world) targetGroup(name, delay string, members ...string) string {
	w.t.Helper()
	group := *balance[elbv2.CreateTargetGroupOutput](w, "CreateTargetGroup", append([]string{
		"Name", name, "Protocol", "HTTP", "Port", "80", "VpcId", "vpc-1", "TargetType", "ip"}, members...)...).TargetGroups[0].TargetGroupArn
	balance[elbv2.ModifyTargetGroupAttributesOutput](w, "ModifyTargetGroupAttributes", "TargetGroupArn", group,
		"Attributes.member.1.Key", "deregistration_delay.timeout_seconds", "Attributes.member.1.Value", delay)
	lb := *balance[elbv2.CreateLoadBalancerOutput](w, "CreateLoadBalancer", "Name", name,
		"Subnets.member.1", "subnet-1", "Subnets.member.2", "subnet-2").LoadBalancers[0].LoadBalancerArn
	balance[elbv2.CreateListenerOutput](w, "CreateListener", "LoadBalancerArn", lb, "Protocol", "HTTP", "Port", "80",
		"DefaultActions.member.1.Type", "forward", "DefaultActions.member.1.TargetGroupArn", group)
	return group
}

// targets are the states of a target group's targets, sorted.
func (w *world) targets(group string) string {
	w.t.Helper()
	var states []string
	for _, d := range balance[elbv2.DescribeTargetHealthOutput](w, "DescribeTargetHealth", "TargetGroupArn", group).TargetHealthDescriptions {
		states = append(states, string(d.TargetHealth.State))
	}
	slices.Sort(states)
	return strings.Join(states, " ")
}

func (w *world) registerWithPort(tag string) string {
	w.t.Helper()
	in := definitionOf(tag)
	in.ContainerDefinitions[0].PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(8080)}}
	return *do[ecs.RegisterTaskDefinitionOutput](w, "RegisterTaskDefinition", in).TaskDefinition.TaskDefinitionArn
}

func behind(groups ...string) []types.LoadBalancer {
	var out []types.LoadBalancer
	for _, g := range groups {
		out = append(out, types.LoadBalancer{TargetGroupArn: aws.String(g), ContainerName: aws.String("web"), ContainerPort: aws.Int32(8080)})
	}
	return out
}

func (w *world) createBehind(definition string, desired, grace int, configuration *types.DeploymentConfiguration, groups ...string) {
	w.t.Helper()
	do[ecs.CreateServiceOutput](w, "CreateService", &ecs.CreateServiceInput{
		Cluster: aws.String("prod"), ServiceName: aws.String("api"), TaskDefinition: &definition, DesiredCount: aws.Int32(int32(desired)),
		LaunchType: types.LaunchTypeFargate, NetworkConfiguration: network(), DeploymentConfiguration: configuration,
		LoadBalancers: behind(groups...), HealthCheckGracePeriodSeconds: aws.Int32(int32(grace)),
	})
}

func answering(code string) map[string]string {
	return map[string]string{"plimsoll.drydock.target-health": "code=" + code}
}

// The event stamps of a real service with one task behind an Application Load
// Balancer (2026-10-09), counted from the first "has started". Its
// deregistration delay is not recorded; 30 s fits.
func TestTimelineBehindALoadBalancer(t *testing.T) {
	w := newWorld(t, store.Memory())
	group := w.targetGroup("web", "30")
	w.createBehind(w.registerWithPort("v1"), 1, 0, nil, group)
	w.until("steady", 5*time.Minute, steady)
	seen := len(w.describe().Events)
	w.update(w.registerWithPort("v2"))
	w.until("completed", 10*time.Minute, steady)
	events := w.describe().Events
	events = events[:len(events)-seen]
	slices.Reverse(events)
	began := *events[0].CreatedAt
	want := []struct {
		text string
		real time.Duration
	}{
		{"has started 1 tasks", 0},
		{"registered 1 targets in (target-group " + group + ")", 40425 * time.Millisecond},
		{"has stopped 1 running tasks", 90552 * time.Millisecond},
		{"deregistered 1 targets in (target-group " + group + ")", 100672 * time.Millisecond},
		{"has begun draining connections on 1 tasks.", 100672 * time.Millisecond},
		{"deployment completed", 152541 * time.Millisecond},
		{"has reached a steady state", 152542 * time.Millisecond},
	}
	if len(events) != len(want) {
		t.Fatalf("events:\n%s", eventsOf(types.Service{Events: events}))
	}
	for i, m := range want {
		here := events[i].CreatedAt.Sub(began)
		t.Logf("%-50.50s real %7v  here %4v", m.text, m.real, here)
		if !strings.Contains(*events[i].Message, m.text) || (here-m.real).Abs() > 10*time.Second {
			t.Errorf("event %d is %q after %v; on AWS %q after %v", i, *events[i].Message, here, m.text, m.real)
		}
	}
}

// A real rollout whose tasks answer the load balancer with 500 (grace period
// 60 s, three checks 15 s apart): three tasks, rolled back after 9m50s, and
// back after 10m12s. Its deregistration delay is not recorded; 60 s fits.
func TestTimelineOfFailedTargets(t *testing.T) {
	w := newWorld(t, store.Memory())
	group := w.targetGroup("web", "60", "HealthCheckIntervalSeconds", "15", "UnhealthyThresholdCount", "3")
	w.createBehind(w.registerWithPort("v1"), 1, 60, breakerOn(), group)
	w.until("steady", 5*time.Minute, steady)
	w.shelf.put("v2", "sha256:v2", answering("500"))
	began := w.clock.Now()
	bad := w.update(w.registerWithPort("v2"))
	w.until("the breaker trips", time.Hour, func(s types.Service) bool {
		if s.RunningCount < 1 {
			t.Fatal("the old task was stopped")
		}
		return strings.Contains(eventsOf(s), "rolling back to deployment")
	})
	tripped := w.clock.Now().Sub(began)
	w.until("back", time.Hour, steady)
	back := w.clock.Now().Sub(began)
	t.Logf("tripped: real 9m50s, here %v; back: real 10m12s, here %v", tripped, back)
	if (tripped-590*time.Second).Abs() > 20*time.Second || (back-612*time.Second).Abs() > 20*time.Second {
		t.Errorf("tripped after %v, back after %v", tripped, back)
	}
	var sick int
	for _, task := range w.tasksShown(types.DesiredStatusStopped) {
		if *task.StartedBy == bad && *task.StoppedReason == "Task failed ELB health checks in (target-group "+group+")" && task.StopCode == types.TaskStopCodeServiceSchedulerInitiated {
			sick++
			event := fmt.Sprintf("(service api) (task %s) (port 8080) is unhealthy in (target-group %s) due to (reason Health checks failed with these codes: [500]).", lastPart(*task.TaskArn), group)
			if !strings.Contains(eventsOf(w.describe()), event) {
				t.Errorf("no event %q in\n%s", event, eventsOf(w.describe()))
			}
		}
	}
	if sick != 3 {
		t.Errorf("%d tasks failed ELB health checks, on AWS 3; events:\n%s", sick, eventsOf(w.describe()))
	}
}

func TestTheGracePeriodIgnoresTheLoadBalancer(t *testing.T) {
	w := newWorld(t, store.Memory())
	group := w.targetGroup("web", "0")
	w.shelf.put("v1", "sha256:v1", map[string]string{"plimsoll.drydock.target-health": "healthy-after=4m"})
	w.createBehind(w.registerWithPort("v1"), 1, 600, nil, group)
	w.until("unhealthy", 5*time.Minute, func(types.Service) bool { return w.targets(group) == "unhealthy" })
	w.until("steady once it is healthy after all", 10*time.Minute, steady)
	if stopped := w.tasksShown(types.DesiredStatusStopped); len(stopped) > 0 {
		t.Errorf("a task was stopped within its grace period: %s", pretty(stopped))
	}
	if took := w.clock.Now().Sub(start()); took < 5*time.Minute {
		t.Errorf("steady after %v, before five checks passed", took)
	}
}

// Whoever stops a task, it drains before it gets its SIGTERM.
func TestAStoppedTaskDrainsFirst(t *testing.T) {
	w := newWorld(t, store.Memory())
	group := w.targetGroup("web", "120")
	w.createBehind(w.registerWithPort("v1"), 1, 0, nil, group)
	w.until("steady", 5*time.Minute, steady)
	id := lastPart(*w.tasksShown(types.DesiredStatusRunning)[0].TaskArn)
	stopOne(w)
	if got := w.targets(group); got != "draining" {
		t.Errorf("right after the stop: %s", got)
	}
	w.clock.Advance(100 * time.Second)
	if got := w.tasks[id].LastStatus; got != statusDeactivating {
		t.Errorf("100 s into a drain of 120 s the task is %s", got)
	}
	w.clock.Advance(40 * time.Second)
	if got := w.tasks[id].LastStatus; got != statusStopped {
		t.Errorf("after the drain the task is %s", got)
	}
	w.until("replaced", 5*time.Minute, func(s types.Service) bool { return steady(s) && w.targets(group) == "healthy" })

	do[ecs.DeleteServiceOutput](w, "DeleteService", &ecs.DeleteServiceInput{Cluster: aws.String("prod"), Service: aws.String("api"), Force: aws.Bool(true)})
	w.until("inactive", 10*time.Minute, func(s types.Service) bool { return *s.Status == "INACTIVE" })
	if got := w.targets(group); got != "" {
		t.Errorf("left behind: %s", got)
	}
}

// A crash does not wait for the drain; its target goes all the same.
func TestACrashedTaskIsDeregistered(t *testing.T) {
	w := newWorld(t, store.Memory())
	group := w.targetGroup("web", "300")
	w.shelf.put("v1", "sha256:v1", map[string]string{"plimsoll.drydock.exit-after": "3m"})
	w.createBehind(w.registerWithPort("v1"), 1, 0, nil, group)
	w.until("steady", 3*time.Minute, steady)
	w.until("crashed", 5*time.Minute, func(types.Service) bool { return len(w.tasksShown(types.DesiredStatusStopped)) == 1 })
	w.clock.Advance(25 * time.Second)
	if got := w.tasksShown(types.DesiredStatusStopped)[0]; *got.LastStatus != statusStopped || got.StopCode != types.TaskStopCodeEssentialContainerExited {
		t.Errorf("the crashed task: %s", pretty(got))
	}
	if got := w.targets(group); !strings.Contains(got, "draining") {
		t.Errorf("targets: %s", got)
	}
}

func TestContainerAndTargetHealthBothCount(t *testing.T) {
	w := newWorld(t, store.Memory())
	one, two := w.targetGroup("one", "0"), w.targetGroup("two", "0", "HealthCheckIntervalSeconds", "5", "HealthCheckTimeoutSeconds", "2")
	in := definitionOf("v1")
	in.ContainerDefinitions[0].PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(8080)}}
	in.ContainerDefinitions[0].HealthCheck = &types.HealthCheck{Command: []string{"CMD", "true"}, Interval: aws.Int32(10)}
	w.shelf.put("v1", "sha256:v1", map[string]string{"plimsoll.drydock.health": "healthy-after=3m"})
	arn := *do[ecs.RegisterTaskDefinitionOutput](w, "RegisterTaskDefinition", in).TaskDefinition.TaskDefinitionArn
	w.createBehind(arn, 1, 600, nil, one, two)
	w.until("both find it healthy", 3*time.Minute, func(types.Service) bool { return w.targets(one) == "healthy" && w.targets(two) == "healthy" })
	w.clock.Advance(20 * time.Second)
	if steady(w.describe()) {
		t.Error("steady although the container's own check fails")
	}
	w.until("steady", 10*time.Minute, steady)
}

func TestLoadBalancerRefusals(t *testing.T) {
	w := newWorld(t, store.Memory())
	used := w.targetGroup("used", "0")
	instances := w.targetGroup("instances", "0", "TargetType", "instance")
	idle := *balance[elbv2.CreateTargetGroupOutput](w, "CreateTargetGroup", "Name", "idle", "Protocol", "HTTP", "Port", "80", "VpcId", "vpc-1", "TargetType", "ip").TargetGroups[0].TargetGroupArn
	w.registerWithPort("v1")
	for _, tt := range []struct{ lb, want string }{
		{`{"targetGroupArn":"arn:tg","containerName":"web","containerPort":8080}`, "The target group with targetGroupArn arn:tg does not exist."},
		{`{"targetGroupArn":"` + idle + `","containerName":"web","containerPort":8080}`, "The target group with targetGroupArn " + idle + " does not have an associated load balancer."},
		{`{"targetGroupArn":"` + instances + `","containerName":"web","containerPort":8080}`, "The provided target group " + instances + " has target type instance, which is incompatible with the awsvpc network mode specified in the task definition."},
		{`{"targetGroupArn":"` + used + `","containerName":"other","containerPort":8080}`, "The container other does not exist in the task definition."},
		{`{"targetGroupArn":"` + used + `","containerName":"web","containerPort":80}`, "The container web did not have a container port 80 defined."},
		{`{"targetGroupArn":"` + used + `","containerPort":80}`, "Container Name can not be blank."},
		{`{"loadBalancerName":"classic","containerName":"web","containerPort":80}`, "The load balancer classic does not exist."},
		{`{}`, "targetGroupArn can not be blank."},
	} {
		if _, err := w.raw("CreateService", fmt.Sprintf(createAPI, `,"loadBalancers":[`+tt.lb+`]`)); err == nil || err.Error() != "InvalidParameterException: "+tt.want {
			t.Errorf("%s:\n got %v\nwant %s", tt.lb, err, tt.want)
		}
	}
}

func TestLoadBalancersChangeWithADeployment(t *testing.T) {
	w := newWorld(t, store.Memory())
	blue, green := w.targetGroup("blue", "0"), w.targetGroup("green", "0")
	w.createBehind(w.registerWithPort("v1"), 1, 0, breakerOn(), blue)
	w.until("steady", 5*time.Minute, steady)
	first := *w.describe().Deployments[0].Id
	change := func(groups ...string) types.Service {
		lbs := behind(groups...)
		if lbs == nil {
			lbs = []types.LoadBalancer{}
		}
		return *do[ecs.UpdateServiceOutput](w, "UpdateService", &ecs.UpdateServiceInput{Cluster: aws.String("prod"), Service: aws.String("api"), LoadBalancers: lbs}).Service
	}
	if s := change(blue); *s.Deployments[0].Id != first {
		t.Error("the same load balancers started a deployment")
	}
	if s := change(green); *s.Deployments[0].Id == first || *s.LoadBalancers[0].TargetGroupArn != green {
		t.Errorf("other load balancers: %s", pretty(s))
	}
	w.until("moved over", 5*time.Minute, steady)
	if w.targets(blue) != "" || w.targets(green) != "healthy" {
		t.Errorf("blue: %s, green: %s", w.targets(blue), w.targets(green))
	}
	change()
	w.until("without", 5*time.Minute, steady)
	if w.targets(green) != "" || len(w.describe().LoadBalancers) != 0 {
		t.Errorf("green: %s, service %s", w.targets(green), pretty(w.describe().LoadBalancers))
	}
}

func TestEarlySuccess(t *testing.T) {
	for _, cleanup := range []types.ServiceRevisionCleanup{types.ServiceRevisionCleanupDeferred, types.ServiceRevisionCleanupBlocking} {
		t.Run(string(cleanup), func(t *testing.T) {
			w := newWorld(t, store.Memory())
			group := w.targetGroup("web", "300")
			w.createBehind(w.registerWithPort("v1"), 4, 0, &types.DeploymentConfiguration{
				MinimumHealthyPercent: aws.Int32(50), MaximumPercent: aws.Int32(150),
				EarlySuccessCriteria: &types.DeploymentEarlySuccessCriteria{Enable: true, HealthyPercent: aws.Int32(50), SourceServiceRevisionCleanup: cleanup},
			}, group)
			w.until("steady", 5*time.Minute, steady)
			w.update(w.registerWithPort("v2"))
			w.until("completed", 30*time.Minute, func(s types.Service) bool {
				return s.Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted
			})
			s := w.describe()
			if got := w.records()[0].Status; got != types.ServiceDeploymentStatusSuccessful {
				t.Errorf("the service deployment is %s", got)
			}
			if deferred := cleanup == types.ServiceRevisionCleanupDeferred; deferred != (len(s.Deployments) == 2) {
				t.Errorf("when it succeeded there were %s", pretty(s.Deployments))
			}
			w.until("all of them in the end", 30*time.Minute, steady)
		})
	}
	w := newWorld(t, store.Memory())
	w.registerWithPort("v1")
	for criteria, want := range map[string]string{
		`{"enable":true,"healthyPercent":101,"sourceServiceRevisionCleanup":"DEFERRED"}`: "healthyPercent of earlySuccessCriteria must be between 0 and 100.",
		`{"enable":true,"healthyPercent":50}`:                                            "sourceServiceRevisionCleanup of earlySuccessCriteria must be BLOCKING or DEFERRED.",
		`{"enable":true,"healthyPercent":50,"sourceServiceRevisionCleanup":"BLOCKING"}`:  "healthyPercent of earlySuccessCriteria must be greater than or equal to minimumHealthyPercent.",
	} {
		if _, err := w.raw("CreateService", fmt.Sprintf(createAPI, `,"deploymentConfiguration":{"earlySuccessCriteria":`+criteria+`}`)); err == nil || err.Error() != "InvalidParameterException: "+want {
			t.Errorf("%s: %v", criteria, err)
		}
	}
}

// Base first, then by weight, and the same again as tasks come and go.
func TestCapacityProviderStrategy(t *testing.T) {
	strategy := []types.CapacityProviderStrategyItem{
		{CapacityProvider: aws.String("FARGATE_SPOT"), Weight: 3}, {CapacityProvider: aws.String("FARGATE"), Base: 2, Weight: 1},
	}
	placed := map[string]int{}
	var order []string
	for range 10 {
		p := provider(strategy, placed)
		placed[p]++
		order = append(order, strings.TrimPrefix(p, "FARGATE"))
	}
	if placed["FARGATE"] != 4 || placed["FARGATE_SPOT"] != 6 || order[0] != "" || order[1] != "" {
		t.Errorf("ten tasks: %v, in this order %q", placed, order)
	}
	w := newWorld(t, store.Memory())
	w.register("v1")
	for given, want := range map[string]string{
		`[{"capacityProvider":"FARGATE","base":1,"weight":1},{"capacityProvider":"FARGATE_SPOT","base":1}]`: "Only one capacity provider in a capacity provider strategy can have a base defined.",
		`[{"capacityProvider":"FARGATE"},{"capacityProvider":"FARGATE_SPOT"}]`:                              "At least one capacity provider in a capacity provider strategy must have a weight greater than 0.",
		`[{"capacityProvider":"FARGATE","base":-1}]`:                                                        "The base of a capacity provider must be between 0 and 100000.",
	} {
		body := `{"cluster":"prod","serviceName":"api","taskDefinition":"web","desiredCount":1,"networkConfiguration":{"awsvpcConfiguration":{"subnets":["s"]}},"capacityProviderStrategy":` + given + `}`
		if _, err := w.raw("CreateService", body); err == nil || err.Error() != "InvalidParameterException: "+want {
			t.Errorf("%s: %v", given, err)
		}
	}
}

// Over any series of deployments whose tasks are found healthy, late or not at
// all: never more tasks than the maximum, never fewer good ones than the
// minimum once there were enough, no SIGTERM before the target has drained;
// and when a good one comes last, it runs alone, with as many healthy targets
// as tasks.
func TestRolloutInvariantsBehindALoadBalancer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newBareWorld(t, store.Memory(), clock.Manual(start()))
		do[ecs.CreateClusterOutput](w, "CreateCluster", &ecs.CreateClusterInput{ClusterName: aws.String("prod")})
		desired := rapid.IntRange(1, 5).Draw(t, "desired")
		minimum := rapid.SampledFrom([]int{0, 50, 100}).Draw(t, "minimum")
		maximum := rapid.SampledFrom([]int{100, 150, 200}).Draw(t, "maximum")
		lower, upper := bounds(desired, minimum, maximum)
		if lower >= upper {
			t.Skip("no room to roll")
		}
		delay := rapid.SampledFrom([]string{"0", "30", "120"}).Draw(t, "delay")
		group := w.targetGroup("web", delay)
		w.shelf.put("v2", "sha256:v2", answering("500"))
		w.shelf.put("v3", "sha256:v3", map[string]string{"plimsoll.drydock.target-health": "healthy-after=2m"})
		definitions := []string{w.registerWithPort("v1"), w.registerWithPort("v2"), w.registerWithPort("v3")}
		configuration := breakerOn()
		if !rapid.Bool().Draw(t, "breaker") {
			configuration = &types.DeploymentConfiguration{}
		}
		configuration.MinimumHealthyPercent, configuration.MaximumPercent = aws.Int32(int32(minimum)), aws.Int32(int32(maximum))
		w.createBehind(definitions[0], desired, rapid.SampledFrom([]int{0, 60}).Draw(t, "grace"), configuration, group)
		settled := false
		check := func() {
			live, healthy := 0, 0
			for id, task := range w.tasks {
				if task.LastStatus != statusStopped {
					live++
				}
				if ok, _ := w.healthy(w.services["prod/api"], task, w.clock.Now()); ok && task.LastStatus == statusRunning && task.DesiredStatus == statusRunning {
					healthy++
				}
				if task.LastStatus == statusStopping && len(task.Targets) > 0 {
					t.Fatalf("task %s got its SIGTERM while registered", id)
				}
			}
			settled = settled || healthy == desired
			if live > upper {
				t.Fatalf("%d tasks, at most %d allowed", live, upper)
			}
			if settled && healthy < lower {
				t.Fatalf("%d healthy tasks, at least %d needed", healthy, lower)
			}
		}
		for range rapid.IntRange(0, 3).Draw(t, "deploys") {
			for range rapid.IntRange(0, 40).Draw(t, "ten seconds") {
				w.clock.Advance(10 * time.Second)
				check()
			}
			w.update(rapid.SampledFrom(definitions).Draw(t, "definition"))
		}
		w.update(definitions[0])
		w.until("the last deployment completes", 3*time.Hour, func(s types.Service) bool {
			check()
			return steady(s)
		})
		w.clock.Advance(5 * time.Minute)
		if got := w.targets(group); got != strings.TrimSpace(strings.Repeat("healthy ", desired)) {
			t.Fatalf("targets in the end: %s", got)
		}
		for _, d := range balance[elbv2.DescribeTargetHealthOutput](w, "DescribeTargetHealth", "TargetGroupArn", group).TargetHealthDescriptions {
			if d.TargetHealth.State != elbtypes.TargetHealthStateEnumHealthy || d.TargetHealth.Reason != "" {
				t.Fatalf("a target in the end: %s", pretty(d))
			}
		}
	})
}
