package config

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/strictyaml"
)

// Lookup is where settings are looked for.
type Lookup struct {
	File              *File  // nil where there is none
	Environment       string // one of the file's; "" is none
	EnvironmentSource string // "--env" or "PLIMSOLL_ENV"
	Getenv            func(string) string
}

// Of is a setting that is no name, and where it comes from.
type Of[T any] struct {
	Value  T
	Source string // "" when it is not set
}

// Given reports whether it is set.
func (o Of[T]) Given() bool { return o.Source != "" }

// Plan is how a service is deployed, as the file has it. What is not given is
// empty, but for the wave.
type Plan struct {
	Name       string      // the file's for the service; "" when the file has none
	Containers []Container // whose images change, by name; empty when the file does not say
	Tags       Of[image.Policy]
	TagsText   string // the same, as it is written
	Wave       Of[int]
	Protected  Of[bool]
	Until      Of[string]
	FailAfter  Of[int]
	Timeout    Of[time.Duration]
	Desired    Of[int]
	Before     Of[[]Hook]
	After      Of[[]Hook]
	Pin        Of[bool] // what a deploy leaves running
	Keep       Of[int]  // releases to keep pinned besides
	URL        Of[string]
}

// Container is one whose image a deploy changes.
type Container struct{ Name, Repository string }

// Resolve reads the settings of one service. Names may be given as ARNs, and
// the repository as a URI; in the settings they are plain names. A value with
// spaces around it is a mistake of copying and is refused, with its source.
func (l Lookup) Resolve(f Flags) (Settings, error) {
	e, err := l.environment()
	if err != nil {
		return Settings{}, err
	}
	s, err := l.given(f)
	if err != nil {
		return Settings{}, err
	}
	if l.File != nil {
		if s.Service.Value == "" {
			s.Service, s.candidates = l.only(e)
		}
		if err := l.File.fill(&s, e, l, f); err != nil {
			return Settings{}, err
		}
	}
	if !s.Wave.Given() {
		s.Wave.Value = 1
	}
	if err := s.plainNames(); err != nil {
		return Settings{}, err
	}
	return s, s.plainRepository()
}

// environment is the chosen one; nil is none.
func (l Lookup) environment() (*Environment, error) {
	if l.File != nil {
		return l.File.environment(l.Environment, l.EnvironmentSource)
	}
	if l.Environment != "" {
		return nil, &InvalidError{Source: l.EnvironmentSource, Value: l.Environment, Why: "environments are in " + FileName + ", and there is none here"}
	}
	return nil, nil
}

// given is what flags and variables say.
func (l Lookup) given(f Flags) (Settings, error) {
	var s Settings
	flags := []string{f.Registry, f.Repository, f.Cluster, f.Service, f.TaskDefinition, f.Container}
	for i, set := range s.all() {
		switch {
		case flags[i] != "":
			*set.value = Value{flags[i], set.flag}
		case set.variable != "" && l.Getenv(set.variable) != "":
			*set.value = Value{l.Getenv(set.variable), set.variable}
		}
		if v := *set.value; strings.TrimSpace(v.Value) != v.Value {
			return Settings{}, &InvalidError{Source: v.Source, Value: v.Value, Why: "it has blanks at its ends"}
		}
	}
	return s, nil
}

// only is the service of a file that has one; of several it says the names.
func (l Lookup) only(e *Environment) (service Value, candidates string) {
	names := l.File.names(e)
	switch len(names) {
	case 0:
		return Value{}, ""
	case 1:
		return Value{names[0], l.File.at(l.File.layers(e, names[0])[0].At)}, ""
	}
	return Value{}, fmt.Sprintf("%s has %s", l.File.name, strings.Join(names, ", "))
}

// fill completes what flags and variables left open.
func (f *File) fill(s *Settings, e *Environment, l Lookup, flags Flags) error {
	key := f.key(e, s.Service.Value)
	if key != "" {
		s.forget(l, flags, key, f.ecsName(e, key))
	}
	if err := f.place(s, e, l.Environment); err != nil {
		return err
	}
	f.retain(s, e)
	layers := f.layers(e, key)
	if key == "" {
		return nil
	}
	s.Name = key
	first := func(member string) *Service {
		i := slices.IndexFunc(layers, func(s *Service) bool { return s.Has(member) })
		if i < 0 {
			return nil
		}
		return layers[i]
	}
	if from := first("service"); from != nil && from.Service != path.Base(s.Service.Value) {
		s.Service = Value{from.Service, f.at(from.Of("service"))}
	}
	if from := first("task_definition"); from != nil && s.TaskDefinition.Value == "" {
		s.TaskDefinition = Value{from.TaskDefinition, f.at(from.Of("task_definition"))}
	}
	if from := first("containers"); from != nil {
		if err := s.setContainers(from.Containers, f.at(from.Of("containers"))); err != nil {
			return err
		}
	}
	set(&s.Wave, f, first("wave"), "wave", func(s *Service) int { return *s.Wave })
	set(&s.Protected, f, first("protected"), "protected", func(s *Service) bool { return s.Protected })
	set(&s.Until, f, first("until"), "until", func(s *Service) string { return s.Until })
	set(&s.FailAfter, f, first("fail_after"), "fail_after", func(s *Service) int { return *s.FailAfter })
	set(&s.Timeout, f, first("timeout"), "timeout", func(s *Service) time.Duration { return time.Duration(s.Timeout) })
	set(&s.Desired, f, first("desired_count"), "desired_count", func(s *Service) int { return *s.DesiredCount })
	set(&s.URL, f, first("url"), "url", func(s *Service) string { return s.URL })
	if from := first("hooks"); from != nil {
		if from.Hooks.Has("before") {
			s.Before = Of[[]Hook]{from.Hooks.Before, f.at(from.Hooks.Of("before"))}
		}
		if from.Hooks.Has("after") {
			s.After = Of[[]Hook]{from.Hooks.After, f.at(from.Hooks.Of("after"))}
		}
	}
	return nil
}

// set takes a member of a service, where one has it.
func set[T any](to *Of[T], f *File, from *Service, member string, value func(*Service) T) {
	if from != nil {
		*to = Of[T]{value(from), f.at(from.Of(member))}
	}
}

// forget drops the variables that describe another service than this one:
// TASK_DEFINITION and ECR_REPOSITORY go with ECS_SERVICE, and where several
// services are meant they go with none.
func (s *Settings) forget(l Lookup, flags Flags, names ...string) {
	about := path.Base(l.Getenv("ECS_SERVICE"))
	if !flags.OneOfMany && (l.Getenv("ECS_SERVICE") == "" || slices.Contains(names, about)) {
		return
	}
	for _, v := range []*Value{&s.TaskDefinition, &s.Repository} {
		if v.Source == "TASK_DEFINITION" || v.Source == "ECR_REPOSITORY" {
			*v = Value{}
		}
	}
}

// place fills in where everything is: the environment's own first. A variable
// that says otherwise than a chosen environment is refused: --env stage with
// the ECS_CLUSTER of production would be an accident.
func (f *File) place(s *Settings, e *Environment, environment string) error {
	if e == nil {
		e = &Environment{}
	}
	for _, m := range []struct {
		member      string
		to          *Value
		here, there string
	}{
		{"account", &s.Account, f.Account, e.Account},
		{"region", &s.Region, f.Region, e.Region},
		{"registry", &s.Registry, f.Registry, e.Registry},
		{"cluster", &s.Cluster, f.Cluster, e.Cluster},
	} {
		from := Value{}
		switch {
		case e.Has(m.member):
			from = Value{m.there, f.at(e.Of(m.member))}
		case f.Has(m.member):
			from = Value{m.here, f.at(f.Of(m.member))}
		}
		if m.to.Value == "" {
			*m.to = from
			continue
		}
		if e.Has(m.member) && !strings.HasPrefix(m.to.Source, "--") && path.Base(m.to.Value) != from.Value {
			return &InvalidError{Source: m.to.Source, Value: m.to.Value, Why: fmt.Sprintf(
				"environment %s says %s (%s); unset the variable, or insist with --%s", environment, from.Value, from.Source, m.member)}
		}
	}
	tags, where := f.Tags, f.Where
	if e.Tags != nil {
		tags, where = e.Tags, e.Where
	}
	if tags == nil {
		return nil
	}
	policy, err := tags.policy()
	s.Tags, s.TagsText = Of[image.Policy]{policy, f.at(where.Of("tags"))}, tags.String()
	return err
}

// setContainers says whose images change. A container that was named by itself
// is the only one; a repository that was given goes to a single one.
func (s *Settings) setContainers(containers map[string]string, source string) error {
	names := slices.Sorted(maps.Keys(containers))
	if s.Container.Value != "" {
		if !slices.Contains(names, s.Container.Value) {
			if s.Repository.Value == "" {
				return &InvalidError{Source: s.Container.Source, Value: s.Container.Value, Why: fmt.Sprintf(
					"it is not among the containers at %s%s; give --repository too", source, strictyaml.Meant(s.Container.Value, names))}
			}
			return nil
		}
		names = []string{s.Container.Value}
	}
	if s.Repository.Value != "" && len(names) > 1 {
		return &InvalidError{Source: s.Repository.Source, Value: s.Repository.Value, Why: fmt.Sprintf(
			"which of the containers at %s is it for? Give --container, or unset it", source)}
	}
	for _, name := range names {
		s.Containers = append(s.Containers, Container{name, containers[name]})
	}
	if s.Container.Value == "" {
		s.Container = Value{names[0], source}
	}
	if s.Repository.Value == "" {
		s.Repository = Value{containers[names[0]], source}
	}
	s.Containers[0].Repository = s.Repository.Value
	return nil
}
