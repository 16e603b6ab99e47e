package ecs

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
)

// onHosts is definitionOf for container instances, with that much memory.
func onHosts(tag string, memory int) *ecs.RegisterTaskDefinitionInput {
	return &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("web"), NetworkMode: types.NetworkModeBridge,
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("web"), Image: aws.String(registryHost + "/web:" + tag), Cpu: 256, Memory: aws.Int32(int32(memory)),
		}},
	}
}

func (w *world) registerOnHosts(tag string, memory int) string {
	w.t.Helper()
	return *do[ecs.RegisterTaskDefinitionOutput](w, "RegisterTaskDefinition", onHosts(tag, memory)).TaskDefinition.TaskDefinitionArn
}

func (w *world) instancesAdded(n int, kind string) []string {
	w.t.Helper()
	added, err := w.AddInstances("prod", n, kind, "")
	if err != nil {
		w.t.Fatalf("add instances: %v", err)
	}
	var ids []string
	for _, i := range added {
		ids = append(ids, lastPart(i.ARN))
	}
	return ids
}

func (w *world) createDaemon(definition string, configuration *types.DeploymentConfiguration) {
	w.t.Helper()
	do[ecs.CreateServiceOutput](w, "CreateService", &ecs.CreateServiceInput{
		Cluster: aws.String("prod"), ServiceName: aws.String("api"), TaskDefinition: &definition, SchedulingStrategy: types.SchedulingStrategyDaemon,
		DeploymentConfiguration: configuration,
	})
}

// where says how many tasks of the service should run on each instance.
func (w *world) where() map[string]int {
	out := map[string]int{}
	for _, t := range w.tasksShown(types.DesiredStatusRunning) {
		if t.LaunchType != types.LaunchTypeEc2 || *t.LastStatus != statusRunning {
			w.t.Fatalf("%s", pretty(t))
		}
		out[lastPart(*t.ContainerInstanceArn)]++
	}
	return out
}

// A daemon service has one task on every ACTIVE instance, whatever comes and
// goes.
func TestDaemon(t *testing.T) {
	w := newWorld(t, store.Memory())
	ids := w.instancesAdded(2, "t3.medium")
	w.createDaemon(w.registerOnHosts("v1", 256), nil)
	w.until("on both", 5*time.Minute, func(s types.Service) bool { return steady(s) && s.DesiredCount == 2 })
	ids = append(ids, w.instancesAdded(1, "m6i.large")...)
	w.until("on the third", 5*time.Minute, func(s types.Service) bool { return steady(s) && s.DesiredCount == 3 })
	if got := w.where(); len(got) != 3 || got[ids[2]] != 1 {
		t.Errorf("%v", got)
	}
	if s := w.describe(); s.SchedulingStrategy != types.SchedulingStrategyDaemon || *s.DeploymentConfiguration.MinimumHealthyPercent != 0 || *s.DeploymentConfiguration.MaximumPercent != 100 {
		t.Errorf("%s", pretty(s))
	}
	if err := w.TerminateInstance("prod", ids[2]); err != nil {
		t.Fatal(err)
	}
	w.until("the third is gone", 5*time.Minute, func(s types.Service) bool { return steady(s) && s.DesiredCount == 2 && s.RunningCount == 2 })
	if e := w.last("an instance", func(s sent) bool { return s.DetailType == "ECS Container Instance State Change" }); lastPart(e.Resources[0]) != ids[2] || !strings.Contains(string(e.doc), `"status":"INACTIVE"`) {
		t.Errorf("%s", e.doc)
	}
	stopped := w.tasksShown(types.DesiredStatusStopped)
	if len(stopped) != 1 || !strings.HasPrefix(*stopped[0].StoppedReason, "Host EC2 (instance i-") {
		t.Errorf("%s", pretty(stopped))
	}
	do[ecs.DeleteServiceOutput](w, "DeleteService", &ecs.DeleteServiceInput{Cluster: aws.String("prod"), Service: aws.String("api")}) // no force, it is a daemon
}

// A new revision takes the place of the old one, instance by instance: never
// two on one, never fewer than minimumHealthyPercent.
func TestDaemonRollout(t *testing.T) {
	for _, tt := range []struct{ percent, least int }{{0, 0}, {50, 2}, {75, 3}, {100, 4}} {
		t.Run(fmt.Sprint(tt.percent), func(t *testing.T) {
			w := newWorld(t, store.Memory())
			w.instancesAdded(4, "t3.medium")
			w.createDaemon(w.registerOnHosts("v1", 256), &types.DeploymentConfiguration{MinimumHealthyPercent: aws.Int32(int32(tt.percent))})
			w.until("steady", 5*time.Minute, steady)
			w.update(w.registerOnHosts("v2", 256))
			least := 4
			landed := func(s types.Service) bool {
				least = min(least, int(s.RunningCount))
				w.mu.Lock()
				defer w.mu.Unlock()
				for id, tasks := range w.placed {
					if len(tasks) > 1 {
						t.Fatalf("%d tasks on %s", len(tasks), id)
					}
				}
				return steady(s)
			}
			if tt.percent == 100 { // nothing may stop: AWS leaves it so, too
				for range 600 {
					if landed(w.glance()) {
						t.Fatal("landed")
					}
					w.clock.Advance(time.Second)
				}
				if got := eventsOf(w.describe()); !strings.Contains(got, "was unable to stop or start tasks during a deployment") {
					t.Errorf("%s", got)
				}
			} else {
				w.until("landed", time.Hour, landed)
			}
			if least != tt.least {
				t.Errorf("%d ran at the least, want %d", least, tt.least)
			}
		})
	}
}

// The daemon is the last to leave an instance that drains.
func TestDaemonDrains(t *testing.T) {
	w := newWorld(t, store.Memory())
	ids := w.instancesAdded(1, "t3.medium")
	definition := w.registerOnHosts("v1", 256)
	w.createDaemon(definition, nil)
	w.until("steady", 5*time.Minute, steady)
	run := do[ecs.RunTaskOutput](w, "RunTask", &ecs.RunTaskInput{Cluster: aws.String("prod"), TaskDefinition: &definition})
	if len(run.Tasks) != 1 || len(run.Failures) != 0 || lastPart(*run.Tasks[0].ContainerInstanceArn) != ids[0] {
		t.Fatalf("%s", pretty(run))
	}
	started := do[ecs.StartTaskOutput](w, "StartTask", &ecs.StartTaskInput{Cluster: aws.String("prod"), TaskDefinition: &definition, ContainerInstances: []string{ids[0], "nothing"}})
	if len(started.Tasks) != 1 || len(started.Failures) != 1 || started.Tasks[0].LaunchType != types.LaunchTypeEc2 {
		t.Fatalf("%s", pretty(started))
	}
	do[ecs.StopTaskOutput](w, "StopTask", &ecs.StopTaskInput{Cluster: aws.String("prod"), Task: started.Tasks[0].TaskArn})
	w.clock.Advance(2 * time.Minute)
	do[ecs.UpdateContainerInstancesStateOutput](w, "UpdateContainerInstancesState", &ecs.UpdateContainerInstancesStateInput{
		Cluster: aws.String("prod"), ContainerInstances: ids, Status: types.ContainerInstanceStatusDraining,
	})
	w.clock.Advance(time.Hour)
	if s := w.describe(); s.RunningCount != 1 || s.DesiredCount != 0 {
		t.Errorf("another task is there: %s", pretty(s))
	}
	do[ecs.StopTaskOutput](w, "StopTask", &ecs.StopTaskInput{Cluster: aws.String("prod"), Task: run.Tasks[0].TaskArn})
	w.until("drained", 5*time.Minute, func(s types.Service) bool { return s.RunningCount == 0 })
	do[ecs.UpdateContainerInstancesStateOutput](w, "UpdateContainerInstancesState", &ecs.UpdateContainerInstancesStateInput{
		Cluster: aws.String("prod"), ContainerInstances: ids, Status: types.ContainerInstanceStatusActive,
	})
	w.until("back", 5*time.Minute, func(s types.Service) bool { return s.RunningCount == 1 && s.DesiredCount == 1 })
}

// Replica services are spread, keep within what an instance has, say what is
// in the way, and leave an instance that drains.
func TestReplicasOnInstances(t *testing.T) {
	w := newWorld(t, store.Memory())
	definition := w.registerOnHosts("v1", 1500)
	w.accepted("CreateService", `{"cluster":"prod","serviceName":"api","taskDefinition":"`+definition+`","desiredCount":5}`)
	w.clock.Advance(time.Minute)
	if got := eventsOf(w.describe()); !strings.Contains(got, "Reason: No Container Instances were found in your cluster.") {
		t.Errorf("%s", got)
	}
	ids := w.instancesAdded(2, "t3.medium") // 3840 MiB, room for two each
	w.until("four run", 10*time.Minute, func(s types.Service) bool { return s.RunningCount == 4 })
	if got := w.where(); got[ids[0]] != 2 || got[ids[1]] != 2 {
		t.Errorf("%v", got)
	}
	if got := eventsOf(w.describe()); !strings.Contains(got, "The closest matching (container-instance ") || !strings.Contains(got, ") has insufficient memory available.") {
		t.Errorf("%s", got)
	}
	shown := do[ecs.DescribeContainerInstancesOutput](w, "DescribeContainerInstances", &ecs.DescribeContainerInstancesInput{Cluster: aws.String("prod"), ContainerInstances: []string{ids[0], "nothing"}})
	i := shown.ContainerInstances[0]
	if i.RunningTasksCount != 2 || i.RemainingResources[0].IntegerValue != 2048-512 || i.RemainingResources[1].IntegerValue != 3840-3000 || len(shown.Failures) != 1 {
		t.Errorf("%s", pretty(shown))
	}
	third := w.instancesAdded(1, "m6i.large")[0]
	w.until("steady", 10*time.Minute, steady)
	do[ecs.UpdateContainerInstancesStateOutput](w, "UpdateContainerInstancesState", &ecs.UpdateContainerInstancesStateInput{
		Cluster: aws.String("prod"), ContainerInstances: ids[:1], Status: types.ContainerInstanceStatusDraining,
	})
	least := int32(5)
	w.until("the first is empty", 30*time.Minute, func(s types.Service) bool {
		least = min(least, s.RunningCount)
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.placed[ids[0]]) == 0
	})
	w.until("steady again", 10*time.Minute, steady)
	if got := w.where(); least < 5 || got[third] != 3 {
		t.Errorf("%d ran at the least; %v", least, got)
	}
	list := do[ecs.ListContainerInstancesOutput](w, "ListContainerInstances", &ecs.ListContainerInstancesInput{Cluster: aws.String("prod"), Status: types.ContainerInstanceStatusDraining})
	if len(list.ContainerInstanceArns) != 1 {
		t.Errorf("%v", list.ContainerInstanceArns)
	}
	if c := do[ecs.DescribeClustersOutput](w, "DescribeClusters", &ecs.DescribeClustersInput{Clusters: []string{"prod"}}).Clusters[0]; c.RegisteredContainerInstancesCount != 3 {
		t.Errorf("%s", pretty(c))
	}
}

func TestPlacementRules(t *testing.T) {
	for _, tt := range []struct {
		name, rules string
		want        []int // tasks on each instance, sorted: two t3.medium and one m6g.large
	}{
		{"spread", ``, []int{1, 1, 2}},
		{"pack by memory", `,"placementStrategy":[{"type":"binpack","field":"memory"}]`, []int{0, 0, 4}},
		{"distinct", `,"placementConstraints":[{"type":"distinctInstance"}]`, []int{1, 1, 1}},
		{"only arm64", `,"placementConstraints":[{"type":"memberOf","expression":"attribute:ecs.cpu-architecture == arm64"}]`, []int{0, 0, 4}},
		{"of two types", `,"placementConstraints":[{"type":"memberOf","expression":"attribute:ecs.instance-type in [t3.medium, t3.large] and attribute:ecs.os-type exists"}]`, []int{0, 2, 2}},
		{"nowhere", `,"placementConstraints":[{"type":"memberOf","expression":"attribute:ecs.instance-type != t3.medium && attribute:ecs.cpu-architecture == x86_64"}]`, []int{0, 0, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, store.Memory())
			definition := w.registerOnHosts("v1", 128)
			ids := append(w.instancesAdded(2, "t3.medium"), w.instancesAdded(1, "m6g.large")...)
			w.accepted("CreateService", `{"cluster":"prod","serviceName":"api","taskDefinition":"`+definition+`","desiredCount":4`+tt.rules+`}`)
			w.clock.Advance(3 * time.Minute)
			at := w.where()
			got := []int{at[ids[0]], at[ids[1]], at[ids[2]]}
			slices.Sort(got)
			if !slices.Equal(got, tt.want) {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

func TestInstanceRefusals(t *testing.T) {
	w := newWorld(t, store.Memory())
	definition := w.registerOnHosts("v1", 5000)
	fargate := w.register("v1")
	w.instancesAdded(1, "t3.medium")
	for _, tt := range []struct{ op, body, want string }{
		{"CreateService", `{"cluster":"prod","serviceName":"d","taskDefinition":"` + definition + `","schedulingStrategy":"DAEMON","desiredCount":1}`, "does not support a desired count"},
		{"CreateService", `{"cluster":"prod","serviceName":"d","taskDefinition":"` + definition + `","schedulingStrategy":"DAEMON","placementStrategy":[{"type":"random"}]}`, "does not support placement strategies"},
		{"CreateService", `{"cluster":"prod","serviceName":"d","taskDefinition":"` + definition + `","schedulingStrategy":"DAEMON","deploymentConfiguration":{"maximumPercent":200}}`, "values above 100"},
		{"CreateService", `{"cluster":"prod","serviceName":"d","taskDefinition":"` + definition + `","schedulingStrategy":"DAEMON","deploymentConfiguration":{"strategy":"BLUE_GREEN"}}`, "does not support the deployment strategy"},
		{"CreateService", `{"cluster":"prod","serviceName":"d","taskDefinition":"` + fargate + `","schedulingStrategy":"DAEMON","launchType":"FARGATE"}`, "does not support the launch type"},
		{"CreateService", `{"cluster":"prod","serviceName":"d","taskDefinition":"` + definition + `","desiredCount":0,"placementConstraints":[{"type":"memberOf","expression":"task:group == x"}]}`, "Invalid expression"},
		{"CreateService", `{"cluster":"prod","serviceName":"d","taskDefinition":"` + definition + `","desiredCount":0,"placementConstraints":[{"type":"memberOf","expression":""}]}`, "Invalid expression"},
		{"CreateService", `{"cluster":"prod","serviceName":"d","taskDefinition":"` + definition + `","desiredCount":0,"placementConstraints":[{"type":"nearby"}]}`, "enum value set"},
		{"CreateService", `{"cluster":"prod","serviceName":"d","taskDefinition":"` + definition + `","desiredCount":0,"placementStrategy":[{"type":"binpack","field":"love"}]}`, "binpack must be cpu or memory"},
		{"UpdateContainerInstancesState", `{"cluster":"prod","containerInstances":["x"],"status":"REGISTERING"}`, "must be ACTIVE or DRAINING"},
		{"UpdateContainerInstancesState", `{"cluster":"prod","status":"ACTIVE"}`, "cannot be empty"},
		{"DescribeContainerInstances", `{"cluster":"prod"}`, "cannot be empty"},
		{"ListContainerInstances", `{"cluster":"prod","status":"ASLEEP"}`, "enum value set"},
		{"ListContainerInstances", `{"cluster":"prod","filter":"=="}`, "Invalid expression"},
		{"DeregisterContainerInstance", `{"cluster":"prod","containerInstance":"x"}`, "Container instance not found"},
		{"RegisterContainerInstance", `{"cluster":"prod"}`, "totalResources"},
		{"RegisterContainerInstance", `{"cluster":"prod","instanceIdentityDocument":"{"}`, "not valid JSON"},
		{"DeleteCluster", `{"cluster":"prod"}`, "ClusterContainsContainerInstancesException"},
	} {
		if _, err := w.raw(tt.op, tt.body); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %s: %v, want %s", tt.op, tt.body, err, tt.want)
		}
	}
	if got := w.accepted("RunTask", `{"cluster":"prod","taskDefinition":"`+definition+`","count":2}`); strings.Count(got, `"reason":"RESOURCE:MEMORY"`) != 2 || !strings.Contains(got, `"tasks":[]`) {
		t.Errorf("%s", got)
	}
	for _, kind := range []string{"", "t3", "x9.huge", "t3.gigantic", "m5.1xlarge", "m5.99xlarge", ".", "tt.large"} {
		if _, err := w.AddInstances("prod", 1, kind, ""); err == nil {
			t.Errorf("the type %q is taken", kind)
		}
	}
}

// What an agent registers is there after a restart, and gone when it is
// deregistered.
func TestRegisteredInstance(t *testing.T) {
	st := store.Memory()
	w := newWorld(t, st)
	got := w.accepted("RegisterContainerInstance", `{"cluster":"prod","instanceIdentityDocument":"{\"instanceId\":\"i-1\",\"availabilityZone\":\"ap-northeast-1c\",\"instanceType\":\"m5.large\"}",
		"totalResources":[{"name":"CPU","type":"INTEGER","integerValue":2048},{"name":"MEMORY","type":"INTEGER","integerValue":7000}],"attributes":[{"name":"team","value":"a"}]}`)
	for _, want := range []string{`"ec2InstanceId":"i-1"`, `{"name":"team","value":"a"}`, `"status":"ACTIVE"`, `"integerValue":7000`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	again := newBareWorld(t, st, clock.Manual(start()))
	all, err := again.Instances("prod")
	if err != nil || len(all) != 1 || all[0].Zone != "ap-northeast-1c" {
		t.Fatalf("%v %v", all, err)
	}
	got = again.accepted("DeregisterContainerInstance", `{"cluster":"prod","containerInstance":"`+all[0].ARN+`"}`)
	if !strings.Contains(got, `"status":"INACTIVE"`) {
		t.Errorf("%s", got)
	}
	again.clock.Advance(25 * time.Hour)
	if got := again.accepted("DescribeContainerInstances", `{"cluster":"prod","containerInstances":["`+all[0].ARN+`"]}`); !strings.Contains(got, "MISSING") {
		t.Errorf("%s", got)
	}
}
