package pipeline

import (
	"fmt"
	"regexp"
	"strings"
)

// InvalidError is a value that cannot stand in a pipeline.
type InvalidError struct {
	What, Value, Why string
}

func (e *InvalidError) Error() string { return fmt.Sprintf("%s %q: %s", e.What, e.Value, e.Why) }

// rule is what a value has to look like.
type rule struct{ pattern, why string }

// Check refuses what no name of its kind looks like. The patterns are those of AWS
// or narrower; none takes a dollar sign, a quote or a line break, so that nothing is
// expanded by GitLab, GitHub or a shell.
func (p Plan) Check() error {
	var (
		name    = rule{`[A-Za-z0-9][A-Za-z0-9_-]*`, "want letters, digits, - and _"}
		family  = rule{`[A-Za-z0-9][A-Za-z0-9_:-]*`, "want the name of a task definition family"}
		host    = rule{`[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]+)?`, "want a host, such as 123456789012.dkr.ecr.ap-northeast-1.amazonaws.com"}
		repo    = rule{`[a-z0-9][a-z0-9._/-]*`, "want the name of an ECR repository"}
		region  = rule{`[a-z]{2}(-[a-z]+)+-[0-9]+`, "want a region, such as ap-northeast-1"}
		role    = rule{`arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+`, "want the ARN of a role, arn:aws:iam::123456789012:role/NAME"}
		file    = rule{`[A-Za-z0-9._][A-Za-z0-9._/+@-]*`, "want a path in the repository, of letters, digits and . _ - / + @"}
		place   = rule{`[A-Za-z0-9][A-Za-z0-9_-]*(/[A-Za-z0-9_-]+)*`, "want letters, digits, -, _ and /"}
		url     = rule{`https?://[A-Za-z0-9._~:/?#@!&()*+,;=%-]+`, "want http:// or https://"}
		version = rule{`v[0-9]+\.[0-9]+\.[0-9]+(-[A-Za-z0-9.-]+)?`, "want a release, such as v1.2.3"}
		sum     = rule{`[0-9a-f]{64}`, "want the 64 hexadecimal digits of a SHA-256"}
		image   = rule{`[A-Za-z0-9][A-Za-z0-9._:/@-]*`, "want a container image"}
		uses    = rule{`[A-Za-z0-9_.-]+/[A-Za-z0-9_./-]+@[A-Za-z0-9_./-]+`, "want OWNER/REPOSITORY@REF"}
		cron    = rule{`[0-9*/,-]+( [0-9*/,-]+){2} [0-9A-Za-z*/,-]+ [0-9A-Za-z*/,-]+`, "want five fields of cron, such as \"0 13 * * 1-5\""}
		aud     = rule{`[A-Za-z0-9._:/-]+`, "want the audience that the trust policy names"}
	)
	values := []struct {
		what, value string
		rule
	}{
		{"configuration", p.Config, file}, {"registry", p.Names.Registry, host}, {"repository", p.Names.Repository, repo}, {"cluster", p.Names.Cluster, name},
		{"service", p.Names.Service, name}, {"task definition", p.Names.TaskDefinition, family}, {"region", p.Names.Region, region},
		{"role of the build", p.BuildRole, role}, {"role of the audit", p.AuditRole, role},
		{"version", p.Plimsoll.Version, version}, {"SHA-256", p.Plimsoll.SHA256, sum},
		{"image of the jobs", p.GitLab.Image, image}, {"image of docker:dind", p.GitLab.Dind, image}, {"audience", p.GitLab.Audience, aud},
		{"action", p.GitHub.Uses, uses}, {"release of the action", p.GitHub.Comment, version}, {"time of the audit", p.GitHub.Night, cron}, {"time to stop", p.GitHub.Stop, cron}, {"time to start", p.GitHub.Start, cron},
	}
	add := func(what, value string, r rule) {
		values = append(values, struct {
			what, value string
			rule
		}{what, value, r})
	}
	for _, s := range p.Services {
		add("service", s, name)
	}
	for _, i := range p.Images {
		add("repository", i.Repository, repo)
		add("Dockerfile", i.Dockerfile, file)
	}
	for _, e := range p.Environments {
		add("environment", e.Name, place)
		add("environment of plimsoll.yaml", e.Config, place)
		add("URL", e.URL, url)
		add("role", e.Role, role)
		add("region", e.Region, region)
	}
	for _, v := range values {
		if v.value != "" && !regexp.MustCompile(`^(?:`+v.pattern+`)$`).MatchString(v.value) {
			return &InvalidError{v.what, v.value, v.why}
		}
	}
	return p.together()
}

// together checks what is right by itself.
func (p Plan) together() error {
	seen := map[string]bool{}
	for _, e := range p.Environments {
		if e.Name == "" || seen[e.Name] {
			return &InvalidError{"environment", e.Name, "each has a name of its own"}
		}
		seen[e.Name] = true
	}
	for _, i := range p.Images {
		if strings.Contains("/"+i.Dockerfile+"/", "/../") {
			return &InvalidError{"Dockerfile", i.Dockerfile, "it is outside of the repository"}
		}
	}
	if (p.GitHub.Stop == "") != (p.GitHub.Start == "") {
		return &InvalidError{"time to stop", p.GitHub.Stop, "what is stopped by schedule is started by one: give both times"}
	}
	if p.GitHub.Stop != "" && p.GitHub.Stop == p.GitHub.Start {
		return &InvalidError{"time to stop", p.GitHub.Stop, "that is the time to start"}
	}
	return nil
}
