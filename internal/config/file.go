package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/strictyaml"
)

// FileName is what the file is called.
const FileName = "plimsoll.yaml"

// File is plimsoll.yaml: what a command need not be told. The tags are the
// whole description of it; the JSON schema and docs/config.md are made of them.
type File struct {
	strictyaml.Where
	name string // as errors and sources have it

	Account       string                  `yaml:"account" doc:"The AWS account, 12 digits, in quotes. Everything is refused in another one."`
	Region        string                  `yaml:"region" doc:"The AWS region. Everything is refused in another one."`
	Registry      string                  `yaml:"registry" doc:"ECR registry host; the account's own when not given."`
	Cluster       string                  `yaml:"cluster" doc:"ECS cluster."`
	Tags          *Tags                   `yaml:"tags" doc:"Which image tags may be deployed; releases such as v1.2.3 when not given."`
	Retention     *Retention              `yaml:"retention" doc:"What is kept in ECR so that services can restart."`
	Services      map[string]*Service     `yaml:"services" doc:"The services, by the name that the command line has for them."`
	Environments  map[string]*Environment `yaml:"environments" doc:"What is otherwise in an environment, chosen with --env or PLIMSOLL_ENV."`
	Maintenance   *Maintenance            `yaml:"maintenance" doc:"How plimsoll maintenance replaces tasks that AWS is going to retire."`
	Notifications []Notification          `yaml:"notifications" doc:"Who is told what deploys, audits and maintenance came to."`
	Accounts      []*Account              `yaml:"accounts" doc:"The accounts and regions that an audit reads; where the credentials are when not given."`
	Audit         *Audit                  `yaml:"audit" doc:"What plimsoll audit goes by."`
}

// Environment is what is otherwise in one environment.
type Environment struct {
	strictyaml.Where
	Account       string              `yaml:"account" doc:"Its AWS account."`
	Region        string              `yaml:"region" doc:"Its AWS region."`
	Registry      string              `yaml:"registry" doc:"Its ECR registry host."`
	Cluster       string              `yaml:"cluster" doc:"Its ECS cluster."`
	Tags          *Tags               `yaml:"tags" doc:"Which image tags may be deployed there."`
	Maintenance   *Maintenance        `yaml:"maintenance" doc:"How its maintenance goes, in place of the file's."`
	Notifications []Notification      `yaml:"notifications" doc:"Who is told there, in place of the file's."`
	Retention     *Retention          `yaml:"retention" doc:"What is kept in ECR there, member by member."`
	Services      map[string]*Service `yaml:"services" doc:"What is otherwise with a service there, member by member; or a service of that environment alone."`
}

// Service is what there is to know of a service.
type Service struct {
	strictyaml.Where
	Service        string            `yaml:"service" doc:"What ECS calls it, when that is another name."`
	TaskDefinition string            `yaml:"task_definition" doc:"Task definition family; that of what the service runs when not given."`
	Containers     map[string]string `yaml:"containers" doc:"The containers whose image a deploy changes, each with its ECR repository. All get the same tag."`
	Wave           *int              `yaml:"wave" doc:"Where there are several services, those of wave 1 go first, and those of wave 2 when all of wave 1 are stable; 1 when not given. Stop and rollback go the other way round."`
	Protected      bool              `yaml:"protected" doc:"stop refuses it."`
	Until          string            `yaml:"until" enum:"healthy,completed" doc:"When a rollout is a success: completed, or as soon as all new tasks are healthy."`
	FailAfter      *int              `yaml:"fail_after" doc:"How many tasks may fail of the same cause before the rollout counts as failed; 2 when not given."`
	Timeout        Duration          `yaml:"timeout" doc:"How long to wait for a rollout; 15m when not given."`
	DesiredCount   *int              `yaml:"desired_count" doc:"How many tasks a deploy sets. Never needed: without it the count is left alone, to autoscaling or to Terraform."`
	Hooks          *Hooks            `yaml:"hooks" doc:"Tasks to run before and after a deploy."`
	URL            string            `yaml:"url" doc:"Where people find the service, such as https://api.example.com: told to the CI system, for its page of the environment."`
}

// Hooks are tasks around a deploy.
type Hooks struct {
	strictyaml.Where
	Before []Hook `yaml:"before" doc:"Run with the new image before anything changes; one that fails stops the deploy."`
	After  []Hook `yaml:"after" doc:"Run when the service is stable."`
}

// Hook is one of them.
type Hook struct {
	strictyaml.Where
	Name      string   `yaml:"name" doc:"What to call it; the first word of the command when not given."`
	Run       []string `yaml:"run,required" doc:"The command, a word an item."`
	Container string   `yaml:"container" doc:"The container that runs it; the one that gets the image when not given."`
	Timeout   Duration `yaml:"timeout" doc:"How long it may take."`
}

// Duration is a time such as 15m.
type Duration time.Duration

// UnmarshalScalar implements [strictyaml.Scalar].
func (d *Duration) UnmarshalScalar(text string) error {
	v, err := time.ParseDuration(text)
	if err != nil || v <= 0 {
		return fmt.Errorf("want %s", d.Describe())
	}
	*d = Duration(v)
	return nil
}

// Describe implements [strictyaml.Described].
func (*Duration) Describe() string { return "a time above 0, such as 90s, 15m or 1h30m" }

// Find is the plimsoll.yaml that is meant in a directory: that of the
// directory itself, or the nearest one above it up to the root of the git
// repository. "" is none. Outside a repository only the directory itself is
// looked into: a file that lies about in /tmp is nobody's configuration.
func Find(dir string) string {
	for at := dir; ; at = filepath.Dir(at) {
		if name := filepath.Join(at, FileName); isFile(name) {
			if at == dir || withinRepository(at) {
				return name
			}
			return ""
		}
		if isRoot(at) || at == filepath.Dir(at) {
			return ""
		}
	}
}

// withinRepository reports whether a directory above, or dir itself, is the
// root of a git repository.
func withinRepository(dir string) bool {
	for !isRoot(dir) {
		if dir == filepath.Dir(dir) {
			return false
		}
		dir = filepath.Dir(dir)
	}
	return true
}

// isRoot tells the root of a repository; in a work tree .git is a file.
func isRoot(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, ".git"))
	return err == nil
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && !info.IsDir()
}

// Read reads a file. What is wrong with it is a [*strictyaml.Error], or
// several joined.
func Read(name string) (*File, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &InvalidError{Source: "the configuration", Value: name, Why: "there is no such file"}
	}
	if err != nil {
		return nil, &InvalidError{Source: "the configuration", Value: name, Why: err.Error()}
	}
	return Parse(name, text)
}

// Parse is Read of what was read already.
func Parse(name string, text []byte) (*File, error) {
	docs, err := strictyaml.Documents(name, text)
	if err != nil {
		return nil, err
	}
	if len(docs) > 1 {
		return nil, &strictyaml.Error{File: name, Position: strictyaml.Position{Line: 1, Column: 1}, Text: "one document is wanted, not several"}
	}
	f := &File{name: name}
	if err := docs[0].Decode(f); err != nil {
		return nil, err
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	return f, nil
}

// Name is what the file is called, as sources have it.
func (f *File) Name() string { return f.name }

// at is a place in the file as a source: "plimsoll.yaml:12:7".
func (f *File) at(p strictyaml.Position) string {
	return fmt.Sprintf("%s:%d:%d", f.name, p.Line, p.Column)
}

// EnvironmentNames are the names of the environments, sorted.
func (f *File) EnvironmentNames() []string { return slices.Sorted(maps.Keys(f.Environments)) }

// environment is one of the environments; nil for "".
func (f *File) environment(name, source string) (*Environment, error) {
	if name == "" {
		return nil, nil
	}
	e := f.Environments[name]
	if e != nil {
		return e, nil
	}
	why := f.name + " has no environments"
	if names := f.EnvironmentNames(); len(names) > 0 {
		why = fmt.Sprintf("there is no such environment%s; %s has %s", strictyaml.Meant(name, names), f.name, strings.Join(names, ", "))
	}
	return nil, &InvalidError{Source: source, Value: name, Why: why}
}

// layers are what the file says of a service, the most particular first.
func (f *File) layers(e *Environment, name string) []*Service {
	var out []*Service
	if e != nil && e.Services[name] != nil {
		out = append(out, e.Services[name])
	}
	if s := f.Services[name]; s != nil {
		out = append(out, s)
	}
	return out
}

// names are the services that there are in an environment, by wave and name.
func (f *File) names(e *Environment) []string {
	all := maps.Clone(f.Services)
	if all == nil {
		all = map[string]*Service{}
	}
	if e != nil {
		maps.Copy(all, e.Services)
	}
	return slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		return cmp.Or(cmp.Compare(f.wave(e, a), f.wave(e, b)), cmp.Compare(a, b))
	})
}

func (f *File) wave(e *Environment, name string) int {
	for _, s := range f.layers(e, name) {
		if s.Wave != nil {
			return *s.Wave
		}
	}
	return 1
}

// key is the name that the file has for a service: its own, or that of the one
// which ECS calls so, as an ARN always does. "" is none.
func (f *File) key(e *Environment, name string) string {
	names := f.names(e)
	ecs := path.Base(name)
	if ecs == name && slices.Contains(names, name) {
		return name
	}
	for _, key := range names {
		if f.ecsName(e, key) == ecs {
			return key
		}
	}
	return ""
}

// ecsName is what ECS calls a service of the file.
func (f *File) ecsName(e *Environment, key string) string {
	for _, s := range f.layers(e, key) {
		if s.Service != "" {
			return s.Service
		}
	}
	return key
}
