package ecs

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
)

// retire announces the retirement of the tasks of service api.
func (w *world) retire(in time.Duration) Retirement {
	w.t.Helper()
	r, err := w.Retire("prod", "api", &in)
	if err != nil {
		w.t.Fatalf("retire: %v", err)
	}
	return r
}

// retired are the tasks that stopped for maintenance.
func (w *world) retired() (ids []string) {
	for id, t := range w.tasks {
		if t.LastStatus == statusStopped && t.StopCode == maintenanceCode && t.StoppedReason == maintenanceReason {
			ids = append(ids, id)
		}
	}
	return ids
}

// steadyActions counts how often the service was said to be steady.
func (w *world) steadyActions() (n int) {
	for _, e := range w.sent() {
		if e.Detail.EventName == "SERVICE_STEADY_STATE" {
			n++
		}
	}
	return n
}

func percents(minimum, maximum int) *types.DeploymentConfiguration {
	return &types.DeploymentConfiguration{MinimumHealthyPercent: aws.Int32(int32(minimum)), MaximumPercent: aws.Int32(int32(maximum))}
}

func TestRollReplacesWhatRetires(t *testing.T) {
	staying := func(id string) member { return member{id: id, wanted: true, running: true, healthy: true} }
	starting := func(id string) member { return member{id: id, wanted: true} }
	retiring := func(id string) member {
		return member{id: id, wanted: true, running: true, healthy: true, retiring: true}
	}
	for _, tt := range []struct {
		name string
		in   fleet
		want moves
	}{
		{
			"the new ones start first",
			fleet{desired: 2, minPercent: 100, maxPercent: 200, groups: []group{{tasks: []member{retiring("a"), retiring("b")}}}},
			moves{start: []int{2}, stop: [][]string{nil}},
		},
		{
			"even where fewer healthy ones would do",
			fleet{desired: 2, minPercent: 0, maxPercent: 200, groups: []group{{tasks: []member{retiring("a"), retiring("b"), starting("c"), starting("d")}}}},
			moves{start: []int{0}, stop: [][]string{nil}},
		},
		{
			"one goes for each that is healthy",
			fleet{desired: 2, minPercent: 100, maxPercent: 200, groups: []group{{tasks: []member{retiring("a"), retiring("b"), staying("c"), starting("d")}}}},
			moves{start: []int{0}, stop: [][]string{{"b"}}},
		},
		{
			"with room for one they go one by one",
			fleet{desired: 4, minPercent: 100, maxPercent: 125, groups: []group{{tasks: []member{retiring("a"), retiring("b"), retiring("c"), retiring("d")}}}},
			moves{start: []int{1}, stop: [][]string{nil}},
		},
		{
			"without room one goes first, below the minimum if need be",
			fleet{desired: 2, minPercent: 100, maxPercent: 100, groups: []group{{tasks: []member{retiring("a"), retiring("b")}}}},
			moves{start: []int{0}, stop: [][]string{{"b"}}},
		},
		{
			"without room as many as the minimum spares",
			fleet{desired: 4, minPercent: 50, maxPercent: 100, groups: []group{{tasks: []member{retiring("a"), retiring("b"), retiring("c"), retiring("d")}}}},
			moves{start: []int{0}, stop: [][]string{{"d", "c"}}},
		},
		{
			"but no further one while a replacement is on its way",
			fleet{desired: 2, minPercent: 100, maxPercent: 100, groups: []group{{tasks: []member{retiring("a"), starting("c")}}}},
			moves{start: []int{0}, stop: [][]string{nil}},
		},
		{
			"and none while starts are throttled",
			fleet{desired: 1, minPercent: 100, maxPercent: 100, paused: true, groups: []group{{tasks: []member{retiring("a")}}}},
			moves{start: []int{0}, stop: [][]string{nil}},
		},
		{
			"a scale-in takes them first",
			fleet{desired: 1, minPercent: 100, maxPercent: 200, groups: []group{{tasks: []member{retiring("a"), staying("b")}}}},
			moves{start: []int{0}, stop: [][]string{{"a"}}},
		},
		{
			"those of an old deployment go with the rollout",
			fleet{desired: 1, minPercent: 100, maxPercent: 200, groups: []group{{tasks: []member{starting("b")}}, {desired: 1, tasks: []member{retiring("a")}}}},
			moves{start: []int{0, 0}, stop: [][]string{nil, nil}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, roll(tt.in), cmp.AllowUnexported(moves{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestRetirementReplacesTheTasks(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 2, nil)
	w.until("steady", 5*time.Minute, steady)
	r := w.retire(7 * 24 * time.Hour)
	if len(r.Tasks) != 2 || !r.Start.Equal(w.clock.Now().Add(7*24*time.Hour)) || r.Status != RetirementUpcoming {
		t.Fatalf("announced: %+v", r)
	}
	if _, err := w.Retire("prod", "api", nil); err == nil || !strings.Contains(err.Error(), "has no task") {
		t.Errorf("announced twice: %v", err)
	}
	w.clock.Advance(7*24*time.Hour - time.Second)
	if n := len(w.retired()); n != 0 {
		t.Fatalf("%d tasks were retired early", n)
	}
	w.until("replaced", 10*time.Minute, func(s types.Service) bool {
		if s.RunningCount < 2 {
			t.Fatalf("%d tasks run", s.RunningCount)
		}
		return len(w.retired()) == 2
	})
	w.until("steady again", 5*time.Minute, steady)
	if got := len(w.describe().Deployments); got != 1 {
		t.Errorf("%d deployments: maintenance is none", got)
	}
	var statuses []RetirementStatus
	for _, n := range *w.notices {
		statuses = append(statuses, n.Status)
	}
	if want := []RetirementStatus{RetirementUpcoming, RetirementOpen, RetirementClosed}; !slices.Equal(statuses, want) {
		t.Errorf("the account was told of %v", statuses)
	}
	w.clock.Advance(recordsKept)
	if got := w.Retirements(); len(got) != 0 {
		t.Errorf("after 90 days: %v", got)
	}
	if err := w.Store.Load(bucketRetirements, func(key string, _ []byte) error { return fmt.Errorf("%s is stored still", key) }); err != nil {
		t.Error(err)
	}
}

func TestRetirementWithoutRoomStopsFirst(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 1, percents(100, 100))
	w.until("steady", 5*time.Minute, steady)
	w.retire(0)
	w.until("it stops", time.Minute, func(s types.Service) bool { return s.RunningCount == 0 })
	w.until("and is replaced", 5*time.Minute, steady)
	if n := len(w.retired()); n != 1 {
		t.Errorf("%d tasks were retired", n)
	}
	if strings.Contains(eventsOf(w.describe()), "was unable to stop or start") {
		t.Errorf("events:\n%s", eventsOf(w.describe()))
	}
}

// The third article's incident: what runs cannot be pulled any more.
func TestRetirementWithoutImageLosesTheTasks(t *testing.T) {
	for _, maximum := range []int{200, 150, 100} {
		t.Run(fmt.Sprint(maximum), func(t *testing.T) {
			w := newWorld(t, store.Memory())
			w.create(w.register("v1"), 2, percents(50, maximum))
			w.until("steady", 5*time.Minute, steady)
			delete(w.shelf.labels, "sha256:v1")
			w.retire(0)
			w.clock.Advance(retireGrace - time.Minute)
			least := int32(2)
			if maximum == 100 {
				least = 1 // one had to go first
			}
			if s := w.describe(); s.RunningCount != least {
				t.Errorf("%d run before the grace is over, want %d", s.RunningCount, least)
			}
			if n := w.steadyActions(); n != 1 {
				t.Errorf("said to be steady %d times, want only before", n)
			}
			w.until("none is left", 3*time.Minute, func(s types.Service) bool { return s.RunningCount == 0 && len(w.retired()) == 2 })
			w.clock.Advance(2 * 24 * time.Hour)
			s := w.describe()
			if s.RunningCount != 0 || s.Deployments[0].RolloutState != types.DeploymentRolloutStateCompleted {
				t.Errorf("two days later: %s", pretty(s.Deployments))
			}
			if got := w.Retirements()[0].Status; got != RetirementClosed {
				t.Errorf("the retirement is %s", got)
			}
		})
	}
}

// Who deploys before the time has come has nothing to fear from it.
func TestDeploymentMakesRetirementUnnecessary(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 1, nil)
	w.until("steady", 5*time.Minute, steady)
	w.retire(24 * time.Hour)
	w.update(w.running())
	w.until("rolled out", 5*time.Minute, steady)
	if got := w.Retirements()[0].Status; got != RetirementClosed {
		t.Errorf("the retirement is %s", got)
	}
	w.clock.Advance(25 * time.Hour)
	if n := len(w.retired()); n != 0 {
		t.Errorf("%d tasks were retired", n)
	}
}

// A restart of drydock ends all tasks, and with them their retirement.
func TestRetirementIsOverAfterARestart(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 1, nil)
	w.until("steady", 5*time.Minute, steady)
	w.retire(24 * time.Hour)
	again := newBareWorld(t, w.Store, clock.Manual(w.clock.Now()))
	if got := again.Retirements(); len(got) != 1 || got[0].Status != RetirementClosed {
		t.Errorf("retirements: %+v", got)
	}
	again.until("steady", 5*time.Minute, steady)
	again.clock.Advance(25 * time.Hour)
	again.until("it stays so", time.Minute, steady)
}

func TestRetirementWaitIsASettingOfTheAccount(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 1, nil)
	w.until("steady", 5*time.Minute, steady)
	const name = `"name":"fargateTaskRetirementWaitPeriod"`
	list := func() string { return w.accepted("ListAccountSettings", `{"effectiveSettings":true,`+name+`}`) }
	if got := w.accepted("ListAccountSettings", `{}`); got != `{"settings":[]}` {
		t.Errorf("nothing was put: %s", got)
	}
	if got := list(); !strings.Contains(got, `"value":"7"`) {
		t.Errorf("effective: %s", got)
	}
	w.accepted("PutAccountSettingDefault", `{`+name+`,"value":"14"}`)
	if got := list(); !strings.Contains(got, `"value":"14"`) {
		t.Errorf("effective: %s", got)
	}
	if got := w.accepted("PutAccountSetting", `{`+name+`,"value":"0"}`); got != `{"setting":{`+name+`,"principalArn":"arn:aws:iam::123456789012:user/drydock","type":"user","value":"0"}}` {
		t.Errorf("put: %s", got)
	}
	for _, in := range []string{`{` + name + `,"value":"3"}`, `{` + name + `}`, `{"name":"no","value":"0"}`, `{"value":"0"}`, `{"name":"guardDutyActivate","value":"on"}`} {
		if _, err := w.raw("PutAccountSetting", in); err == nil || !strings.HasPrefix(err.Error(), "InvalidParameterException") {
			t.Errorf("%s: %v", in, err)
		}
	}
	again := newBareWorld(t, w.Store, clock.Manual(w.clock.Now()))
	again.until("steady", 5*time.Minute, steady)
	r, err := again.Retire("prod", "api", nil)
	if err != nil || !r.Start.Equal(again.clock.Now()) {
		t.Errorf("%+v, %v", r, err)
	}
}

// Whatever is retired, and whatever happens to it: running and pending tasks
// together never exceed the maximum, and every retired task goes in the end.
func TestRetirementsKeepToTheMaximum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newBareWorld(t, store.Memory(), clock.Manual(start()))
		w.accepted("CreateCluster", `{"clusterName":"prod"}`)
		desired := rapid.IntRange(1, 5).Draw(t, "desired")
		minimum, maximum := rapid.IntRange(0, 100).Draw(t, "minimum"), rapid.IntRange(100, 250).Draw(t, "maximum")
		w.create(w.register("v1"), desired, percents(minimum, maximum))
		_, upper := bounds(desired, minimum, maximum)
		watch := func(d time.Duration) {
			for range int(d / time.Second) {
				w.clock.Advance(time.Second)
				if s := w.glance(); int(s.RunningCount+s.PendingCount) > upper {
					t.Fatalf("%d running and %d pending, with %d at most: %s", s.RunningCount, s.PendingCount, upper, eventsOf(s))
				}
			}
		}
		watch(time.Duration(rapid.IntRange(30, 150).Draw(t, "age")) * time.Second)
		for range rapid.IntRange(1, 3).Draw(t, "retirements") {
			wait := time.Duration(rapid.IntRange(0, 60).Draw(t, "wait")) * time.Second
			_, _ = w.Retire("prod", "api", &wait) // refused when all tasks are announced
			switch rapid.IntRange(0, 3).Draw(t, "meanwhile") {
			case 0:
				delete(w.shelf.labels, "sha256:v1")
			case 1:
				w.shelf.put("v1", "sha256:v1", nil)
			case 2:
				w.update(w.running())
			}
			watch(time.Duration(rapid.IntRange(0, 200).Draw(t, "then")) * time.Second)
		}
		w.shelf.put("v1", "sha256:v1", nil)
		watch(time.Minute)
		w.clock.Advance(retireGrace + 2*backOffMost)
		for _, r := range w.Retirements() {
			if r.Status != RetirementClosed {
				t.Fatalf("not closed: %+v\n%s", r, eventsOf(w.describe()))
			}
		}
		if s := w.glance(); int(s.RunningCount) != desired {
			t.Fatalf("%d of %d run: %s", s.RunningCount, desired, eventsOf(s))
		}
	})
}
