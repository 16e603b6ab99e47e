// Package docker is a [runtime.Runtime] on a docker engine: the containers of
// a task really run, from the image that was really pushed.
//
// As on ECS, images are pulled for every task, by the digest that the
// scheduler pinned; the containers of a task share one network namespace, as
// in the awsvpc mode, and publish no port on the host; an image's own
// HEALTHCHECK counts for nothing, only the task definition's does. Durations
// are real: an engine has no other clock. Lines of output carry drydock's
// calendar all the same.
//
// An engine that has a digest already does not ask the registry for it again.
// Whether an image is still there to restart from is therefore never decided
// here but by the scheduler.
//
// Containers are named plimsoll-TASK-NAME with the first eight digits of the
// task's id. A container's life is a goroutine: it pulls, creates, starts,
// waits, reads the output to its end and removes the container. What a crashed
// drydock left behind is removed by the next [New].
package docker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/moby/moby/client"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime"
)

// Options says where the images of drydock's ECR are.
type Options struct {
	Host  func() string                // of drydock's registry as the engine reaches it: "127.0.0.1:5000"
	Auth  func() (user, secret string) // for that registry
	Log   *slog.Logger                 // what goes wrong where no event can tell
	Clock *clock.Clock                 // the calendar of log lines
}

// Available says why there is no docker engine to work with, or nil. The
// engine is the one that DOCKER_HOST and its like name, as for the docker CLI.
func Available(ctx context.Context) error {
	engine, err := connect(ctx)
	if err != nil {
		return err
	}
	return engine.Close()
}

func connect(ctx context.Context) (*client.Client, error) {
	engine, err := client.New(client.FromEnv)
	if err != nil {
		return nil, fmt.Errorf("no docker engine: %w", err)
	}
	if _, err := engine.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		return nil, fmt.Errorf("no docker engine: %w", errors.Join(err, engine.Close()))
	}
	return engine, nil
}

// Runtime runs tasks on a docker engine.
type Runtime struct {
	Options
	engine *client.Client
	owner  string // the value of our containers' label

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	lives  sync.WaitGroup // of tasks and containers

	mu    sync.Mutex
	tasks map[string]*task
}

var _ runtime.Runtime = (*Runtime)(nil)

// New connects to the engine and removes what drydocks of this machine that
// are no more left there. ctx is for that alone.
func New(ctx context.Context, o Options) (*Runtime, error) {
	engine, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	owner, err := newOwner()
	if err == nil {
		err = removeLeftovers(ctx, engine, o.Log)
	}
	if err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	r := &Runtime{Options: o, engine: engine, owner: owner.String(), tasks: map[string]*task{}}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r, nil
}

// Start implements [runtime.Runtime].
func (r *Runtime) Start(t runtime.Task, report func(runtime.Event)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		return
	}
	started := newTask(r.ctx, t, report)
	r.tasks[t.ID] = started
	r.lives.Go(func() {
		r.run(started)
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.tasks, t.ID)
	})
}

// Stop implements [runtime.Runtime]. A grace is rounded up to whole seconds,
// which is how the engine takes it; the signal is the image's STOPSIGNAL
// where it has one, as with the ECS agent.
func (r *Runtime) Stop(taskID string, grace time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t, ok := r.tasks[taskID]; ok {
		t.stop(grace)
	}
}

// Close implements [runtime.Runtime]. It returns when every container is
// removed, and must not be called from a report.
func (r *Runtime) Close() error {
	r.mu.Lock()
	r.cancel()
	r.mu.Unlock()
	r.lives.Wait()
	if err := r.engine.Close(); err != nil {
		return fmt.Errorf("closing the connection to the docker engine: %w", err)
	}
	return nil
}
