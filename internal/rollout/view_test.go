package rollout

import (
	"testing"

	"pgregory.net/rapid"
)

// A step that no count shows is news of its own, so that a picture of the tasks
// does not stand still; it is told once, with the words of the counts.
func TestStepsThatNoCountShows(t *testing.T) {
	tracker := Follow(updated(2))
	task := starting("a")
	look := func(seconds int, status string) []News {
		task.LastStatus = status
		return tracker.Observe(at(seconds, nil, d(ourID, ourTD, "PRIMARY IN_PROGRESS 0/2+1"), d(oldID, oldTD, "ACTIVE COMPLETED 2/2+0")).with(task))
	}
	if news := look(1, "PROVISIONING"); len(news) != 1 || news[0].Kind != Moved {
		t.Fatalf("the first look brings %v", news)
	}
	if news := look(2, "PROVISIONING"); len(news) != 0 {
		t.Errorf("nothing has changed: %v", news)
	}
	if news := look(3, "ACTIVATING"); len(news) != 1 || news[0].Kind != Stepped || news[0].Message == "" {
		t.Errorf("a task took a step: %v", news)
	}
	if got := tracker.View().New.Tasks[0].Status; got != "ACTIVATING" {
		t.Errorf("the view has it %s", got)
	}
}

// UNKNOWN is a check that has not come to anything where any task has one, and
// no check at all where none has.
func TestHealthThatIsNotKnown(t *testing.T) {
	for _, tc := range []struct{ other, want string }{{"UNKNOWN", ""}, {"", ""}, {"HEALTHY", "UNKNOWN"}, {"UNHEALTHY", "UNKNOWN"}} {
		tracker := Follow(updated(2))
		tracker.Observe(at(1, nil, d(ourID, ourTD, "PRIMARY IN_PROGRESS 1/2+0"), d(oldID, oldTD, "ACTIVE COMPLETED 1/2+0")).with(
			Task{ID: "a", StartedBy: ourID, LastStatus: running, Health: "UNKNOWN"}, Task{ID: "b", StartedBy: oldID, LastStatus: running, Health: tc.other}))
		if got := tracker.View().New.Tasks[0].Health; got != tc.want {
			t.Errorf("beside a task that is %q it is %q, want %q", tc.other, got, tc.want)
		}
	}
}

// The limits are those of ECS: the minimum rounded up, the maximum down.
func TestBounds(t *testing.T) {
	for _, tc := range []struct {
		desired, minPercent, maxPercent, min, max int
	}{
		{4, 100, 200, 4, 8}, {3, 50, 150, 2, 4}, {1, 50, 100, 1, 1}, {10, 0, 100, 0, 10}, {7, 33, 133, 3, 9},
	} {
		if b := bounds(tc.desired, tc.minPercent, tc.maxPercent); b.Min != tc.min || b.Max != tc.max {
			t.Errorf("%d tasks, %d%% to %d%%: %d to %d, want %d to %d", tc.desired, tc.minPercent, tc.maxPercent, b.Min, b.Max, tc.min, tc.max)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		desired := rapid.IntRange(1, 5000).Draw(t, "desired")
		b := bounds(desired, rapid.IntRange(0, 100).Draw(t, "min"), rapid.IntRange(100, 200).Draw(t, "max"))
		if b.Min > desired || b.Max < desired || b.Min < 0 {
			t.Fatalf("%d desired, bounds %+v", desired, b)
		}
	})
}

// Limits and targets are shown, and move no verdict.
func TestWhatIsOnlyShown(t *testing.T) {
	tracker := Follow(updated(2))
	look := at(1, nil, d(ourID, ourTD, "PRIMARY IN_PROGRESS 1/2+0"), d(oldID, oldTD, "ACTIVE COMPLETED 2/2+0"))
	look.Service.MinHealthyPercent, look.Service.MaxPercent = 100, 200
	look.Targets = &Targets{Healthy: 0, Total: 3}
	tracker.Observe(look)
	v := tracker.View()
	if v.Bounds == nil || v.Bounds.Max != 4 || v.Targets == nil || v.Targets.Total != 3 || v.Up() != 3 || v.Tasks() != 3 {
		t.Errorf("the view has %+v, %+v, %d up of %d", v.Bounds, v.Targets, v.Up(), v.Tasks())
	}
	if tracker.Verdict().Final() {
		t.Error("targets have come to a verdict")
	}
	look.Service.MaxPercent = 0
	tracker.Observe(look)
	if tracker.View().Bounds != nil {
		t.Error("limits are shown that are not known")
	}
}
