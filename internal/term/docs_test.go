package term

import (
	"fmt"
	"strings"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/golden"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
)

// The page has the cells as they are drawn.
func TestCellsAreDocumented(t *testing.T) {
	var b strings.Builder
	b.WriteString("| cell | task |\n|---|---|\n")
	p := newPalette(false, Own)
	for _, c := range []struct {
		task rollout.TaskState
		old  bool
		says string
	}{
		{rollout.TaskState{Status: "PROVISIONING"}, false, "PROVISIONING"},
		{rollout.TaskState{Status: "PENDING"}, false, "PENDING"},
		{rollout.TaskState{Status: "ACTIVATING"}, false, "ACTIVATING"},
		{rollout.TaskState{Status: "RUNNING", Health: "UNKNOWN"}, false, "RUNNING, its health check has not passed yet"},
		{rollout.TaskState{Status: "RUNNING"}, false, "RUNNING and healthy, or without a health check"},
		{rollout.TaskState{Status: "RUNNING", Health: "UNHEALTHY"}, false, "RUNNING and unhealthy"},
		{rollout.TaskState{Status: "STOPPING"}, false, "draining: DEACTIVATING, STOPPING or DEPROVISIONING"},
		{rollout.TaskState{Status: "STOPPED"}, true, "STOPPED, of the old revision"},
		{rollout.TaskState{Status: "STOPPED"}, false, "STOPPED, of the new revision: it failed"},
	} {
		cell, _ := p.cell(c.task, c.old)
		fmt.Fprintf(&b, "| `%s` | %s |\n", cell, c.says)
	}
	golden.Section(t, "../../docs/terminal.md", "cells", b.String())
}
