package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/pipeline"
	"github.com/plimsoll-ecs/plimsoll/internal/strictyaml"
	"github.com/plimsoll-ecs/plimsoll/internal/term"
)

// pipelineFlags say what a pipeline is about. What they leave open plimsoll.yaml
// says, or somebody on the terminal.
type pipelineFlags struct {
	Cluster        string   `help:"ECS cluster (ECS_CLUSTER); that of plimsoll.yaml when not given." placeholder:"NAME" group:"Names"`
	Service        []string `help:"Service (ECS_SERVICE), several times for several of plimsoll.yaml; all of its services when not given." placeholder:"NAME" group:"Names"`
	TaskDefinition string   `help:"Task definition family (TASK_DEFINITION); the service's own when not given." placeholder:"FAMILY" group:"Names"`
	imageNames
	Region          string   `help:"AWS region (AWS_DEFAULT_REGION, AWS_REGION); that of plimsoll.yaml when not given." placeholder:"REGION" group:"Names"`
	Environment     []string `help:"Environment of the CI system, in the order in which a release passes them. One that plimsoll.yaml has is taken from it. All of plimsoll.yaml, or production, when not given." placeholder:"NAME" sep:"none"`
	RoleARN         []string `name:"role-arn" help:"Role that deploys; with ENVIRONMENT= for one of several. The variable AWS_ROLE_ARN of the CI system when not given." placeholder:"[ENVIRONMENT=]ARN" sep:"none" group:"Roles"`
	BuildRoleARN    string   `name:"build-role-arn" help:"Role that builds and pushes." placeholder:"ARN" group:"Roles"`
	AuditRoleARN    string   `name:"audit-role-arn" help:"Role that audits, which needs to read only." placeholder:"ARN" group:"Roles"`
	Dockerfile      []string `help:"Dockerfile; with REPOSITORY= for one of several." placeholder:"[REPOSITORY=]FILE" sep:"none"`
	URL             []string `name:"url" help:"Where the service is; with ENVIRONMENT= for one of several." placeholder:"[ENVIRONMENT=]URL" sep:"none"`
	PlimsollVersion string   `help:"Release of plimsoll that the jobs download." placeholder:"v1.2.3" group:"plimsoll in the jobs"`
	PlimsollSHA256  string   `name:"plimsoll-sha256" help:"SHA-256 of its archive for the runner, from its checksums.txt." placeholder:"SUM" group:"plimsoll in the jobs"`
	DryRun          bool     `help:"Print what would be written; write nothing."`
	Yes             bool     `help:"Ask nothing, and write over files that are there." aliases:"force"`
}

// draftPipeline is a pipeline while it is found out what goes into it.
type draftPipeline struct {
	flags pipelineFlags
	look  config.Lookup
	plan  pipeline.Plan
	root  string // of the repository

	accounts map[string]config.Value // of the environments, where something says them
}

// plan is the pipeline that flags, plimsoll.yaml and answers make.
func (c pipelineFlags) plan(s *session) (*draftPipeline, error) {
	look, err := s.lookup()
	if err != nil {
		return nil, err
	}
	root, err := repositoryRoot()
	if err != nil {
		return nil, err
	}
	d := &draftPipeline{flags: c, look: look, root: root, accounts: map[string]config.Value{}}
	steps := []func(*session) error{d.ask, d.configuration, d.environments, d.services, d.assign}
	for _, step := range steps {
		if err := step(s); err != nil {
			return nil, err
		}
	}
	d.plan.BuildRole, d.plan.AuditRole = c.BuildRoleARN, c.AuditRoleARN
	d.plan.Plimsoll = pipeline.Release{Version: c.PlimsollVersion, SHA256: c.PlimsollSHA256}
	return d, nil
}

// check refuses what a pipeline cannot have, in the words of the command line.
func (d *draftPipeline) check() error {
	err := d.plan.Check()
	if bad, ok := errors.AsType[*pipeline.InvalidError](err); ok {
		return &usageError{bad, ""}
	}
	return err
}

// ask asks for the names that nothing says, where somebody is there.
func (d *draftPipeline) ask(s *session) error {
	if d.look.File != nil || !s.answers(d.flags.Yes) {
		return nil
	}
	set, err := d.look.Resolve(d.names(""))
	if err != nil {
		return err
	}
	for _, q := range []struct {
		question string
		known    string
		to       *string
	}{
		{"ECS cluster", set.Cluster.Value, &d.flags.Cluster},
		{"ECR repository", set.Repository.Value, &d.flags.Repository},
		{"AWS region", d.region(s), &d.flags.Region},
	} {
		if q.known == "" {
			if *q.to, err = s.question(q.question + ": "); err != nil {
				return err
			}
		}
	}
	if set.Service.Value == "" && len(d.flags.Service) == 0 {
		name, err := s.question("ECS service: ")
		if err != nil {
			return err
		}
		d.flags.Service = []string{name}
	}
	return nil
}

// region is what is to be set in the jobs; plimsoll.yaml's needs no variable.
func (d *draftPipeline) region(s *session) string {
	return cmp.Or(d.flags.Region, s.sys.Getenv("AWS_REGION"), s.sys.Getenv("AWS_DEFAULT_REGION"))
}

// names are the flags for one service.
func (d *draftPipeline) names(service string) config.Flags {
	f := d.flags.imageNames.flags()
	f.Cluster, f.TaskDefinition, f.Service = d.flags.Cluster, d.flags.TaskDefinition, service
	if f.Service == "" && len(d.flags.Service) == 1 {
		f.Service = d.flags.Service[0]
	}
	return f
}

// configuration says where plimsoll.yaml is, for jobs that begin in the root.
func (d *draftPipeline) configuration(*session) error {
	if d.look.File == nil {
		return nil
	}
	name, err := filepath.Abs(d.look.File.Name())
	if err != nil {
		return err
	}
	inside, err := filepath.Rel(d.root, name)
	if err != nil || strings.HasPrefix(inside, "..") {
		return &usageError{fmt.Errorf("%s is outside of the repository, %s: no job would find it", d.look.File.Name(), d.root), ""}
	}
	if inside != config.FileName {
		d.plan.Config = filepath.ToSlash(inside)
	}
	return nil
}

// environments are those given, that of --env, or all that there are.
func (d *draftPipeline) environments(*session) error {
	names := d.flags.Environment
	if len(names) == 0 && d.look.Environment != "" {
		names = []string{d.look.Environment}
	}
	var known []string
	if d.look.File != nil {
		known = d.look.File.EnvironmentNames()
	}
	if len(names) == 0 {
		names = d.allEnvironments(known)
	}
	bare := ""
	for _, name := range names {
		e := pipeline.Environment{Name: name}
		switch {
		case slices.Contains(known, name):
			e.Config = name
		case bare != "" && d.look.File == nil:
			return &usageError{fmt.Errorf("environments %s and %s: what differs between them is nowhere", bare, name), "say it in " + config.FileName + ", under environments"}
		case bare != "":
			return &usageError{fmt.Errorf("%s has neither %s nor %s%s", d.look.File.Name(), bare, name, strictyaml.Meant(name, known)), "only one environment can be what it says without any"}
		default:
			bare = name
		}
		d.plan.Environments = append(d.plan.Environments, e)
	}
	return nil
}

// allEnvironments are those of plimsoll.yaml, and production for what it says
// without any; production comes last.
func (d *draftPipeline) allEnvironments(known []string) []string {
	names := slices.Clone(known)
	look := d.look
	look.Environment = ""
	set, err := look.Resolve(d.names(""))
	if !slices.Contains(known, "production") && (len(known) == 0 || err == nil && set.Cluster.Value != "") {
		names = append(names, "production")
	}
	slices.SortStableFunc(names, func(a, b string) int {
		late := func(name string) int {
			if strings.HasPrefix(name, "prod") {
				return 1
			}
			return 0
		}
		return cmp.Compare(late(a), late(b))
	})
	return names
}

// services resolves every service in every environment, as the jobs will.
func (d *draftPipeline) services(s *session) error {
	repositories := map[string]bool{}
	for i := range d.plan.Environments {
		e := &d.plan.Environments[i]
		look := d.look
		look.Environment, look.EnvironmentSource = e.Config, "--environment"
		d.plan.Several = d.plan.Several || len(d.servicesOfFile(look)) > 1
		chosen := d.chosen(look)
		for _, name := range chosen {
			set, err := d.settings(look, name, len(chosen) > 1)
			if err != nil {
				return err
			}
			e.Region = cmp.Or(d.flags.Region, set.Region.Value)
			e.Registry = cmp.Or(set.Registry.Value, set.Account.Value+" "+set.Region.Value)
			d.accounts[e.Name] = set.Account
			for _, c := range set.Containers {
				repositories[c.Repository] = true
			}
			if len(set.Containers) == 0 {
				repositories[set.Repository.Value] = true
			}
			if !d.plan.Several {
				d.keepNames(set)
			}
		}
	}
	d.plan.Names.Region = d.regionVariable(s)
	if d.plan.Several {
		d.plan.Services = d.flags.Service
	}
	return d.images(slices.Sorted(maps.Keys(repositories)))
}

// settings are those of one service, with all that a job needs.
func (d *draftPipeline) settings(look config.Lookup, service string, oneOfMany bool) (config.Settings, error) {
	flags := d.names(service)
	flags.OneOfMany = oneOfMany
	set, err := look.Resolve(flags)
	if err != nil {
		return set, err
	}
	if known := d.servicesOfFile(look); len(known) > 0 && set.Name == "" && service != "" {
		return set, &usageError{fmt.Errorf("%s has no service %s%s", look.File.Name(), service, strictyaml.Meant(service, known)), ""}
	}
	needed := []*config.Value{&set.Cluster, &set.Service}
	if len(set.Containers) == 0 {
		needed = append(needed, &set.Repository)
	}
	return set, set.Require(needed...)
}

// chosen are the services that are meant: those named, else all of the file; "" is
// the one that variables name.
func (d *draftPipeline) chosen(look config.Lookup) []string {
	if len(d.flags.Service) > 0 {
		return d.flags.Service
	}
	if names := d.servicesOfFile(look); len(names) > 0 {
		return names
	}
	return []string{""}
}

// servicesOfFile are those that plimsoll.yaml has in an environment.
func (d *draftPipeline) servicesOfFile(look config.Lookup) []string {
	all, err := look.Choose(config.Choice{All: true})
	if err != nil { // it has none; whatever else is wrong, Resolve says
		return nil
	}
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.Name
	}
	return names
}

// keepNames keeps what the jobs cannot read in plimsoll.yaml.
func (d *draftPipeline) keepNames(set config.Settings) {
	inFile := func(v config.Value) bool {
		return d.look.File != nil && strings.HasPrefix(v.Source, d.look.File.Name()+":")
	}
	for _, n := range []struct {
		from config.Value
		to   *string
	}{
		{set.Registry, &d.plan.Names.Registry}, {set.Repository, &d.plan.Names.Repository}, {set.Cluster, &d.plan.Names.Cluster},
		{set.Service, &d.plan.Names.Service}, {set.TaskDefinition, &d.plan.Names.TaskDefinition},
	} {
		if !inFile(n.from) {
			*n.to = n.from.Value
		}
	}
}

// regionVariable is AWS_DEFAULT_REGION of the jobs: not where plimsoll.yaml has
// one for every environment.
func (d *draftPipeline) regionVariable(s *session) string {
	if d.flags.Region == "" && !slices.ContainsFunc(d.plan.Environments, func(e pipeline.Environment) bool { return e.Region == "" }) {
		return ""
	}
	return d.region(s)
}

// images are what the repositories are built from.
func (d *draftPipeline) images(repositories []string) error {
	given := map[string]string{}
	for _, flag := range d.flags.Dockerfile {
		repository, file, of := strings.Cut(flag, "=")
		if !of {
			repository, file = "", flag
		}
		if of && !slices.Contains(repositories, repository) {
			return &usageError{fmt.Errorf("--dockerfile=%s: there is no repository %s%s", flag, repository, strictyaml.Meant(repository, repositories)), ""}
		}
		given[repository] = filepath.ToSlash(file)
	}
	if len(repositories) == 1 && !d.plan.Several { // which every job knows by itself
		d.plan.Images = []pipeline.Image{{Dockerfile: cmp.Or(given[repositories[0]], given[""])}}
		return nil
	}
	for _, r := range repositories {
		d.plan.Images = append(d.plan.Images, pipeline.Image{Repository: r, Dockerfile: cmp.Or(given[r], given[""], d.dockerfileOf(r))})
	}
	return nil
}

// dockerfileOf is the Dockerfile in the folder that is called as the repository
// is; "" where there is none.
func (d *draftPipeline) dockerfileOf(repository string) string {
	name := path.Join(path.Base(repository), "Dockerfile")
	if _, err := os.Stat(filepath.Join(d.root, filepath.FromSlash(name))); err != nil {
		return ""
	}
	return name
}

// assign gives roles and addresses to environments.
func (d *draftPipeline) assign(s *session) error {
	for _, list := range []struct {
		flag  string
		given []string
		to    func(*pipeline.Environment) *string
	}{
		{"--role-arn", d.flags.RoleARN, func(e *pipeline.Environment) *string { return &e.Role }},
		{"--url", d.flags.URL, func(e *pipeline.Environment) *string { return &e.URL }},
	} {
		for _, flag := range list.given {
			e, value, err := d.environment(list.flag, flag)
			if err != nil {
				return err
			}
			*list.to(e) = value
		}
	}
	for i := range d.plan.Environments {
		e := &d.plan.Environments[i]
		if e.Role == "" && s.answers(d.flags.Yes) {
			var err error
			if e.Role, err = s.question(fmt.Sprintf("ARN of the role that deploys to %s (empty: the variable AWS_ROLE_ARN has it): ", e.Name)); err != nil {
				return err
			}
		}
		if err := d.roleFits(*e); err != nil {
			return err
		}
	}
	return nil
}

// environment is the one that [ENVIRONMENT=]VALUE is about.
func (d *draftPipeline) environment(flag, text string) (*pipeline.Environment, string, error) {
	name, value, named := strings.Cut(text, "=")
	known := make([]string, len(d.plan.Environments))
	for i, e := range d.plan.Environments {
		known[i] = e.Name
	}
	if at := slices.Index(known, name); named && at >= 0 {
		return &d.plan.Environments[at], value, nil
	}
	if named && !strings.ContainsAny(name, ":/") { // in a URL or an ARN = can be anywhere
		return nil, "", &usageError{fmt.Errorf("%s=%s: there is no environment %s%s", flag, text, name, strictyaml.Meant(name, known)), ""}
	}
	if len(known) > 1 {
		return nil, "", &usageError{fmt.Errorf("%s=%s: of which environment, %s?", flag, text, strings.Join(known, " or ")), "say " + flag + " ENVIRONMENT=…"}
	}
	return &d.plan.Environments[0], text, nil
}

// roleFits refuses a role of another account than that of the environment.
func (d *draftPipeline) roleFits(e pipeline.Environment) error {
	account := d.accounts[e.Name]
	parts := strings.Split(e.Role, ":")
	if account.Value == "" || len(parts) < 5 || parts[4] == account.Value {
		return nil
	}
	return &usageError{fmt.Errorf("role %s: %s is in account %s (%s)", e.Role, e.Name, account.Value, account.Source), ""}
}

// deliver writes a pipeline, or prints it, and says what is left to do.
func (s *session) deliver(d *draftPipeline, files []pipeline.File, steps []string) error {
	if d.flags.DryRun {
		return s.printFiles(files)
	}
	if err := s.writeFiles(d.root, files, d.flags.Yes); err != nil || s.json() {
		return err
	}
	width := 0
	if columns := s.termOptions().Width; columns != nil {
		width = columns()
	}
	fmt.Fprintln(s.sys.Stderr, "\nwhat is left to do:")
	for _, step := range steps {
		fmt.Fprintln(s.sys.Stderr, term.Hang("  - ", step, 4, width))
	}
	return nil
}

// rolesMissing reports whether an environment's role is left to a variable.
func (d *draftPipeline) rolesMissing() bool {
	return slices.ContainsFunc(d.plan.Environments, func(e pipeline.Environment) bool { return e.Role == "" })
}

func (d *draftPipeline) environmentNames() string {
	names := make([]string, len(d.plan.Environments))
	for i, e := range d.plan.Environments {
		names[i] = e.Name
	}
	return strings.Join(names, ", ")
}

// iamServices are the flags that say which services roles are for.
func (d *draftPipeline) iamServices() string {
	switch {
	case d.plan.Several && len(d.plan.Services) == 0:
		return " --all"
	case d.plan.Several:
		return " --service " + strings.Join(d.plan.Services, " --service ")
	case d.plan.Names.Service != "":
		return " --cluster " + d.plan.Names.Cluster + " --service " + d.plan.Names.Service
	}
	return ""
}

// repositoryRoot is the root of the git repository; the working directory outside
// of one.
func repositoryRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, ".git")); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return dir, nil
		}
	}
}

// projectPath is the repository as its origin calls it, such as group/project;
// fallback where git does not say.
func projectPath(ctx context.Context, fallback string) string {
	origin, err := git(ctx, "remote", "get-url", "origin")
	if err != nil {
		return fallback
	}
	return cmp.Or(projectOf(strings.TrimSpace(origin)), fallback)
}

// projectOf is the path in the address of a remote: https://host/a/b.git,
// ssh://git@host/a/b, git@host:a/b.git.
func projectOf(address string) string {
	address = strings.TrimSuffix(address, ".git")
	if _, rest, ok := strings.Cut(address, "://"); ok {
		_, project, _ := strings.Cut(rest, "/")
		return project
	}
	if _, project, ok := strings.Cut(address, ":"); ok && !strings.HasPrefix(address, "/") {
		return project
	}
	return ""
}
