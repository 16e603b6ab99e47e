package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
)

// severalPatterns: a list reads like "any of these" and means "all of these".
func (c *check) severalPatterns() {
	for i := range c.rules {
		r := &c.rules[i]
		entries := r.entries()
		if len(entries) < 2 {
			continue
		}
		severity, seen := Warning, ""
		if some := c.withSome(r, entries); some > len(r.images) {
			severity = Error
			seen = fmt.Sprintf(" Here %s at least one of them, and %d all.", noun.Forms(some, "image carries", "images carry"), len(r.images))
		}
		if len(r.images) > 0 && severity != Error { // the images show that all of them go together
			severity = Note
		}
		c.remark(r, r.list(), "LC004", severity,
			fmt.Sprintf("rule %d is about images that carry all of %s at once", r.Priority, strings.Join(entries, " and ")),
			"every entry of a list must match some tag of the image; the entries are not alternatives."+seen,
			"for alternatives write a rule for each, with numbers of their own")
	}
}

// withSome is how many images carry a tag that some entry matches.
func (c *check) withSome(r *rule, entries []string) int {
	n := 0
	for i := range c.Images {
		m := &c.Images[i]
		if r.StorageClass == lifecycle.Standard && m.Status == lifecycle.Archived {
			continue
		}
		if slices.ContainsFunc(m.Tags, func(tag string) bool {
			return slices.ContainsFunc(entries, func(e string) bool { return lifecycle.MatchTag(e, tag) })
		}) {
			n++
		}
	}
	return n
}

// lateShields: a rule that only protects, after rules that take.
func (c *check) lateShields() {
	for i := range c.rules {
		r := &c.rules[i]
		if !r.shields() || r.TagStatus != lifecycle.Tagged {
			continue
		}
		for j := range c.rules[:i] {
			earlier := &c.rules[j]
			if earlier.shields() || earlier.StorageClass != r.StorageClass || earlier.TagStatus != lifecycle.Tagged {
				continue
			}
			c.remark(r, "rulePriority", "LC005", Warning,
				fmt.Sprintf("rule %d protects %s only from the rules after it, and rule %d comes before", r.Priority, strings.Join(r.entries(), " and "), earlier.Priority),
				fmt.Sprintf("an image that also carries %s belongs to rule %d, which takes it", strings.Join(earlier.entries(), " and "), earlier.Priority),
				fmt.Sprintf("give the protecting rule a number below %d", earlier.Priority))
			break
		}
	}
}

// endlessPrefixes: v1 is also how v10 begins.
func (c *check) endlessPrefixes() {
	for i := range c.rules {
		r := &c.rules[i]
		for n, entry := range r.entries() {
			if !endsInNumber(entry) {
				continue
			}
			severity, example := Note, strings.TrimSuffix(entry, "*")+"0"
			if tag := c.goesOnInDigits(strings.TrimSuffix(entry, "*")); tag != "" {
				severity, example = Warning, tag
			}
			c.remark(r, fmt.Sprintf("%s[%d]", r.list(), n), "LC006", severity,
				fmt.Sprintf("rule %d takes %s for %s", r.Priority, example, strings.TrimSuffix(entry, "*")),
				"a prefix, or a pattern that ends in *, goes on after the number",
				fmt.Sprintf("end it where the number ends: %q", strings.TrimSuffix(entry, "*")+".*")+onlyPatterns(r))
		}
	}
}

func onlyPatterns(r *rule) string {
	if r.TagPrefixes == nil {
		return ""
	}
	return fmt.Sprintf(" in a tagPatternList, or the prefix %q", strings.TrimSuffix(prefixPatterns(r.TagPrefixes)[0], "*")+".")
}

// goesOnInDigits is a tag that begins so and has another digit next.
func (c *check) goesOnInDigits(head string) string {
	for i := range c.Images {
		for _, tag := range c.Images[i].Tags {
			if rest, ok := strings.CutPrefix(tag, head); ok && rest != "" && isDigit(rest[0]) {
				return tag
			}
		}
	}
	return ""
}

// idleRules: what a rule says never comes to pass.
func (c *check) idleRules() {
	for i := range c.rules {
		r := &c.rules[i]
		if earlier := slices.IndexFunc(c.rules[:i], func(e rule) bool { return r.coveredBy(&e) }); earlier >= 0 {
			c.shadowed(r, &c.rules[earlier], Warning, "every image that it is about belongs to that rule, whether that takes it or not")
			continue
		}
		switch {
		case c.Images == nil || r.StorageClass == lifecycle.Archive:
		case len(r.images) == 0 && !r.shields():
			c.remark(r, "selection", "LC007", Note,
				fmt.Sprintf("rule %d is about none of the %s", r.Priority, noun.Count(len(c.Images), "image")),
				"a pattern that matches nothing is often misspelt: a prefix takes no *, a pattern without * is the whole tag, capitals count",
				"compare it with the tags that there are, or take it out")
		case len(r.images) > 0 && len(r.own) == 0 && !(r.shields() && c.ownerOf(r.images[0]).shields()): // both protect
			c.shadowed(r, c.ownerOf(r.images[0]), Note, fmt.Sprintf("today %s to earlier rules", noun.Forms(len(r.images), "image is all that it is about, and belongs", "images are all that it is about, and belong")))
		}
	}
}

func (c *check) shadowed(r, by *rule, severity Severity, why string) {
	c.remark(r, "", "LC008", severity, fmt.Sprintf("rule %d takes nothing: rule %d comes first", r.Priority, by.Priority), why,
		"take it out, or put the narrower rule first")
}

// ownerOf is the first rule that identifies an image.
func (c *check) ownerOf(image int) *rule {
	for i := range c.rules {
		if slices.Contains(c.rules[i].own, image) {
			return &c.rules[i]
		}
	}
	return nil
}

// bothTags: promotion gives an image a second kind of tag, and the rule with
// the lower number has it.
func (c *check) bothTags() {
	for i := range c.rules {
		r := &c.rules[i]
		if r.TagStatus != lifecycle.Tagged || r.shields() {
			continue
		}
		for j := range c.rules[i+1:] {
			later := &c.rules[i+1+j]
			if later.TagStatus != lifecycle.Tagged || later.coveredBy(r) || r.StorageClass != later.StorageClass {
				continue
			}
			both := intersection(r.own, later.images)
			if len(both) == 0 {
				continue
			}
			c.remark(r, "rulePriority", "LC013", Warning,
				fmt.Sprintf("rules %d and %d are both about %s, and rule %d decides", r.Priority, later.Priority, noun.Count(len(both), "image"), r.Priority),
				fmt.Sprintf("%s carries %s; an image belongs to the first rule that is about it, however rule %d would keep it",
					name(&c.Images[both[0]]), strings.Join(c.Images[both[0]].Tags, " and "), later.Priority),
				fmt.Sprintf("give the rule that should decide the lower number: that for %s, if it names what is released", strings.Join(later.entries(), " and ")))
		}
	}
}

// releases: versions that no rule is about stay for ever; versions left to the
// rule for any image go with everything else.
func (c *check) releases() {
	uncovered, example := 0, ""
	swallowed := map[int]int{}
	covered := map[int]int{} // image -> index of its rule
	for i := range c.rules {
		for _, m := range c.rules[i].own {
			covered[m] = i
		}
	}
	for i := range c.Images {
		at := slices.IndexFunc(c.Images[i].Tags, isRelease)
		if at < 0 || c.Images[i].Status == lifecycle.Archived {
			continue
		}
		owner, ok := covered[i]
		switch {
		case !ok:
			uncovered++
			example = c.Images[i].Tags[at]
		case c.rules[owner].TagStatus == lifecycle.AnyTag:
			swallowed[owner]++
			example = c.Images[i].Tags[at]
		}
	}
	if uncovered > 0 {
		c.remarks = append(c.remarks, Remark{"LC014", Note, 0, 1, 1,
			fmt.Sprintf("%s under no rule and never deleted", noun.Forms(uncovered, "release (such as "+example+") is", "releases (such as "+example+") are")),
			"safe for restarts; it costs storage and counts towards the limit of 100,000 images",
			"nothing, or a rule that keeps as many releases as a rollback could want"})
	}
	for i := range c.rules {
		if n := swallowed[i]; n > 0 {
			r := &c.rules[i]
			c.remark(r, "selection.tagStatus", "LC015", Warning,
				fmt.Sprintf("%s left to rule %d, which is about any image", noun.Forms(n, "release is", "releases are"), r.Priority),
				fmt.Sprintf("%s counts and ages there like any build", example),
				"put a rule for releases before it, with a number that a rollback could want, or one that never takes them")
		}
	}
}
