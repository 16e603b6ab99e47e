package config

import (
	"fmt"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/strictyaml"
)

// Tags says which image tags may be deployed.
type Tags struct {
	strictyaml.Where
	Allow []TagRule `yaml:"allow,required" doc:"What a tag may be, any of these: semver (v1.2.3), prerelease (v1.2.3-rc.1), sha (a git commit), or {pattern: a regular expression}. Names that move, such as latest, are refused whatever is here."`
}

// TagRule is one kind of tag; a plain text is one of semver, prerelease, sha.
type TagRule struct {
	strictyaml.Where
	Pattern string `yaml:"pattern,required" doc:"A regular expression (RE2) that the whole tag matches."`
	kind    string
}

const (
	tagSemver     = "semver"
	tagPrerelease = "prerelease"
	tagSHA        = "sha"
	semverPattern = `v\d+\.\d+\.\d+`
)

// UnmarshalScalar implements [strictyaml.Scalar].
func (r *TagRule) UnmarshalScalar(text string) error {
	switch text {
	case tagSemver, tagPrerelease, tagSHA:
		r.kind = text
		return nil
	}
	return fmt.Errorf("want %s%s", r.Describe(), strictyaml.Meant(text, []string{tagSemver, tagPrerelease, tagSHA}))
}

// Describe implements [strictyaml.Described].
func (*TagRule) Describe() string {
	return "semver (v1.2.3), prerelease (v1.2.3-rc.1), sha (a git commit), or {pattern: a regular expression}"
}

// String is the rule as it is written.
func (r TagRule) String() string {
	if r.kind != "" {
		return r.kind
	}
	return "pattern " + r.Pattern
}

// policy is what the rules come to.
func (t *Tags) policy() (image.Policy, error) {
	p := image.Policy{Allowed: []image.Pattern{}}
	semver := false
	for _, rule := range t.Allow {
		switch rule.kind {
		case tagPrerelease:
			p.AllowPrerelease = true
			continue
		case tagSHA:
			p.AllowSHA = true
			continue
		case tagSemver:
			semver = true
			continue
		}
		pattern, err := image.ParsePattern(rule.Pattern)
		if err != nil {
			return image.Policy{}, err
		}
		p.Allowed = append(p.Allowed, pattern)
	}
	switch {
	case semver && len(p.Allowed) == 0:
		p.Allowed = nil // the policy's own words for it
	case semver:
		pattern, err := image.ParsePattern(semverPattern)
		if err != nil {
			return image.Policy{}, err
		}
		p.Allowed = append(p.Allowed, pattern)
	}
	return p, nil
}

func (t *Tags) String() string {
	rules := make([]string, len(t.Allow))
	for i, rule := range t.Allow {
		rules[i] = rule.String()
	}
	return strings.Join(rules, ", ")
}
