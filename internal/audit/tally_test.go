package audit_test

import (
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
)

func TestTally(t *testing.T) {
	web := audit.Object{Kind: audit.ServiceObject, Name: "prod/web"}
	api := audit.Object{Kind: audit.ServiceObject, Name: "prod/api"}
	shop := audit.Object{Kind: audit.RepositoryObject, Name: "shop"}
	r := audit.Report{
		Seen: audit.Seen{Services: 5, Safe: 4},
		Findings: []audit.Finding{
			{Code: "A", Severity: audit.Error, Object: web},
			{Code: "B", Severity: audit.Error, Object: web}, // the same service
			{Code: "A", Severity: audit.Error, Object: api, Accepted: "known"},
			{Code: "C", Severity: audit.Error, Object: api, When: &audit.When{Pushes: 2}}, // not yet
			{Code: "D", Severity: audit.Error, Object: shop},
			{Code: "E", Severity: audit.Warning, Object: shop},
			{Code: "F", Severity: audit.Note, Object: shop},
		},
	}
	want := audit.Tally{Services: 5, Now: 3, Safe: 3, Errors: 4, Warnings: 1, Notes: 1, Accepted: 1}
	if got := r.Tally(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
