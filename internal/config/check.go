package config

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/strictyaml"
)

// checker finds what the shape of a file does not show, all of it.
type checker struct {
	file *File
	errs []error
}

func (f *File) check() error {
	c := &checker{file: f}
	c.place(f.Where, f.Account, f.Tags, map[string]string{"region": f.Region, "registry": f.Registry, "cluster": f.Cluster})
	c.retention(f.Retention)
	c.services(f.Services)
	c.maintenance(f.Maintenance)
	c.notifications(f.Notifications)
	for _, name := range slices.Sorted(maps.Keys(f.Environments)) {
		e := f.Environments[name]
		c.place(e.Where, e.Account, e.Tags, map[string]string{"region": e.Region, "registry": e.Registry, "cluster": e.Cluster})
		c.retention(e.Retention)
		c.services(e.Services)
		c.maintenance(e.Maintenance)
		c.notifications(e.Notifications)
		c.strangers(name, e)
	}
	c.accounts(f.Accounts)
	c.audit(f.Audit)
	return errors.Join(c.errs...)
}

func (c *checker) wrong(at strictyaml.Position, format string, args ...any) {
	c.errs = append(c.errs, &strictyaml.Error{File: c.file.name, Position: at, Text: fmt.Sprintf(format, args...)})
}

func (c *checker) place(w strictyaml.Where, account string, tags *Tags, names map[string]string) {
	c.account(w, account)
	c.names(w, names)
	if tags != nil {
		if _, err := tags.policy(); err != nil {
			c.wrong(tags.Of("allow"), "%v", err)
		} else if len(tags.Allow) == 0 {
			c.wrong(tags.Of("allow"), "allow: no tag at all could be deployed")
		}
	}
	if strings.Contains(names["registry"], "/") {
		c.wrong(w.Of("registry"), "registry: give the host alone, such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com")
	}
}

func (c *checker) account(w strictyaml.Where, account string) {
	if w.Has("account") && (len(account) != 12 || strings.Trim(account, "0123456789") != "") {
		c.wrong(w.Of("account"), "account: %q: want 12 digits; in quotes, so that a leading 0 stays", account)
	}
}

// names refuses names that are empty or have blanks.
func (c *checker) names(w strictyaml.Where, names map[string]string) {
	for _, member := range slices.Sorted(maps.Keys(names)) {
		if name := names[member]; w.Has(member) && (name == "" || strings.ContainsAny(name, " \t\n")) {
			c.wrong(w.Of(member), "%s: %q: want a name, without blanks", member, name)
		}
	}
}

func (c *checker) services(services map[string]*Service) {
	for _, name := range slices.Sorted(maps.Keys(services)) {
		s := services[name]
		if name == "" || strings.ContainsAny(name, " \t\n,/:") {
			c.wrong(s.At, "services: %q: want a name, without blanks, commas, slashes and colons", name)
		}
		c.names(s.Where, map[string]string{"service": s.Service, "task_definition": s.TaskDefinition})
		if strings.Contains(s.TaskDefinition, ":") {
			c.wrong(s.Of("task_definition"), "task_definition: give the family alone, without a revision")
		}
		c.containers(s)
		for member, number := range map[string]*int{"wave": s.Wave, "fail_after": s.FailAfter} {
			if number != nil && *number < 1 {
				c.wrong(s.Of(member), "%s: %d: it must be above 0", member, *number)
			}
		}
		if s.DesiredCount != nil && *s.DesiredCount < 0 {
			c.wrong(s.Of("desired_count"), "desired_count: %d: it must not be below 0", *s.DesiredCount)
		}
		c.hooks(s)
		c.url(s)
	}
}

// url is shown on pages and handed to other jobs, for both of which it must be
// an address that needs no quotes and holds no password.
func (c *checker) url(s *Service) {
	if !s.Has("url") {
		return
	}
	u, err := url.Parse(s.URL)
	odd := strings.ContainsFunc(s.URL, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("'\"`\\$<>", r) })
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || odd:
		c.wrong(s.Of("url"), "url: want an address such as https://api.example.com; other characters than those of an address as %%20 and so on")
	case u.User != nil:
		c.wrong(s.Of("url"), "url: leave out the user and the password: it is shown to everybody")
	}
}

func (c *checker) containers(s *Service) {
	if s.Has("containers") && len(s.Containers) == 0 {
		c.wrong(s.Of("containers"), "containers: name at least one, each with its repository")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Containers)) {
		repository := s.Containers[name]
		// The host makes a reference of it; what is left must be all repository.
		ref, err := image.Parse("registry.invalid/" + repository)
		host, _, _ := strings.Cut(repository, "/")
		if err != nil || ref.Tag != "" || ref.Digest != "" || strings.ContainsAny(host, ".:") && strings.Contains(repository, "/") {
			c.wrong(s.Of("containers"), "containers: %s: %q: want the name of an ECR repository, without registry and tag", name, repository)
		}
	}
}

func (c *checker) hooks(s *Service) {
	if s.Hooks == nil {
		return
	}
	for _, h := range slices.Concat(s.Hooks.Before, s.Hooks.After) {
		if len(h.Run) == 0 || h.Run[0] == "" {
			c.wrong(h.At, "run: want a command, a word an item")
		}
	}
}

// strangers are services of an environment that may be misspelt: one that only
// this environment has says its containers, or what ECS calls it.
func (c *checker) strangers(environment string, e *Environment) {
	known := slices.Sorted(maps.Keys(c.file.Services))
	for _, name := range slices.Sorted(maps.Keys(e.Services)) {
		s := e.Services[name]
		if c.file.Services[name] == nil && !s.Has("containers") && !s.Has("service") && len(known) > 0 {
			c.wrong(s.At, "environment %s: services has no %q%s; one of this environment alone needs its containers",
				environment, name, strictyaml.Meant(name, known))
		}
	}
}
