package audit_test

import (
	"encoding/json"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
)

// A fleet may come from a file, and files from anywhere: whatever is in it is
// judged, twice the same way.
func FuzzJudge(f *testing.F) {
	for _, fleet := range []audit.Fleet{{}, clean(), faulty()} {
		text, err := json.Marshal(fleet)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"services":[{"runs":[{"containers":[{"name":"a","image":":"},{"name":"b","image":"@"},{"image":"x/y"}]}],"before":[{}]}],
		"repositories":[{"images":[{"Digest":"","Children":[""],"Subject":""},{"Digest":"","Tags":["",""]}],"policy":"{}"},{}],
		"tasks":[{"group":"service:"},{"group":""}],"schedules":[{"taskDefinition":"/"}],"definitions":{"":{"taskRole":"x","executionRole":"x"}},
		"roles":{"x":{"trust":"{\"Statement\":[{\"Effect\":\"Allow\"}]}"}},"retirements":[{"tasks":[""]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var fleet audit.Fleet
		if json.Unmarshal(text, &fleet) != nil {
			return
		}
		o := options()
		o.Tags, o.Unused, o.Cadence = strict(), 30, steady
		first, second := audit.Judge(fleet, o), audit.Judge(fleet, o)
		if told(first) != told(second) {
			t.Errorf("judged once:\n%s\nand again:\n%s", told(first), told(second))
		}
		o.Baseline = audit.NewBaseline(first)
		for _, finding := range audit.Judge(fleet, o).Findings {
			if finding.Accepted == "" {
				t.Errorf("%s is not in the baseline of its own report", finding.Code)
			}
		}
	})
}
