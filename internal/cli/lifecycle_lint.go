package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle/lint"
	"github.com/plimsoll-ecs/plimsoll/internal/report"
	"github.com/plimsoll-ecs/plimsoll/internal/retain"
)

type lifecycleLint struct {
	policyFile
	Repository string `help:"ECR repository, whose images and uses are looked at too; with --policy none when not given, else ECR_REPOSITORY." placeholder:"NAME" group:"Names"`
	FailOn     string `help:"Exit with 8 at a remark of this severity: error, warning, note or never." enum:"error,warning,note,never" default:"error" placeholder:"error"`
	rollbackDepth
}

// Help goes below the usage.
func (c *lifecycleLint) Help() string {
	return `A file alone is read without AWS, so it can be a step of a pipeline that has no
credentials. With --repository the remarks also know its images and what runs.

  plimsoll lifecycle lint --policy policy.json
  plimsoll lifecycle lint --repository web

The codes are explained in docs/lifecycle.md.`
}

// Run says what there is to say.
func (c *lifecycleLint) Run(ctx context.Context, s *session) error {
	subject := lint.Subject{Now: time.Now()}
	name := c.Policy
	if c.Policy != "" {
		text, err := c.read(s)
		if err != nil {
			return err
		}
		subject.Text = []byte(text)
	}
	if c.Policy == "" || c.Repository != "" {
		q, err := s.quay(ctx, c.Repository, c.Rollbacks)
		if err != nil {
			return err
		}
		repo, uses, err := q.usage(ctx, c.Rollbacks)
		if err != nil {
			return err
		}
		if c.Policy == "" {
			subject.Text, name = []byte(repo.Policy), repo.Name
		}
		subject.Now = retain.AsOf(repo, subject.Now)
		subject.Images = []lifecycle.Image{}
		for i := range repo.Images {
			subject.Images = append(subject.Images, repo.Images[i].Image)
		}
		subject.Uses = lintUses(uses)
		if len(subject.Text) == 0 {
			fmt.Fprintf(s.sys.Stderr, "%s has no lifecycle policy; plimsoll lifecycle advise writes one\n", repo.Name)
			return nil
		}
	}
	remarks := lint.Check(subject)
	if s.json() {
		s.object(map[string]any{"policy": name, "remarks": append([]lint.Remark{}, remarks...)})
	} else {
		s.showRemarks(name, remarks)
	}
	if slices.ContainsFunc(remarks, func(r lint.Remark) bool { return report.FailOn(c.FailOn).Reaches(audit.SeverityOf(r.Severity)) }) {
		return &exitError{8}
	}
	return nil
}

// lintUses are what runs; where a rollback could go is no remark on a policy.
func lintUses(uses []retain.PolicyUse) []lint.Use {
	var out []lint.Use
	for _, u := range uses {
		if !u.Rollback {
			out = append(out, lint.Use{Digest: u.Digest, By: u.By, Since: u.Since})
		}
	}
	return out
}

// showRemarks writes them as compilers do, so that editors find the place.
func (s *session) showRemarks(name string, remarks []lint.Remark) {
	for _, r := range remarks {
		fmt.Fprintf(s.sys.Stdout, "%s:%d:%d: %s %s: %s\n  %s\n  do: %s\n", cmp.Or(name, "policy"), r.Line, r.Column, r.Severity, r.Code, r.What, r.Why, r.Do)
	}
	if len(remarks) == 0 {
		fmt.Fprintf(s.sys.Stdout, "%s: nothing to remark\n", name)
	}
}
