package deploy

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
)

func TestUsualTime(t *testing.T) {
	for _, tc := range []struct {
		tag  string
		want time.Duration
	}{
		{"", 0},
		{"1m38s", 98 * time.Second},
		{"1m38s 1m42s", 102 * time.Second},
		{"1m38s 1m42s 30m0s", 102 * time.Second},
		{"never -3s 0s 1m38s", 98 * time.Second},
	} {
		if got := parseTimes(tc.tag).usual(); got != tc.want {
			t.Errorf("%q: %v, want %v", tc.tag, got, tc.want)
		}
	}
}

// What is noted is a value that a tag takes, and comes back.
func TestPastTimesSurviveTheirTag(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var times pastTimes
		for _, n := range rapid.SliceOfN(rapid.Int64Range(1, int64(200*time.Hour)), 0, 8).Draw(t, "times") {
			times = times.with(time.Duration(n))
		}
		tag := times.String()
		if tag != tagValue(tag) {
			t.Fatalf("%q is no value of a tag", tag)
		}
		if back := parseTimes(tag); back.String() != tag || len(back) != len(times) {
			t.Fatalf("%v: %q came back as %q", times, tag, back)
		}
	})
}

func TestTargetsThatCount(t *testing.T) {
	var sum rollout.Targets
	countTargets([]TargetState{
		{State: "healthy"}, {State: "draining", Description: "Target deregistration is in progress"},
		{State: "unhealthy", Description: "Health checks failed with these codes: [503]"}, {State: "initial"}, {State: "unused"},
	}, &sum)
	if want := (rollout.Targets{Healthy: 1, Total: 3, Reason: "Health checks failed with these codes: [503]"}); sum != want {
		t.Errorf("got %+v, want %+v", sum, want)
	}
	if slices.Contains([]int{sum.Healthy, sum.Total}, 0) {
		t.Error("nothing was counted")
	}
}
