package image

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Policy says which tags may be deployed. The zero value is the strict one:
// releases v1.2.3 only, and no floating name.
type Policy struct {
	Allowed         []Pattern // what a tag must look like, any of them; nil: a release, v1.2.3
	AllowSHA        bool      // also a git commit: 7 to 40 hex digits, or 64, with or without sha- before them
	AllowPrerelease bool      // also v1.2.3-rc.1
	Floating        []string  // names refused whatever else allows them; nil: those of [Floating]
}

// Floating lists the names that pipelines move from image to image. A task
// that restarts under such a name may start other code than was deployed, or
// nothing, once the digest ECS pinned has lost its tag and is cleaned up.
func Floating() []string {
	return []string{
		"latest", "stable", "current", "newest", "release", "head", "tip",
		"main", "master", "trunk", "develop", "dev", "development", "edge", "nightly", "snapshot", "canary", "next",
		"test", "testing", "qa", "uat", "stg", "stage", "staging", "preprod", "sandbox", "demo",
		"prod", "prd", "production", "live", "beta", "alpha", "rc",
	}
}

// Pattern is a regular expression that a whole tag matches or not, anchors
// written or not.
type Pattern struct {
	expr string
	re   *regexp.Regexp
}

// ParsePattern reads a regular expression in Go's syntax (RE2).
func ParsePattern(expr string) (Pattern, error) {
	re, err := regexp.Compile(`^(?:` + expr + `)$`)
	if err != nil {
		return Pattern{}, fmt.Errorf("tag pattern %q: %w", expr, err)
	}
	return Pattern{expr: expr, re: re}, nil
}

// String is the expression as it was written.
func (p Pattern) String() string { return p.expr }

// Match says whether the whole tag matches; the zero Pattern matches nothing.
func (p Pattern) Match(tag string) bool { return p.re != nil && p.re.MatchString(tag) }

// TagError is a tag that a [Policy] refuses.
type TagError struct {
	Tag     string
	Problem string // what is wrong with it
	Want    string // what would be right
}

func (e *TagError) Error() string {
	return fmt.Sprintf("tag %q is refused: %s; wanted: %s", e.Tag, e.Problem, e.Want)
}

// Check returns nil for a tag that may be deployed, a [*TagError] otherwise.
func (p Policy) Check(tag string) error {
	refuse := func(problem string) error { return &TagError{Tag: tag, Problem: problem, Want: p.want()} }
	if tag == "" {
		return refuse("there is none, and registries read that as latest")
	}
	if bad, ok := checkTag(tag); !ok {
		return refuse(fmt.Sprintf("position %d: %s", bad.at+1, bad.reason))
	}
	floating := p.Floating
	if floating == nil {
		floating = Floating()
	}
	if slices.ContainsFunc(floating, func(name string) bool { return strings.EqualFold(name, tag) }) {
		return refuse("it is a floating name that can point to another image tomorrow, so nobody can tell what a restart would start")
	}
	if p.allows(tag) {
		return nil
	}
	return refuse(p.problem(tag))
}

func (p Policy) allows(tag string) bool {
	if p.Allowed == nil && isRelease(tag) {
		return true
	}
	return slices.ContainsFunc(p.Allowed, func(pattern Pattern) bool { return pattern.Match(tag) }) ||
		p.AllowPrerelease && isPrerelease(tag) ||
		p.AllowSHA && isSHA(tag)
}

// problem names the nearest thing to what was meant.
func (p Policy) problem(tag string) string {
	switch {
	case isPrerelease(tag):
		return "it is a prerelease"
	case isSHA(tag):
		return "it is a commit, not a release"
	case p.Allowed != nil:
		return "it matches no allowed pattern"
	case isRelease("v" + tag):
		return "the leading v is missing"
	case isRelease(tag+".0") || isRelease(tag+".0.0"):
		return "the version is not complete"
	}
	return "it is not a release version"
}

func (p Policy) want() string {
	var want []string
	if p.Allowed == nil {
		want = append(want, `a release such as v1.2.3`)
	}
	for _, pattern := range p.Allowed {
		want = append(want, "a match of "+pattern.String())
	}
	if p.AllowPrerelease {
		want = append(want, "a prerelease such as v1.2.3-rc.1")
	}
	if p.AllowSHA {
		want = append(want, "a git commit")
	}
	if want == nil {
		return "nothing: the policy allows no tag at all"
	}
	return strings.Join(want, ", or ")
}

// isRelease is ^v\d+\.\d+\.\d+$.
func isRelease(tag string) bool {
	version, ok := strings.CutPrefix(tag, "v")
	numbers := strings.Split(version, ".")
	return ok && len(numbers) == 3 && !slices.ContainsFunc(numbers, func(n string) bool {
		return n == "" || strings.Trim(n, "0123456789") != ""
	})
}

func isPrerelease(tag string) bool {
	version, ok := strings.CutPrefix(tag, "v")
	if !ok {
		return false
	}
	v, err := semver.StrictNewVersion(version)
	return err == nil && v.Prerelease() != ""
}

// isSHA accepts git's shortest abbreviation up to a whole SHA-1, and a whole
// SHA-256; sha- is the prefix docker/metadata-action puts there.
func isSHA(tag string) bool {
	sha := strings.TrimPrefix(tag, "sha-")
	return (7 <= len(sha) && len(sha) <= 40 || len(sha) == 64) && strings.Trim(sha, "0123456789abcdef") == ""
}
