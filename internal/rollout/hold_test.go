package rollout

import (
	"strings"
	"testing"
	"time"
)

// TestHold follows a deployment that a PAUSE hook holds: it is told once, is in
// the View for as long as it lasts, and no verdict comes of it.
func TestHold(t *testing.T) {
	const record = "arn:aws:ecs:eu-west-1:123456789012:service-deployment/prod/web/abc"
	until := time.Date(2026, 1, 2, 3, 4, 0, 0, time.Local)
	service := Service{Status: "ACTIVE", Desired: 1, Deployments: []Deployment{
		{ID: "ecs-svc/2", Status: "PRIMARY", TaskDefinition: "web:2", RolloutState: "IN_PROGRESS", Desired: 1, Running: 1},
		{ID: "ecs-svc/1", Status: "ACTIVE", TaskDefinition: "web:1", RolloutState: "COMPLETED", Desired: 1, Running: 1},
	}}
	tracker := Follow(Start{DeploymentID: "ecs-svc/2", TaskDefinition: "web:2", Answer: service})
	look := func(stage string, hooks ...Hook) (held []string) {
		for _, n := range tracker.Observe(Observation{Service: service, ServiceDeployment: &ServiceDeployment{
			ARN: record, Status: "IN_PROGRESS", TaskDefinition: "web:2", Strategy: "BLUE_GREEN", Stage: stage, Hooks: hooks,
		}}) {
			if n.Kind == Held {
				held = append(held, n.Message)
			}
		}
		return held
	}
	waiting := Hook{ID: "ecs-pause-1", Status: "AWAITING_ACTION", ExpiresAt: until, OnExpiry: "ROLLBACK"}

	if told := look("SCALE_UP", Hook{ID: "f", Status: "IN_PROGRESS"}); len(told) > 0 || tracker.View().Hold != nil {
		t.Errorf("a function that is asked holds nothing: %q", told)
	}
	told := look("POST_TEST_TRAFFIC_SHIFT", waiting)
	if len(told) != 1 || !strings.Contains(told[0], "at post test traffic shift until somebody answers; at 2026-01-02 03:04 ECS rolls back") {
		t.Errorf("told %q", told)
	}
	if v := tracker.View(); v.Stage != "post test traffic shift, held" || v.Hold == nil || v.Hold.HookID != "ecs-pause-1" || v.Hold.Record != record {
		t.Errorf("view has %q, %+v", v.Stage, v.Hold)
	}
	if told := look("POST_TEST_TRAFFIC_SHIFT", waiting); len(told) > 0 {
		t.Errorf("told again: %q", told)
	}
	waiting.Status = "SUCCEEDED"
	if told := look("BAKE_TIME", waiting); len(told) > 0 || tracker.View().Hold != nil || tracker.View().Stage != "bake time" {
		t.Errorf("after the answer: %q, %+v", told, tracker.View())
	}
	if v := tracker.Verdict(); v.Final() {
		t.Errorf("a verdict: %+v", v)
	}
}
