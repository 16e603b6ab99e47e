// Package simulated is a [runtime.Runtime] without containers: on drydock's
// clock it does what the labels of an image say. The same task on the same
// clock always gives the same events at the same times.
//
// The labels, all of them optional:
//
//	plimsoll.drydock.start-delay=10s    from the pull to the running process; 5s
//	plimsoll.drydock.exit-after=1m      ends by itself; without it, runs for ever
//	plimsoll.drydock.exit-code=1        what it ends with; 0
//	plimsoll.drydock.log=one\ntwo       printed at the start; \n separates lines
//	plimsoll.drydock.health=unhealthy   what its health check finds: healthy (the
//	                                    default), unhealthy, healthy-after=30s,
//	                                    unhealthy-after=5m
//	plimsoll.drydock.target-health=code=500   what a load balancer finds: the
//	                                    same as health, or a status; healthy
//	plimsoll.drydock.ignore-sigterm=true   runs on until it is killed
//	plimsoll.drydock.run.migrate.exit-code=1   any of these, for a container
//	                                    whose command begins with that word; it
//	                                    ends after 1s unless it says otherwise
//	plimsoll.drydock.platform=…         not for this package: the scheduler judges it
//	plimsoll.drydock.findings=…         not for this package: ECR's scans find them
//
// Health is reported for containers whose task definition has a health check,
// and at the times at which its interval, retries and start period have it.
//
// All durations, those of labels and of health checks included, go through
// [clock.Clock.Scale]: at a scale of 20 an app that starts in 10 s does so in
// half a second, as everything around it does. At a scale of 1 they are what
// they say. Only the grace of [Runtime.Stop] is taken as given.
//
// A malformed or unknown label fails the container with a
// CannotStartContainerError that names it.
package simulated

import (
	"fmt"
	"hash/fnv"
	"slices"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime"
)

// Runtime simulates the containers of any number of tasks.
type Runtime struct {
	clock *clock.Clock

	mu     sync.Mutex
	tasks  map[string]*task
	closed bool
}

var _ runtime.Runtime = (*Runtime)(nil)

// task and its containers change in wake-ups only, which the clock runs one
// at a time.
type task struct {
	runtime.Task
	report     func(runtime.Event)
	containers []*container // in the order of the task
	stopping   bool
}

type container struct {
	runtime.Container
	runtime.Progress
	behaviour
	labels error     // what is wrong with them
	queued bool      // its start is scheduled
	since  time.Time // when it started
}

// New makes a runtime on the clock.
func New(c *clock.Clock) *Runtime {
	return &Runtime{clock: c, tasks: map[string]*task{}}
}

// Start implements [runtime.Runtime].
func (r *Runtime) Start(t runtime.Task, report func(runtime.Event)) {
	started := &task{Task: t, report: report}
	for _, c := range t.Containers {
		b, err := parse(forCommand(c.Labels, c.Command))
		started.containers = append(started.containers, &container{Container: c, behaviour: b, labels: err})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	r.tasks[t.ID] = started
	r.clock.At(r.clock.Now(), key(t.ID, "", "begin"), func(now time.Time) { r.startReady(started, now) })
}

// Stop implements [runtime.Runtime].
func (r *Runtime) Stop(taskID string, grace time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, ok := r.tasks[taskID]
	if !ok {
		return
	}
	r.clock.At(r.clock.Now(), key(taskID, "", "stop"), func(now time.Time) { r.stop(t, now, grace) })
}

// Close implements [runtime.Runtime].
func (r *Runtime) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, t := range r.tasks {
		r.cancel(t)
	}
	clear(r.tasks)
	return nil
}

// The wake-ups of a container; those of a task are under no container's name.
func phases() []string { return []string{"begin", "stop", "start", "exit", "health", "kill"} }

func key(taskID, container, phase string) string {
	return "simulated/" + taskID + "/" + container + "/" + phase
}

func (r *Runtime) cancel(t *task) {
	for _, phase := range phases() {
		r.clock.Cancel(key(t.ID, "", phase))
		for _, c := range t.containers {
			r.clock.Cancel(key(t.ID, c.Name, phase))
		}
	}
}

// after schedules a phase of a container, so long from now at the clock's scale.
func (r *Runtime) after(t *task, c *container, phase string, now time.Time, d time.Duration, call func(time.Time)) {
	r.clock.At(now.Add(r.clock.Scale(d)), key(t.ID, c.Name, phase), call)
}

// tell reports an event, unless the runtime was closed meanwhile. It holds no
// lock: who hears of it may stop the task at once.
func (r *Runtime) tell(t *task, e runtime.Event) {
	r.mu.Lock()
	closed := r.closed
	r.mu.Unlock()
	if !closed {
		t.report(e)
	}
}

// startReady schedules the start of every container whose turn has come.
func (r *Runtime) startReady(t *task, now time.Time) {
	for _, c := range t.containers {
		if c.queued || c.Ended {
			continue
		}
		ready, err := runtime.Ready(c.Container, t.progress)
		switch {
		case err != nil:
			r.fail(t, c, now, err)
		case ready:
			c.queued = true
			r.after(t, c, "start", now, c.startDelay, func(now time.Time) { r.start(t, c, now) })
		}
	}
}

func (t *task) progress(name string) (runtime.Progress, bool) {
	i := slices.IndexFunc(t.containers, func(c *container) bool { return c.Name == name })
	if i < 0 {
		return runtime.Progress{}, false
	}
	return t.containers[i].Progress, true
}

func (r *Runtime) start(t *task, c *container, now time.Time) {
	if c.labels != nil {
		r.fail(t, c, now, c.labels)
		return
	}
	c.Started, c.since = true, now
	for _, line := range c.log {
		c.Log(now, line)
	}
	if c.exits {
		r.after(t, c, "exit", now, c.exitAfter, func(now time.Time) { r.end(t, c, now, c.exitCode) })
	}
	if c.HealthCheck != nil {
		r.watch(t, c, now, verdicts(*c.HealthCheck, c.failing))
	}
	r.tell(t, runtime.Event{Container: c.Name, Kind: runtime.Started, RuntimeID: runtimeID(t.ID, c.Name)})
	r.startReady(t, now)
}

// watch reports the verdicts to come, each so long after started.
func (r *Runtime) watch(t *task, c *container, started time.Time, next []verdict) {
	if len(next) == 0 {
		return
	}
	r.after(t, c, "health", started, next[0].after, func(now time.Time) {
		c.Healthy = next[0].kind == runtime.Healthy
		r.watch(t, c, started, next[1:])
		r.tell(t, runtime.Event{Container: c.Name, Kind: next[0].kind})
		r.startReady(t, now)
	})
}

func (r *Runtime) fail(t *task, c *container, now time.Time, why error) {
	c.Ended, c.Failed = true, true
	r.forget(t)
	r.tell(t, runtime.Event{Container: c.Name, Kind: runtime.Failed, Reason: "CannotStartContainerError: " + why.Error()})
	r.startReady(t, now)
}

func (r *Runtime) end(t *task, c *container, now time.Time, code int) {
	if c.Ended {
		return
	}
	c.Ended, c.Healthy, c.ExitCode = true, false, code
	for _, phase := range phases() {
		r.clock.Cancel(key(t.ID, c.Name, phase))
	}
	r.forget(t)
	r.tell(t, runtime.Event{Container: c.Name, Kind: runtime.Exited, ExitCode: code})
	r.startReady(t, now)
}

// forget drops a task that has come to its end.
func (r *Runtime) forget(t *task) {
	if slices.ContainsFunc(t.containers, func(c *container) bool { return !c.Ended }) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.tasks, t.ID)
}

// Exit codes of a process that a signal ended: 128 and the signal's number.
const (
	terminated = 128 + 15
	killed     = 128 + 9
)

// stop ends the containers. Nothing of the task starts any more, so those
// that wait for others go first, before those get the chance to release them.
func (r *Runtime) stop(t *task, now time.Time, grace time.Duration) {
	if t.stopping {
		return // the first grace counts
	}
	t.stopping = true
	var waiting, running []*container
	for _, c := range t.containers {
		switch {
		case c.Ended:
		case c.Started:
			running = append(running, c)
		default:
			waiting = append(waiting, c)
			c.Ended = true
			r.clock.Cancel(key(t.ID, c.Name, "start"))
		}
	}
	for _, c := range waiting {
		r.forget(t)
		r.tell(t, runtime.Event{Container: c.Name, Kind: runtime.Exited})
	}
	for _, c := range running {
		if c.stubborn {
			r.clock.At(now.Add(grace), key(t.ID, c.Name, "kill"), func(now time.Time) { r.end(t, c, now, killed) })
		} else {
			r.end(t, c, now, terminated)
		}
	}
}

// runtimeID has the form of Fargate's: the task's id and a number.
func runtimeID(taskID, name string) string {
	h := fnv.New32a()
	h.Write([]byte(name)) // never fails, says hash.Hash
	return fmt.Sprintf("%s-%010d", taskID, h.Sum32())
}
