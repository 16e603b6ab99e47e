package pipeline

import (
	"fmt"
	"slices"
	"strings"
)

// pins are the actions that workflows use, by the commit of the release in the
// comment: a tag can be moved, a commit cannot. Each was read from the action's own
// repository.
func pins() values {
	return values{
		"checkout":    "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
		"credentials": "aws-actions/configure-aws-credentials@e6de054238d6b7531b4efff3b6587d9aade6a06c # v6.2.3",
		"artifact":    "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0",
		"sarif":       "github/codeql-action/upload-sarif@8aad20d150bbac5944a9f9d289da16a4b0d87c1e # v4.36.2",
	}
}

// GitHub is the workflows of GitHub.
func GitHub(p Plan) ([]File, error) {
	p = p.Defaults()
	var files []File
	for _, one := range []struct {
		name   string
		values values
	}{
		{"build", p.githubBuild()},
		{"deploy", p.githubRun()},
		{"rollback", p.githubRun()},
		{"scale", p.githubScale()},
		{"audit", p.githubAudit()},
	} {
		text, err := fill("github/"+one.name+".yml", one.values)
		if err != nil {
			return nil, err
		}
		files = append(files, File{".github/workflows/plimsoll-" + one.name + ".yml", text})
	}
	return files, nil
}

// githubCommon is what all workflows have.
func (p Plan) githubCommon() values {
	v := pins()
	v["action"] = p.GitHub.Uses
	if p.GitHub.Comment != "" {
		v["action"] += " # " + p.GitHub.Comment
	}
	v["version"], v["sha256"] = scalar(p.Plimsoll.Version), scalar(p.Plimsoll.SHA256)
	v["region"] = scalar(p.Region())
	if v["region"] == "" {
		v["region"] = "${{ vars.AWS_REGION }}"
	}
	v["env"] = p.githubEnv()
	return v
}

// githubEnv are the names where no plimsoll.yaml has them.
func (p Plan) githubEnv() string {
	lines := []string{"env:"}
	for _, set := range [][2]string{
		{"PLIMSOLL_CONFIG", p.Config},
		{"ECR_REGISTRY", p.Names.Registry}, {"ECR_REPOSITORY", p.Names.Repository}, {"ECS_CLUSTER", p.Names.Cluster},
		{"ECS_SERVICE", p.Names.Service}, {"TASK_DEFINITION", p.Names.TaskDefinition},
	} {
		if set[1] != "" {
			lines = append(lines, "  "+set[0]+": "+scalar(set[1]))
		}
	}
	if len(lines) == 1 {
		return ""
	}
	return strings.Join(lines, "\n")
}

// githubRun is of the workflows that work in an environment. Its role is a variable
// of the environment unless there is only one: who may act there is then said where
// the reviewers are.
func (p Plan) githubRun() values {
	v := p.githubCommon()
	names := make([]string, len(p.Environments))
	for i, e := range p.Environments {
		names[i] = e.Name
	}
	v["environments"], v["environment"] = list(names...), scalar(names[0])
	v["role"] = "${{ vars.AWS_ROLE_ARN }}"
	if len(p.Environments) == 1 && p.Environments[0].Role != "" {
		v["role"] = p.Environments[0].Role
	}
	v["config"] = p.githubConfig("inputs.environment")
	v["services"] = p.githubServices()
	v["call"] = ""
	if p.GitHub.TagDeploys {
		v["call"] = strings.Join([]string{
			"workflow_call:", "  inputs:",
			"    image-tag: {type: string, required: true}",
			"    desired-count: {type: string, default: ''}",
			"    environment: {type: string, required: true}",
		}, "\n")
	}
	return v
}

// githubConfig is the environment of plimsoll.yaml for one of GitHub's, as an
// expression of that one's name.
func (p Plan) githubConfig(environment string) string {
	named := slices.DeleteFunc(slices.Clone(p.Environments), func(e Environment) bool { return e.Config == "" })
	switch {
	case len(named) == 0:
		return ""
	case len(named) == len(p.Environments):
		return "${{ " + environment + " }}"
	}
	var base []string
	for _, e := range p.Environments {
		if e.Config == "" {
			base = append(base, fmt.Sprintf("%s != '%s'", environment, e.Name))
		}
	}
	return fmt.Sprintf("${{ %s && %s || '' }}", strings.Join(base, " && "), environment)
}

func (p Plan) githubServices() string {
	flags := strings.Fields(p.serviceFlags(" "))
	switch len(flags) {
	case 0:
		return ""
	case 1:
		return scalar(flags[0])
	}
	return "|\n  " + strings.Join(flags, "\n  ")
}

func (p Plan) githubScale() values {
	v := p.githubRun()
	v["where"], v["act"], v["schedule"] = "inputs.environment", "${{ inputs.action }}", ""
	if p.GitHub.Stop == "" {
		return v
	}
	v["where"] = fmt.Sprintf("inputs.environment || '%s'", p.Environments[0].Name)
	v["act"] = fmt.Sprintf("${{ inputs.action || (github.event.schedule == '%s' && 'stop' || 'start') }}", p.GitHub.Stop)
	v["schedule"] = fmt.Sprintf("schedule:\n  - cron: %s # stop\n  - cron: %s # start", scalar(p.GitHub.Stop), scalar(p.GitHub.Start))
	v["config"] = strings.ReplaceAll(p.githubConfig("INPUT"), "INPUT", "("+v["where"]+")")
	return v
}

func (p Plan) githubAudit() values {
	v := p.githubCommon()
	v["cron"] = scalar(p.GitHub.Night)
	v["role"] = p.AuditRole
	if v["role"] == "" {
		v["role"] = "${{ vars.AWS_AUDIT_ROLE_ARN }}"
	}
	return v
}

// githubBuild is a job for every image and registry.
func (p Plan) githubBuild() values {
	v := p.githubCommon()
	v["role"] = p.BuildRole
	if v["role"] == "" {
		v["role"] = "${{ vars.AWS_BUILD_ROLE_ARN }}"
	}
	builds := p.builds()
	v["config"], v["repository"], v["dockerfile"] = scalar(builds[0].first.Config), scalar(p.Images[0].Repository), scalar(p.Images[0].Dockerfile)
	v["matrix"] = ""
	if len(p.Images) > 1 || len(builds) > 1 {
		p.githubMatrix(v, builds)
	}
	v["deploy"] = ""
	if p.GitHub.TagDeploys {
		v["deploy"] = strings.Join([]string{
			"  deploy:", "    needs: build", "    uses: ./.github/workflows/plimsoll-deploy.yml", "    with:",
			"      image-tag: ${{ github.ref_name }}", "      environment: " + scalar(p.Environments[0].Name),
		}, "\n")
	}
	return v
}

// githubMatrix makes one job of many. Where there are several registries each
// needs a role in its own account.
func (p Plan) githubMatrix(v values, builds []build) {
	rows := []string{"strategy:", "  fail-fast: false", "  matrix:", "    include:"}
	for _, b := range builds {
		for _, image := range p.Images {
			row := [][2]string{}
			if image.Repository != "" {
				row = append(row, [2]string{"repository", image.Repository})
				v["repository"] = "${{ matrix.repository }}"
			}
			row = append(row, [2]string{"dockerfile", image.Dockerfile})
			if len(builds) > 1 {
				row = append(row, [2]string{"config", b.first.Config}, [2]string{"region", b.first.Region}, [2]string{"role", "AWS_BUILD_ROLE_ARN_" + variable(b.suffix)})
			}
			for i, cell := range row {
				lead := "        "
				if i == 0 {
					lead = "      - "
				}
				value := scalar(cell[1])
				if value == "" {
					value = "''"
				}
				rows = append(rows, lead+cell[0]+": "+value)
			}
		}
	}
	v["matrix"], v["dockerfile"] = strings.Join(rows, "\n"), "${{ matrix.dockerfile }}"
	if len(builds) > 1 {
		v["config"], v["role"] = "${{ matrix.config }}", "${{ vars[matrix.role] }}"
		if !slices.ContainsFunc(builds, func(b build) bool { return b.first.Region == "" }) {
			v["region"] = "${{ matrix.region }}"
		}
	}
}

// variable is a name as the name of a variable.
func variable(name string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if r == '-' || r == '/' {
			return '_'
		}
		return r
	}, name))
}
