package term

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
)

// The cells never say anything else than the counts beside them.
func TestCellsAgreeWithTheCounts(t *testing.T) {
	states := []string{"PROVISIONING", "PENDING", "ACTIVATING", "RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"}
	rapid.Check(t, func(t *rapid.T) {
		g := rollout.Group{Running: rapid.IntRange(0, 6).Draw(t, "running"), Pending: rapid.IntRange(0, 6).Draw(t, "pending")}
		for _, status := range rapid.SliceOfN(rapid.SampledFrom(states), 0, 8).Draw(t, "tasks") {
			g.Tasks = append(g.Tasks, rollout.TaskState{Status: status, Health: rapid.SampledFrom([]string{"", "HEALTHY", "UNKNOWN"}).Draw(t, "health")})
		}
		count := map[string]int{}
		for _, task := range brought(g) {
			count[task.Status]++
		}
		if count["RUNNING"] != g.Running || count["PROVISIONING"]+count["PENDING"]+count["ACTIVATING"] != g.Pending {
			t.Fatalf("%d running and %d pending drawn as %v", g.Running, g.Pending, count)
		}
		for _, status := range states[4:] { // what ends goes on ending
			for _, task := range g.Tasks {
				if task.Status == status && count[status] == 0 {
					t.Fatalf("%s is not drawn: %v", status, count)
				}
			}
		}
	})
}

// Every state has a shape of its own, and no two groups of states share one.
func TestCellsDifferByShape(t *testing.T) {
	p := newPalette(false, Own)
	seen := map[string]string{}
	for _, task := range []rollout.TaskState{
		{Status: "PROVISIONING"}, {Status: "PENDING"}, {Status: "ACTIVATING"}, {Status: "RUNNING", Health: "UNKNOWN"},
		{Status: "RUNNING", Health: "HEALTHY"}, {Status: "RUNNING", Health: "UNHEALTHY"}, {Status: "STOPPING"}, {Status: "STOPPED"},
	} {
		shape, _ := p.cell(task, false)
		if other := seen[shape]; other != "" {
			t.Errorf("%s is drawn as %s is: %s", task.Status+" "+task.Health, other, shape)
		}
		seen[shape] = task.Status + " " + task.Health
	}
	if gone, _ := p.cell(rollout.TaskState{Status: "STOPPED"}, true); gone == cellFailed || strings.TrimSpace(gone) == "" {
		t.Errorf("an old task that has stopped is drawn as %q", gone)
	}
}
