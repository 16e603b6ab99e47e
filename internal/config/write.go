package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/strictyaml"
)

// Draft is a plimsoll.yaml to be written. What is empty is left out.
type Draft struct {
	Account, Region, Registry, Cluster string
	Tags                               []string // of images in use: what may be deployed is judged by them
	Services                           map[string]DraftService
}

// DraftService is one service of a draft.
type DraftService struct {
	Service        string // when it is not the name
	TaskDefinition string
	Containers     map[string]string // with their repositories
}

// Text is the draft as a file: what people then edit.
func (d Draft) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# yaml-language-server: $schema=%s\n", SchemaURL)
	line := func(indent int, key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s%s: %s\n", strings.Repeat("  ", indent), scalarText(key), scalarText(value))
		}
	}
	line(0, "account", d.Account)
	line(0, "region", d.Region)
	line(0, "registry", d.Registry)
	line(0, "cluster", d.Cluster)
	if rules := d.allow(); len(rules) > 0 {
		fmt.Fprintf(&b, "tags:\n  allow: [%s]\n", strings.Join(rules, ", "))
	}
	if len(d.Services) == 0 {
		return b.String()
	}
	b.WriteString("services:\n")
	for _, name := range slices.Sorted(maps.Keys(d.Services)) {
		s := d.Services[name]
		if s.Service == "" && s.TaskDefinition == "" && len(s.Containers) == 0 {
			fmt.Fprintf(&b, "  %s: {}\n", scalarText(name))
			continue
		}
		fmt.Fprintf(&b, "  %s:\n", scalarText(name))
		line(2, "service", s.Service)
		line(2, "task_definition", s.TaskDefinition)
		if len(s.Containers) > 0 {
			b.WriteString("    containers:\n")
			for _, container := range slices.Sorted(maps.Keys(s.Containers)) {
				line(3, container, s.Containers[container])
			}
		}
	}
	return b.String()
}

// allow is what the tags in use are; nothing when they are releases, which go
// without saying, or of a kind that no rule knows.
func (d Draft) allow() []string {
	kinds := map[string]bool{}
	for _, tag := range d.Tags {
		for _, kind := range []string{tagSemver, tagPrerelease, tagSHA} {
			rule := Tags{Allow: []TagRule{{kind: kind}}}
			if policy, err := rule.policy(); err == nil && policy.Check(tag) == nil {
				kinds[kind] = true
				break
			}
		}
	}
	if !kinds[tagPrerelease] && !kinds[tagSHA] {
		return nil
	}
	return slices.DeleteFunc([]string{tagSemver, tagPrerelease, tagSHA}, func(kind string) bool {
		return !kinds[kind] && kind != tagSemver
	})
}

// scalarText is a text as YAML has it: plain where that can only be text.
func scalarText(text string) string {
	plain := strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./") == "" &&
		text != "" && (text[0] >= 'a' && text[0] <= 'z' || text[0] >= 'A' && text[0] <= 'Z')
	switch strings.ToLower(text) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		plain = false
	}
	if plain {
		return text
	}
	return strconv.Quote(text)
}

// Ecspresso reads the names that a configuration of ecspresso has: cluster,
// service, region and the file with the task definition.
func Ecspresso(name string, text []byte) (Draft, string, error) {
	var d Draft
	if strings.HasSuffix(name, ".jsonnet") {
		return d, "", &InvalidError{Source: "--from", Value: name, Why: "jsonnet cannot be read here; render it first: ecspresso render config > ecspresso.json"}
	}
	docs, err := strictyaml.Documents(name, text)
	if err != nil {
		return d, "", err
	}
	var members map[string]any
	if err := docs[0].Decode(&members); err != nil {
		return d, "", err
	}
	read := func(key string) string {
		value, _ := members[key].(string)
		if !strings.Contains(value, "{{") {
			return value
		}
		if key != "region" { // what the pipeline sets goes without saying
			err = &InvalidError{Source: name + ": " + key, Value: value, Why: "it is a template; render it first: ecspresso render config"}
		}
		return ""
	}
	service, definition := read("service"), read("task_definition")
	d.Region, d.Cluster = read("region"), read("cluster")
	if err != nil {
		return Draft{}, "", err
	}
	if service == "" {
		return Draft{}, "", &InvalidError{Source: "--from", Value: name, Why: "it names no service, so it is no configuration of ecspresso"}
	}
	d.Services = map[string]DraftService{service: {}}
	return d, definition, nil
}
