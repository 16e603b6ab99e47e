package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/leastprivilege"
	"github.com/plimsoll-ecs/plimsoll/internal/pipeline"
)

type initIAM struct {
	servicesNames
	For      []string `help:"What the pipeline is to do, such as push,deploy,rollback; what a pipeline usually does when not given." placeholder:"FEATURE" group:"What is allowed"`
	Pipeline string   `name:"name" help:"What the names of the pipeline's roles begin with." default:"plimsoll" placeholder:"plimsoll" group:"What is allowed"`
	Account  string   `help:"The account, where nobody can be asked for it." placeholder:"DIGITS" group:"What is allowed"`
	Queue    []string `help:"The SQS queue that retirement notices come from, by its URL or ARN, as maintenance run has it; several times for several." placeholder:"URL" sep:"none" group:"What is allowed"`
	From     []string `help:"An ECR repository that rescue may copy lost images from; several times for several." placeholder:"[REGISTRY/]REPOSITORY" sep:"none" group:"What is allowed"`
	Offline  bool     `help:"Ask AWS nothing: names come from plimsoll.yaml and the command line alone." group:"What is allowed"`

	GitLab           string `name:"gitlab" help:"The GitLab project that may take the roles." placeholder:"GROUP/PROJECT" xor:"ci" group:"Who is trusted"`
	GitLabURL        string `name:"gitlab-url" help:"Its GitLab; gitlab.com when not given." placeholder:"URL" group:"Who is trusted"`
	GitHub           string `name:"github" help:"The GitHub repository whose workflows may take the roles." placeholder:"OWNER/REPOSITORY" xor:"ci" group:"Who is trusted"`
	Environment      string `help:"Of GitHub: only jobs in this environment deploy." placeholder:"NAME" group:"Who is trusted"`
	Ref              string `help:"Only jobs of these tags deploy." default:"v*" placeholder:"v*" group:"Who is trusted"`
	Branch           string `help:"Only jobs of this branch deploy, in place of tags." placeholder:"NAME" group:"Who is trusted"`
	AuditBranch      string `help:"Only jobs of this branch audit." default:"main" placeholder:"main" group:"Who is trusted"`
	ExistingProvider bool   `help:"The account has the OIDC provider already." group:"Who is trusted"`

	Format string `help:"json, terraform or cloudformation." enum:"json,terraform,cloudformation" default:"json" placeholder:"json" group:"What comes of it"`
	Out    string `help:"Write files into this folder; without it they are shown." placeholder:"DIR" type:"path" group:"What comes of it"`
	Yes    bool   `help:"Ask nothing, and write over files that are there." aliases:"force" group:"What comes of it"`
}

// Help goes below the usage.
func (c *initIAM) Help() string {
	return `Roles that may do what plimsoll does with these services and nothing else: one
that deploys, one that audits, and those of the tasks. Names come from the
services that run, else from plimsoll.yaml. Nothing is made in AWS. docs/iam.md has
every action and what is lost without it.

  plimsoll init iam --service api --gitlab team/web --format terraform --out iam
  plimsoll init iam --all --github team/web --environment production
  plimsoll init iam --all --for maintenance,queue --queue $QUEUE_URL`
}

// Validate is called by kong.
func (c *initIAM) Validate() error {
	switch {
	case c.Environment != "" && c.GitHub == "":
		return errors.New("--environment is of GitHub: give --github")
	case c.Environment != "" && c.Branch != "":
		return errors.New("--environment and --branch: in the token of a job that has an environment the branch does not stand")
	case c.GitLabURL != "" && (c.GitLab == "" || !strings.HasPrefix(c.GitLabURL, "https://")):
		return fmt.Errorf("--gitlab-url=%s: want https://… beside --gitlab", c.GitLabURL)
	case strings.Trim(c.Account, "0123456789") != "" || c.Account != "" && len(c.Account) != 12:
		return fmt.Errorf("--account=%s: want 12 digits", c.Account)
	case strings.Trim(c.Pipeline, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@-") != "" || c.Pipeline == "" || len(c.Pipeline) > 50:
		return fmt.Errorf("--name=%s: want up to 50 letters, digits and _+=,.@-", c.Pipeline)
	}
	return nil
}

// Run writes the roles.
func (c *initIAM) Run(ctx context.Context, s *session) error {
	trusted, err := c.pipeline()
	if err != nil {
		return &usageError{err, hintOf(err)}
	}
	scope, features, err := c.scope(ctx, s)
	if err != nil {
		return err
	}
	stacks := leastprivilege.Roles(scope, trusted, features)
	files, err := leastprivilege.Render(leastprivilege.Format(c.Format), stacks)
	if err != nil {
		return &usageError{err, hintOf(err)}
	}
	for _, stack := range stacks {
		for _, role := range stack.Roles {
			if size := role.Policy.Size(); size > leastprivilege.MaxInline {
				s.warn("the policy of %s has %d characters, and IAM takes %d in a role: write one role for a part of the services at a time", role.Name, size, leastprivilege.MaxInline)
			}
		}
	}
	if c.Out == "" {
		return c.show(s, files)
	}
	var out []pipeline.File
	for _, f := range files {
		out = append(out, pipeline.File{Name: filepath.Join(c.Out, f.Name), Text: f.Text})
	}
	return s.writeFiles("", out, c.Yes)
}

// pipeline is who is trusted.
func (c *initIAM) pipeline() (leastprivilege.Pipeline, error) {
	p := leastprivilege.Pipeline{Name: c.Pipeline, Existing: c.ExistingProvider}
	var issuer leastprivilege.Issuer
	var deploys, audits error
	switch {
	case c.GitLab != "":
		issuer = leastprivilege.GitLab(c.GitLabURL)
		if c.Branch != "" {
			p.Deploy, deploys = leastprivilege.GitLabBranch(c.GitLab, c.Branch)
		} else {
			p.Deploy, deploys = leastprivilege.GitLabTag(c.GitLab, c.Ref)
		}
		p.Audit, audits = leastprivilege.GitLabBranch(c.GitLab, c.AuditBranch)
	case c.GitHub != "":
		issuer = leastprivilege.GitHub()
		switch {
		case c.Environment != "":
			p.Deploy, deploys = leastprivilege.GitHubEnvironment(c.GitHub, c.Environment)
		case c.Branch != "":
			p.Deploy, deploys = leastprivilege.GitHubBranch(c.GitHub, c.Branch)
		default:
			p.Deploy, deploys = leastprivilege.GitHubTag(c.GitHub, c.Ref)
		}
		p.Audit, audits = leastprivilege.GitHubBranch(c.GitHub, c.AuditBranch)
	default:
		return p, nil
	}
	p.Issuer = &issuer
	return p, cmp.Or(deploys, audits)
}

// show writes the files to stdout: as one object by their names, or, of
// Terraform, one below the other.
func (c *initIAM) show(s *session, files []leastprivilege.File) error {
	if leastprivilege.Format(c.Format) == leastprivilege.AsTerraform {
		for _, f := range files {
			if _, err := fmt.Fprintf(s.sys.Stdout, "# %s\n%s\n", f.Name, f.Text); err != nil {
				return err
			}
		}
		return nil
	}
	var b bytes.Buffer
	for i, f := range files {
		sign := ","
		if i == 0 {
			sign = "{"
		}
		fmt.Fprintf(&b, "%s\n%q: %s", sign, f.Name, strings.TrimSuffix(f.Text, "\n"))
	}
	b.WriteString("\n}\n")
	_, err := b.WriteTo(s.sys.Stdout)
	return err
}
