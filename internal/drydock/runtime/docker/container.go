package docker

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime"
)

// live is the life of one container.
func (r *Runtime) live(t *task, c runtime.Container) {
	id, output, err := r.launch(t, c)
	switch {
	case err != nil && t.life.Err() != nil: // stopped before it had started
		r.tell(t, runtime.Event{Container: c.Name, Kind: runtime.Exited})
		return
	case err != nil:
		r.tell(t, runtime.Event{Container: c.Name, Kind: runtime.Failed, Reason: err.Error()})
		return
	}
	r.tell(t, runtime.Event{Container: c.Name, Kind: runtime.Started, RuntimeID: id})
	exit := r.attend(t, c, id, output)
	t.leave(id)
	r.remove(id)
	r.tell(t, exit)
}

// launch pulls the image, creates the container and starts it. Its errors
// begin with ECS's names for them.
func (r *Runtime) launch(t *task, c runtime.Container) (id string, output client.HijackedResponse, err error) {
	image, err := r.pull(t.life, c)
	if err != nil {
		return "", output, fmt.Errorf("CannotPullContainerError: %w", err)
	}
	t.network.Lock()
	defer t.network.Unlock()
	for {
		member := ""
		if len(t.members) > 0 {
			member = t.members[0]
		}
		id, output, err = r.start(t, c, image, member)
		if err == nil {
			t.members = append(t.members, id)
			return id, output, nil
		}
		// The network's container may have ended this moment.
		if member == "" || t.life.Err() != nil || r.running(member) {
			return "", output, err
		}
		t.members = t.members[1:]
	}
}

func (t *task) leave(id string) {
	t.network.Lock()
	defer t.network.Unlock()
	t.members = slices.DeleteFunc(t.members, func(m string) bool { return m == id })
}

func (r *Runtime) running(id string) bool {
	state, err := r.engine.ContainerInspect(r.ctx, id, client.ContainerInspectOptions{})
	return err == nil && state.Container.State.Running
}

// start creates a container in the network of a member of its task, or in a
// new one, attaches to its output and starts it.
func (r *Runtime) start(t *task, c runtime.Container, image, member string) (id string, output client.HijackedResponse, err error) {
	network := container.NetworkMode("bridge")
	if member != "" {
		network = container.NetworkMode("container:" + member)
	}
	memory := int64(c.MemoryMiB) << 20
	// To give up halfway could leave a container whose id nobody was told.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.life), createGrace)
	defer cancel()
	created, err := r.engine.ContainerCreate(ctx, client.ContainerCreateOptions{
		Name: "plimsoll-" + t.ID[:min(8, len(t.ID))] + "-" + c.Name,
		Config: &container.Config{
			Image:       image,
			Entrypoint:  c.EntryPoint,
			Cmd:         c.Command,
			Env:         c.Environment,
			WorkingDir:  c.WorkingDir,
			User:        c.User,
			Healthcheck: healthcheck(c.HealthCheck),
			Labels: map[string]string{
				ownerLabel:                r.owner,
				ownerLabel + ".task":      t.ID,
				ownerLabel + ".container": c.Name,
				ownerLabel + ".cluster":   t.Cluster,
			},
		},
		HostConfig: &container.HostConfig{
			NetworkMode: network,
			Resources:   container.Resources{Memory: memory, MemorySwap: memory},                              // no swap, as on Fargate
			LogConfig:   container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "20m"}}, // for who looks with docker logs
		},
	})
	if err != nil {
		return "", output, fmt.Errorf("CannotCreateContainerError: %w", err)
	}
	if output, err = r.attach(t.life, created.ID); err == nil {
		if _, err = r.engine.ContainerStart(t.life, created.ID, client.ContainerStartOptions{}); err == nil {
			return created.ID, output, nil
		}
		output.Close()
	}
	r.remove(created.ID)
	return "", output, fmt.Errorf("CannotStartContainerError: %w", err)
}

func healthcheck(h *runtime.HealthCheck) *container.HealthConfig {
	if h == nil {
		return &container.HealthConfig{Test: []string{"NONE"}} // ECS does not look at the image's own
	}
	return &container.HealthConfig{
		Test: h.Command, Interval: h.Interval, Timeout: h.Timeout, Retries: h.Retries, StartPeriod: h.StartPeriod,
	}
}

// Bounds of what the engine may take for things that need no time of their own.
const (
	pollHealth  = time.Second
	outputGrace = 10 * time.Second // from a container's exit to the end of its output
	createGrace = time.Minute
	removeGrace = 30 * time.Second
)

// attend follows a container that runs until it has ended and its output is
// read, and returns its exit.
func (r *Runtime) attend(t *task, c runtime.Container, id string, output client.HijackedResponse) runtime.Event {
	ctx, giveUp := context.WithCancel(r.ctx)
	defer giveUp()
	read := make(chan struct{})
	r.lives.Go(func() {
		defer close(read)
		if err := r.read(ctx, output, c.Log); err != nil && r.ctx.Err() == nil {
			r.Log.Warn("reading the output of a container", "container", c.Name, "task", t.ID, "error", err)
		}
	})
	exit := r.await(t, c, id)
	defer time.AfterFunc(outputGrace, giveUp).Stop()
	<-read
	return exit
}

// await waits for a container's exit. Meanwhile it passes on the order to
// stop, and what the health check finds.
func (r *Runtime) await(t *task, c runtime.Container, id string) runtime.Event {
	var poll <-chan time.Time
	if c.HealthCheck != nil {
		ticker := time.NewTicker(pollHealth)
		defer ticker.Stop()
		poll = ticker.C
	}
	health := container.Starting
	halted := t.life.Done()
	// Both channels are read to their end, which comes with r.ctx at the
	// latest: the client's goroutine waits for a reader.
	wait := r.engine.ContainerWait(r.ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	for {
		select {
		case result := <-wait.Result:
			return r.exit(c, id, int(result.StatusCode))
		case err := <-wait.Error:
			return runtime.Event{Container: c.Name, Kind: runtime.Exited, ExitCode: 137, Reason: "CannotInspectContainerError: " + err.Error()}
		case <-halted:
			halted, poll = nil, nil // the engine calls what it has stopped unhealthy
			if r.ctx.Err() == nil {
				r.lives.Go(func() { r.halt(t, id) })
			}
		case <-poll:
			state, err := r.engine.ContainerInspect(r.ctx, id, client.ContainerInspectOptions{})
			if err != nil || !state.Container.State.Running || state.Container.State.Health == nil || state.Container.State.Health.Status == health {
				continue // an engine in trouble ends the wait
			}
			switch health = state.Container.State.Health.Status; health {
			case container.Healthy:
				r.tell(t, runtime.Event{Container: c.Name, Kind: runtime.Healthy})
			case container.Unhealthy:
				r.tell(t, runtime.Event{Container: c.Name, Kind: runtime.Unhealthy})
			}
		}
	}
}

// exit is the event of a container that has ended with the code.
func (r *Runtime) exit(c runtime.Container, id string, code int) runtime.Event {
	e := runtime.Event{Container: c.Name, Kind: runtime.Exited, ExitCode: code}
	state, err := r.engine.ContainerInspect(r.ctx, id, client.ContainerInspectOptions{})
	if err == nil && state.Container.State.OOMKilled {
		e.Reason = "OutOfMemoryError: Container killed due to memory usage"
	}
	return e
}

func (r *Runtime) halt(t *task, id string) {
	seconds := int(math.Ceil(t.grace.Seconds()))
	if _, err := r.engine.ContainerStop(r.ctx, id, client.ContainerStopOptions{Timeout: &seconds}); err != nil && !cerrdefs.IsNotFound(err) && r.ctx.Err() == nil {
		r.Log.Warn("stopping a container", "id", id, "task", t.ID, "error", err)
	}
}

// remove removes a container, running or not, also while the runtime closes.
func (r *Runtime) remove(id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), removeGrace)
	defer cancel()
	if err := remove(ctx, r.engine, id); err != nil {
		r.Log.Warn("removing a container", "id", id, "error", err)
	}
}
