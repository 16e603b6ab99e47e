package rollout

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// docs/verdicts.md has a heading for every rule, in their order, and no other
// of that level.
func TestEveryRuleIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/verdicts.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented, there []string
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "### "); ok {
			documented = append(documented, strings.TrimSpace(name))
		}
	}
	for _, r := range rules() {
		there = append(there, r.name)
	}
	if !slices.Equal(documented, there) {
		t.Errorf("documented are %v, there are %v", documented, there)
	}
}

// crashed is a task of ours that ended with an error some seconds in.
func crashed(id, zone string, created int) Task {
	return Task{
		ID: id, StartedBy: ourID, Zone: zone, LastStatus: stopped, CreatedAt: epoch.Add(time.Duration(created) * time.Second),
		StopCode: "EssentialContainerExited", Cause: &Cause{ID: "exit-error", Reason: "it crashed", Enough: 2},
	}
}

func living(id, zone, health string, created int) Task {
	return Task{ID: id, StartedBy: ourID, Zone: zone, LastStatus: running, Health: health, CreatedAt: epoch.Add(time.Duration(created) * time.Second)}
}

func TestWhatSpeaksForARevision(t *testing.T) {
	for _, c := range []struct {
		name      string
		counts    string // of our deployment
		failAfter int
		tasks     []Task
		want      Outcome
	}{
		{"two crashes and nothing else", "0/4+0", 0, []Task{crashed("a", "x", 0), crashed("b", "y", 0)}, Failed},
		{"one crash", "0/4+0", 0, []Task{crashed("a", "x", 0)}, ""},
		{"one crash is enough", "0/4+0", 1, []Task{crashed("a", "x", 0)}, Failed},
		{"three are asked for", "0/4+0", 3, []Task{crashed("a", "x", 0), crashed("b", "y", 0)}, ""},
		{"a sister still runs", "1/4+0", 0, []Task{crashed("a", "x", 0), crashed("b", "y", 0), living("c", "x", "", 0)}, ""},
		{"only a later one runs", "1/4+0", 0, []Task{crashed("a", "x", 0), crashed("b", "y", 0), living("c", "x", "", 60)}, Failed},
		{"a later one is healthy", "1/4+0", 0, []Task{crashed("a", "x", 0), crashed("b", "y", 0), living("c", "x", healthy, 60)}, ""},
		{"one that has not been read", "1/4+1", 0, []Task{crashed("a", "x", 0), crashed("b", "y", 0), living("c", "x", "", 60)}, ""},
		{"one zone, while another is known", "1/4+0", 0, []Task{crashed("a", "x", 0), crashed("b", "x", 0), living("c", "y", "", 60)}, ""},
		{"one zone, once more", "1/4+0", 0, []Task{crashed("a", "x", 0), crashed("b", "x", 0), crashed("d", "x", 9), living("c", "y", "", 60)}, Failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := updated(4)
			start.FailAfter = c.failAfter
			tracker := Follow(start)
			tracker.Observe(at(60, nil, d(ourID, ourTD, "PRIMARY IN_PROGRESS "+c.counts), d(oldID, oldTD, "ACTIVE COMPLETED 4/4+0")).with(c.tasks...))
			if v := tracker.Verdict(); v.Outcome != c.want {
				t.Errorf("%+v, want %q", v, c.want)
			}
		})
	}
}

func TestUntilHealthy(t *testing.T) {
	old := func(desired string) Deployment { return d(oldID, oldTD, "ACTIVE COMPLETED 2/"+desired+"+0") }
	ours := d(ourID, ourTD, "PRIMARY IN_PROGRESS 2/2+0")
	draining := Task{ID: "o", StartedBy: oldID, LastStatus: running, Stopping: true}
	kept := Task{ID: "o", StartedBy: oldID, LastStatus: running}
	for _, c := range []struct {
		name     string
		look     Observation
		minimum  int
		balanced bool
		want     Outcome
	}{
		{"old tasks are told to stop", at(60, nil, ours, old("0")).with(draining), 100, true, Stable},
		{"one old task is kept", at(60, nil, ours, old("0")).with(kept), 100, true, ""},
		{"old tasks stop first anyway", at(60, nil, ours, old("0")).with(draining), 50, true, ""},
		{"every task is healthy", at(60, nil, ours, old("2")).with(living("a", "", healthy, 0), living("b", "", healthy, 0)), 50, false, Stable},
		{"but the load balancer has not spoken", at(60, nil, ours, old("2")).with(living("a", "", healthy, 0), living("b", "", healthy, 0)), 50, true, ""},
		{"early success", at(60, nil, ours, old("2")).recorded("SUCCESSFUL"), 100, true, Stable},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := updated(2)
			start.Until = Healthy
			tracker := Follow(start)
			c.look.Service.MinHealthyPercent, c.look.Service.LoadBalanced = c.minimum, c.balanced
			tracker.Observe(c.look)
			if v := tracker.Verdict(); v.Outcome != c.want {
				t.Errorf("%+v, want %q", v, c.want)
			}
		})
	}
}

// Under a strategy that shifts traffic the old deployment may lead for long;
// its record says what comes of it.
func TestTheRecordLeadsWhereTrafficShifts(t *testing.T) {
	tracker := Follow(updated(1))
	look := func(second int, status, stage string) {
		o := at(second, nil, d(oldID, oldTD, "PRIMARY IN_PROGRESS 1/1+0"), d(ourID, ourTD, "ACTIVE IN_PROGRESS 1/1+0")).recorded(status)
		o.ServiceDeployment.Strategy, o.ServiceDeployment.Stage = "BLUE_GREEN", stage
		o.ServiceDeployment.Alarms = []string{"errors"}
		tracker.Observe(o)
	}
	for i := range 100 {
		look(i, inProgress, "BAKE_TIME")
	}
	if v := tracker.Verdict(); v.Final() {
		t.Fatalf("bake time is taken for %+v", v)
	}
	look(200, "ROLLBACK_IN_PROGRESS", "")
	if v := tracker.Verdict(); v.Outcome != Failed || !strings.Contains(v.Reason, "alarms: errors") {
		t.Errorf("%+v", v)
	}
}
