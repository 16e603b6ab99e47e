package deploy

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A rollout that is under way is ended by ECS itself, where what it leaves is what
// to go back to and still serves; else by another deployment.
func TestRollbackEndsTheRolloutThatIsUnderWay(t *testing.T) {
	for _, tc := range []struct {
		name    string
		harbour func(*harbour)
		want    string // changes
	}{
		{name: "what it leaves still serves", want: "stop"},
		{name: "ECS cannot", harbour: func(h *harbour) { h.fail["RollBack"] = Conflict }, want: "stop, update web:1 force=true"},
		{name: "nobody may ask it to", harbour: func(h *harbour) { h.fail["RollBack"] = Denied }, want: "stop, update web:1 force=true"},
		{name: "ECS keeps no records", harbour: func(h *harbour) { h.records = false }, want: "update web:1 force=true"},
		{
			name: "fewer of the old tasks serve than are wanted",
			harbour: func(h *harbour) {
				h.set = func(s *Service) {
					if len(s.Deployments) == 2 && s.Deployments[0].RolloutState == "IN_PROGRESS" {
						s.Deployments[1].Running = s.Desired - 1
					}
				}
			},
			want: "update web:1 force=true",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarbour()
				h.crash["v1.1.0"] = true
				failing(h)
				if tc.harbour != nil {
					tc.harbour(h)
				}
				r := RollbackRequest{Target: web(), TakeOver: true, Provenance: Provenance{Actor: "ann"}}
				v, err := Rollback(t.Context(), ports(t, h), r, (&log{}).tell)
				if err != nil || v.Outcome != Stable || v.TaskDefinition != "web:1" || h.changes() != tc.want {
					t.Errorf("%+v, %v; %s", v, err, h.changes())
				}
				var left map[string]string
				for arn, tags := range h.tags {
					if strings.HasSuffix(arn, "web:2") {
						left = tags
					}
				}
				if left[tagWithdrawn] == "" || left[tagWithdrawnBy] != "ann" {
					t.Errorf("who left it is not noted: %v", h.tags)
				}
			})
		})
	}
}

func TestWhatAStrategyWaitsByItself(t *testing.T) {
	for percent, want := range map[float64]int{0: 0, 3: 33, 10: 9, 25: 3, 30: 3, 50: 1, 99: 1, 100: 0} {
		if got := ShiftSteps(percent); got != want {
			t.Errorf("%v %% at a time: %d waits, want %d", percent, got, want)
		}
	}
	if got := (Shift{Bake: 5 * time.Minute, Step: 10 * time.Minute, Steps: 3}).waits(); got != 35*time.Minute {
		t.Errorf("it waits %s", got)
	}
}

// Who gives no time has what the strategy takes by itself on top of the usual.
func TestBakeTimeIsNoTimeout(t *testing.T) {
	for given, want := range map[time.Duration]string{0: Stable, 20 * time.Second: TimedOut} {
		synctest.Test(t, func(t *testing.T) {
			h, r := newHarbour(), request("v1.1.0")
			began := time.Time{}
			h.onUpdate = func() { began = time.Now() }
			h.set = func(s *Service) {
				s.Strategy, s.Shift = "BLUE_GREEN", Shift{Bake: time.Hour}
				if !began.IsZero() && time.Since(began) < time.Hour {
					s.Deployments[0].RolloutState = "IN_PROGRESS"
				}
			}
			r.Timeout = given
			if v, err := Deploy(t.Context(), ports(t, h), r, (&log{}).tell); err != nil || v.Outcome != want {
				t.Errorf("with %s: %+v, %v", given, v, err)
			}
		})
	}
}
