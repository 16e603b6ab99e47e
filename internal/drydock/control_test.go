package drydock

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/faults"
)

func TestClockIsReadAndChanged(t *testing.T) {
	s := inMemory(t)
	status, clock := control[Clock](t, s, http.MethodGet, "clock", "")
	if status != http.StatusOK || clock.AheadSeconds != 0 || clock.TimeScale != DefaultTimeScale || time.Since(clock.Now).Abs() > time.Minute {
		t.Errorf("%d %+v", status, clock)
	}
	status, clock = control[Clock](t, s, http.MethodPost, "clock", `{"advanceSeconds":86400,"timeScale":2.5}`)
	if status != http.StatusOK || clock.AheadSeconds != 86400 || clock.TimeScale != 2.5 || time.Until(clock.Now) < 23*time.Hour {
		t.Errorf("%d %+v", status, clock)
	}
	if got := s.clock.Scale(time.Minute); got != 24*time.Second {
		t.Errorf("a minute of the scheduler takes %v", got)
	}
	if _, clock = control[Clock](t, s, http.MethodPost, "clock", `{}`); clock.AheadSeconds != 86400 || clock.TimeScale != 2.5 {
		t.Errorf("nothing was to be changed: %+v", clock)
	}
	for _, body := range []string{
		``, `[]`, `{"advanceSeconds":-1}`, `{"timeScale":-1}`, `{"timeScale":1e9}`, `{"advanceSeconds":1e300}`, `{"advanceSeconds":"1"}`, `{"advance":1}`,
	} {
		if status, _ := control[Clock](t, s, http.MethodPost, "clock", body); status != http.StatusBadRequest {
			t.Errorf("%s: %d", body, status)
		}
	}
	if _, clock = control[Clock](t, s, http.MethodGet, "clock", ""); clock.AheadSeconds != 86400 || clock.TimeScale != 2.5 {
		t.Errorf("what was refused was done: %+v", clock)
	}
}

func TestFaultsStrikeClientsAndAreLogged(t *testing.T) {
	s := inMemory(t)
	client := ecs.NewFromConfig(configOf(s))
	list := func() error {
		_, err := client.ListClusters(t.Context(), nil)
		return err
	}
	status, added := control[faults.Report](t, s, http.MethodPost, "faults", `{"kind":"throttle","match":"ecs:List*","count":1}`)
	if status != http.StatusOK || added.ID != 1 {
		t.Fatalf("%d %+v", status, added)
	}
	control[faults.Report](t, s, http.MethodPost, "faults", `{"kind":"drop","match":"ecs:*"}`)
	for range 2 {
		if list() == nil {
			t.Error("not struck")
		}
	}
	// Whatever is in force, the control API answers: here is the way out.
	control[faults.Report](t, s, http.MethodPost, "faults", `{"kind":"drop","match":"*"}`)
	_, all := control[Faults](t, s, http.MethodGet, "faults", "")
	if len(all.Faults) != 3 || all.Faults[0].Struck != 1 || all.Faults[0].Matched != 2 || all.Faults[1].Struck != 1 {
		t.Errorf("%+v", all)
	}
	if status, left := control[Faults](t, s, http.MethodDelete, "faults/2", ""); status != http.StatusOK || len(left.Faults) != 2 {
		t.Errorf("%d %+v", status, left)
	}
	for _, id := range []string{"2", "0", "x", "-1"} {
		if status, _ := control[Faults](t, s, http.MethodDelete, "faults/"+id, ""); status != http.StatusNotFound {
			t.Errorf("DELETE faults/%s: %d", id, status)
		}
	}
	if status, left := control[Faults](t, s, http.MethodDelete, "faults", ""); status != http.StatusOK || len(left.Faults) != 0 {
		t.Errorf("%d %+v", status, left)
	}
	if err := list(); err != nil {
		t.Error(err)
	}
	log := requestsOf(t, s, "")
	if len(log) != 3 || log[0].Error != "ThrottlingException" || log[0].Status != 400 || log[1].Status != 0 || log[2].Status != 200 {
		t.Errorf("%+v", log)
	}
	for _, body := range []string{``, `{}`, `{"kind":"throttle","match":"List"}`, `{"kind":"throttle","match":"*","often":true}`} {
		if status, _ := control[faults.Report](t, s, http.MethodPost, "faults", body); status != http.StatusBadRequest {
			t.Errorf("%s: %d", body, status)
		}
	}
}

func codeOf(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return ""
}

// With ECS's buckets a burst is throttled as on AWS, and the calendar fills
// them.
func TestBucketsOfECS(t *testing.T) {
	s := inMemory(t)
	control[faults.Report](t, s, http.MethodPost, "faults", `{"kind":"buckets","match":"ecs:*"}`)
	client := ecs.NewFromConfig(configOf(s))
	remove := func() bool { // the smallest bucket: 5, and one a second
		_, err := client.DeleteTaskDefinitions(t.Context(), &ecs.DeleteTaskDefinitionsInput{TaskDefinitions: []string{"none:1"}})
		return codeOf(err) != "ThrottlingException"
	}
	passed, began := 0, time.Now()
	for range 20 {
		if remove() {
			passed++
		}
	}
	if took := time.Since(began); passed < 5 || float64(passed) > 5+took.Seconds()+0.1 {
		t.Errorf("%d calls passed a bucket of 5 in %v", passed, took)
	}
	if _, err := client.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Tasks: []string{"a"}, Cluster: aws.String("none")}); codeOf(err) == "ThrottlingException" {
		t.Error("an empty bucket is that of its own operations")
	}
	advance(t, s.Endpoint(), time.Minute)
	if !remove() {
		t.Error("a minute later the bucket is empty")
	}
}
