package cli

import (
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
)

// auditSubject says what an audit is about.
type auditSubject struct {
	About string `arg:"" optional:"" help:"everything, or roles: whether the roles of tasks and of pipelines are apart and no wider than they need be." enum:"everything,roles" default:"everything"`
}

// roles reports whether it is about roles alone, those of pipelines too.
func (a auditSubject) roles() bool { return a.About == "roles" }

// of is what of a report the audit is about.
func (a auditSubject) of(fleet audit.Fleet, r audit.Report) audit.Report {
	if !a.roles() {
		return r
	}
	r.Findings = slices.DeleteFunc(r.Findings, func(f audit.Finding) bool {
		return f.Object.Kind != audit.RoleObject && !(f.Code == audit.Unseen && strings.HasPrefix(f.Part, "iam:"))
	})
	r.Seen = audit.Seen{Roles: len(fleet.Roles)}
	r.Blind = slices.DeleteFunc(slices.Clone(r.Blind), func(b audit.Blind) bool { return !strings.HasPrefix(b.Action, "iam:") })
	return r
}
