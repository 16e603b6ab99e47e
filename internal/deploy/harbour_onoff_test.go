package deploy

import (
	"context"
	"fmt"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
)

// What a harbour has for the use cases that switch a service on and off and
// run one-off tasks.

func (h *harbour) Revisions(_ context.Context, family string, active bool, limit int) ([]string, error) {
	defer h.lock()()
	if err := h.fail["Revisions"]; err != nil {
		return nil, err
	}
	var arns []string
	for i := h.revision; i > 0 && len(arns) < limit; i-- {
		arn := fmt.Sprintf("arn:aws:ecs:eu-west-1:%s:task-definition/%s:%d", account, family, i)
		if h.definitions[arn] != "" && h.inactive[arn] != active {
			arns = append(arns, arn)
		}
	}
	return arns, nil
}

func (h *harbour) Scaling(context.Context, string, string) (Scaling, error) {
	defer h.lock()()
	if h.scaling == nil {
		return Scaling{}, fmt.Errorf("read autoscaling: %w", NotFound)
	}
	return *h.scaling, h.fail["Scaling"]
}

func (h *harbour) Suspend(_ context.Context, _, _ string, s Suspended) error {
	defer h.lock()()
	h.calls = append(h.calls, "suspend "+s.String())
	if err := h.fail["Suspend"]; err != nil {
		return err
	}
	h.scaling.Suspended = s
	return nil
}

// RunTask starts a task that ends at once: with the code of its command's last
// word, "exit 3".
func (h *harbour) RunTask(_ context.Context, r OneOff) ([]rollout.Task, error) {
	defer h.lock()()
	h.calls = append(h.calls, fmt.Sprintf("run %s %s", rollout.RevisionName(r.TaskDefinition), strings.Join(r.Command, " ")))
	if err := h.fail["RunTask"]; err != nil {
		return nil, err
	}
	code := 0
	if len(r.Command) > 0 {
		_, _ = fmt.Sscan(r.Command[len(r.Command)-1], &code)
	}
	t := rollout.Task{ID: fmt.Sprintf("one-off-%d", len(h.calls)), TaskDefinition: r.TaskDefinition, LastStatus: "PROVISIONING"}
	t.Containers = []rollout.Container{{Name: "web", ExitCode: &code}}
	h.oneOffs = append(h.oneOffs, t)
	return []rollout.Task{{ID: t.ID, LastStatus: "PROVISIONING"}}, nil
}

func (h *harbour) TasksByID(_ context.Context, _ string, ids []string) ([]rollout.Task, error) {
	defer h.lock()()
	var tasks []rollout.Task
	for _, t := range h.oneOffs {
		for _, id := range ids {
			if t.ID != id {
				continue
			}
			if h.hangs {
				t.Containers = nil
				t.LastStatus = "RUNNING"
			} else {
				t.LastStatus, t.StopCode = "STOPPED", "EssentialContainerExited"
			}
			tasks = append(tasks, t)
		}
	}
	return tasks, nil
}

func (h *harbour) StopTask(_ context.Context, _, id, reason string) error {
	defer h.lock()()
	h.calls = append(h.calls, "stop task: "+reason)
	return nil
}

func (h *harbour) Since(_ context.Context, _ LogStream, position string) ([]string, string, error) {
	if position == "" {
		return []string{"migrating"}, "1", nil
	}
	return nil, position, nil
}
