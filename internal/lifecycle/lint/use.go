package lint

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
)

// anyByAge: freeze. Nobody deploys for N days, and the one image goes.
func (c *check) anyByAge() {
	for i := range c.rules {
		r := &c.rules[i]
		if r.TagStatus != lifecycle.AnyTag || !r.byAge() || r.shields() {
			continue
		}
		severity, seen := c.worse(r)
		c.remark(r, "selection.countType", "LC009", severity,
			fmt.Sprintf("rule %d takes every image after %s, in use or not", r.Priority, days(r.CountNumber)),
			"a service that nobody deploys for that long cannot start another task: ECS pulls the digest of its last deployment."+seen,
			"count instead of ageing (imageCountMoreThan), or put rules for what is deployed before it")
	}
}

// worse is Error where the rule, which goes by age, reaches an image in use
// before a restart may come, with a sentence on it.
func (c *check) worse(r *rule) (Severity, string) {
	for _, i := range r.own {
		m := &c.Images[i]
		uses := c.users[m.Digest]
		if len(uses) == 0 || r.byAge() && !c.Now.IsZero() && c.Now.Add(c.Restart).Sub(m.PushedAt) <= daysOf(r) {
			continue
		}
		return Error, fmt.Sprintf(" %s runs %s, and that image is old enough before then.", uses[0].By, name(m))
	}
	return Warning, ""
}

// untagged: an image loses its tag when that moves, and is as old as its push.
func (c *check) untagged() {
	for i := range c.rules {
		r := &c.rules[i]
		if r.TagStatus != lifecycle.Untagged || r.StorageClass == lifecycle.Archive {
			continue
		}
		severity, seen := c.worse(r)
		short := r.byAge() && daysOf(r) <= c.Restart
		if r.byAge() && !short && severity != Error || r.CountType == lifecycle.SincePulled {
			continue
		}
		limit := days(r.CountNumber)
		if !r.byAge() {
			limit = "its count"
		}
		c.remark(r, "selection.countNumber", "LC010", severity,
			fmt.Sprintf("rule %d may take an image in use as soon as its tag has moved", r.Priority),
			fmt.Sprintf("age counts from the push, not from the moment the tag moved, and tasks restart by digest: %s is not longer than the %s in which a restart may come.%s", limit, span(c.Restart), seen),
			fmt.Sprintf("by age and beyond %s, and pin what runs (plimsoll pin); or never move a tag", span(c.Restart)))
	}
}

// shortAges: a retirement is announced, and the image goes before it comes.
func (c *check) shortAges() {
	for i := range c.rules {
		r := &c.rules[i]
		if r.TagStatus != lifecycle.Tagged || !r.byAge() || daysOf(r) > c.Restart {
			continue
		}
		severity, seen := c.worse(r)
		c.remark(r, "selection.countNumber", "LC011", severity,
			fmt.Sprintf("rule %d takes images after %s, and a retirement is announced up to %s ahead", r.Priority, days(r.CountNumber), span(c.Restart)),
			"the task that is retired was started from an older image than that, unless somebody deployed meanwhile."+seen,
			fmt.Sprintf("more than %s, or a count", span(c.Restart)))
	}
}

// crowding: others push, and the image of the slow one goes.
func (c *check) crowding() {
	for i := range c.rules {
		r := &c.rules[i]
		if r.CountType != lifecycle.CountMoreThan || r.shields() {
			continue
		}
		by := users(c.usesOf(r.own))
		if len(by) < 2 {
			continue
		}
		c.remark(r, "selection.countNumber", "LC012", Warning,
			fmt.Sprintf("rule %d counts the images of %d services together", r.Priority, len(by)),
			fmt.Sprintf("%s share it; the pushes of one push the image of another beyond the newest %d", listed(by), r.CountNumber),
			"a repository for each, or a tag prefix and a rule for each, or pin what runs (plimsoll pin)")
	}
}

// pulled: a task pulls once and runs for months.
func (c *check) pulled() {
	for i := range c.rules {
		r := &c.rules[i]
		if r.CountType != lifecycle.SincePulled {
			continue
		}
		severity, seen := Warning, ""
		for _, u := range c.usesOf(r.own) {
			if !u.Since.IsZero() && !c.Now.IsZero() && c.Now.Sub(u.Since) > daysOf(r) {
				severity, seen = Error, fmt.Sprintf(" %s has run since %s.", u.By, u.Since.UTC().Format(time.DateOnly))
				break
			}
		}
		c.remark(r, "selection.countType", "LC016", severity,
			fmt.Sprintf("rule %d archives what was not pulled for %s, and a running task does not pull", r.Priority, days(r.CountNumber)),
			"an archived image cannot be pulled until it is restored, which takes up to 20 minutes."+seen,
			"put rules for what is deployed before it, or pin what runs (plimsoll pin)")
	}
}

// children: a count counts manifests, not releases.
func (c *check) children() {
	for i := range c.rules {
		r := &c.rules[i]
		if r.CountType != lifecycle.CountMoreThan || r.TagStatus == lifecycle.Tagged || r.shields() {
			continue
		}
		indexes, parts := 0, 0
		for _, m := range r.images {
			if n := len(c.Images[m].Children); n > 0 {
				indexes++
				parts += n
			}
		}
		if indexes == 0 {
			continue
		}
		each := 1 + parts/indexes
		c.remark(r, "selection.countNumber", "LC017", Warning,
			fmt.Sprintf("rule %d keeps %d manifests, which may be %s", r.Priority, r.CountNumber, noun.Count(max(1, r.CountNumber/each), "release")),
			fmt.Sprintf("a multi-platform push here is %d: the index, and an image and an attestation for each platform; they are untagged images of the repository, and AWS does not say that they are not counted", each),
			fmt.Sprintf("count tagged images only (tagStatus tagged), or %d to keep %d releases", r.CountNumber*each, r.CountNumber))
	}
}

// inUse: what the next run takes, in some reading of AWS's text, of what runs.
func (c *check) inUse() {
	if c.Now.IsZero() || len(c.users) == 0 {
		return
	}
	result := lifecycle.Evaluate(c.policy, c.Images, c.Now, lifecycle.Options{})
	taken := map[int][]int{}
	for i, d := range result.Decisions {
		if d.Action != "" && d.Rule != 0 && len(c.users[d.Digest]) > 0 {
			taken[d.Rule] = append(taken[d.Rule], i)
		}
	}
	for i := range c.rules {
		r := &c.rules[i]
		if len(taken[r.Priority]) == 0 {
			continue
		}
		first := &c.Images[taken[r.Priority][0]]
		c.remark(r, "", "LC018", Error,
			fmt.Sprintf("the next run takes %s in use by rule %d", noun.Count(len(taken[r.Priority]), "image"), r.Priority),
			fmt.Sprintf("%s runs %s", listed(users(c.usesOf(taken[r.Priority]))), name(first)),
			"pin what runs (plimsoll pin) before the policy is put, or see plimsoll lifecycle advise")
	}
}

func daysOf(r *rule) time.Duration {
	return min(time.Duration(r.CountNumber), 100*365) * day
}

// users are the names of who uses, once each, sorted.
func users(uses []Use) []string {
	var by []string
	for _, u := range uses {
		by = append(by, u.By)
	}
	slices.Sort(by)
	return slices.Compact(by)
}

// name is an image as a person would call it.
func name(i *lifecycle.Image) string {
	if len(i.Tags) > 0 {
		return i.Tags[0]
	}
	return strings.TrimPrefix(i.Digest, "sha256:")[:min(12, len(strings.TrimPrefix(i.Digest, "sha256:")))]
}

func intersection(a, b []int) []int {
	in := map[int]bool{}
	for _, i := range b {
		in[i] = true
	}
	var both []int
	for _, i := range a {
		if in[i] {
			both = append(both, i)
		}
	}
	return both
}

func days(n int) string { return noun.Count(n, "day") }

func span(d time.Duration) string { return days(int((d + day - 1) / day)) }

// listed names a few and counts the rest.
func listed(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
