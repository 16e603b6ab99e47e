package audit

import (
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle/lint"
)

// PolicyRemarks is the [Lint] of package lint. Where a rollback could go is no
// remark on a policy: that is a finding of the service.
func PolicyRemarks(r *Repository, _ lifecycle.Policy, uses []Use, now time.Time) []Remark {
	subject := lint.Subject{Text: []byte(r.Policy), Images: make([]lifecycle.Image, len(r.Images)), Now: now}
	for i := range r.Images {
		subject.Images[i] = r.Images[i].Image
	}
	for _, u := range uses {
		if !u.Earlier {
			subject.Uses = append(subject.Uses, lint.Use{Digest: u.Digest, By: u.By, Since: u.Since})
		}
	}
	var remarks []Remark
	for _, m := range lint.Check(subject) {
		remarks = append(remarks, Remark{
			Code: string(m.Code), Severity: severityOf(m.Severity), Rule: m.Rule, What: m.What, Why: m.Why, Fix: []Fix{{Say: m.Do}},
		})
	}
	return remarks
}

func severityOf(s lint.Severity) Severity {
	switch s {
	case lint.Error:
		return Error
	case lint.Warning:
		return Warning
	}
	return Note
}
