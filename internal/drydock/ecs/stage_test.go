package ecs

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
)

func blueGreen(bake int32, hooks ...types.DeploymentLifecycleHook) *types.DeploymentConfiguration {
	return &types.DeploymentConfiguration{Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: &bake, LifecycleHooks: hooks}
}

func pauseAt(stages ...types.DeploymentLifecycleHookStage) types.DeploymentLifecycleHook {
	return types.DeploymentLifecycleHook{TargetType: types.DeploymentLifecycleHookTargetTypePause, LifecycleStages: stages}
}

// newest is the newest service deployment without the way over the wire.
func (w *world) newest() types.ServiceDeployment {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.services["prod/api"]
	return w.showServiceDeployment(s, s.current())
}

// runningOf counts the tasks of a service revision that run.
func (w *world) runningOf(arn string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.services["prod/api"]
	n := 0
	for _, t := range w.byOwner[s.key()] {
		if s.revision(t.Revision).ARN == arn && t.LastStatus == statusRunning {
			n++
		}
	}
	return n
}

// stagedWorld is a service of v1 with that strategy that is steady.
func stagedWorld(t *testing.T, c *types.DeploymentConfiguration) *world {
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 2, c)
	w.until("steady", 10*time.Minute, steady)
	return w
}

// timeline is a line for every change of a deployment until it has ended: when
// it was seen, the state, green's share of production and test traffic, and
// how many tasks of green and blue run.
func (w *world) timeline(most time.Duration, each func(types.ServiceDeployment)) string {
	began, last := w.clock.Now(), ""
	var lines []string
	for w.clock.Now().Sub(began) <= most {
		d := w.newest()
		if each != nil {
			each(d)
			d = w.newest()
		}
		line := fmt.Sprintf("%s %s", d.Status, d.LifecycleStage)
		if d.LifecycleStage != "" {
			blue := 0
			for _, r := range d.SourceServiceRevisions {
				blue += w.runningOf(*r.Arn)
			}
			line += fmt.Sprintf(" %v%%/%v%% green %d blue %d", *d.TargetServiceRevision.RequestedProductionTrafficWeight,
				*d.TargetServiceRevision.RequestedTestTrafficWeight, w.runningOf(*d.TargetServiceRevision.Arn), blue)
		}
		if line != last {
			lines = append(lines, fmt.Sprintf("%8v %s", w.clock.Now().Sub(began), line))
			last = line
		}
		if d.FinishedAt != nil || d.StoppedAt != nil {
			return strings.Join(lines, "\n")
		}
		w.clock.Advance(time.Second)
	}
	w.t.Fatalf("not over within %v:\n%s", most, strings.Join(lines, "\n"))
	return ""
}

func sameLines(t *testing.T, want, got string) {
	t.Helper()
	trim := func(s string) []string {
		var out []string
		for _, line := range strings.Split(strings.TrimSpace(s), "\n") {
			out = append(out, strings.TrimSpace(line))
		}
		return out
	}
	if diff := cmp.Diff(trim(want), trim(got)); diff != "" {
		t.Errorf("-want +got:\n%s\nall:\n%s", diff, got)
	}
}

// How each strategy brings v2 out, second by second.
func TestStageTimelines(t *testing.T) {
	for _, tt := range []struct {
		name          string
		configuration *types.DeploymentConfiguration
		want          string
	}{
		{"blue/green", blueGreen(5), `
			0s PENDING
			10s IN_PROGRESS PRE_SCALE_UP 0%/0% green 0 blue 2
			20s IN_PROGRESS SCALE_UP 0%/0% green 0 blue 2
			1m9s IN_PROGRESS SCALE_UP 0%/0% green 2 blue 2
			1m50s IN_PROGRESS POST_SCALE_UP 0%/0% green 2 blue 2
			2m0s IN_PROGRESS TEST_TRAFFIC_SHIFT 0%/0% green 2 blue 2
			2m10s IN_PROGRESS POST_TEST_TRAFFIC_SHIFT 0%/100% green 2 blue 2
			2m20s IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 0%/100% green 2 blue 2
			2m30s IN_PROGRESS POST_PRODUCTION_TRAFFIC_SHIFT 100%/100% green 2 blue 2
			2m40s IN_PROGRESS BAKE_TIME 100%/100% green 2 blue 2
			7m40s IN_PROGRESS CLEAN_UP 100%/100% green 2 blue 2
			7m50s IN_PROGRESS CLEAN_UP 100%/100% green 2 blue 0
			8m10s SUCCESSFUL CLEAN_UP 100%/100% green 2 blue 0`},
		{"canary", &types.DeploymentConfiguration{
			Strategy: types.DeploymentStrategyCanary, BakeTimeInMinutes: aws.Int32(1), CanaryConfiguration: &types.CanaryConfiguration{CanaryPercent: aws.Float64(12.5)},
		}, `
			0s PENDING
			10s IN_PROGRESS PRE_SCALE_UP 0%/0% green 0 blue 2
			20s IN_PROGRESS SCALE_UP 0%/0% green 0 blue 2
			1m9s IN_PROGRESS SCALE_UP 0%/0% green 2 blue 2
			1m50s IN_PROGRESS POST_SCALE_UP 0%/0% green 2 blue 2
			2m0s IN_PROGRESS TEST_TRAFFIC_SHIFT 0%/0% green 2 blue 2
			2m10s IN_PROGRESS POST_TEST_TRAFFIC_SHIFT 0%/100% green 2 blue 2
			2m20s IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 0%/100% green 2 blue 2
			2m30s IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 12.5%/100% green 2 blue 2
			12m40s IN_PROGRESS POST_PRODUCTION_TRAFFIC_SHIFT 100%/100% green 2 blue 2
			12m50s IN_PROGRESS BAKE_TIME 100%/100% green 2 blue 2
			13m50s IN_PROGRESS CLEAN_UP 100%/100% green 2 blue 2
			14m0s IN_PROGRESS CLEAN_UP 100%/100% green 2 blue 0
			14m20s SUCCESSFUL CLEAN_UP 100%/100% green 2 blue 0`},
		{"linear", &types.DeploymentConfiguration{
			Strategy: types.DeploymentStrategyLinear, LinearConfiguration: &types.LinearConfiguration{StepPercent: aws.Float64(40), StepBakeTimeInMinutes: aws.Int32(2)},
		}, `
			0s PENDING
			10s IN_PROGRESS PRE_SCALE_UP 0%/0% green 0 blue 2
			20s IN_PROGRESS SCALE_UP 0%/0% green 0 blue 2
			1m9s IN_PROGRESS SCALE_UP 0%/0% green 2 blue 2
			1m50s IN_PROGRESS POST_SCALE_UP 0%/0% green 2 blue 2
			2m0s IN_PROGRESS TEST_TRAFFIC_SHIFT 0%/0% green 2 blue 2
			2m10s IN_PROGRESS POST_TEST_TRAFFIC_SHIFT 0%/100% green 2 blue 2
			2m20s IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 0%/100% green 2 blue 2
			2m30s IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 40%/100% green 2 blue 2
			4m40s IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 80%/100% green 2 blue 2
			6m50s IN_PROGRESS POST_PRODUCTION_TRAFFIC_SHIFT 100%/100% green 2 blue 2
			7m0s IN_PROGRESS BAKE_TIME 100%/100% green 2 blue 2
			7m10s IN_PROGRESS CLEAN_UP 100%/100% green 2 blue 2
			7m20s IN_PROGRESS CLEAN_UP 100%/100% green 2 blue 0
			7m40s SUCCESSFUL CLEAN_UP 100%/100% green 2 blue 0`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := stagedWorld(t, tt.configuration)
			w.update(w.register("v2"))
			sameLines(t, tt.want, w.timeline(time.Hour, nil))
			if d := w.newest(); d.Status != types.ServiceDeploymentStatusSuccessful {
				t.Errorf("ended as %s", d.Status)
			}
			w.until("steady", time.Minute, steady)
		})
	}
}

// The first revision of a service has nothing beside it: it goes through the
// stages without baking.
func TestFirstStagedDeployment(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 1, blueGreen(600))
	took := w.until("steady", 10*time.Minute, steady)
	if d := w.newest(); d.LifecycleStage != types.ServiceDeploymentLifecycleStageCleanUp || *d.TargetServiceRevision.RequestedProductionTrafficWeight != 100 {
		t.Errorf("%v: %s", took, pretty(d))
	}
}

// A PAUSE hook holds the deployment until it is answered, and a refusal or the
// end of its time gives the traffic back to blue.
func TestPauseHook(t *testing.T) {
	const stage = types.DeploymentLifecycleHookStagePostProductionTrafficShift
	answer := func(w *world, action types.DeploymentLifecycleHookAction) {
		d := w.newest()
		do[ecs.ContinueServiceDeploymentOutput](w, "ContinueServiceDeployment", &ecs.ContinueServiceDeploymentInput{
			ServiceDeploymentArn: d.ServiceDeploymentArn, HookId: d.LifecycleHookDetails[0].HookId, Action: action,
		})
	}
	for _, tt := range []struct {
		name   string
		action types.DeploymentLifecycleHookAction // of the timeout
		answer func(*world)
		hook   types.DeploymentLifecycleHookStatus
		status types.ServiceDeploymentStatus
		share  float64
		event  string
	}{
		{"continued", "", func(w *world) { answer(w, "") }, types.DeploymentLifecycleHookStatusSucceeded, types.ServiceDeploymentStatusSuccessful, 100, "HOOK_SUCCEEDED"},
		{"refused", "", func(w *world) { answer(w, types.DeploymentLifecycleHookActionRollback) }, types.DeploymentLifecycleHookStatusFailed, types.ServiceDeploymentStatusRollbackSuccessful, 0, "HOOK_FAILED"},
		{"timed out", "", func(w *world) { w.clock.Advance(30 * time.Minute) }, types.DeploymentLifecycleHookStatusTimedOut, types.ServiceDeploymentStatusRollbackSuccessful, 0, "HOOK_TIMED_OUT"},
		{"timed out, to go on", types.DeploymentLifecycleHookActionContinue, func(w *world) { w.clock.Advance(30 * time.Minute) }, types.DeploymentLifecycleHookStatusTimedOut, types.ServiceDeploymentStatusSuccessful, 100, "HOOK_TIMED_OUT"},
		{"stopped by the user", "", func(w *world) {
			do[ecs.StopServiceDeploymentOutput](w, "StopServiceDeployment", &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: w.newest().ServiceDeploymentArn})
		}, types.DeploymentLifecycleHookStatusFailed, types.ServiceDeploymentStatusRollbackSuccessful, 0, "HOOK_FAILED"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hook := pauseAt(stage)
			hook.TimeoutConfiguration = &types.DeploymentLifecycleHookTimeoutConfiguration{TimeoutInMinutes: aws.Int32(30), Action: tt.action}
			w := newWorld(t, store.Memory())
			w.create(w.register("v1"), 2, nil)
			w.until("steady", 10*time.Minute, steady)
			blue := *w.describe().Deployments[0].Id
			do[ecs.UpdateServiceOutput](w, "UpdateService", &ecs.UpdateServiceInput{
				Cluster: aws.String("prod"), Service: aws.String("api"), DeploymentConfiguration: blueGreen(1, hook),
			})
			w.update(w.register("v2"))
			w.until("paused", 10*time.Minute, func(types.Service) bool { return len(w.newest().LifecycleHookDetails) > 0 })
			w.clock.Advance(20 * time.Minute)
			d := w.newest()
			if h := d.LifecycleHookDetails[0]; d.LifecycleStage != "POST_PRODUCTION_TRAFFIC_SHIFT" || h.Status != types.DeploymentLifecycleHookStatusAwaitingAction ||
				!strings.HasPrefix(*h.HookId, "ecs-pause-") || len(*h.HookId) != len("ecs-pause-e7tK9G_WRJqNF_EOMjztDXfKenlJuEUVjsNStf4WLKw") {
				t.Fatalf("not paused: %s", pretty(d))
			}
			if w.runningOf(*d.SourceServiceRevisions[0].Arn) != 2 || w.runningOf(*d.TargetServiceRevision.Arn) != 2 {
				t.Errorf("both revisions have all their tasks while it waits: %s", pretty(d))
			}
			tt.answer(w)
			w.until("over", 10*time.Minute, steady)
			d = w.newest()
			if d.Status != tt.status || d.LifecycleHookDetails[0].Status != tt.hook || *d.TargetServiceRevision.RequestedProductionTrafficWeight != tt.share ||
				*d.SourceServiceRevisions[0].RequestedProductionTrafficWeight != 100-tt.share {
				t.Errorf("%s", pretty(d))
			}
			if back := *w.describe().Deployments[0].Id == blue; back != (tt.share == 0) {
				t.Errorf("the deployment %s is there", *w.describe().Deployments[0].Id)
			}
			last := w.last(tt.event, func(s sent) bool { return s.DetailType == "ECS Hook State Change" })
			if last.Detail.EventName != tt.event || last.Resources[0] != *d.ServiceDeploymentArn {
				t.Errorf("%s", last.doc)
			}
			var event struct{ Detail hookChange }
			if err := json.Unmarshal(last.doc, &event); err != nil {
				t.Fatal(err)
			}
			got, h := event.Detail, d.LifecycleHookDetails[0]
			if got.HookID != *h.HookId || got.HookType != "PAUSE" || got.ExpiresAt != h.ExpiresAt.UTC().Format(eventSeconds) || got.LifecycleStage != string(stage) ||
				got.ServiceARN != *d.ServiceArn || got.ClusterARN != *d.ClusterArn || got.ServiceDeploymentARN != *d.ServiceDeploymentArn {
				t.Errorf("%s", last.doc)
			}
		})
	}
}

// A hook before the production shift is asked before every step of it, with an
// id of its own.
func TestPauseBeforeEveryStep(t *testing.T) {
	w := stagedWorld(t, &types.DeploymentConfiguration{
		Strategy: types.DeploymentStrategyLinear, LinearConfiguration: &types.LinearConfiguration{StepPercent: aws.Float64(50), StepBakeTimeInMinutes: aws.Int32(0)},
	})
	hooks := []types.DeploymentLifecycleHook{pauseAt(types.DeploymentLifecycleHookStagePreProductionTrafficShift)}
	definition := w.register("v2")
	do[ecs.UpdateServiceOutput](w, "UpdateService", &ecs.UpdateServiceInput{
		Cluster: aws.String("prod"), Service: aws.String("api"), TaskDefinition: &definition, DeploymentConfiguration: &types.DeploymentConfiguration{LifecycleHooks: hooks},
	})
	answered := map[string]float64{}
	w.timeline(time.Hour, func(d types.ServiceDeployment) {
		for _, h := range d.LifecycleHookDetails {
			if h.Status == types.DeploymentLifecycleHookStatusAwaitingAction {
				answered[*h.HookId] = *d.TargetServiceRevision.RequestedProductionTrafficWeight
				do[ecs.ContinueServiceDeploymentOutput](w, "ContinueServiceDeployment", &ecs.ContinueServiceDeploymentInput{ServiceDeploymentArn: d.ServiceDeploymentArn, HookId: h.HookId})
			}
		}
	})
	var shares []float64
	for _, share := range answered {
		shares = append(shares, share)
	}
	slices.Sort(shares)
	if !slices.Equal(shares, []float64{0, 50}) {
		t.Errorf("asked at %v", shares)
	}
}

// A function's answer is what drydock was told; until it is final it is asked
// for again.
func TestLambdaHook(t *testing.T) {
	const arn = "arn:aws:lambda:ap-northeast-1:123456789012:function:gate"
	gate := types.DeploymentLifecycleHook{
		HookTargetArn: aws.String(arn), RoleArn: aws.String("arn:aws:iam::123456789012:role/hooks"),
		LifecycleStages: []types.DeploymentLifecycleHookStage{types.DeploymentLifecycleHookStageTestTrafficShift},
	}
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 1, nil)
	w.until("steady", 10*time.Minute, steady)
	definition := w.register("v2")
	update := &ecs.UpdateServiceInput{Cluster: aws.String("prod"), Service: aws.String("api"), TaskDefinition: &definition, DeploymentConfiguration: blueGreen(0, gate)}
	if _, err := try[ecs.UpdateServiceOutput](w, "UpdateService", update); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Fatalf("a function that nobody told of: %v", err)
	}
	if err := w.AnswerHook(HookAnswer{ARN: arn, Status: "IN_PROGRESS", CallBackDelay: 60}); err != nil {
		t.Fatal(err)
	}
	do[ecs.UpdateServiceOutput](w, "UpdateService", update)
	w.until("asked", 10*time.Minute, func(types.Service) bool { return len(w.newest().LifecycleHookDetails) > 0 })
	w.clock.Advance(10 * time.Minute)
	if d := w.newest(); d.LifecycleStage != "TEST_TRAFFIC_SHIFT" || d.LifecycleHookDetails[0].Status != types.DeploymentLifecycleHookStatusInProgress {
		t.Fatalf("%s", pretty(d))
	}
	if err := w.AnswerHook(HookAnswer{ARN: arn, Status: "FAILED"}); err != nil {
		t.Fatal(err)
	}
	w.until("rolled back", 5*time.Minute, steady)
	if d := w.newest(); d.Status != types.ServiceDeploymentStatusRollbackSuccessful || d.LifecycleHookDetails[0].Status != types.DeploymentLifecycleHookStatusFailed {
		t.Errorf("%s", pretty(d))
	}
}

// Green never comes up: with the circuit breaker it fails soon, without it the
// stage's limit of a day ends it. Blue serves all the time.
func TestGreenThatFails(t *testing.T) {
	for _, breaker := range []bool{true, false} {
		t.Run(fmt.Sprintf("breaker %v", breaker), func(t *testing.T) {
			c := blueGreen(1)
			c.DeploymentCircuitBreaker = &types.DeploymentCircuitBreaker{Enable: breaker, Rollback: breaker}
			w := stagedWorld(t, c)
			w.update(w.register("v9")) // there is no such image
			if !breaker {              // nothing but the limit ends it
				for range 24 * 60 / 5 {
					if d := w.newest(); d.Rollback != nil {
						t.Fatalf("ended: %s", pretty(d))
					}
					w.clock.Advance(5 * time.Minute)
				}
			}
			w.timeline(30*time.Minute, func(d types.ServiceDeployment) {
				if len(d.SourceServiceRevisions) > 0 && w.runningOf(*d.SourceServiceRevisions[0].Arn) != 2 {
					t.Fatalf("blue has lost tasks: %s", pretty(d))
				}
			})
			if d := w.newest(); d.Status != types.ServiceDeploymentStatusRollbackSuccessful {
				t.Errorf("%s", pretty(d))
			}
		})
	}
}

// A deployment that supersedes another one reconciles the service first: what
// the other one brought up goes.
func TestStagedDeploymentSuperseded(t *testing.T) {
	w := stagedWorld(t, blueGreen(10))
	w.update(w.register("v2"))
	w.until("baking", 10*time.Minute, func(types.Service) bool { return w.newest().LifecycleStage == "BAKE_TIME" })
	old := w.newest()
	w.update(w.register("v3"))
	seen := map[types.ServiceDeploymentLifecycleStage]bool{}
	w.timeline(time.Hour, func(d types.ServiceDeployment) {
		seen[d.LifecycleStage] = true
		if d.LifecycleStage == "SCALE_UP" && w.runningOf(*old.TargetServiceRevision.Arn) > 0 {
			t.Fatal("the superseded revision still runs")
		}
	})
	if d := w.newest(); !seen["RECONCILE_SERVICE"] || d.Status != types.ServiceDeploymentStatusSuccessful {
		t.Errorf("%v %s", seen, pretty(d))
	}
	if d := w.records()[1]; d.Status != types.ServiceDeploymentStatusStopped {
		t.Errorf("%s", pretty(d))
	}
}

// The desired count changes while both revisions are there: both follow.
func TestScaleWhileStaged(t *testing.T) {
	w := stagedWorld(t, blueGreen(30))
	w.update(w.register("v2"))
	w.until("baking", 10*time.Minute, func(types.Service) bool { return w.newest().LifecycleStage == "BAKE_TIME" })
	for _, n := range []int{4, 1} {
		w.accepted("UpdateService", fmt.Sprintf(`{"cluster":"prod","service":"api","desiredCount":%d}`, n))
		w.clock.Advance(3 * time.Minute)
		d := w.newest()
		if green, blue := w.runningOf(*d.TargetServiceRevision.Arn), w.runningOf(*d.SourceServiceRevisions[0].Arn); green != n || blue != n {
			t.Errorf("scaled to %d: green %d, blue %d", n, green, blue)
		}
		if s := w.describe(); len(s.Deployments) != 2 || int(s.Deployments[1].DesiredCount) != n {
			t.Errorf("%s", pretty(s))
		}
	}
	w.until("landed", time.Hour, steady)
}

// A service that is deleted leaves no hook waiting.
func TestDeletedWhilePaused(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 1, blueGreen(1, pauseAt(types.DeploymentLifecycleHookStagePreScaleUp)))
	w.until("paused", time.Hour, func(types.Service) bool { return len(w.newest().LifecycleHookDetails) > 0 })
	w.accepted("DeleteService", `{"cluster":"prod","service":"api","force":true}`)
	w.clock.Advance(time.Minute)
	if d := w.newest(); d.Status != types.ServiceDeploymentStatusStopped || d.LifecycleHookDetails[0].Status != types.DeploymentLifecycleHookStatusFailed {
		t.Errorf("%s", pretty(d))
	}
}

func TestStopTypes(t *testing.T) {
	stop := func(w *world, arn *string, kind types.StopServiceDeploymentStopType) error {
		_, err := try[ecs.StopServiceDeploymentOutput](w, "StopServiceDeployment", &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: arn, StopType: kind})
		return err
	}
	w := stagedWorld(t, blueGreen(10))
	w.update(w.register("v2"))
	w.until("both run", 10*time.Minute, func(s types.Service) bool { return s.RunningCount == 4 })
	d := w.newest()
	for _, kind := range []types.StopServiceDeploymentStopType{types.StopServiceDeploymentStopTypeAbort, types.StopServiceDeploymentStopTypeRollback} {
		if err := stop(w, d.ServiceDeploymentArn, kind); err != nil { // the second one finds STOP_REQUESTED, which "continues to stop"
			t.Fatal(err)
		}
	}
	w.clock.Advance(time.Hour)
	s, d := w.describe(), w.newest()
	if d.Status != types.ServiceDeploymentStatusStopped || s.RunningCount != 4 || s.Deployments[0].RolloutState != types.DeploymentRolloutStateFailed {
		t.Errorf("aborted: %s %s", pretty(d), pretty(s))
	}
	for kind, want := range map[types.StopServiceDeploymentStopType]string{"": "ConflictException", "ABORT": "ConflictException", "HALT": "InvalidParameterException"} {
		if err := stop(w, d.ServiceDeploymentArn, kind); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("stop %q of one that is over: %v", kind, err)
		}
	}
	if err := stop(w, aws.String(*d.ServiceDeploymentArn+"x"), ""); err == nil || !strings.Contains(err.Error(), "ServiceDeploymentNotFoundException") {
		t.Errorf("stop of one that is not there: %v", err)
	}
	w.update(w.register("v3"))
	w.until("the next one lands", time.Hour, steady)
}

func TestStrategiesThatAreRefused(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 0, nil)
	for _, tt := range []struct{ configuration, want string }{
		{`{"strategy":"BIG_BANG"}`, "enum value set"},
		{`{"strategy":"LINEAR","linearConfiguration":{"stepPercent":2.9}}`, "stepPercent must be"},
		{`{"strategy":"LINEAR","linearConfiguration":{"stepPercent":10.05}}`, "stepPercent must be"},
		{`{"strategy":"LINEAR","linearConfiguration":{"stepBakeTimeInMinutes":1441}}`, "stepBakeTimeInMinutes must be"},
		{`{"strategy":"CANARY","canaryConfiguration":{"canaryPercent":0}}`, "canaryPercent must be"},
		{`{"strategy":"CANARY","canaryConfiguration":{"canaryBakeTimeInMinutes":-1}}`, "canaryBakeTimeInMinutes must be"},
		{`{"strategy":"BLUE_GREEN","bakeTimeInMinutes":1441}`, "bakeTimeInMinutes must be"},
		{`{"canaryConfiguration":{}}`, "only valid with the deployment strategy CANARY"},
		{`{"strategy":"CANARY","linearConfiguration":{}}`, "only valid with the deployment strategy LINEAR"},
		{`{"lifecycleHooks":[{"targetType":"PAUSE","lifecycleStages":["PRE_SCALE_UP"]}]}`, "only valid with the deployment strategies"},
		{`{"strategy":"BLUE_GREEN","lifecycleHooks":[{"targetType":"PAUSE"}]}`, "lifecycleStages must be provided"},
		{`{"strategy":"BLUE_GREEN","lifecycleHooks":[{"targetType":"PAUSE","lifecycleStages":["SCALE_UP"]}]}`, "enum value set"},
		{`{"strategy":"BLUE_GREEN","lifecycleHooks":[{"targetType":"PAUSE","lifecycleStages":["TEST_TRAFFIC_SHIFT"]}]}`, "not valid at the stage"},
		{`{"strategy":"BLUE_GREEN","lifecycleHooks":[{"targetType":"PAUSE","hookTargetArn":"arn:aws:lambda:x","lifecycleStages":["PRE_SCALE_UP"]}]}`, "not valid for a lifecycle hook of the type PAUSE"},
		{`{"strategy":"BLUE_GREEN","lifecycleHooks":[{"targetType":"PAUSE","lifecycleStages":["PRE_SCALE_UP"],"timeoutConfiguration":{"timeoutInMinutes":20161}}]}`, "timeoutInMinutes must be"},
		{`{"strategy":"BLUE_GREEN","lifecycleHooks":[{"targetType":"PAUSE","lifecycleStages":["PRE_SCALE_UP"],"timeoutConfiguration":{"action":"SHRUG"}}]}`, "enum value set"},
		{`{"strategy":"BLUE_GREEN","lifecycleHooks":[{"targetType":"PIGEON","lifecycleStages":["PRE_SCALE_UP"]}]}`, "enum value set"},
		{`{"strategy":"BLUE_GREEN","lifecycleHooks":[{"lifecycleStages":["PRE_SCALE_UP"]}]}`, "hookTargetArn must be provided"},
		{`{"alarms":{"enable":true,"rollback":true,"alarmNames":[]}}`, "alarmNames can not be empty"},
		{`{"strategy":"BLUE_GREEN","lifecycleHooks":[` + strings.Repeat(`{"targetType":"PAUSE","lifecycleStages":["PRE_SCALE_UP"]},`, 10) + `{"targetType":"PAUSE","lifecycleStages":["PRE_SCALE_UP"]}]}`, "at most 10"},
	} {
		_, err := w.raw("UpdateService", `{"cluster":"prod","service":"api","deploymentConfiguration":`+tt.configuration+`}`)
		if err == nil || !strings.Contains(err.Error(), "InvalidParameterException") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.configuration, err, tt.want)
		}
	}
	for _, tt := range []struct{ body, want string }{
		{`{}`, "InvalidParameterException"},
		{`{"serviceDeploymentArn":"arn:x","hookId":"y"}`, "ServiceDeploymentNotFoundException"},
		{`{"serviceDeploymentArn":"` + *w.newest().ServiceDeploymentArn + `","hookId":"y"}`, "InvalidParameterException"},
		{`{"serviceDeploymentArn":"` + *w.newest().ServiceDeploymentArn + `","hookId":"y","action":"PRAY"}`, "InvalidParameterException"},
	} {
		if _, err := w.raw("ContinueServiceDeployment", tt.body); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.body, err, tt.want)
		}
	}
}

// What a request says of a strategy comes back, defaults and the free document
// of a hook included.
func TestStrategyIsShown(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 0, nil)
	if err := w.AnswerHook(HookAnswer{ARN: "arn:aws:lambda:a:1:function:f", Status: "SUCCEEDED"}); err != nil {
		t.Fatal(err)
	}
	w.accepted("UpdateService", `{"cluster":"prod","service":"api","deploymentConfiguration":{"strategy":"LINEAR","lifecycleHooks":[
		{"hookTargetArn":"arn:aws:lambda:a:1:function:f","roleArn":"arn:aws:iam::1:role/r","lifecycleStages":["PRE_SCALE_UP"],"hookDetails":{"team":["a",1]}}]}}`)
	got := w.accepted("DescribeServices", `{"cluster":"prod","services":["api"]}`)
	for _, want := range []string{`"stepPercent":10`, `"stepBakeTimeInMinutes":6`, `"hookDetails":{"team":["a",1]}`, `"bakeTimeInMinutes":0`, `"strategy":"LINEAR"`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	w.accepted("UpdateService", `{"cluster":"prod","service":"api","deploymentConfiguration":{"strategy":"ROLLING"}}`)
	if got := w.accepted("DescribeServices", `{"cluster":"prod","services":["api"]}`); strings.Contains(got, "linearConfiguration") || strings.Contains(got, "lifecycleHooks") {
		t.Errorf("a rolling service shows %s", got)
	}
}

// Whatever a deployment goes through: stages only go forward, the shares of
// traffic are 100 together, blue is complete until CLEAN_UP, and a rollback
// leaves it all.
func TestStagesRapid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newBareWorld(t, store.Memory(), clock.Manual(start()))
		do[ecs.CreateClusterOutput](w, "CreateCluster", &ecs.CreateClusterInput{ClusterName: aws.String("prod")})
		c := &types.DeploymentConfiguration{
			Strategy:          rapid.SampledFrom([]types.DeploymentStrategy{"BLUE_GREEN", "LINEAR", "CANARY"}).Draw(t, "strategy"),
			BakeTimeInMinutes: aws.Int32(int32(rapid.IntRange(0, 3).Draw(t, "bake"))),
			Alarms:            &types.DeploymentAlarms{Enable: true, Rollback: true, AlarmNames: []string{"a"}},
		}
		switch c.Strategy {
		case "LINEAR":
			c.LinearConfiguration = &types.LinearConfiguration{StepPercent: aws.Float64(float64(rapid.IntRange(150, 1000).Draw(t, "step")) / 10), StepBakeTimeInMinutes: aws.Int32(1)}
		case "CANARY":
			c.CanaryConfiguration = &types.CanaryConfiguration{CanaryPercent: aws.Float64(float64(rapid.IntRange(1, 1000).Draw(t, "canary")) / 10), CanaryBakeTimeInMinutes: aws.Int32(1)}
		}
		desired := rapid.IntRange(1, 3).Draw(t, "desired")
		w.create(w.register("v1"), desired, c)
		w.until("steady", 10*time.Minute, steady)
		blue := *w.describe().Deployments[0].Id
		w.update(w.register("v2"))
		at := time.Duration(rapid.IntRange(0, 900).Draw(t, "at")) * time.Second
		how := rapid.SampledFrom([]string{"", "stop", "alarm"}).Draw(t, "how")
		stages := lifecycleStages()
		last, began := -1, w.clock.Now()
		for d := w.newest(); d.FinishedAt == nil; d = w.newest() {
			since := w.clock.Now().Sub(began)
			if since > 2*time.Hour {
				t.Fatalf("not over: %s", pretty(d))
			}
			if since == at && d.Status == types.ServiceDeploymentStatusInProgress {
				switch how {
				case "stop":
					do[ecs.StopServiceDeploymentOutput](w, "StopServiceDeployment", &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: d.ServiceDeploymentArn})
				case "alarm":
					if _, err := w.SetAlarm("a", AlarmAlarm); err != nil {
						t.Fatal(err)
					}
				}
			}
			if i := slices.Index(stages, d.LifecycleStage); i < last {
				t.Fatalf("%s after %s", d.LifecycleStage, stages[last])
			} else if last = i; i >= 0 {
				green, source := *d.TargetServiceRevision.RequestedProductionTrafficWeight, *d.SourceServiceRevisions[0].RequestedProductionTrafficWeight
				if math.Abs(green+source-100) > 1e-9 {
					t.Fatalf("%v + %v", green, source)
				}
			}
			if d.LifecycleStage != "CLEAN_UP" && w.runningOf(*d.SourceServiceRevisions[0].Arn) < desired {
				t.Fatalf("blue is not complete: %s", pretty(d))
			}
			w.clock.Advance(time.Second)
		}
		d := w.newest()
		if d.Status == types.ServiceDeploymentStatusSuccessful {
			if *d.TargetServiceRevision.RequestedProductionTrafficWeight != 100 {
				t.Fatalf("%s", pretty(d))
			}
		} else if *d.TargetServiceRevision.RequestedProductionTrafficWeight != 0 && d.LifecycleStage != "" || *w.describe().Deployments[0].Id != blue || !steady(w.describe()) {
			t.Fatalf("blue is not back: %s %s", pretty(d), pretty(w.describe()))
		}
	})
}

// A drydock that ends in the middle goes on with the same stage, hook and
// shares.
func TestStagesSurviveARestart(t *testing.T) {
	st := store.Memory()
	w := newWorld(t, st)
	w.create(w.register("v1"), 1, blueGreen(1, pauseAt(types.DeploymentLifecycleHookStagePostProductionTrafficShift)))
	answer := func(w *world) {
		for _, h := range w.newest().LifecycleHookDetails {
			if h.Status == types.DeploymentLifecycleHookStatusAwaitingAction {
				do[ecs.ContinueServiceDeploymentOutput](w, "ContinueServiceDeployment", &ecs.ContinueServiceDeploymentInput{ServiceDeploymentArn: w.newest().ServiceDeploymentArn, HookId: h.HookId})
			}
		}
	}
	w.until("steady", time.Hour, func(s types.Service) bool { answer(w); return steady(s) })
	w.update(w.register("v2"))
	w.until("paused", time.Hour, func(types.Service) bool { return len(w.newest().LifecycleHookDetails) > 0 })
	before := w.newest()
	again := newBareWorld(t, st, clock.Manual(w.clock.Now()))
	after := again.newest()
	for _, d := range []*types.ServiceDeployment{&before, &after} { // tasks do not live on
		for _, r := range append([]*types.ServiceRevisionSummary{d.TargetServiceRevision}, &d.SourceServiceRevisions[0]) {
			r.RunningTaskCount, r.PendingTaskCount = 0, 0
		}
	}
	if a, b := shown(t, before), shown(t, after); a != b {
		t.Errorf("before %s\nafter %s", a, b)
	}
	again.until("landed", time.Hour, func(s types.Service) bool { answer(again); return steady(s) })
}

func shown(t *testing.T, v any) string {
	doc, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(doc)
}
