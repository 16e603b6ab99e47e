package config

import (
	"fmt"
	"strings"
)

// arn is the parts of an ECS ARN that matter here:
// arn:aws:ecs:REGION:ACCOUNT:KIND/NAME.
type arn struct {
	region, account string
	kind            string // "cluster", "service", "task-definition"
	name            string // what follows; "cluster/name" for a service
}

// parseARN reads an ECS ARN; ok is false for a plain name.
func parseARN(text string) (a arn, ok bool, err error) {
	parts := strings.SplitN(text, ":", 6)
	if parts[0] != "arn" {
		return arn{}, false, nil
	}
	if len(parts) < 6 || parts[2] != "ecs" {
		return arn{}, true, fmt.Errorf("it is not the ARN of anything in ECS")
	}
	a = arn{region: parts[3], account: parts[4]}
	a.kind, a.name, _ = strings.Cut(parts[5], "/")
	if a.name == "" {
		return arn{}, true, fmt.Errorf("the ARN names nothing")
	}
	return a, true, nil
}

// plainNames puts names in the place of ARNs, and keeps which account and
// region those said: not every call of ECS takes an ARN where it takes a name,
// and nobody wants to read one in every line.
func (s *Settings) plainNames() error {
	for _, named := range []struct {
		value *Value
		kind  string
	}{{&s.Cluster, "cluster"}, {&s.Service, "service"}, {&s.TaskDefinition, "task-definition"}} {
		v := named.value
		a, ok, err := parseARN(v.Value)
		switch {
		case err != nil:
			return v.invalid("%w", err)
		case !ok:
			continue
		case a.kind != named.kind:
			return v.invalid("it is the ARN of a %s, not of a %s", a.kind, named.kind)
		}
		for _, place := range []struct {
			value *Value
			said  string
		}{{&s.Account, a.account}, {&s.Region, a.region}} {
			if place.value.Value != "" && place.value.Value != place.said {
				return v.invalid("it is in %s, but %s is in %s", place.said, place.value.Source, place.value.Value)
			}
			*place.value = Value{place.said, v.Source}
		}
		if cluster, service, long := strings.Cut(a.name, "/"); long && named.kind == "service" {
			if s.Cluster.Value != "" && s.Cluster.Value != cluster {
				return v.invalid("it is in cluster %s, but %s says %s", cluster, s.Cluster.Source, s.Cluster.Value)
			}
			s.Cluster = Value{cluster, v.Source}
			a.name = service
		}
		v.Value = a.name
	}
	if _, revision, exact := strings.Cut(s.TaskDefinition.Value, ":"); exact {
		return s.TaskDefinition.invalid("give the family without its revision; deploy takes that as --base %s", revision)
	}
	return nil
}

// plainRepository takes the registry off a repository that is given as a URI,
// as ECR's console shows it.
func (s *Settings) plainRepository() error {
	if strings.Contains(s.Registry.Value, "/") {
		return s.Registry.invalid("give the host alone, such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com")
	}
	host, name, ok := strings.Cut(s.Repository.Value, "/")
	if !ok || !strings.ContainsAny(host, ".:") {
		return nil
	}
	if s.Registry.Value != "" && s.Registry.Value != host {
		return s.Repository.invalid("it is in %s, but %s says %s", host, s.Registry.Source, s.Registry.Value)
	}
	s.Registry, s.Repository.Value = Value{host, s.Repository.Source}, name
	return nil
}

func (v Value) invalid(format string, args ...any) error {
	return &InvalidError{Source: v.Source, Value: v.Value, Why: fmt.Errorf(format, args...).Error()}
}
