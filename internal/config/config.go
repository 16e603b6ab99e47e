// Package config finds out what a command is about: which cluster, services,
// repositories and so on, each with the place it was taken from, so that an
// error can say where to mend it.
//
// Flags win over environment variables, and these over plimsoll.yaml, which
// nobody needs to have ([Find], [Read]). The variables are the ones that
// pipelines set already: ECR_REGISTRY, ECR_REPOSITORY, ECS_CLUSTER,
// ECS_SERVICE, TASK_DEFINITION. A [Lookup] has all three: [Lookup.Choose] says
// which services are meant, [Lookup.Resolve] what there is to know of one.
package config

import (
	"fmt"
	"strings"
)

// Value is one setting and where it comes from.
type Value struct {
	Value  string
	Source string // "--cluster", "ECS_CLUSTER", "plimsoll.yaml:12:7"; "" when it is not set
}

// Settings is everything a command may need to know. Values that are not set
// are empty.
type Settings struct {
	Registry       Value // ECR registry host
	Repository     Value
	Cluster        Value
	Service        Value
	TaskDefinition Value // family
	Container      Value
	Account        Value // the expected one: the file's, or that of the names which were given as ARNs
	Region         Value // likewise
	Plan

	candidates string // what the file has, where no service was chosen
}

// Flags are the settings given on the command line; "" is not given.
type Flags struct {
	Registry, Repository, Cluster, Service, TaskDefinition, Container string
	// OneOfMany is set where Service is one of several that were chosen: then
	// the variables that describe a service are not about this one.
	OneOfMany bool
}

// setting ties a field of [Settings] to its flag and variable.
type setting struct {
	name, flag, variable string
	value                *Value
}

// ways are the places that a setting can be given in.
func (s setting) ways() string {
	if s.variable == "" {
		return "give " + s.flag
	}
	return fmt.Sprintf("give %s or set %s", s.flag, s.variable)
}

func (s *Settings) all() []setting {
	return []setting{
		{"ECR registry", "--registry", "ECR_REGISTRY", &s.Registry},
		{"ECR repository", "--repository", "ECR_REPOSITORY", &s.Repository},
		{"cluster", "--cluster", "ECS_CLUSTER", &s.Cluster},
		{"service", "--service", "ECS_SERVICE", &s.Service},
		{"task definition", "--task-definition", "TASK_DEFINITION", &s.TaskDefinition},
		{"container", "--container", "", &s.Container},
	}
}

// Resolve reads the settings where there is no file; see [Lookup.Resolve].
func Resolve(f Flags, getenv func(string) string) (Settings, error) {
	return Lookup{Getenv: getenv}.Resolve(f)
}

// Require says which of the values (fields of s) are missing, all at once.
func (s *Settings) Require(values ...*Value) error {
	var missing []string
	for _, set := range s.all() {
		for _, v := range values {
			if v == set.value && v.Value == "" {
				what := set.name + ": " + set.ways()
				if v == &s.Service && s.candidates != "" {
					what += "; " + s.candidates
				}
				missing = append(missing, what)
			}
		}
	}
	if len(missing) > 0 {
		return &MissingError{Missing: missing}
	}
	return nil
}

// MissingError lists settings that a command needs and did not get.
type MissingError struct {
	Missing []string // "cluster: give --cluster or set ECS_CLUSTER"
}

func (e *MissingError) Error() string {
	return "not set: " + strings.Join(e.Missing, "; ")
}

// InvalidError is a setting that cannot be used.
type InvalidError struct {
	Source, Value, Why string
}

func (e *InvalidError) Error() string {
	return fmt.Sprintf("%s=%q: %s", e.Source, e.Value, e.Why)
}
