// Package config finds out what a command is about: which cluster, service,
// repository and so on, each with the place it was taken from, so that an
// error can say where to mend it.
//
// Flags win over environment variables. The variables are the ones that
// pipelines set already: ECR_REGISTRY, ECR_REPOSITORY, ECS_CLUSTER,
// ECS_SERVICE, TASK_DEFINITION.
package config

import (
	"fmt"
	"strings"
)

// Value is one setting and where it comes from.
type Value struct {
	Value  string
	Source string // "--cluster", "ECS_CLUSTER"; "" when it is not set
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
	Account        Value // that of the names which were given as ARNs
	Region         Value // likewise
}

// Flags are the settings given on the command line; "" is not given.
type Flags struct {
	Registry, Repository, Cluster, Service, TaskDefinition, Container string
}

// setting ties a field of [Settings] to its flag and variable.
type setting struct {
	name, flag, variable string
	value                *Value
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

// Resolve reads the settings. Names may be given as ARNs, and the repository
// as a URI; in the settings they are plain names. A value with spaces around it
// is a mistake of copying and is refused, with its source.
func Resolve(f Flags, getenv func(string) string) (Settings, error) {
	var s Settings
	given := []string{f.Registry, f.Repository, f.Cluster, f.Service, f.TaskDefinition, f.Container}
	for i, set := range s.all() {
		switch {
		case given[i] != "":
			*set.value = Value{given[i], set.flag}
		case set.variable != "" && getenv(set.variable) != "":
			*set.value = Value{getenv(set.variable), set.variable}
		}
		if v := *set.value; strings.TrimSpace(v.Value) != v.Value {
			return Settings{}, &InvalidError{Source: v.Source, Value: v.Value, Why: "it has blanks at its ends"}
		}
	}
	if err := s.plainNames(); err != nil {
		return Settings{}, err
	}
	if err := s.plainRepository(); err != nil {
		return Settings{}, err
	}
	return s, nil
}

// Require says which of the values (fields of s) are missing, all at once.
func (s *Settings) Require(values ...*Value) error {
	var missing []string
	for _, set := range s.all() {
		for _, v := range values {
			if v == set.value && v.Value == "" {
				missing = append(missing, fmt.Sprintf("%s: give %s or set %s", set.name, set.flag, set.variable))
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
