package image

import (
	"errors"
	"strings"
	"testing"
)

func TestPolicy(t *testing.T) {
	patterns := func(exprs ...string) []Pattern {
		list := make([]Pattern, 0, len(exprs))
		for _, e := range exprs {
			p, err := ParsePattern(e)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, p)
		}
		return list
	}
	sha := "0123456789abcdef0123456789abcdef01234567"
	everything := Policy{AllowSHA: true, AllowPrerelease: true, Allowed: patterns(".*")}
	for _, c := range []struct {
		name    string
		policy  Policy
		tag     string
		problem string // "" when the tag is allowed
		want    string
	}{
		{"release", Policy{}, "v1.2.3", "", ""},
		{"long numbers", Policy{}, "v10.200.3000", "", ""},
		{"none", Policy{}, "", "there is none", "v1.2.3"},
		{"latest", Policy{}, "latest", "floating name", "a release such as v1.2.3"},
		{"floating whatever else is allowed", everything, "latest", "floating name", ""},
		{"floating in capitals", everything, "STAGING", "floating name", ""},
		{"floating name as a part only", everything, "staging-2026-11-21", "", ""},
		{"own floating names", Policy{Floating: []string{"blue"}, Allowed: patterns("blue|latest")}, "blue", "floating name", ""},
		{"own floating names replace ours", Policy{Floating: []string{"blue"}, Allowed: patterns("blue|latest")}, "latest", "", ""},
		{"no v", Policy{}, "1.2.3", "leading v is missing", "v1.2.3"},
		{"incomplete", Policy{}, "v1.2", "not complete", "v1.2.3"},
		{"more incomplete", Policy{}, "v1", "not complete", "v1.2.3"},
		{"four numbers", Policy{}, "v1.2.3.4", "not a release version", "v1.2.3"},
		{"word", Policy{}, "hotfix", "not a release version", "v1.2.3"},
		{"prerelease", Policy{}, "v1.2.3-rc.1", "prerelease", "v1.2.3"},
		{"prerelease allowed", Policy{AllowPrerelease: true}, "v1.2.3-rc.1", "", ""},
		{"broken prerelease", Policy{AllowPrerelease: true}, "v1.2.3-", "not a release", "or a prerelease such as v1.2.3-rc.1"},
		{"prerelease without v", Policy{AllowPrerelease: true}, "1.2.3-rc.1", "not a release", ""},
		{"commit", Policy{}, sha, "commit", "v1.2.3"},
		{"commit allowed", Policy{AllowSHA: true}, sha, "", ""},
		{"short commit allowed", Policy{AllowSHA: true}, "abc1234", "", ""},
		{"prefixed commit allowed", Policy{AllowSHA: true}, "sha-abc1234", "", ""},
		{"SHA-256 commit allowed", Policy{AllowSHA: true}, hex64, "", ""},
		{"too short a commit", Policy{AllowSHA: true}, "abc123", "not a release", "or a git commit"},
		{"commit in capitals", Policy{AllowSHA: true}, "ABC1234", "not a release", ""},
		{"releases still allowed beside commits", Policy{AllowSHA: true}, "v1.2.3", "", ""},
		{"pattern", Policy{Allowed: patterns(`release-\d{8}`)}, "release-20261121", "", ""},
		{"pattern matches whole tags", Policy{Allowed: patterns(`release-\d{8}`)}, "my-release-20261121", "no allowed pattern", `release-\d{8}`},
		{"alternatives match whole tags", Policy{Allowed: patterns(`a|b`)}, "ab", "no allowed pattern", ""},
		{"anchors are allowed", Policy{Allowed: patterns(`^a$|^b$`)}, "b", "", ""},
		{"patterns replace releases", Policy{Allowed: patterns(`a`)}, "v1.2.3", "no allowed pattern", ""},
		{"nothing is allowed", Policy{Allowed: []Pattern{}}, "v1.2.3", "no allowed pattern", "no tag at all"},
		{"zero pattern", Policy{Allowed: []Pattern{{}}}, "v1.2.3", "no allowed pattern", ""},
		{"no tag by the grammar", everything, "v1 2", "position 3", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.policy.Check(c.tag)
			if c.problem == "" {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			e, ok := errors.AsType[*TagError](err)
			if !ok {
				t.Fatalf("error %v, want a TagError", err)
			}
			if e.Tag != c.tag || !strings.Contains(e.Problem, c.problem) || !strings.Contains(e.Want, c.want) {
				t.Errorf("got %v\nwant …%s… and …%s…", e, c.problem, c.want)
			}
		})
	}
	if _, err := ParsePattern("v("); err == nil || !strings.Contains(err.Error(), `tag pattern "v("`) {
		t.Errorf("bad pattern: %v", err)
	}
}

func TestFloatingNamesAreRefusedByEveryPolicy(t *testing.T) {
	all, err := ParsePattern(".*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Floating() {
		for _, p := range []Policy{{}, {Allowed: []Pattern{all}, AllowSHA: true, AllowPrerelease: true}} {
			if p.Check(name) == nil {
				t.Errorf("%+v allows %s", p, name)
			}
		}
	}
}

func TestChange(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"v1.4.0", "v2.0.0", "major upgrade v1.4.0 -> v2.0.0"},
		{"v1.4.0", "v1.5.0", "minor upgrade v1.4.0 -> v1.5.0"},
		{"v1.4.0", "v1.4.1", "patch upgrade v1.4.0 -> v1.4.1"},
		{"v1.9.0", "v1.10.0", "minor upgrade v1.9.0 -> v1.10.0"},
		{"v2.0.0", "v1.4.0", "downgrade v2.0.0 -> v1.4.0"},
		{"v1.4.1", "v1.4.0", "downgrade v1.4.1 -> v1.4.0"},
		{"v1.4.0", "v1.4.0", "same version v1.4.0"},
		{"v1.4.0", "1.4.0", "same version v1.4.0 -> 1.4.0"},
		{"v1.4.0-rc.1", "v1.4.0", "prerelease upgrade v1.4.0-rc.1 -> v1.4.0"},
		{"v1.4.0", "v1.4.0-rc.1", "downgrade v1.4.0 -> v1.4.0-rc.1"},
		{"latest", "v1.4.0", "latest -> v1.4.0"},
		{"v1.4.0", "abc1234", "v1.4.0 -> abc1234"},
		{"v1.4", "v1.5", "v1.4 -> v1.5"},
		{"abc1234", "abc1234", "same version abc1234"},
		{"", "v1.4.0", "v1.4.0"},
	} {
		if got := Change(c.from, c.to); got != c.want {
			t.Errorf("Change(%q, %q) = %q, want %q", c.from, c.to, got, c.want)
		}
	}
}
