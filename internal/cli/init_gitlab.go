package cli

import (
	"context"
	"fmt"

	"github.com/plimsoll-ecs/plimsoll/internal/pipeline"
)

type initGitLab struct {
	pipelineFlags
	Include  bool   `help:"Write .gitlab/plimsoll.yml, for a project that has a pipeline and includes it."`
	Image    string `help:"Image of the jobs; one that has plimsoll and the docker CLI needs no download." placeholder:"IMAGE" group:"plimsoll in the jobs"`
	Dind     string `help:"Image of docker:dind." placeholder:"IMAGE" group:"plimsoll in the jobs"`
	Audience string `help:"Audience of the ID token, as the trust policy of the role has it; the address of GitLab when not given." placeholder:"URL" group:"Roles"`
}

// Help goes below the usage.
func (c *initGitLab) Help() string {
	return `Writes .gitlab-ci.yml: a tag such as v1.2.3 is built, pushed and deployed; rollback,
stop and start are buttons, the audit a schedule. Names come from plimsoll.yaml, or
from flags and the variables that pipelines have. What is missing is asked for on a
terminal. A file that is there is shown how it would change, and asked about.

  plimsoll init gitlab
  plimsoll init gitlab --cluster prod --service api --repository api --dry-run`
}

// Run writes the pipeline.
func (c *initGitLab) Run(ctx context.Context, s *session) error {
	d, err := c.plan(s)
	if err != nil {
		return err
	}
	d.plan.GitLab = pipeline.Runner{Image: c.Image, Dind: c.Dind, Audience: c.Audience}
	if err := d.check(); err != nil {
		return err
	}
	write := pipeline.GitLab
	if c.Include {
		write = pipeline.GitLabInclude
	}
	file, err := write(d.plan)
	if err != nil {
		return err
	}
	return s.deliver(d, []pipeline.File{file}, c.steps(ctx, d, file))
}

// steps are what is left to do.
func (c *initGitLab) steps(ctx context.Context, d *draftPipeline, file pipeline.File) []string {
	project := projectPath(ctx, "GROUP/PROJECT")
	var steps []string
	if c.Include {
		steps = append(steps, fmt.Sprintf("include it in .gitlab-ci.yml, with stages build and deploy: include: [{local: %s}]", file.Name))
	}
	if d.plan.Plimsoll.SHA256 == "" && c.Image == "" {
		steps = append(steps, "plimsoll in the jobs: --plimsoll-version and --plimsoll-sha256, or an --image that has it")
	}
	steps = append(steps, fmt.Sprintf("the roles: plimsoll init iam%s --gitlab %s --ref 'v*'", d.iamServices(), project))
	switch {
	case d.rolesMissing():
		steps = append(steps, "Settings > CI/CD > Variables: AWS_ROLE_ARN for each environment, as its scope, and one for the build and the audit")
	case d.plan.AuditRole == "":
		steps = append(steps, "Settings > CI/CD > Variables: AWS_ROLE_ARN, the role of the audit")
	}
	if d.plan.Region() == "" {
		steps = append(steps, "Settings > CI/CD > Variables: AWS_DEFAULT_REGION")
	}
	return append(steps,
		"Settings > Repository > Protected tags: v*",
		"Settings > CI/CD > Protected environments: "+d.environmentNames(),
		"CODEOWNERS: who reviews "+file.Name,
		"Build > Pipeline schedules: PLIMSOLL_TASK=audit, every night",
	)
}
