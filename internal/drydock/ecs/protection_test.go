package ecs

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
)

// protect protects tasks for so many minutes.
func (w *world) protect(minutes int32, arns ...string) *ecs.UpdateTaskProtectionOutput {
	w.t.Helper()
	return do[ecs.UpdateTaskProtectionOutput](w, "UpdateTaskProtection", &ecs.UpdateTaskProtectionInput{
		Cluster: aws.String("prod"), Tasks: arns, ProtectionEnabled: true, ExpiresInMinutes: &minutes,
	})
}

func (w *world) scale(n int32) {
	w.t.Helper()
	do[ecs.UpdateServiceOutput](w, "UpdateService", &ecs.UpdateServiceInput{Cluster: aws.String("prod"), Service: aws.String("api"), DesiredCount: &n})
}

func (w *world) runningARNs() []string {
	w.t.Helper()
	var arns []string
	for _, t := range w.tasksShown(types.DesiredStatusRunning) {
		arns = append(arns, *t.TaskArn)
	}
	return arns
}

func TestProtectedTasksOutliveScaleIn(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 3, nil)
	w.until("three tasks", 10*time.Minute, steady)
	for _, arn := range w.runningARNs()[:2] { // whichever two: the third goes
		out := w.protect(30, arn)
		if len(out.ProtectedTasks) != 1 || !out.ProtectedTasks[0].ExpirationDate.Equal(w.clock.Now().Add(30*time.Minute)) {
			t.Fatalf("%s", pretty(out))
		}
	}
	kept := w.runningARNs()[:2]
	w.scale(0)
	w.clock.Advance(20 * time.Minute)
	if got := w.runningARNs(); len(got) != 2 || got[0] != kept[0] || got[1] != kept[1] {
		t.Fatalf("running %v, want the protected %v", got, kept)
	}
	shown := do[ecs.GetTaskProtectionOutput](w, "GetTaskProtection", &ecs.GetTaskProtectionInput{Cluster: aws.String("prod"), Tasks: kept})
	if len(shown.ProtectedTasks) != 2 || !shown.ProtectedTasks[0].ProtectionEnabled {
		t.Errorf("%s", pretty(shown))
	}
	w.clock.Advance(11 * time.Minute) // nobody calls: the protection ends by itself
	if got := w.runningARNs(); len(got) != 0 {
		t.Errorf("running %v when the protection was over", got)
	}
}

func TestProtectedTasksHoldADeployment(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 2, nil)
	w.until("two tasks", 10*time.Minute, steady)
	old := w.runningARNs()[0]
	w.protect(120, old)
	w.update(w.register("v2"))
	w.clock.Advance(time.Hour)
	s := w.describe()
	if len(s.Deployments) != 2 || s.Deployments[0].RolloutState != types.DeploymentRolloutStateInProgress || s.Deployments[1].RunningCount != 1 {
		t.Fatalf("the protected task does not hold the deployment: %s", pretty(s))
	}

	again := newBareWorld(t, w.Store, clock.Manual(w.clock.Now())) // a restart ends tasks, and protection with them
	again.until("steady without the old task", 10*time.Minute, steady)

	do[ecs.UpdateTaskProtectionOutput](w, "UpdateTaskProtection", &ecs.UpdateTaskProtectionInput{Cluster: aws.String("prod"), Tasks: []string{old}, ProtectionEnabled: false})
	w.until("completed", 5*time.Minute, steady)
}

func TestProtectionThatIsNotToBeHad(t *testing.T) {
	w := newWorld(t, store.Memory())
	h := newHarbourmaster(t, w)
	w.create(w.register("v1"), 2, nil)
	w.until("two tasks", 10*time.Minute, steady)
	tasks := w.runningARNs()
	once := do[ecs.RunTaskOutput](w, "RunTask", &ecs.RunTaskInput{Cluster: aws.String("prod"), TaskDefinition: aws.String("web"), LaunchType: types.LaunchTypeFargate, NetworkConfiguration: network()})
	reasons := func(out *ecs.UpdateTaskProtectionOutput) string {
		var all []string
		for _, f := range out.Failures {
			all = append(all, *f.Reason)
		}
		return strings.Join(all, " ")
	}
	if got := reasons(w.protect(1, *once.Tasks[0].TaskArn, "0123456789abcdef0123456789abcdef")); got != "TASK_NOT_VALID MISSING" {
		t.Errorf("failures %s", got)
	}
	w.protect(60, tasks[0])
	w.scale(1)
	if got := reasons(w.protect(60, tasks...)); got != "DEPLOYMENT_BLOCKED" {
		t.Errorf("a service of one task protects two: %s", got)
	}
	w.clock.Advance(5 * time.Minute)
	h.gives("StopTask", `{"cluster":"prod","task":"`+tasks[0]+`"}`, `"stopCode":"UserInitiated"`) // protection is not against the user
	h.gives("GetTaskProtection", `{"cluster":"prod","tasks":["`+tasks[0]+`"]}`, `"reason":"TASK_NOT_VALID"`)
}
