package ecs

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
)

func crashing() map[string]string {
	return map[string]string{"plimsoll.drydock.exit-after": "1s", "plimsoll.drydock.exit-code": "1"}
}

func breakerOn() *types.DeploymentConfiguration {
	return &types.DeploymentConfiguration{DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: true, Rollback: true}}
}

func TestRolloutReplacesEveryTaskAndCompletes(t *testing.T) {
	w := newWorld(t, store.Memory())
	created := w.create(w.register("v1"), 2, nil)
	first := *created.Deployments[0].Id
	if got := created.Deployments[0].RolloutState; got != types.DeploymentRolloutStateInProgress {
		t.Errorf("a new service's rollout is %s", got)
	}
	w.until("the first deployment completes", 3*time.Minute, steady)

	v2 := w.register("v2")
	second := w.update(v2)
	s := w.describe()
	if len(s.Deployments) != 2 || *s.Deployments[0].Status != "PRIMARY" || *s.Deployments[1].Status != "ACTIVE" || *s.Deployments[1].Id != first {
		t.Fatalf("right after the update: %s", pretty(s.Deployments))
	}
	took := w.until("the second deployment completes", 5*time.Minute, steady)
	if took < 70*time.Second || took > 3*time.Minute {
		t.Errorf("the rollout took %v; a real one of this kind takes about 100 s", took)
	}
	s = w.describe()
	if got := *s.Deployments[0].Id; got != second {
		t.Errorf("deployment %s is PRIMARY, want %s", got, second)
	}
	for _, task := range w.tasksShown(types.DesiredStatusRunning) {
		if *task.TaskDefinitionArn != v2 || *task.StartedBy != second || *task.Containers[0].ImageDigest != "sha256:v2" {
			t.Errorf("a task that runs: %s", pretty(task))
		}
	}
	for _, task := range w.tasksShown(types.DesiredStatusStopped) {
		if task.StopCode != types.TaskStopCodeServiceSchedulerInitiated || *task.StoppedReason != "Scaling activity initiated by (deployment "+second+")" {
			t.Errorf("an old task stopped with %s: %s", task.StopCode, *task.StoppedReason)
		}
	}
	events := eventsOf(s)
	for _, want := range []string{
		"(service api) has reached a steady state.",
		"(service api) (deployment " + second + ") deployment completed.",
		"(service api) has stopped 2 running tasks: (task ",
		"(service api) has started 2 tasks: (task ",
	} {
		i := strings.Index(events, want)
		if i < 0 {
			t.Fatalf("no event %q, in this order, in:\n%s", want, eventsOf(s))
		}
		events = events[i:]
	}
	records := w.records()
	if len(records) != 2 || records[0].Status != types.ServiceDeploymentStatusSuccessful || records[0].FinishedAt == nil {
		t.Errorf("service deployments: %s", pretty(records))
	}
	revisions := do[ecs.DescribeServiceRevisionsOutput](w, "DescribeServiceRevisions", &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: []string{*records[0].TargetServiceRevision.Arn}})
	if got := revisions.ServiceRevisions[0].ContainerImages[0]; *got.ImageDigest != "sha256:v2" {
		t.Errorf("the service revision pins %s", pretty(got))
	}
}

// eventsOf is the service's events, newest first, a line each.
func eventsOf(s types.Service) string {
	var b strings.Builder
	for _, e := range s.Events {
		b.WriteString(*e.Message + "\n")
	}
	return b.String()
}

func TestNoDeploymentWithoutAReason(t *testing.T) {
	w := newWorld(t, store.Memory())
	v1 := w.register("v1")
	before := *w.create(v1, 1, nil).Deployments[0].Id
	w.until("steady", 3*time.Minute, steady)
	for _, in := range []*ecs.UpdateServiceInput{
		{TaskDefinition: &v1},
		{DesiredCount: aws.Int32(3)},
		{HealthCheckGracePeriodSeconds: aws.Int32(30)},
		{DeploymentConfiguration: &types.DeploymentConfiguration{MaximumPercent: aws.Int32(150)}},
	} {
		in.Cluster, in.Service = aws.String("prod"), aws.String("api")
		s := do[ecs.UpdateServiceOutput](w, "UpdateService", in).Service
		if len(s.Deployments) != 1 || *s.Deployments[0].Id != before {
			t.Errorf("%s started a deployment", pretty(in))
		}
	}
	s := w.describe()
	if got := s.DeploymentConfiguration; *got.MaximumPercent != 150 || *got.MinimumHealthyPercent != 100 {
		t.Errorf("the configuration was not merged: %s", pretty(got))
	}
	w.until("three tasks", 3*time.Minute, func(s types.Service) bool { return s.RunningCount == 3 && steady(s) })
}

func TestScaleToZeroAndDelete(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 2, nil)
	w.until("steady", 3*time.Minute, steady)
	remove := &ecs.DeleteServiceInput{Cluster: aws.String("prod"), Service: aws.String("api")}
	if _, err := try[ecs.DeleteServiceOutput](w, "DeleteService", remove); err == nil || !strings.Contains(err.Error(), "scaled above 0") {
		t.Errorf("delete of a service with tasks: %v", err)
	}
	do[ecs.UpdateServiceOutput](w, "UpdateService", &ecs.UpdateServiceInput{Cluster: aws.String("prod"), Service: aws.String("api"), DesiredCount: aws.Int32(0)})
	w.until("nothing runs", 3*time.Minute, func(s types.Service) bool { return s.RunningCount+s.PendingCount == 0 && steady(s) })
	do[ecs.DeleteServiceOutput](w, "DeleteService", remove)
	w.until("inactive", time.Minute, func(s types.Service) bool { return *s.Status == "INACTIVE" })
}

func TestDeploymentOfNoTaskCompletes(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 0, nil)
	w.until("steady", 30*time.Second, steady)
}

func TestMissingImage(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.create(w.register("v9"), 1, nil)
	w.until("a task failed", 5*time.Minute, func(s types.Service) bool { return s.Deployments[0].FailedTasks == 1 })
	w.clock.Advance(30 * time.Second)
	stopped := w.tasksShown(types.DesiredStatusStopped)
	if len(stopped) == 0 {
		t.Fatal("no stopped task")
	}
	got := stopped[0]
	want := "CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to resolve ref " + registryHost + "/web:v9: not found"
	if got.StopCode != types.TaskStopCodeTaskFailedToStart || *got.StoppedReason != want || *got.Containers[0].Reason != want || got.Containers[0].ExitCode != nil || got.StartedAt != nil {
		t.Errorf("the stopped task: %s", pretty(got))
	}
	if s := w.describe(); !strings.Contains(eventsOf(s), "was unable to place a task. Reason: CannotPullContainerError") {
		t.Errorf("events:\n%s", eventsOf(s))
	}
	// The image comes at last: the throttle lets the next task start.
	w.shelf.put("v9", "sha256:v9", nil)
	w.until("steady once the image is there", 30*time.Minute, steady)
	if got := w.describe().Deployments[0].FailedTasks; got != 0 {
		t.Errorf("failedTasks is %d after a task became healthy", got)
	}
}

func TestStartsThatFailAreThrottled(t *testing.T) {
	for failures, want := range map[int]time.Duration{0: 0, 1: 0, 2: 4 * time.Minute, 3: 8 * time.Minute, 4: 16 * time.Minute, 5: 27 * time.Minute, 50: 27 * time.Minute} {
		if got := backOff(failures); got != want {
			t.Errorf("after %d failures: %v, want %v", failures, got, want)
		}
	}
	w := newWorld(t, store.Memory())
	w.create(w.register("v9"), 1, nil)
	w.clock.Advance(24 * time.Hour)
	s := w.describe()
	if n := int(s.Deployments[0].FailedTasks); n < 40 || n > 60 {
		t.Errorf("%d starts in a day; about one in half an hour is right", n)
	}
	if !strings.Contains(eventsOf(s), "is unable to consistently start tasks successfully") {
		t.Errorf("events:\n%s", eventsOf(s))
	}
}

func TestBreakerRollsBackUnderTheOldID(t *testing.T) {
	w := newWorld(t, store.Memory())
	v1 := w.register("v1")
	w.create(v1, 2, breakerOn())
	w.until("steady", 3*time.Minute, steady)
	old := w.describe().Deployments[0]
	w.shelf.put("v2", "sha256:v2", crashing())
	bad := w.update(w.register("v2"))

	w.until("the breaker trips", 10*time.Minute, func(s types.Service) bool {
		if s.RunningCount < 2 {
			t.Fatalf("only %d tasks run during a failing rollout", s.RunningCount)
		}
		return *s.Deployments[0].Id == *old.Id
	})
	s := w.describe()
	if p := s.Deployments[0]; !p.CreatedAt.Equal(*old.CreatedAt) || p.RolloutState != types.DeploymentRolloutStateInProgress ||
		*p.RolloutStateReason != "ECS deployment circuit breaker: rolling back to deploymentId "+*old.Id+"." {
		t.Errorf("the old deployment: %s", pretty(p))
	}
	if f := s.Deployments[1]; *f.Id != bad || *f.Status != "ACTIVE" || f.RolloutState != types.DeploymentRolloutStateFailed || *f.RolloutStateReason != "ECS deployment circuit breaker: tasks failed to start." {
		t.Errorf("the failed deployment: %s", pretty(f))
	}
	if r := w.records()[0]; r.Status != types.ServiceDeploymentStatusRollbackInProgress || r.DeploymentCircuitBreaker.FailureCount < 3 || r.DeploymentCircuitBreaker.Threshold != 3 || r.Rollback == nil {
		t.Errorf("the service deployment: %s", pretty(r))
	}
	w.until("rolled back", 5*time.Minute, steady)
	s = w.describe()
	if *s.Deployments[0].Id != *old.Id || *s.TaskDefinition != v1 {
		t.Errorf("after the rollback: %s", pretty(s.Deployments))
	}
	if r := w.records()[0]; r.Status != types.ServiceDeploymentStatusRollbackSuccessful {
		t.Errorf("the service deployment ended %s", r.Status)
	}
	for _, want := range []string{"(deployment " + bad + ") deployment failed: tasks failed to start.", "rolling back to deployment " + *old.Id + "."} {
		if !strings.Contains(eventsOf(s), want) {
			t.Errorf("no event %q in:\n%s", want, eventsOf(s))
		}
	}
}

func TestBreakerWithNothingToGoBackTo(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.shelf.put("v1", "sha256:v1", crashing())
	w.create(w.register("v1"), 1, breakerOn())
	w.until("failed", 10*time.Minute, func(s types.Service) bool {
		return s.Deployments[0].RolloutState == types.DeploymentRolloutStateFailed
	})
	w.clock.Advance(2 * time.Minute) // the breaker trips when the next task has just been started
	tasks := len(w.tasksShown(types.DesiredStatusStopped))
	w.clock.Advance(30 * time.Minute)
	if n := len(w.tasksShown(types.DesiredStatusStopped)); n != tasks {
		t.Errorf("a failed deployment started %d more tasks", n-tasks)
	}
	w.update(w.register("v2"))
	w.until("a good image heals it", 5*time.Minute, steady)
}

func TestBreakerThreshold(t *testing.T) {
	custom := func(kind types.ThresholdType, value int32) types.DeploymentConfiguration {
		return types.DeploymentConfiguration{DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{
			Enable: true, ThresholdConfiguration: &types.ThresholdConfiguration{Type: kind, Value: value},
		}}
	}
	for _, tt := range []struct {
		desired       int
		configuration types.DeploymentConfiguration
		want          int
	}{
		{1, *breakerOn(), 3},
		{6, *breakerOn(), 3},
		{7, *breakerOn(), 4},
		{25, *breakerOn(), 13},
		{1000, *breakerOn(), 200},
		{10, custom(types.ThresholdTypeCount, 1), 1},
		{10, custom(types.ThresholdTypeBoundedPercent, 10), 3},
		{10, custom(types.ThresholdTypeUnboundedPercent, 10), 1},
		{1000, custom(types.ThresholdTypeUnboundedPercent, 50), 500},
	} {
		if got := breakerThreshold(&service{Desired: tt.desired, Configuration: tt.configuration}); got != tt.want {
			t.Errorf("%d tasks with %s: %d, want %d", tt.desired, pretty(tt.configuration), got, tt.want)
		}
	}
}

func TestStopServiceDeploymentRollsBackWithoutABreaker(t *testing.T) {
	w := newWorld(t, store.Memory())
	v1 := w.register("v1")
	w.create(v1, 1, nil)
	stop := func() error {
		_, err := try[ecs.StopServiceDeploymentOutput](w, "StopServiceDeployment", &ecs.StopServiceDeploymentInput{
			ServiceDeploymentArn: w.records()[0].ServiceDeploymentArn, StopType: types.StopServiceDeploymentStopTypeRollback,
		})
		return err
	}
	if err := stop(); err == nil || !strings.HasPrefix(err.Error(), "ConflictException") {
		t.Errorf("rollback of a first deployment: %v", err)
	}
	w.until("steady", 3*time.Minute, steady)
	old := *w.describe().Deployments[0].Id
	w.shelf.put("v2", "sha256:v2", crashing())
	w.update(w.register("v2"))
	w.clock.Advance(time.Minute)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if got := w.records()[0].Status; got != types.ServiceDeploymentStatusRollbackRequested {
		t.Errorf("right after the request: %s", got)
	}
	w.until("back", 5*time.Minute, func(s types.Service) bool { return steady(s) && *s.Deployments[0].Id == old })
	if got := w.records()[0].Status; got != types.ServiceDeploymentStatusRollbackSuccessful {
		t.Errorf("in the end: %s", got)
	}
	if err := stop(); err == nil || !strings.HasPrefix(err.Error(), "ConflictException") {
		t.Errorf("rollback of one that has ended: %v", err)
	}
}

func TestSupersededDeployment(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 2, nil)
	w.until("steady", 3*time.Minute, steady)
	w.update(w.register("v2"))
	w.clock.Advance(25 * time.Second)
	third := w.update(w.register("v3"))
	w.until("the third lands", 5*time.Minute, func(s types.Service) bool { return steady(s) && *s.Deployments[0].Id == third })
	if got := w.records()[1].Status; got != types.ServiceDeploymentStatusStopped {
		t.Errorf("the superseded service deployment is %s", got)
	}
}

func TestStuckRolloutSaysSo(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 1, &types.DeploymentConfiguration{MaximumPercent: aws.Int32(100), MinimumHealthyPercent: aws.Int32(100)})
	w.until("steady", 3*time.Minute, steady)
	w.update(w.register("v2"))
	w.clock.Advance(time.Hour)
	s := w.describe()
	if steady(s) || !strings.Contains(eventsOf(s), "was unable to stop or start tasks during a deployment because of the service deployment configuration.") {
		t.Errorf("deployments %s, events:\n%s", pretty(s.Deployments), eventsOf(s))
	}
}

func TestVersionConsistency(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 1, nil)
	w.until("steady", 3*time.Minute, steady)
	w.shelf.put("v1", "sha256:other", nil) // the tag moves; the old digest stays
	scale := func(n int32) {
		do[ecs.UpdateServiceOutput](w, "UpdateService", &ecs.UpdateServiceInput{Cluster: aws.String("prod"), Service: aws.String("api"), DesiredCount: &n})
	}
	scale(2)
	w.until("two run", 3*time.Minute, steady)
	for _, task := range w.tasksShown(types.DesiredStatusRunning) {
		if got := *task.Containers[0].ImageDigest; got != "sha256:v1" {
			t.Errorf("a task runs %s: a change of the desired count must not resolve the tag again", got)
		}
	}
	delete(w.shelf.labels, "sha256:v1") // and now a lifecycle policy takes it
	scale(3)
	w.clock.Advance(2 * time.Minute)
	stopped := w.tasksShown(types.DesiredStatusStopped)
	if len(stopped) == 0 || !strings.Contains(*stopped[0].StoppedReason, "web:v1@sha256:v1: not found") {
		t.Errorf("the third task: %s", pretty(stopped))
	}
	w.update(w.running())
	w.until("a forced deployment resolves the tag again", 10*time.Minute, steady)
	if got := *w.tasksShown(types.DesiredStatusRunning)[0].Containers[0].ImageDigest; got != "sha256:other" {
		t.Errorf("after it a task runs %s", got)
	}
}

// running is the service's task definition.
func (w *world) running() string { return *w.describe().TaskDefinition }

func TestVersionConsistencyDisabled(t *testing.T) {
	w := newWorld(t, store.Memory())
	in := definitionOf("v1")
	in.ContainerDefinitions[0].VersionConsistency = types.VersionConsistencyDisabled
	arn := *do[ecs.RegisterTaskDefinitionOutput](w, "RegisterTaskDefinition", in).TaskDefinition.TaskDefinitionArn
	w.create(arn, 1, nil)
	w.until("steady", 3*time.Minute, steady)
	w.shelf.put("v1", "sha256:other", nil)
	stopOne(w)
	w.until("replaced", 3*time.Minute, steady)
	if got := *w.tasksShown(types.DesiredStatusRunning)[0].Containers[0].ImageDigest; got != "sha256:other" {
		t.Errorf("a restart pulled %s; without version consistency it goes by the tag", got)
	}
}

func stopOne(w *world) {
	w.t.Helper()
	task := w.tasksShown(types.DesiredStatusRunning)[0]
	do[ecs.StopTaskOutput](w, "StopTask", &ecs.StopTaskInput{Cluster: aws.String("prod"), Task: task.TaskArn})
	w.clock.Advance(11 * time.Second)
}

func TestStoppedTasksAreForgottenAfterAnHour(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 1, nil)
	w.until("steady", 3*time.Minute, steady)
	stopOne(w)
	w.until("replaced", 3*time.Minute, steady)
	if got := w.tasksShown(types.DesiredStatusStopped); len(got) != 1 || got[0].StopCode != types.TaskStopCodeUserInitiated || *got[0].StoppedReason != "Task stopped by user" {
		t.Errorf("stopped: %s", pretty(got))
	}
	w.clock.Advance(59 * time.Minute)
	if got := w.tasksShown(types.DesiredStatusStopped); len(got) != 1 {
		t.Errorf("%d stopped tasks after 59 minutes", len(got))
	}
	w.clock.Advance(3 * time.Minute)
	if got := w.tasksShown(types.DesiredStatusStopped); len(got) != 0 {
		t.Errorf("%d stopped tasks after an hour", len(got))
	}
}

func TestSteadyStateIsRepeated(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 1, nil)
	w.clock.Advance(25 * time.Hour)
	if n := strings.Count(eventsOf(w.describe()), "has reached a steady state"); n != 5 {
		t.Errorf("%d steady-state events in 25 hours, want one at the start and one every 6 hours", n)
	}
}

func TestStateSurvivesARestart(t *testing.T) {
	st := store.Memory()
	w := newWorld(t, st)
	v1 := w.register("v1")
	w.create(v1, 2, nil)
	w.until("steady", 3*time.Minute, steady)
	before := w.describe()
	again := newBareWorld(t, st, clock.Manual(w.clock.Now()))
	again.until("steady after the restart", 3*time.Minute, func(s types.Service) bool { return steady(s) && s.RunningCount == 2 })
	after := again.describe()
	if *after.Deployments[0].Id != *before.Deployments[0].Id || *after.TaskDefinition != v1 {
		t.Errorf("before %s\nafter %s", pretty(before), pretty(after))
	}
	for _, task := range again.tasksShown(types.DesiredStatusStopped) {
		if task.StopCode != types.TaskStopCodeTerminationNotice {
			t.Errorf("a task that ended with the old process: %s", pretty(task))
		}
	}
}

// The order of a task's life.
func lifeOrder() []string {
	return []string{statusProvisioning, statusPending, statusActivating, statusRunning, statusDeactivating, statusStopping, statusDeprovisioning, statusStopped}
}

// Over any series of good deployments with any bounds that leave room: never
// more tasks than the maximum, never fewer healthy ones than the minimum while
// the old ones could have stayed, every task only moves forward, and in the
// end the last definition runs alone.
func TestRolloutInvariants(t *testing.T) {
	order := map[string]int{}
	for i, status := range lifeOrder() {
		order[status] = i
	}
	rapid.Check(t, func(t *rapid.T) {
		w := newBareWorld(t, store.Memory(), clock.Manual(start()))
		do[ecs.CreateClusterOutput](w, "CreateCluster", &ecs.CreateClusterInput{ClusterName: aws.String("prod")})
		desired := rapid.IntRange(1, 6).Draw(t, "desired")
		minimum := rapid.SampledFrom([]int{0, 25, 50, 66, 100}).Draw(t, "minimum")
		maximum := rapid.SampledFrom([]int{100, 110, 150, 200}).Draw(t, "maximum")
		lower, upper := bounds(desired, minimum, maximum)
		if lower >= upper {
			t.Skip("no room to roll")
		}
		definitions := []string{w.register("v1"), w.register("v2"), w.register("v3")}
		w.create(definitions[0], desired, &types.DeploymentConfiguration{MinimumHealthyPercent: aws.Int32(int32(minimum)), MaximumPercent: aws.Int32(int32(maximum))})
		seen := map[string]int{}
		settled := false
		check := func() {
			live, healthy := 0, 0
			for id, task := range w.tasks {
				if order[task.LastStatus] < seen[id] {
					t.Fatalf("task %s went back from %s to %s", id, lifeOrder()[seen[id]], task.LastStatus)
				}
				seen[id] = order[task.LastStatus]
				if task.LastStatus != statusStopped {
					live++
				}
				if ok, _ := w.healthy(w.services["prod/api"], task, w.clock.Now()); ok && task.LastStatus == statusRunning && task.DesiredStatus == statusRunning {
					healthy++
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
		last := definitions[0]
		for range rapid.IntRange(1, 4).Draw(t, "deploys") {
			for range rapid.IntRange(0, 200).Draw(t, "seconds") {
				w.clock.Advance(time.Second)
				check()
			}
			last = rapid.SampledFrom(definitions).Draw(t, "definition")
			w.update(last)
		}
		w.until("the last deployment completes", time.Hour, func(s types.Service) bool {
			check()
			return steady(s)
		})
		if got := w.running(); got != last {
			t.Fatalf("%s runs, want %s", got, last)
		}
	})
}
