package deploy

import (
	"context"
	"fmt"
	"path"
	"slices"

	"github.com/plimsoll-ecs/plimsoll/internal/diagnose"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// evidence is what is known of one failed task.
type evidence struct {
	failure      story.Failure
	cause        *rollout.Cause
	worthTelling bool // a new cause, or one of the first that none is known for
}

const (
	readLogs = 5 // of so many failed tasks: any cause is proved by fewer
	logLines = 20
	tellMute = 3 // so many tasks without a known cause are told in full
)

// examine collects the evidence of a failed task, once: ECS forgets a stopped
// task after about an hour.
func (w *watch) examine(ctx context.Context, t rollout.Task) *evidence {
	if e := w.evidence[t.ID]; e != nil {
		return e
	}
	culprit := culpritOf(t)
	e := &evidence{
		failure: story.Failure{
			TaskID:        t.ID,
			StopCode:      t.StopCode,
			StoppedReason: t.StoppedReason,
			Container:     culprit.Name,
			ExitCode:      culprit.ExitCode,
			Reason:        culprit.Reason,
		},
	}
	if len(w.evidence) < readLogs && culprit.ExitCode != nil { // what never ran wrote nothing
		e.failure.Log = w.tail(ctx, t, culprit.Name)
	}
	if d, ok := w.diagnose(e.failure); ok {
		e.failure.Cause, e.failure.Check, e.failure.Fix = d.Cause, d.Check, d.Fix
		e.cause = &rollout.Cause{ID: d.ID, Reason: d.Cause, Enough: d.Conclusive}
		e.worthTelling = !w.causes[d.ID]
		w.causes[d.ID] = true
	} else {
		e.worthTelling = len(w.evidence) < tellMute
	}
	w.evidence[t.ID] = e
	return e
}

// culpritOf is the container that brought a task down: one that could not
// start, else the first that ended with an error.
func culpritOf(t rollout.Task) rollout.Container {
	for _, guilty := range []func(rollout.Container) bool{
		func(c rollout.Container) bool { return c.ExitCode == nil && c.Reason != "" },
		func(c rollout.Container) bool { return c.ExitCode != nil && *c.ExitCode != 0 && *c.ExitCode != 143 }, // 143: SIGTERM, the others are stopped after the first
		func(c rollout.Container) bool { return c.ExitCode != nil },
	} {
		if i := slices.IndexFunc(t.Containers, guilty); i >= 0 {
			return t.Containers[i]
		}
	}
	return rollout.Container{}
}

// tail reads a container's last lines, where the task definition sends them
// to CloudWatch. Failing to is no news: the reasons that ECS gives remain.
func (w *watch) tail(ctx context.Context, t rollout.Task, container string) []string {
	doc, err := w.document(ctx, t.TaskDefinition)
	if err != nil {
		return nil
	}
	i := slices.IndexFunc(doc.Containers(), func(c taskdef.Container) bool { return c.Name == container })
	if i < 0 {
		return nil
	}
	from, ok := streamOf(doc.Containers()[i].Log, container, t.ID)
	if !ok {
		return nil
	}
	lines, err := w.AWS.Tail(ctx, from, logLines)
	if err != nil && !w.causes["log"] {
		w.causes["log"] = true
		w.say(story.Note, w.step, "the container's log cannot be read: %v", err)
	}
	return lines
}

// streamOf is where the awslogs driver writes: with a stream prefix, which
// Fargate demands, the stream is prefix/container/task. Without one its name
// is the container's id, which ECS does not tell.
func streamOf(log taskdef.Log, container, taskID string) (LogStream, bool) {
	group, prefix := log.Options["awslogs-group"], log.Options["awslogs-stream-prefix"]
	if log.Driver != "awslogs" || group == "" || prefix == "" {
		return LogStream{}, false
	}
	return LogStream{Region: log.Options["awslogs-region"], Group: group, Stream: path.Join(prefix, container, taskID)}, true
}

func (w *watch) diagnose(f story.Failure) (diagnose.Diagnosis, bool) {
	found := w.Knowledge.Diagnose(diagnose.Evidence{
		StopCode:        f.StopCode,
		StoppedReason:   f.StoppedReason,
		ContainerReason: f.Reason,
		ExitCode:        f.ExitCode,
		Log:             f.Log,
	})
	if len(found) == 0 {
		return diagnose.Diagnosis{}, false
	}
	return found[0], true
}

// explain adds what is known of an event in which ECS complains.
func (w *watch) explain(event string) {
	for _, d := range w.Knowledge.Diagnose(diagnose.Evidence{Events: []string{event}}) {
		if w.causes[d.ID] {
			continue
		}
		w.causes[d.ID] = true
		w.say(story.Warning, w.step, "%s; check: %s; fix: %s", d.Cause, d.Check, d.Fix)
	}
}

// headline is the evidence in one line.
func (e *evidence) headline() string {
	f := e.failure
	s := "task " + f.TaskID + " failed"
	if f.Container != "" && f.ExitCode != nil {
		s += fmt.Sprintf(": %s exited with %d", f.Container, *f.ExitCode)
	} else if f.StoppedReason != "" {
		s += ": " + f.StoppedReason
	}
	if f.Cause != "" {
		s += " (" + f.Cause + ")"
	}
	return s
}
