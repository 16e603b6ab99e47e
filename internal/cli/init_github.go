package cli

import (
	"cmp"
	"context"
	"fmt"
	"regexp"

	"github.com/plimsoll-ecs/plimsoll/internal/pipeline"
)

type initGitHub struct {
	pipelineFlags
	TagDeploys bool   `help:"A tag is also deployed, to the first environment."`
	Action     string `help:"The action that runs plimsoll; the commit of this build when not given." placeholder:"OWNER/REPO@REF" group:"plimsoll in the jobs"`
	AuditAt    string `help:"When to audit, as cron has it, in UTC." placeholder:"'17 18 * * *'"`
	StopAt     string `help:"When to stop the first environment, as cron has it, in UTC." placeholder:"'0 13 * * 1-5'"`
	StartAt    string `help:"When to start it again." placeholder:"'0 23 * * 0-4'"`
}

// Help goes below the usage.
func (c *initGitHub) Help() string {
	return `Writes workflows into .github/workflows: build (of a tag such as v1.2.3), deploy (which
image, how many, where), rollback, scale (off and on) and a nightly audit. Names come
from plimsoll.yaml, or from flags and the variables that pipelines have. What is missing
is asked for on a terminal. Files that are there are shown how they would change, and
asked about.

  plimsoll init github
  plimsoll init github --environment stage --environment live --tag-deploys`
}

// Run writes the workflows.
func (c *initGitHub) Run(ctx context.Context, s *session) error {
	d, err := c.plan(s)
	if err != nil {
		return err
	}
	d.plan.GitHub = pipeline.Actions{Uses: c.Action, Night: c.AuditAt, Stop: c.StopAt, Start: c.StartAt, TagDeploys: c.TagDeploys}
	if c.Action == "" {
		d.plan.GitHub.Uses, d.plan.GitHub.Comment = ownAction(buildVersion())
	}
	if err := d.check(); err != nil {
		return err
	}
	files, err := pipeline.GitHub(d.plan)
	if err != nil {
		return err
	}
	return s.deliver(d, files, c.steps(ctx, d))
}

// ownAction is plimsoll's action as of this build: by commit where the build knows
// its own, for a tag can be moved.
func ownAction(version, revision string) (uses, comment string) {
	const action = "plimsoll-ecs/plimsoll@"
	release := regexp.MustCompile(`^v\d+\.\d+\.\d+$`).MatchString(version)
	switch {
	case revision != "" && release:
		return action + revision, version
	case revision != "":
		return action + revision, ""
	case release:
		return action + version, ""
	}
	return action + "main", ""
}

// envFlag chooses an environment of plimsoll.yaml.
func envFlag(environment string) string {
	if environment == "" {
		return ""
	}
	return " --env " + environment
}

// steps are what is left to do.
func (c *initGitHub) steps(ctx context.Context, d *draftPipeline) []string {
	project := projectPath(ctx, "OWNER/REPO")
	steps := []string{
		fmt.Sprintf("the role that builds: plimsoll init iam%s --github %s --ref 'v*' --for push --name plimsoll-build", d.iamServices(), project),
	}
	for _, e := range d.plan.Environments {
		steps = append(steps, fmt.Sprintf("the roles of %s: plimsoll init iam%s --github %s --environment %s%s", e.Name, d.iamServices(), project, e.Name, envFlag(e.Config)))
	}
	steps = append(steps,
		"Settings > Environments: "+d.environmentNames()+", each with its reviewers and its branches and tags",
	)
	for _, e := range d.plan.Environments {
		if len(d.plan.Environments) > 1 || e.Role == "" {
			steps = append(steps, fmt.Sprintf("gh variable set AWS_ROLE_ARN --env %s --body %s", e.Name, cmp.Or(e.Role, "ARN")))
		}
		if d.plan.Region() == "" {
			steps = append(steps, fmt.Sprintf("gh variable set AWS_REGION --env %s --body %s", e.Name, cmp.Or(e.Region, "REGION")))
		}
	}
	if d.plan.BuildRole == "" {
		steps = append(steps, "gh variable set AWS_BUILD_ROLE_ARN --body ARN (one that may push, for tags v*)")
	}
	if d.plan.AuditRole == "" {
		steps = append(steps, "gh variable set AWS_AUDIT_ROLE_ARN --body ARN (one that may read)")
	}
	if d.plan.Region() == "" {
		steps = append(steps, "gh variable set AWS_REGION --body REGION (of the audit)")
	}
	if c.Action == "" && d.plan.GitHub.Uses == "plimsoll-ecs/plimsoll@main" {
		steps = append(steps, "pin the action: --action plimsoll-ecs/plimsoll@COMMIT")
	}
	return append(steps,
		"Settings > Rules > Rulesets: who may push tags v*",
		"CODEOWNERS: who reviews /.github/",
	)
}
