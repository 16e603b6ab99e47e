package docker

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime"
)

// task is the containers that start, share a network and stop together.
type task struct {
	runtime.Task
	report func(runtime.Event)
	events chan runtime.Event // from the containers' goroutines to the task's

	life  context.Context // until the task is to stop
	end   context.CancelFunc
	once  sync.Once
	grace time.Duration // set before life ends

	// network is held while a container is created and started: the next one
	// joins the network of one that runs.
	network sync.Mutex
	members []string // ids of containers that run
}

func newTask(ctx context.Context, t runtime.Task, report func(runtime.Event)) *task {
	started := &task{Task: t, report: report, events: make(chan runtime.Event)}
	started.life, started.end = context.WithCancel(ctx)
	return started
}

func (t *task) stop(grace time.Duration) {
	t.once.Do(func() {
		t.grace = grace
		t.end()
	})
}

// run starts containers as their dependencies allow, and reports what happens,
// until each of them has come to its end.
func (r *Runtime) run(t *task) {
	defer t.end()
	progress := make(map[string]runtime.Progress, len(t.Containers))
	for _, c := range t.Containers {
		progress[c.Name] = runtime.Progress{}
	}
	waiting := slices.Clone(t.Containers)
	alive := 0
	halted := t.life.Done()
	tell := func(e runtime.Event) {
		p := progress[e.Container]
		switch e.Kind {
		case runtime.Started:
			p.Started = true
		case runtime.Healthy, runtime.Unhealthy:
			p.Healthy = e.Kind == runtime.Healthy
		case runtime.Failed:
			p.Ended, p.Failed = true, true
		case runtime.Exited:
			p.Ended, p.ExitCode = true, e.ExitCode
		}
		progress[e.Container] = p
		t.report(e)
	}
	for {
		// One container that cannot start may decide another one's fate.
		for again := t.life.Err() == nil; again; {
			again = false
			waiting = slices.DeleteFunc(waiting, func(c runtime.Container) bool {
				ready, err := runtime.Ready(c, func(name string) (runtime.Progress, bool) {
					p, known := progress[name]
					return p, known
				})
				switch {
				case err != nil:
					again = true
					tell(runtime.Event{Container: c.Name, Kind: runtime.Failed, Reason: "CannotStartContainerError: " + err.Error()})
				case ready:
					alive++
					r.lives.Go(func() { r.live(t, c) })
				}
				return ready || err != nil
			})
		}
		if alive == 0 && len(waiting) == 0 {
			return
		}
		select {
		case e := <-t.events:
			if e.Kind == runtime.Failed || e.Kind == runtime.Exited {
				alive--
			}
			tell(e)
		case <-halted:
			halted = nil
			if r.ctx.Err() != nil {
				return
			}
			for _, c := range waiting {
				tell(runtime.Event{Container: c.Name, Kind: runtime.Exited})
			}
			waiting = nil
		case <-r.ctx.Done():
			return
		}
	}
}

// tell hands an event of a container to its task.
func (r *Runtime) tell(t *task, e runtime.Event) {
	select {
	case t.events <- e:
	case <-r.ctx.Done():
	}
}
