package deploy

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// The pace of looks: at once after a change, then slower and slower while
// nothing moves. ECS's scheduler acts about every ten seconds, so slower than
// two seconds would be late and faster for long would be waste.
const (
	fastest = 25 * time.Millisecond
	slowest = 2 * time.Second
	// A look reads the tasks and ECS's record too when the service has
	// changed, or when they have not been read for so long.
	deepEvery = 5 * time.Second
	// So many looks in a row may fail before the watch gives up: at the
	// slowest pace, and after the adapter's own retries.
	maxFailures = 10
)

const errTimeout Kind = "the rollout did not end in time"

// watch looks at a service until its tracker has a verdict.
type watch struct {
	*job
	step      story.Step
	tracker   *rollout.Tracker
	earlier   string            // the record that was current before, of no interest
	known     map[string]bool   // tasks that had stopped before
	imageTags map[string]string // of task definitions, by ARN
	record    string            // ARN of ECS's record of this rollout, once known
	last      Service           // as last read
	deepAt    time.Time
	evidence  map[string]*evidence // of failed tasks, by id
	causes    map[string]bool      // told already
	denied    map[string]bool      // likewise; guarded by mu
}

func (j *job) newWatch(step story.Step, tracker *rollout.Tracker, s rollout.Start) *watch {
	w := &watch{
		job:       j,
		step:      step,
		tracker:   tracker,
		earlier:   s.EarlierServiceDeployment,
		imageTags: s.ImageTags,
		known:     map[string]bool{},
		evidence:  map[string]*evidence{},
		causes:    map[string]bool{},
		denied:    map[string]bool{},
	}
	for _, id := range s.KnownTasks {
		w.known[id] = true
	}
	return w
}

// run watches until the verdict. The error is errTimeout, the context's, or
// that of a read which keeps failing.
func (w *watch) run(ctx context.Context) (rollout.Verdict, error) {
	deadline := w.Now().Add(w.timeout)
	goal := rollout.RevisionName(w.tracker.TaskDefinition())
	w.say(story.Begin, w.step, "watching %s", cmp.Or(goal, "where ECS goes"))
	pace, failures := fastest, 0
	for {
		look, err := w.look(ctx)
		switch {
		case ctx.Err() != nil:
			return rollout.Verdict{}, ctx.Err()
		case err != nil:
			if failures++; failures == maxFailures || errors.Is(err, Denied) || errors.Is(err, NotFound) {
				return rollout.Verdict{}, err
			}
			pace = min(2*pace, slowest)
		default:
			failures = 0
			if w.pass(w.tracker.Observe(look)) {
				pace = fastest
			} else {
				pace = min(2*pace, slowest)
			}
			if v := w.tracker.Verdict(); v.Final() {
				return v, nil
			}
		}
		left := deadline.Sub(w.Now())
		if left <= 0 {
			return rollout.Verdict{}, errTimeout
		}
		if err := w.Sleep(ctx, min(pace, left)); err != nil {
			return rollout.Verdict{}, err
		}
	}
}

// look reads the service, and what else there is reason to read.
func (w *watch) look(ctx context.Context) (rollout.Observation, error) {
	s, err := w.AWS.Service(ctx, w.target.Cluster, w.target.Service)
	if err != nil {
		return rollout.Observation{}, err
	}
	o := rollout.Observation{At: w.Now(), Service: s.Service}
	moved := !slices.Equal(s.Deployments, w.last.Deployments) || len(s.Events) != len(w.last.Events) ||
		len(s.Events) > 0 && s.Events[0].ID != w.last.Events[0].ID
	w.last = s
	if !moved && o.At.Sub(w.deepAt) < deepEvery {
		return o, nil
	}
	w.deepAt = o.At
	if s.Record != "" && s.Record != w.earlier {
		w.record = s.Record
	}
	var running, stopped []rollout.Task
	var wg sync.WaitGroup
	wg.Go(func() { running = w.tasks(ctx, false) })
	wg.Go(func() { stopped = w.tasks(ctx, true) })
	if w.record != "" {
		record, err := w.AWS.ServiceDeployment(ctx, w.record)
		if err == nil {
			o.ServiceDeployment = &record
		}
		// Without it the service itself says enough, only later.
		w.noteDenied(err)
	}
	wg.Wait()
	for i, t := range stopped {
		if w.tracker.Mine(t) && t.Failed() && !w.known[t.ID] {
			stopped[i].Cause = w.examine(ctx, t).cause
		}
	}
	o.Tasks = append(running, stopped...)
	return o, nil
}

// tasks reads tasks; not being able to costs detail, not the verdict.
func (w *watch) tasks(ctx context.Context, stopped bool) []rollout.Task {
	tasks, err := w.AWS.Tasks(ctx, w.target.Cluster, w.target.Service, stopped)
	if err != nil {
		w.noteDenied(err)
		return nil
	}
	return tasks
}

// noteDenied tells once, of each thing, that a read is not allowed which the
// watch can do without.
func (w *watch) noteDenied(err error) {
	if !errors.Is(err, Denied) {
		return
	}
	w.mu.Lock()
	told := w.denied[err.Error()]
	w.denied[err.Error()] = true
	w.mu.Unlock()
	if !told {
		w.say(story.Note, w.step, "watching with less detail: %v", err)
	}
}

// pass tells news, and reports whether there was any.
func (w *watch) pass(news []rollout.News) bool {
	for _, n := range news {
		switch n.Kind {
		case rollout.Moved:
			view := w.tracker.View()
			w.news(story.Event{Kind: story.Change, Step: w.step, Message: n.Message, Rollout: &view})
		case rollout.Said:
			w.say(story.Note, w.step, "%s", n.Message)
			w.explain(n.Message)
		case rollout.TaskFailed:
			if e := w.evidence[n.TaskID]; e != nil && e.worthTelling {
				w.news(story.Event{Kind: story.Failed, Step: w.step, Message: e.headline(), Failure: &e.failure})
			}
		}
	}
	return len(news) > 0
}
