package maintenance

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

func TestWhatAFindingMeansForARestart(t *testing.T) {
	for _, tc := range []struct {
		finding           audit.Finding
		now, then, unsure string
	}{
		{audit.Finding{Code: audit.DigestGone, Severity: audit.Error}, "fails", "", ""},
		{audit.Finding{Code: audit.ImageArchived, Severity: audit.Error}, "fails", "", ""},
		{audit.Finding{Code: audit.ImageRestoring, Severity: audit.Warning}, "", "", "fails"},
		{audit.Finding{Code: audit.Sinks, Severity: audit.Error}, "", "works today, not on the day: fails", ""},
		{audit.Finding{Code: audit.LostAtNextRun, Severity: audit.Warning}, "", "", "fails"},
		{audit.Finding{Code: audit.RetirementComes, Severity: audit.Note}, "", "", ""},
		{audit.Finding{Code: audit.RetirementComes, Severity: audit.Warning}, "", "", "whether it still works on the day: "},
		{audit.Finding{Code: audit.NoRollback, Severity: audit.Error}, "", "", ""},
	} {
		tc.finding.Object.Name, tc.finding.What, tc.finding.Why = "prod/api", "prod/api fails", "it is so"
		tc.finding.Fix = []audit.Fix{{Say: "Do this", Command: "that"}, {Say: "then look", Then: true}, {Say: "Wait"}}
		var o Outlook
		o.add(tc.finding)
		for _, got := range []struct {
			faults []deploy.Fault
			want   string
		}{{o.Now, tc.now}, {o.Then, tc.then}} {
			if len(got.faults) > 1 || len(got.faults) == 1 != (got.want != "") || got.want != "" && (got.faults[0].What != got.want+"; it is so" || got.faults[0].Do != "Do this: that; then look; or: Wait") {
				t.Errorf("%s: %+v", tc.finding.Code, o)
			}
		}
		if said := strings.Join(o.Unsure, ""); !strings.HasPrefix(said, tc.unsure) || said != "" != (tc.unsure != "") {
			t.Errorf("%s: unsure: %q", tc.finding.Code, said)
		}
	}
}

// What cannot be foreseen keeps nothing from being planned; what is said of now
// is not made better by what is said of then.
func TestForesee(t *testing.T) {
	plan := func(found map[string]Outlook, err error) []Item {
		items := []Item{
			{Cluster: "prod", Service: "api", State: Ready},
			{Cluster: "prod", Service: "old", State: Lost, Why: []string{"gone"}, Fix: []string{"bring it back"}},
			{Cluster: "prod", Service: "new", State: Replaced},
		}
		p := Ports{Judge: func(_ context.Context, services []audit.Retirement) (map[string]Outlook, error) {
			if len(services) != 2 {
				t.Errorf("judged: %+v", services)
			}
			return found, err
		}}
		if err := p.foresee(t.Context(), items); err != nil {
			t.Fatal(err)
		}
		return items
	}
	items := plan(nil, errors.New("refused"))
	if items[0].State != Ready || len(items[0].Unsure) != 1 || items[1].State != Lost || len(items[2].Unsure) != 0 {
		t.Errorf("%+v", items)
	}
	fault := []deploy.Fault{{What: "taken", Do: "pin"}}
	items = plan(map[string]Outlook{"prod/api": {Then: fault}, "prod/old": {Then: fault}}, nil)
	if items[0].State != Losing || items[0].Why[0] != "taken" || items[1].State != Lost || items[1].Why[0] != "gone" {
		t.Errorf("%+v", items)
	}
	items = plan(map[string]Outlook{"prod/api": {Now: fault, Then: fault}, "prod/old": {Now: fault}}, nil)
	if items[0].State != Lost || len(items[0].Why) != 1 || items[1].Why[0] != "taken" || len(items[1].Fix) != 1 {
		t.Errorf("%+v", items)
	}
}
