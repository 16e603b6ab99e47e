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

const (
	// A look reads the tasks and ECS's record too when the service has
	// changed, or when they have not been read for so long.
	deepEvery = 10 * time.Second
	// The record alone so often, where the strategy has stages that only it
	// tells.
	recordEvery = 3 * time.Second
	// So many looks in a row may fail before the watch gives up: at the
	// slowest pace, and after the adapter's own retries. Throttling is no
	// failure: it passes.
	maxFailures = 10
)

const errTimeout Kind = "the rollout did not end in time"

// watch looks at a service until its tracker has a verdict.
type watch struct {
	*job
	inquiry   *inquiry
	step      story.Step
	tracker   *rollout.Tracker
	earlier   string            // the record that was current before, of no interest
	known     map[string]bool   // tasks that had stopped before
	imageTags map[string]string // of task definitions, by ARN
	record    string            // ARN of ECS's record of this rollout, once known
	recordAt  time.Time         // when it was last read
	last      Service           // as last read
	deepAt    time.Time
	owed      bool // detail is due that the ration has put off
	ration    ration
	began     time.Time
	ended     time.Time     // when the verdict was there; zero before
	usual     time.Duration // what this may take, 0 where that is not known
	lookout   lookout
	evidence  map[string]*evidence // of failed tasks, by id
	causes    map[string]bool      // told already
	denied    map[string]bool      // likewise; guarded by mu
}

func (j *job) newWatch(step story.Step, tracker *rollout.Tracker, s rollout.Start) *watch {
	w := &watch{
		job:       j,
		inquiry:   j.newInquiry(),
		step:      step,
		tracker:   tracker,
		earlier:   s.EarlierServiceDeployment,
		imageTags: s.ImageTags,
		known:     map[string]bool{},
		evidence:  map[string]*evidence{},
		causes:    map[string]bool{},
		denied:    map[string]bool{},
		ration:    ration{began: j.Now()},
		began:     j.Now(),
		usual:     s.Usual,
	}
	for _, id := range s.KnownTasks {
		w.known[id] = true
	}
	return w
}

// run watches until the verdict. The error is errTimeout, the context's, or
// that of a read which keeps failing.
func (w *watch) run(ctx context.Context) (rollout.Verdict, error) {
	deadline := w.Now().Add(w.limit())
	goal := rollout.RevisionName(w.tracker.TaskDefinition())
	w.say(story.Begin, w.step, "watching %s", cmp.Or(goal, "where ECS goes"))
	pace, failures := pace{poll: w.watching.Poll}, 0
	if w.watching.Poll == PollEconomical { // the answer to the update was the first look
		if err := w.Sleep(ctx, min(economical, w.timeout)); err != nil {
			return rollout.Verdict{}, err
		}
	}
	for {
		look, err := w.look(ctx)
		wait := time.Duration(0)
		switch {
		case ctx.Err() != nil:
			return rollout.Verdict{}, ctx.Err()
		case err != nil:
			if !errors.Is(err, Throttled) {
				failures++
			}
			if givesUp(err, failures) {
				return rollout.Verdict{}, err
			}
			if failures == toldAfter {
				w.say(story.Note, w.step, "cannot look at the service, trying again: %v", err)
			}
			wait = pace.afterError()
		default:
			failures = 0
			moved := w.pass(w.tracker.Observe(look))
			wait = pace.next(w.Now(), moved, w.tracker.NearlyDone())
			if v := w.tracker.Verdict(); v.Final() {
				w.ended = w.Now()
				return v, nil
			}
		}
		left := deadline.Sub(w.Now())
		if left <= 0 {
			return rollout.Verdict{}, errTimeout
		}
		if err := w.Sleep(ctx, min(wait, left)); err != nil {
			return rollout.Verdict{}, err
		}
	}
}

// look reads the service, and what else there is reason to read.
func (w *watch) look(ctx context.Context) (rollout.Observation, error) {
	var targets *rollout.Targets
	var aside sync.WaitGroup
	if w.watching.Poll == PollFast {
		aside.Go(func() {
			var err error
			targets, err = w.lookout.look(ctx, w.Clues, w.last.TargetGroups, w.Now())
			w.noteDenied(err)
		})
	}
	s, err := w.AWS.Service(ctx, w.target.Cluster, w.target.Service)
	aside.Wait()
	if err != nil {
		return rollout.Observation{}, err
	}
	o := rollout.Observation{At: w.Now(), Service: s.Service, Targets: targets}
	w.ration.spend(costLook)
	if p, ok := s.Primary(); ok && s.Record != "" && s.Record != w.earlier && slices.Contains(w.tracker.IDs(), p.ID) {
		w.record = s.Record // never that of somebody else's rollout
	}
	deep := w.wantsDetail(s, o.At)
	w.last = s
	if !deep {
		if s.Strategy != "ROLLING" && o.At.Sub(w.recordAt) >= recordEvery {
			o.ServiceDeployment = w.readRecord(ctx) // it leads where traffic is shifted
		}
		return o, nil
	}
	w.deepAt, w.owed = o.At, false
	var running, stopped []rollout.Task
	var wg sync.WaitGroup
	wg.Go(func() { running = w.tasks(ctx, false) })
	wg.Go(func() { stopped = w.tasks(ctx, true) })
	w.ration.spend(2 * costTasks)
	o.ServiceDeployment = w.readRecord(ctx)
	wg.Wait()
	// A task that was listed as running may have failed when it is described.
	o.Tasks = append(running, stopped...)
	for i, t := range o.Tasks {
		if w.tracker.Mine(t) && t.Failed() && !w.known[t.ID] {
			o.Tasks[i].Cause = w.examine(ctx, t).cause
		}
	}
	return o, nil
}

// readRecord reads ECS's own record of the rollout. Without it, nil, the service
// itself says enough, only later.
func (w *watch) readRecord(ctx context.Context) *rollout.ServiceDeployment {
	if w.record == "" {
		return nil
	}
	w.ration.spend(costLook)
	w.recordAt = w.Now()
	record, err := w.AWS.ServiceDeployment(ctx, w.record)
	if err != nil {
		w.noteDenied(err)
		return nil
	}
	return &record
}

// wantsDetail decides whether a look is to read the tasks and ECS's record too:
// at once when a task may have failed, or when they may settle it; otherwise
// when the service has moved or they are old, as far as the ration goes.
func (w *watch) wantsDetail(s Service, now time.Time) bool {
	if w.failing(s) || w.watching.Until == rollout.Healthy && w.tracker.NearlyDone() {
		return true
	}
	if w.watching.Poll == PollEconomical {
		return len(w.tracker.Failed()) > 0
	}
	moved := !slices.Equal(s.Deployments, w.last.Deployments) || len(newerEvents(s, w.last)) > 0
	w.owed = w.owed || moved || now.Sub(w.deepAt) >= deepEvery
	return w.owed && w.ration.allows(now, 2*costTasks+costLook)
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
	moved := false
	for _, n := range news {
		moved = moved || n.Kind != rollout.Stepped // which is no reason to look faster
		switch n.Kind {
		case rollout.Moved, rollout.Stepped:
			view := w.tracker.View()
			w.news(story.Event{Kind: story.Change, Step: w.step, Message: n.Message, Rollout: &view})
		case rollout.Said:
			w.say(story.Note, w.step, "%s", n.Message)
			w.explain(n.Message)
		case rollout.Held:
			w.tellHold(n.Message)
		case rollout.TaskFailed:
			if e := w.evidence[n.TaskID]; e != nil && e.worthTelling {
				w.news(story.Event{Kind: story.Failed, Step: w.step, Message: e.headline(), Failure: &e.failure})
			}
		}
	}
	return moved
}
