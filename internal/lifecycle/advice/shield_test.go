package advice

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

func policyOf(rules ...string) string {
	return `{"rules":[` + strings.Join(rules, ",") + `]}`
}

func ruleText(priority int, selection string) string {
	return fmt.Sprintf(`{"rulePriority":%d,"description":"rule %d","selection":{%s},"action":{"type":"expire"}}`, priority, priority, selection)
}

const (
	anyCount = `"tagStatus":"any","countType":"imageCountMoreThan","countNumber":2`
	pinsAll  = `"tagStatus":"tagged","tagPatternList":["keep-*"],"countType":"imageCountMoreThan","countNumber":9999`
	pinsFew  = `"tagStatus":"tagged","tagPatternList":["keep-*"],"countType":"imageCountMoreThan","countNumber":3`
	releases = `"tagStatus":"tagged","tagPatternList":["v*"],"countType":"sinceImagePushed","countUnit":"days","countNumber":10`
	untagged = `"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":5`
)

// shielded is the rules of a policy with a shield, as "priority what".
func shielded(t *testing.T, text string) []string {
	t.Helper()
	after, err := Shield(text)
	if err != nil {
		t.Fatal(err)
	}
	p, err := lifecycle.ParsePolicy([]byte(after))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range p.Rules() {
		out = append(out, fmt.Sprint(r.Priority, " ", r.Description))
	}
	return out
}

func TestShield(t *testing.T) {
	for _, tt := range []struct {
		name, policy string
		want         []string
	}{
		{"before the others", policyOf(ruleText(1, releases), ruleText(2, anyCount)), []string{"1 keep what is pinned", "2 rule 1", "3 rule 2"}},
		{"numbers stay where they can", policyOf(ruleText(10, releases), ruleText(20, anyCount)), []string{"1 keep what is pinned", "10 rule 10", "20 rule 20"}},
		{"only as many numbers change as must", policyOf(ruleText(1, releases), ruleText(7, anyCount)), []string{"1 keep what is pinned", "2 rule 1", "7 rule 7"}},
		{"in the text in another order", policyOf(ruleText(2, anyCount), ruleText(1, releases)), []string{"1 keep what is pinned", "2 rule 1", "3 rule 2"}},
		{"a rule for pins further back makes way", policyOf(ruleText(1, releases), ruleText(2, pinsAll), ruleText(3, anyCount)), []string{"1 keep what is pinned", "2 rule 1", "3 rule 3"}},
		{"a rule that takes pins makes way", policyOf(ruleText(1, pinsFew), ruleText(3, anyCount)), []string{"1 keep what is pinned", "3 rule 3"}},
		{"it is there already", policyOf(ruleText(4, pinsAll), ruleText(9, anyCount)), []string{"4 rule 4", "9 rule 9"}},
	} {
		if got := shielded(t, tt.policy); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	there := policyOf(ruleText(1, pinsAll))
	if got, err := Shield(there); err != nil || got != there {
		t.Errorf("the text was changed, with nothing to change: %s, %v", got, err)
	}
	if _, err := Shield("{"); err == nil {
		t.Error("a text that is no policy was shielded")
	}
}

// Whatever the policy, a pinned image is spared afterwards, and every other one
// meets what it met before.
func TestAShieldChangesNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		choices := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{releases, untagged, pinsFew, `"tagStatus":"tagged","tagPrefixList":["dev-"],"countType":"imageCountMoreThan","countNumber":1`}), 1, 4, rapid.ID[string]).Draw(t, "rules")
		if rapid.Bool().Draw(t, "any") {
			choices = append(choices, anyCount)
		}
		var list []string
		priority := 0
		for _, c := range choices {
			priority += rapid.IntRange(1, 3).Draw(t, "gap")
			list = append(list, ruleText(priority, c))
		}
		before := policyOf(list...)
		after, err := Shield(before)
		if err != nil {
			t.Fatalf("%s: %v", before, err)
		}
		var images []lifecycle.Image
		for i := range rapid.IntRange(0, 8).Draw(t, "images") {
			tags := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"v1", "dev-1", "keep-a-b-0", "other"}), 0, 3, rapid.ID[string]).Draw(t, "tags")
			for n := range tags {
				tags[n] += fmt.Sprint(i)
			}
			images = append(images, lifecycle.Image{Digest: fmt.Sprint("sha256:", i), Tags: tags, PushedAt: now().AddDate(0, 0, -i)})
		}
		was, is := takes(t, before, images), takes(t, after, images)
		for i, image := range images {
			pinned := slices.ContainsFunc(image.Tags, func(tag string) bool { return strings.HasPrefix(tag, "keep-") })
			switch {
			case pinned && is[i]:
				t.Fatalf("%v is pinned, and is taken by %s", image.Tags, after)
			case !pinned && was[i] != is[i]:
				t.Fatalf("%v: taken %v before, %v after\n%s\n%s", image.Tags, was[i], is[i], before, after)
			}
			policy, _ := lifecycle.ParsePolicy([]byte(after))
			if !Spares(policy, image.Tags) {
				t.Fatalf("a pin would not spare %v from %s", image.Tags, after)
			}
		}
	})
}

// takes says of each image whether a policy takes it within a month.
func takes(t *rapid.T, text string, images []lifecycle.Image) []bool {
	policy, err := lifecycle.ParsePolicy([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	taken := make([]bool, len(images))
	for i, f := range lifecycle.Next(policy, images, now(), 30*day) {
		taken[i] = f.Next.Action != "" && f.Next.Pushes == 0
	}
	return taken
}

func TestSpares(t *testing.T) {
	for _, tt := range []struct {
		name   string
		policy string
		tags   []string
		want   bool
	}{
		{"a rule for untagged images", policyOf(ruleText(1, untagged)), nil, true},
		{"a count", policyOf(ruleText(1, anyCount)), nil, false},
		{"an age of releases, and the image is one", policyOf(ruleText(1, releases)), []string{"v1"}, false},
		{"an age of releases, and the image is none", policyOf(ruleText(1, releases)), []string{"dev"}, true},
		{"pins first", policyOf(ruleText(1, pinsAll), ruleText(2, anyCount)), []string{"v1"}, true},
		{"pins after the rule for releases", policyOf(ruleText(1, releases), ruleText(2, pinsAll)), []string{"v1"}, false},
		{"a rule that keeps three pins", policyOf(ruleText(1, pinsFew)), nil, false},
	} {
		policy, err := lifecycle.ParsePolicy([]byte(tt.policy))
		if err != nil {
			t.Fatal(err)
		}
		if got := Spares(policy, tt.tags); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
