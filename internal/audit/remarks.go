package audit

import (
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle/lint"
)

// LintSubject is what package lint judges of a repository. Where a rollback could go is
// no remark on a policy: that is a finding of the service.
func LintSubject(r *Repository, uses []Use, now time.Time) lint.Subject {
	subject := lint.Subject{Text: []byte(r.Policy), Images: make([]lifecycle.Image, len(r.Images)), Now: now}
	for i := range r.Images {
		subject.Images[i] = r.Images[i].Image
	}
	for _, u := range uses {
		if !u.Earlier {
			subject.Uses = append(subject.Uses, lint.Use{Digest: u.Digest, By: u.By, Since: u.Since})
		}
	}
	return subject
}

// PolicyRemarks is the [Lint] of package lint.
func PolicyRemarks(r *Repository, _ lifecycle.Policy, uses []Use, now time.Time) []Remark {
	var remarks []Remark
	for _, m := range lint.Check(LintSubject(r, uses, now)) {
		remarks = append(remarks, Remark{
			Code: string(m.Code), Severity: SeverityOf(m.Severity), Rule: m.Rule, What: m.What, Why: m.Why, Fix: []Fix{{Say: m.Do}},
		})
	}
	return remarks
}

// SeverityOf is how bad a remark on a lifecycle policy is.
func SeverityOf(s lint.Severity) Severity {
	switch s {
	case lint.Error:
		return Error
	case lint.Warning:
		return Warning
	}
	return Note
}
