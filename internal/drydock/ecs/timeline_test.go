package ecs

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
)

// The event stamps of three real services with one task each, counted from
// UpdateService (the first one: from its "has started"). The scheduler's tick
// alone moves every stamp by up to 10 s either way.
func TestTimelines(t *testing.T) {
	type moment struct {
		what      string
		real      time.Duration
		tolerance time.Duration
		seen      func(types.Service) bool
	}
	event := func(text string, times int) func(types.Service) bool {
		return func(s types.Service) bool { return strings.Count(eventsOf(s), text) >= times }
	}
	failed := func(n int32) func(types.Service) bool {
		return func(s types.Service) bool { return s.Deployments[0].FailedTasks >= n }
	}
	rollingBack := event("rolling back to deployment", 1)
	for _, tt := range []struct {
		name   string
		labels map[string]string // of v2; nil: no such image
		line   []moment
	}{
		{"a task behind a load balancer is replaced (2026-10-09)", map[string]string{}, []moment{
			{"started", 0, 10 * time.Second, event("has started 1 tasks", 2)},
			{"runs", 40 * time.Second, 10 * time.Second, func(s types.Service) bool { return s.Deployments[0].RunningCount == 1 }},
			// The target group needed 50 s to call the task healthy; without
			// one ECS waits 40 s.
			{"the old one is stopped", 90 * time.Second, 15 * time.Second, event("has stopped 1 running tasks", 1)},
			// 152 s, 52 s of them draining the target.
			{"completed", 100 * time.Second, 15 * time.Second, event("deployment completed", 2)},
			{"steady", 100 * time.Second, 15 * time.Second, event("has reached a steady state", 2)},
		}},
		{"the tag does not exist", nil, []moment{
			{"first failure", 154 * time.Second, 20 * time.Second, failed(1)},
			{"second failure", 286 * time.Second, 20 * time.Second, failed(2)},
			{"third failure", 660 * time.Second, 20 * time.Second, failed(3)},
			{"rollback", 704 * time.Second, 50 * time.Second, rollingBack}, // took 44 s to notice there
		}},
		{"the process exits with 1 (2026-09-24)", crashing(), []moment{
			{"first start", 17 * time.Second, 15 * time.Second, event("has started 1 tasks", 2)},
			{"second start", 70 * time.Second, 15 * time.Second, event("has started 1 tasks", 3)},
			{"third start", 121 * time.Second, 15 * time.Second, event("has started 1 tasks", 4)},
			{"fourth start", 170 * time.Second, 15 * time.Second, event("has started 1 tasks", 5)},
			{"rollback", 175 * time.Second, 20 * time.Second, rollingBack},
			// What kept the real one busy for another minute is not known.
			{"rolled back", 254 * time.Second, 70 * time.Second, func(s types.Service) bool { return rollingBack(s) && steady(s) }},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, store.Memory())
			w.create(w.register("v1"), 1, breakerOn())
			w.until("steady", 5*time.Minute, steady)
			tag := "v9"
			if tt.labels != nil {
				tag = "v2"
				w.shelf.put(tag, "sha256:v2", tt.labels)
			}
			began := w.clock.Now()
			w.update(w.register(tag))
			for _, m := range tt.line {
				w.until(m.what, time.Hour, m.seen)
				got := w.clock.Now().Sub(began)
				t.Logf("%-24s real %4v  here %4v", m.what, m.real, got)
				if off := (got - m.real).Abs(); off > m.tolerance {
					t.Errorf("%s after %v, on AWS after %v; %v apart at most", m.what, got, m.real, m.tolerance)
				}
			}
		})
	}
}

// The events of a failed rollout, oldest first, in AWS's words and order.
func TestEventsOfARollback(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 1, breakerOn())
	w.until("steady", 5*time.Minute, steady)
	old := *w.describe().Deployments[0].Id
	w.shelf.put("v2", "sha256:v2", crashing())
	bad := w.update(w.register("v2"))
	w.until("rolled back", time.Hour, func(s types.Service) bool {
		return steady(s) && strings.Contains(eventsOf(s), "rolling back to")
	})
	var got []string
	for _, e := range w.describe().Events {
		message, _, _ := strings.Cut(*e.Message, ": (task ")
		got = append([]string{message}, got...)
	}
	want := []string{
		"(service api) has started 1 tasks",
		"(service api) (deployment " + old + ") deployment completed.",
		"(service api) has reached a steady state.",
		"(service api) has started 1 tasks",
		"(service api) has started 1 tasks",
		"(service api) has started 1 tasks",
		"(service api) has started 1 tasks",
		"(service api) (deployment " + bad + ") deployment failed: tasks failed to start.",
		"(service api) rolling back to deployment " + old + ".",
		"(service api) has stopped 1 running tasks",
		"(service api) (deployment " + old + ") deployment completed.",
		"(service api) has reached a steady state.",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
