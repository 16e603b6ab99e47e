package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// joinImage says what became of an image that cannot be pulled.
func (q *inquiry) joinImage(ctx context.Context, s subject, a *answer) {
	for _, c := range s.containers() {
		ref, err := image.Parse(c.Image)
		if err != nil || !strings.Contains(s.words, ref.Repository) {
			continue // another container's image is meant
		}
		a.links = append(a.links, consoleOf(s.service.ARN).repository(ref, accountOf(s.service.ARN))...)
		shelf := q.shelf(ctx, ref)
		if shelf.err != nil {
			if errors.Is(shelf.err, NotFound) {
				a.say("there is no repository %s in this registry now", ref.Repository)
			}
			continue
		}
		lost := lostImage{
			repository: ref.Repository, tag: ref.Tag,
			digest: cmp.Or(ref.Digest, digestIn(s.words)),
		}
		if tags := s.doc.Tags(); tags[tagImageTag] == ref.Tag {
			lost.pushed = tags[tagDigest]
			lost.seen, _ = time.Parse(time.RFC3339, tags[tagAt])
		}
		if p, ok := s.service.Primary(); ok && lost.digest != "" && p.TaskDefinition == s.doc.ARN() && lost.seen.IsZero() {
			lost.seen = p.CreatedAt // ECS found the digest when that began
		}
		lost.explain(shelf, q.asOf, a)
	}
}

// shelf reads a repository, once.
func (q *inquiry) shelf(ctx context.Context, ref image.Reference) *shelf {
	name := ref.Registry + "/" + ref.Repository
	if known := q.shelves[name]; known != nil {
		return known
	}
	s := &shelf{}
	q.shelves[name] = s
	s.images, s.whole, s.err = q.Clues.Shelved(ctx, ref)
	if !q.can(s.err) {
		return s
	}
	q.notBefore(q.Now())
	for _, i := range s.images {
		q.notBefore(i.PushedAt, i.LastPulledAt)
	}
	text, err := q.Clues.LifecyclePolicy(ctx, ref)
	switch {
	case errors.Is(err, NotFound):
		s.noPolicy = true
	case q.can(err):
		if policy, err := lifecycle.ParsePolicy(text); err == nil {
			s.policy = &policy
		}
	}
	return s
}

// digestIn is the digest that a message names.
func digestIn(words string) string {
	return regexp.MustCompile(`sha256:[0-9a-f]{64}`).FindString(words)
}

func accountOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[4]
	}
	return ""
}

// lostImage is an image that a task could not pull.
type lostImage struct {
	repository, tag string
	digest          string    // that ECS asked for; "" when it asked for the tag
	pushed          string    // the digest that the tag had when it was deployed, where that was noted
	seen            time.Time // when it was there for certain; zero when nothing shows that it ever was
}

// explain says where the image went, as far as the repository shows it.
func (l lostImage) explain(s *shelf, now time.Time, a *answer) {
	wanted := cmp.Or(l.digest, l.pushed)
	if i := byDigest(s.images, wanted); i >= 0 {
		l.present(s.images[i], a)
		return
	}
	if !s.whole {
		return // what was not read may have it
	}
	i := byTag(s.images, l.tag)
	switch {
	case i >= 0 && wanted != "":
		a.say("the tag %s moved: ECS wants %s, the tag points to %s, which was pushed %s",
			l.tag, image.ShortDigest(wanted), image.ShortDigest(s.images[i].Digest), date(s.images[i].PushedAt))
	case i >= 0:
		l.present(s.images[i], a)
		return
	default:
		a.say("%s has no tag %s now%s", l.repository, l.tag, closest(l.tag, s.images))
	}
	if l.seen.IsZero() {
		if wanted == "" {
			a.say("nothing shows that %s:%s was ever pushed", l.repository, l.tag)
		}
		return
	}
	a.say("it was there when it was deployed, %s", date(l.seen))
	gone := lifecycle.Image{Digest: cmp.Or(wanted, "sha256:lost"), PushedAt: l.seen}
	if i < 0 {
		gone.Tags = []string{l.tag}
	}
	if by := deletedBy(s, gone, now); by != "" {
		a.say("%s", by)
	}
}

// present is about an image that is there after all.
func (l lostImage) present(i lifecycle.Image, a *answer) {
	if i.Status == lifecycle.Archived {
		a.say("the image is in the archive since %s, and cannot be pulled from there: restore it", date(i.LastArchivedAt))
		return
	}
	a.say("%s is in %s now, pushed %s: a new try would find it", cmp.Or(l.tag, image.ShortDigest(i.Digest)), l.repository, date(i.PushedAt))
}

func byDigest(images []lifecycle.Image, digest string) int {
	if digest == "" {
		return -1
	}
	return slices.IndexFunc(images, func(i lifecycle.Image) bool { return i.Digest == digest })
}

func byTag(images []lifecycle.Image, tag string) int {
	return slices.IndexFunc(images, func(i lifecycle.Image) bool { return slices.Contains(i.Tags, tag) })
}

// closest are the tags that were probably meant, the newest of those that are
// equally close first.
func closest(tag string, images []lifecycle.Image) string {
	newest := slices.Clone(images)
	slices.SortStableFunc(newest, func(a, b lifecycle.Image) int { return b.PushedAt.Compare(a.PushedAt) })
	type candidate struct {
		tag      string
		distance int
	}
	var found []candidate
	for _, i := range newest {
		for _, t := range i.Tags {
			d := distance(strings.ToLower(tag), strings.ToLower(t))
			if d <= max(2, len(tag)/3) || strings.Contains(t, tag) || strings.Contains(tag, t) {
				found = append(found, candidate{t, d})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return a.distance - b.distance })
	names := make([]string, min(len(found), 3))
	for i := range names {
		names[i] = found[i].tag
	}
	switch len(names) {
	case 0:
		if len(images) == 0 {
			return ": the repository is empty"
		}
		return ""
	case 1:
		return "; the closest is " + names[0]
	}
	return "; the closest are " + listOf(names)
}

// deletedBy says who can have deleted an image that was there at its PushedAt,
// which is the latest time it can have been pushed at. What a rule does to an
// image of that age it does to an older one too, so "a rule takes it" holds;
// "none does" is said only when none would take even the oldest image.
func deletedBy(s *shelf, gone lifecycle.Image, now time.Time) string {
	if s.noPolicy {
		return "the repository has no lifecycle policy: somebody deleted it by hand, or the policy is gone too"
	}
	if s.policy == nil {
		return ""
	}
	rule, certain := taker(*s.policy, s.images, gone, now)
	if certain {
		return fmt.Sprintf("lifecycle rule %d (%s) takes such an image: it was that, or somebody by hand", rule.Priority, ruleWords(rule))
	}
	gone.PushedAt = time.Unix(0, 0)
	if oldest, _ := taker(*s.policy, s.images, gone, now); oldest.Priority == 0 {
		return "no rule of the present lifecycle policy takes such an image: somebody deleted it by hand, or the policy was another"
	} else if rule.Priority == 0 {
		rule = oldest
	}
	return fmt.Sprintf("lifecycle rule %d (%s) takes such an image when its time comes; whether it did cannot be told", rule.Priority, ruleWords(rule))
}

// taker is the rule that would take the image, and whether it does in every
// reading; the zero Rule when none does.
func taker(p lifecycle.Policy, images []lifecycle.Image, gone lifecycle.Image, now time.Time) (lifecycle.Rule, bool) {
	d := lifecycle.Evaluate(p, append(slices.Clip(images), gone), now, lifecycle.Options{}).Decisions[len(images)]
	if d.Action == "" {
		return lifecycle.Rule{}, false
	}
	rules := p.Rules()
	i := slices.IndexFunc(rules, func(r lifecycle.Rule) bool { return r.Priority == d.Rule })
	if i < 0 {
		return lifecycle.Rule{}, false
	}
	// A rule that archives an image leaves it to another to delete it, and when
	// it was last pulled is not known of an image that is gone.
	return rules[i], d.Certain() && d.Action == lifecycle.Expire && rules[i].CountType != lifecycle.SincePulled
}

// ruleWords is a rule in a few words: "untagged images pushed more than 14
// days ago".
func ruleWords(r lifecycle.Rule) string {
	which := "images"
	switch {
	case r.TagStatus == lifecycle.Untagged:
		which = "untagged images"
	case len(r.TagPatterns) > 0:
		which = "images tagged " + listOf(r.TagPatterns)
	case len(r.TagPrefixes) > 0:
		which = "images tagged " + strings.Join(r.TagPrefixes, "* and ") + "*"
	}
	switch r.CountType {
	case lifecycle.CountMoreThan:
		return fmt.Sprintf("%s beyond the newest %d", which, r.CountNumber)
	case lifecycle.SincePulled:
		return fmt.Sprintf("%s not pulled for %s", which, days(r.CountNumber))
	case lifecycle.SinceTransitioned:
		return fmt.Sprintf("%s in the archive for %s", which, days(r.CountNumber))
	}
	return fmt.Sprintf("%s pushed more than %s ago", which, days(r.CountNumber))
}

func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}

// joinPlatform compares what an image was built for with what runs it.
func (q *inquiry) joinPlatform(ctx context.Context, s subject, a *answer) {
	wanted, said := s.diagnosis.Named["platform"], "the task wants"
	if wanted == "" {
		wanted, said = platformOf(s)
	}
	if wanted == "" {
		return
	}
	for _, c := range s.containers() {
		ref, err := image.Parse(c.Image)
		if err != nil {
			continue
		}
		platforms, err := q.Clues.Platforms(ctx, ref)
		if !q.can(err) || len(platforms) == 0 || slices.ContainsFunc(platforms, func(p string) bool { return fits(p, wanted) }) {
			continue
		}
		a.say("%s is built for %s only; %s %s", shortImage(ref), listOf(platforms), said, wanted)
	}
}

// platformOf is what the definition asks for. Fargate takes linux/amd64 where
// it says nothing; on EC2 the instance decides.
func platformOf(s subject) (wanted, said string) {
	p := s.doc.RuntimePlatform()
	if p.OperatingSystemFamily != "" && p.OperatingSystemFamily != "LINUX" {
		return "", ""
	}
	switch p.CPUArchitecture {
	case "X86_64":
		return "linux/amd64", "runtimePlatform of " + revisionName(s.doc) + " asks for"
	case "ARM64":
		return "linux/arm64", "runtimePlatform of " + revisionName(s.doc) + " asks for"
	case "":
		if s.doc.NeedsFargate() {
			return "linux/amd64", revisionName(s.doc) + " has no runtimePlatform, and Fargate then takes"
		}
	}
	return "", ""
}

// fits compares linux/arm64/v8 with linux/arm64.
func fits(platform, wanted string) bool {
	return platform == wanted || strings.HasPrefix(platform, wanted+"/") || strings.HasPrefix(wanted, platform+"/")
}

// shortImage is an image without its registry.
func shortImage(ref image.Reference) string {
	ref.Registry = ""
	name := ref.Repository
	if ref.Tag != "" {
		name += ":" + ref.Tag
	}
	if ref.Digest != "" {
		name += "@" + image.ShortDigest(ref.Digest)
	}
	return name
}
