package ecs

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestBounds(t *testing.T) {
	for _, tt := range []struct{ desired, maximum, minimum, upper, lower int }{
		{1, 200, 100, 2, 1},
		{1, 100, 0, 1, 0},
		{1, 100, 50, 1, 1},
		{2, 150, 50, 3, 1},
		{2, 200, 75, 4, 2},
		{3, 125, 100, 3, 3},
		{4, 200, 50, 8, 2},
		{4, 100, 75, 4, 3},
		{10, 120, 90, 12, 9},
	} {
		lower, upper := bounds(tt.desired, tt.minimum, tt.maximum)
		if lower != tt.lower || upper != tt.upper {
			t.Errorf("%d × %d/%d: got %d to %d, want %d to %d", tt.desired, tt.maximum, tt.minimum, lower, upper, tt.lower, tt.upper)
		}
	}
}

func TestRoll(t *testing.T) {
	healthy := func(id string) member { return member{id: id, wanted: true, running: true, healthy: true} }
	starting := func(id string) member { return member{id: id, wanted: true} }
	leaving := func(id string) member { return member{id: id} }
	failing := func(id string) member { return member{id: id, wanted: true, running: true, failing: true} }
	for _, tt := range []struct {
		name string
		in   fleet
		want moves
	}{
		{
			"a first deployment starts everything",
			fleet{desired: 3, minPercent: 100, maxPercent: 200, groups: []group{{}}},
			moves{start: []int{3}, stop: [][]string{nil}},
		},
		{
			"new tasks start beside the old ones",
			fleet{desired: 2, minPercent: 100, maxPercent: 200, groups: []group{{}, {desired: 2, tasks: []member{healthy("a"), healthy("b")}}}},
			moves{start: []int{2, 0}, stop: [][]string{nil, nil}},
		},
		{
			"old tasks stop as new ones become healthy",
			fleet{desired: 2, minPercent: 100, maxPercent: 200, groups: []group{{tasks: []member{healthy("c"), starting("d")}}, {desired: 2, tasks: []member{healthy("a"), healthy("b")}}}},
			moves{start: []int{0, 0}, stop: [][]string{nil, {"b"}}},
		},
		{
			"without room an old task goes first",
			fleet{desired: 1, minPercent: 0, maxPercent: 100, groups: []group{{}, {desired: 1, tasks: []member{healthy("a")}}}},
			moves{start: []int{0, 0}, stop: [][]string{nil, {"a"}}},
		},
		{
			"a task on its way out still takes its place",
			fleet{desired: 1, minPercent: 0, maxPercent: 100, groups: []group{{}, {tasks: []member{leaving("a")}}}},
			moves{start: []int{0, 0}, stop: [][]string{nil, nil}},
		},
		{
			"1 × 100/100 can do nothing",
			fleet{desired: 1, minPercent: 100, maxPercent: 100, groups: []group{{}, {desired: 1, tasks: []member{healthy("a")}}}},
			moves{start: []int{0, 0}, stop: [][]string{nil, nil}, stuck: true},
		},
		{
			"an old task that died is replaced while the new ones are not there",
			fleet{desired: 2, minPercent: 100, maxPercent: 200, groups: []group{{tasks: []member{starting("c"), starting("d")}}, {desired: 2, tasks: []member{healthy("a")}}}},
			moves{start: []int{0, 1}, stop: [][]string{nil, nil}},
		},
		{
			"scaling in stops what is not up yet, then the newest",
			fleet{desired: 1, minPercent: 100, maxPercent: 200, groups: []group{{tasks: []member{healthy("a"), healthy("b"), starting("c")}}}},
			moves{start: []int{0}, stop: [][]string{{"c", "b"}}},
		},
		{
			"to zero",
			fleet{desired: 0, minPercent: 100, maxPercent: 200, groups: []group{{tasks: []member{healthy("a")}}}},
			moves{start: []int{0}, stop: [][]string{{"a"}}},
		},
		{
			"the replacement of an unhealthy task starts first",
			fleet{desired: 2, minPercent: 100, maxPercent: 200, groups: []group{{tasks: []member{healthy("a"), failing("b")}}}},
			moves{start: []int{1}, stop: [][]string{nil}},
		},
		{
			"and while it starts nothing stops",
			fleet{desired: 2, minPercent: 100, maxPercent: 200, groups: []group{{tasks: []member{healthy("a"), failing("b"), starting("c")}}}},
			moves{start: []int{0}, stop: [][]string{nil}},
		},
		{
			"an unhealthy task stops when its replacement is healthy",
			fleet{desired: 2, minPercent: 100, maxPercent: 200, groups: []group{{tasks: []member{healthy("a"), failing("b"), healthy("c")}}}},
			moves{start: []int{0}, stop: [][]string{{"b"}}},
		},
		{
			"a replacement that is unhealthy too leaves one of both to stop",
			fleet{desired: 1, minPercent: 100, maxPercent: 200, groups: []group{{tasks: []member{failing("a"), failing("b")}}}},
			moves{start: []int{0}, stop: [][]string{{"b"}}},
		},
		{
			"without room unhealthy tasks stop one at a time",
			fleet{desired: 2, minPercent: 100, maxPercent: 100, groups: []group{{tasks: []member{failing("a"), failing("b")}}}},
			moves{start: []int{0}, stop: [][]string{{"b"}}},
		},
		{
			"and the next one when that has gone and its replacement has started",
			fleet{desired: 2, minPercent: 100, maxPercent: 100, groups: []group{{tasks: []member{failing("a"), leaving("b")}}}},
			moves{start: []int{0}, stop: [][]string{nil}},
		},
		{
			"a new task that fails makes room for its replacement when the old ones leave none",
			fleet{desired: 1, minPercent: 100, maxPercent: 200, groups: []group{{tasks: []member{failing("b")}}, {desired: 1, tasks: []member{healthy("a")}}}},
			moves{start: []int{0, 0}, stop: [][]string{{"b"}, nil}},
		},
		{
			"throttled starts wait, stops do not",
			fleet{desired: 2, minPercent: 50, maxPercent: 200, paused: true, groups: []group{{}, {desired: 2, tasks: []member{healthy("a"), healthy("b")}}}},
			moves{start: []int{0, 0}, stop: [][]string{nil, {"b"}}},
		},
		{
			"a failed deployment moves nothing",
			fleet{desired: 2, minPercent: 100, maxPercent: 200, halted: true, groups: []group{{}, {desired: 2, tasks: []member{healthy("a"), healthy("b")}}}},
			moves{start: []int{0, 0}, stop: [][]string{nil, nil}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, roll(tt.in), cmp.AllowUnexported(moves{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Whatever the state, one step keeps to the bounds: it starts nothing above
// the maximum, and stops no healthy task that the minimum needs.
func TestRollKeepsToTheBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := fleet{
			desired:    rapid.IntRange(0, 20).Draw(t, "desired"),
			minPercent: rapid.IntRange(0, 100).Draw(t, "minimum"),
			maxPercent: rapid.IntRange(100, 300).Draw(t, "maximum"),
		}
		live, healthy := 0, map[string]bool{}
		for g := range rapid.IntRange(1, 3).Draw(t, "groups") {
			n := group{desired: rapid.IntRange(0, 20).Draw(t, "old desired")}
			for i := range rapid.IntRange(0, 20).Draw(t, "tasks") {
				m := member{id: fmt.Sprintf("%d-%d", g, i), wanted: rapid.Bool().Draw(t, "wanted"), running: rapid.Bool().Draw(t, "running")}
				m.healthy = m.running && rapid.Bool().Draw(t, "healthy")
				m.failing = m.running && !m.healthy && rapid.Bool().Draw(t, "failing")
				if m.healthy && m.wanted {
					healthy[m.id] = true
				}
				live++
				n.tasks = append(n.tasks, m)
			}
			f.groups = append(f.groups, n)
		}
		lower, upper := bounds(f.desired, f.minPercent, f.maxPercent)
		m := roll(f)
		started, left := 0, len(healthy)
		for i := range f.groups {
			started += m.start[i]
			for _, id := range m.stop[i] {
				if healthy[id] {
					left--
				}
			}
		}
		if started > 0 && live+started > upper {
			t.Fatalf("%d live, %d started, at most %d allowed", live, started, upper)
		}
		if left < len(healthy) && left < lower {
			t.Fatalf("%d of %d healthy left, at least %d needed", left, len(healthy), lower)
		}
	})
}
