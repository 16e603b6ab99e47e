package pipeline

import "strings"

// gitlabName is the file that GitLab runs.
const gitlabName = ".gitlab-ci.yml"

// GitLab is the pipeline of GitLab, in the file that GitLab runs.
func GitLab(p Plan) (File, error) {
	text, err := gitlab(p.Defaults())
	return File{gitlabName, text}, err
}

// GitLabInclude is the same for a project that has a pipeline: a file that it
// includes. The stages are build and deploy, which GitLab has by itself.
func GitLabInclude(p Plan) (File, error) {
	text, err := gitlab(p.Defaults())
	return File{".gitlab/plimsoll.yml", text}, err
}

// part is one of the texts with its values.
type part struct {
	file   string
	values values
}

// join fills in parts, one below the other.
func join(parts []part) (string, error) {
	texts := make([]string, len(parts))
	for i, p := range parts {
		text, err := fill(p.file, p.values)
		if err != nil {
			return "", err
		}
		texts[i] = text
	}
	return strings.Join(texts, "\n"), nil
}

const gitlabBase = ".plimsoll"

func gitlab(p Plan) (string, error) {
	parts := []part{{"gitlab/head.yml", values{"tasks": p.tasks()}}, {"gitlab/base.yml", p.gitlabBase()}}
	builds := map[string]string{} // by registry
	for _, b := range p.builds() {
		v := p.gitlabBuild(b)
		builds[b.first.Registry] = jobName("build", b.suffix)
		parts = append(parts, part{"gitlab/build.yml", v})
	}
	before := ""
	for _, e := range p.Environments {
		v := p.gitlabDeploy(e)
		needs := []string{builds[e.Registry]}
		if before != "" {
			needs = append(needs, before)
			v["gate"] = "when: manual\nallow_failure: true"
		}
		v["needs"] = "needs: " + list(needs...)
		before = jobName("deploy", e.Name)
		parts = append(parts, part{"gitlab/deploy.yml", v})
	}
	parts = append(parts, part{"gitlab/audit.yml", values{
		"audit": "plimsoll:audit", "base": gitlabBase, "stage": "deploy", "role": scalar(p.AuditRole),
	}})
	return join(parts)
}

func (p Plan) gitlabBase() values {
	return values{
		"base": gitlabBase, "image": scalar(p.GitLab.Image), "audience": scalar(p.GitLab.Audience), "file": scalar(p.Config),
		"version": scalar(p.Plimsoll.Version), "sha256": scalar(p.Plimsoll.SHA256),
		"region": scalar(p.Names.Region), "registry": scalar(p.Names.Registry), "repository": scalar(p.Names.Repository),
		"cluster": scalar(p.Names.Cluster), "service": scalar(p.Names.Service), "family": scalar(p.Names.TaskDefinition),
	}
}

func (p Plan) gitlabBuild(b build) values {
	role := p.BuildRole
	if role == "" {
		role = b.first.Role // GitLab's tokens say the same in both jobs
	}
	v := values{
		"build": scalar(jobName("build", b.suffix)), "base": gitlabBase, "stage": "build", "dind": scalar(p.GitLab.Dind),
		"role": scalar(role), "config": scalar(b.first.Config), "dockerfile": "", "matrix": "", "of": "",
	}
	if len(p.Images) == 1 && p.Images[0].Repository == "" {
		v["dockerfile"] = scalar(p.Images[0].Dockerfile)
		return v
	}
	rows := []string{"parallel:", "  matrix:"}
	for _, image := range p.Images {
		rows = append(rows, "    - PLIMSOLL_REPOSITORY: "+scalar(image.Repository), "      PLIMSOLL_DOCKERFILE: "+scalar(image.Dockerfile))
	}
	v["matrix"] = strings.Join(rows, "\n")
	v["of"] = ` --repository "$PLIMSOLL_REPOSITORY"`
	return v
}

func (p Plan) gitlabDeploy(e Environment) values {
	name := func(what string) string { return scalar(jobName(what, e.Name)) }
	url := e.URL
	if url == "" {
		url = "$PLIMSOLL_URL" // in plimsoll.env
	} else {
		url = scalar(url)
	}
	return values{
		"deploy": name("deploy"), "rollback": name("rollback"), "stop": name("stop"), "start": name("start"),
		"base": gitlabBase, "stage": "deploy", "environment": scalar(e.Name), "where": e.Name, "url": url,
		"role": scalar(e.Role), "config": scalar(e.Config), "services": p.serviceFlags(" "), "gate": "",
	}
}

// tasks are what PLIMSOLL_TASK can be.
func (p Plan) tasks() string {
	tasks := []string{"audit"}
	for _, e := range p.Environments {
		tasks = append(tasks, "stop:"+e.Name, "start:"+e.Name)
	}
	return strings.Join(tasks, ", ")
}

// jobName is the name of a job; of an environment where it is about one.
func jobName(what, environment string) string {
	if environment == "" {
		return "plimsoll:" + what
	}
	return "plimsoll:" + what + ":" + environment
}

// serviceFlags say which services are meant, where there are several: each flag
// after the separator.
func (p Plan) serviceFlags(separator string) string {
	if !p.Several {
		return ""
	}
	if len(p.Services) == 0 {
		return separator + "--all"
	}
	var b strings.Builder
	for _, s := range p.Services {
		b.WriteString(separator + "--service=" + s)
	}
	return b.String()
}
