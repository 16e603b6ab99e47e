package ecs

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
)

func watching(rollback bool) *types.DeploymentConfiguration {
	return &types.DeploymentConfiguration{Alarms: &types.DeploymentAlarms{Enable: true, Rollback: rollback, AlarmNames: []string{"errors", "latency"}}}
}

func (w *world) alarm(name string, state AlarmState) {
	w.t.Helper()
	if _, err := w.SetAlarm(name, state); err != nil {
		w.t.Fatalf("alarm: %v", err)
	}
}

func TestDeploymentAlarms(t *testing.T) {
	for _, tt := range []struct {
		name     string
		rollback bool
		before   bool          // the alarm is in ALARM already
		at       time.Duration // when it goes off; 0: never
		took     time.Duration // at least
		status   types.ServiceDeploymentStatus
		watch    types.ServiceDeploymentRollbackMonitorsStatus
	}{
		{"quiet: watched for five minutes after it has landed", true, false, 0, 6 * time.Minute, types.ServiceDeploymentStatusSuccessful, types.ServiceDeploymentRollbackMonitorsStatusMonitoringComplete},
		{"during the rollout", true, false, time.Minute, time.Minute, types.ServiceDeploymentStatusRollbackSuccessful, types.ServiceDeploymentRollbackMonitorsStatusTriggered},
		{"while it is watched", true, false, 5 * time.Minute, 5 * time.Minute, types.ServiceDeploymentStatusRollbackSuccessful, types.ServiceDeploymentRollbackMonitorsStatusTriggered},
		{"without rollback", false, false, time.Minute, time.Minute, types.ServiceDeploymentStatusStopped, types.ServiceDeploymentRollbackMonitorsStatusTriggered},
		{"in ALARM from the start: not watched", true, true, 0, time.Minute, types.ServiceDeploymentStatusSuccessful, types.ServiceDeploymentRollbackMonitorsStatusDisabled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, store.Memory())
			w.create(w.register("v1"), 1, watching(tt.rollback))
			w.until("steady", 20*time.Minute, steady)
			if tt.before {
				w.alarm("errors", AlarmAlarm)
			}
			began := w.clock.Now()
			id := w.update(w.register("v2"))
			w.timeline(30*time.Minute, func(types.ServiceDeployment) {
				if tt.at > 0 && w.clock.Now().Sub(began) == tt.at {
					w.alarm("errors", AlarmAlarm)
				}
			})
			took, d := w.clock.Now().Sub(began), w.newest()
			if d.Status != tt.status || d.Alarms.Status != tt.watch || took < tt.took || took > tt.took+3*time.Minute {
				t.Errorf("after %v %s", took, pretty(d))
			}
			if tt.at == 0 {
				return
			}
			if !slices.Equal(d.Alarms.TriggeredAlarmNames, []string{"errors"}) {
				t.Errorf("triggered: %v", d.Alarms.TriggeredAlarmNames)
			}
			events := eventsOf(w.describe())
			if !strings.Contains(events, "(deployment "+id+") deployment failed: alarm detected.") || strings.Contains(events, "rolling back") != tt.rollback {
				t.Errorf("events: %s", events)
			}
			w.last("failed", func(s sent) bool { return s.Detail.EventName == "SERVICE_DEPLOYMENT_FAILED" })
		})
	}
}

func TestAlarmsAreKept(t *testing.T) {
	st := store.Memory()
	w := newWorld(t, st)
	w.alarm("b", AlarmOK)
	w.alarm("a", AlarmAlarm)
	if got := newBareWorld(t, st, clock.Manual(start())).Alarms(); len(got) != 2 || got[0].Name != "a" || got[0].State != AlarmAlarm {
		t.Errorf("%v", got)
	}
	for name, state := range map[string]AlarmState{"": AlarmOK, "x": "PANIC", strings.Repeat("x", 256): AlarmOK} {
		if _, err := w.SetAlarm(name, state); err == nil {
			t.Errorf("SetAlarm(%.5q, %s) is taken", name, state)
		}
	}
}
