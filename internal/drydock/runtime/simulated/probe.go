package simulated

import (
	"slices"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime"
)

// Probe implements [runtime.Runtime]. It reports before it returns, and must be
// called from a wake-up of the clock. The container answers on every port, as
// its target-health label says.
func (r *Runtime) Probe(p runtime.Probe, report func(runtime.Finding)) {
	r.mu.Lock()
	t, closed := r.tasks[p.TaskID], r.closed
	r.mu.Unlock()
	if closed {
		return
	}
	var c *container
	if t != nil {
		if i := slices.IndexFunc(t.containers, func(c *container) bool { return c.Name == p.Container }); i >= 0 {
			c = t.containers[i]
		}
	}
	if c == nil || !c.Started || c.Ended {
		report(runtime.Finding{Outcome: runtime.Refused})
		return
	}
	report(c.answer(r.clock.Now(), r.clock.Scale))
}

// answer is what a request finds that comes now, and until when.
func (c *container) answer(now time.Time, scale func(time.Duration) time.Duration) runtime.Finding {
	f := runtime.Finding{Outcome: runtime.Passed, Until: c.since.Add(scale(never))}
	begins, ends := c.since.Add(scale(c.target.failing.from)), c.since.Add(scale(c.target.failing.to))
	switch {
	case c.target.code != 0:
		f.Outcome, f.Code = runtime.Answered, c.target.code
	case now.Before(begins):
		f.Until = begins
	case now.Before(ends):
		f.Outcome, f.Until = runtime.Refused, ends
	}
	if exit := c.since.Add(scale(c.exitAfter)); c.exits && exit.Before(f.Until) {
		f.Until = exit
	}
	return f
}
