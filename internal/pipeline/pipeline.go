// Package pipeline writes the CI pipelines of a project: for GitLab one file, for
// GitHub a few workflows, in which a release tag becomes an image and a service that
// is stable, and rollback, off, on and a nightly audit are a button away.
//
//	plan := pipeline.Plan{Environments: []pipeline.Environment{{Name: "production"}}, …}
//	if err := plan.Check(); err != nil { … }
//	files, err := pipeline.GitLab(plan)
//
// What is written are the texts in the folders gitlab and github with values in the
// place of their %names%: they read as what comes out. The components in the
// repository's folder templates are the same texts with inputs for values.
//
// A value never becomes part of a script: it is a YAML scalar of a variable or an
// input, and [Plan.Check] lets none through that GitLab, GitHub or a shell would
// take for more than itself.
package pipeline

import "slices"

// File is one file to be written.
type File struct {
	Name string // below the root of the repository, with slashes
	Text string
}

// Plan is what there is to know for a pipeline.
type Plan struct {
	Names        Names         // where no plimsoll.yaml has them
	Config       string        // plimsoll.yaml, where it is not in the root of the repository
	Services     []string      // of plimsoll.yaml, where it has several: those that are deployed; empty: all
	Several      bool          // plimsoll.yaml has several services
	Images       []Image       // what a tag builds; one at least
	Environments []Environment // in the order in which a release passes them; one at least

	BuildRole, AuditRole string // ARNs; "" leaves them to variables of the CI system
	Plimsoll             Release
	GitLab               Runner
	GitHub               Actions
}

// Names are the variables that pipelines have set for long.
type Names struct {
	Registry, Repository, Cluster, Service, TaskDefinition, Region string
}

// Image is what one Dockerfile makes.
type Image struct {
	Repository string // "" is the one that the configuration names
	Dockerfile string
}

// Environment is where a service runs, as the CI system calls it.
type Environment struct {
	Name     string
	Config   string // of plimsoll.yaml; "" is what it says without any
	URL      string
	Role     string // ARN; "" leaves it to a variable of the environment
	Region   string
	Registry string // environments of one registry share their images
}

// Release is the plimsoll that a pipeline runs.
type Release struct {
	Version string // v1.2.3
	SHA256  string // of its archive for the runner
}

// Runner is what GitLab's jobs run on.
type Runner struct {
	Image, Dind string // container images
	Audience    string // of the ID token, as the trust policy of the role has it
}

// Actions is what GitHub's jobs go by.
type Actions struct {
	Uses        string // plimsoll's own action, with its commit
	Comment     string // what that commit is
	Night       string // cron expression of the audit, UTC
	Stop, Start string // of the first environment; "" is by hand only
	TagDeploys  bool   // a tag is deployed to the first environment
}

// Defaults fills in what was left open.
func (p Plan) Defaults() Plan {
	for _, d := range []struct {
		to    *string
		value string
	}{
		{&p.GitLab.Image, "docker:29-cli"},
		{&p.GitLab.Dind, "docker:29-dind"},
		{&p.GitLab.Audience, "$CI_SERVER_URL"}, // what plimsoll init iam trusts; expanded since GitLab 16.1
		{&p.GitHub.Night, "17 18 * * *"},
	} {
		if *d.to == "" {
			*d.to = d.value
		}
	}
	p.Images = slices.Clone(p.Images)
	for i := range p.Images {
		if p.Images[i].Dockerfile == "" {
			p.Images[i].Dockerfile = "Dockerfile"
		}
	}
	return p
}

// build is the images of one registry. Environments that share it get the same
// bytes; another registry has to have its own.
type build struct {
	suffix string // of names, where there are several
	first  Environment
}

// builds are in the order of the environments.
func (p Plan) builds() []build {
	var all []build
	for _, e := range p.Environments {
		if !slices.ContainsFunc(all, func(b build) bool { return b.first.Registry == e.Registry }) {
			all = append(all, build{e.Name, e})
		}
	}
	if len(all) == 1 {
		all[0].suffix = ""
	}
	return all
}

// Region is that of all environments; "" where they differ, or nothing says it.
func (p Plan) Region() string {
	region := p.Names.Region
	for _, e := range p.Environments {
		switch {
		case e.Region == "":
		case region == "":
			region = e.Region
		case region != e.Region:
			return ""
		}
	}
	return region
}
