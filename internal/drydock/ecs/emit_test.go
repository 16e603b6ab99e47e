package ecs

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/golden"
)

// sent is an event as a reader of the stream has it.
type sent struct {
	ID         string
	DetailType string `json:"detail-type"`
	Resources  []string
	Detail     struct {
		EventName, LastStatus, DesiredStatus, StopCode, TaskARN string
		Version                                                 int
	}
	doc []byte
}

// sent are the events of the stream, oldest first.
func (w *world) sent() []sent {
	w.t.Helper()
	answer := httptest.NewRecorder()
	w.stream.ServeHTTP(answer, httptest.NewRequest("GET", "/_drydock/events", nil))
	var out []sent
	for line := range bytes.Lines(answer.Body.Bytes()) {
		e := sent{doc: line}
		if err := json.Unmarshal(line, &e); err != nil {
			w.t.Fatalf("event %s: %v", line, err)
		}
		out = append(out, e)
	}
	return out
}

// last is the newest event that is as wanted.
func (w *world) last(what string, wanted func(sent) bool) sent {
	w.t.Helper()
	for _, e := range slices.Backward(w.sent()) {
		if wanted(e) {
			return e
		}
	}
	w.t.Fatalf("there is no event: %s", what)
	return sent{}
}

// The shapes of all events, as the developer guide prints them.
func TestEventShapes(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 1, breakerOn())
	golden.JSON(t, "testdata/deployment-in-progress.golden.json", w.last("in progress", func(e sent) bool { return e.Detail.EventName == "SERVICE_DEPLOYMENT_IN_PROGRESS" }).doc)
	w.until("steady", 5*time.Minute, steady)
	golden.JSON(t, "testdata/task-running.golden.json", w.last("running", func(e sent) bool { return e.Detail.LastStatus == "RUNNING" }).doc)
	golden.JSON(t, "testdata/deployment-completed.golden.json", w.last("completed", func(e sent) bool { return e.Detail.EventName == "SERVICE_DEPLOYMENT_COMPLETED" }).doc)
	golden.JSON(t, "testdata/service-steady.golden.json", w.last("steady", func(e sent) bool { return e.Detail.EventName == "SERVICE_STEADY_STATE" }).doc)

	w.update(w.register("v9")) // no such image
	w.until("it fails", time.Hour, func(s types.Service) bool {
		return len(s.Deployments) == 2 && s.Deployments[1].RolloutState == "FAILED"
	})
	golden.JSON(t, "testdata/task-stopped.golden.json", w.last("stopped", func(e sent) bool { return e.Detail.LastStatus == "STOPPED" }).doc)
	golden.JSON(t, "testdata/deployment-failed.golden.json", w.last("failed", func(e sent) bool { return e.Detail.EventName == "SERVICE_DEPLOYMENT_FAILED" }).doc)
	golden.JSON(t, "testdata/deployment-rolling-back.golden.json", w.last("back", func(e sent) bool { return e.Detail.EventName == "SERVICE_DEPLOYMENT_IN_PROGRESS" }).doc)
	golden.JSON(t, "testdata/service-start-impaired.golden.json", w.last("impaired", func(e sent) bool { return e.Detail.EventName == "SERVICE_TASK_START_IMPAIRED" }).doc)
}

// Every state of a task is told once, in order, with a version that grows.
func TestTaskEventsFollowTheTask(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 1, nil)
	w.until("steady", 5*time.Minute, steady)
	stopOne(w)
	w.until("replaced", 5*time.Minute, steady)
	byTask := map[string][]string{}
	version := map[string]int{}
	var first string
	for _, e := range w.sent() {
		if e.DetailType != "ECS Task State Change" {
			continue
		}
		arn := e.Resources[0]
		if first == "" {
			first = arn
		}
		if e.Detail.Version <= version[arn] {
			t.Errorf("version %d after %d: %s", e.Detail.Version, version[arn], e.doc)
		}
		version[arn] = e.Detail.Version
		byTask[arn] = append(byTask[arn], e.Detail.LastStatus+"/"+e.Detail.DesiredStatus)
	}
	want := []string{
		"PROVISIONING/RUNNING", "PENDING/RUNNING", "PENDING/RUNNING", "ACTIVATING/RUNNING", "RUNNING/RUNNING",
		"DEACTIVATING/STOPPED", "STOPPING/STOPPED", "DEPROVISIONING/STOPPED", "STOPPED/STOPPED",
	}
	got := slices.Compact(byTask[first])
	if diff := cmp.Diff(slices.Compact(want), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Placement fails for a service on instances, of which there are none.
func TestPlacementFailureIsToldOnce(t *testing.T) {
	w := newWorld(t, store.Memory())
	arn := w.register("v1")
	w.accepted("CreateService", `{"cluster":"prod","serviceName":"api","taskDefinition":"`+arn+`","desiredCount":1,"launchType":"EC2","networkConfiguration":{"awsvpcConfiguration":{"subnets":["subnet-1"]}}}`)
	w.clock.Advance(time.Hour)
	n := 0
	for _, e := range w.sent() {
		if e.Detail.EventName == "SERVICE_TASK_PLACEMENT_FAILURE" {
			n++
			golden.JSON(t, "testdata/service-placement-failure.golden.json", e.doc)
		}
	}
	if n != 1 {
		t.Errorf("told %d times", n)
	}
}
