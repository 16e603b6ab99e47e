package advice

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// Why there is no policy.
const (
	// NothingToTidy: every image is kept for a reason.
	NothingToTidy = "nothing is there to tidy: no image is untagged, and none carries a tag that is made to be thrown away"
)

// Advise makes a policy, or says why there is none.
func Advise(r Request) Advice {
	r = r.withDefaults()
	r.Used = withSubjects(r.Used, r.Images)
	a := Advice{Streams: r.Streams, Now: sizeOf(r.Images), Until: r.end()}
	a.Notes = r.missing()
	d := r.draft()
	a.Undone = r.without()
	a.First, a.Then = a.Now, a.Undone
	if len(d.rules) == 0 {
		a.Why = NothingToTidy
		return a
	}
	text := d.text()
	policy, err := lifecycle.ParsePolicy([]byte(text))
	if err != nil { // of patterns that the caller gave
		a.Why = fmt.Sprintf("the patterns make no policy that ECR takes: %v", err)
		return a
	}
	p := prove(&r, policy)
	if p.broken != "" {
		a.Why = "no policy of this kind is safe: " + p.broken
		return a
	}
	a.Policy, a.Reasons = text, d.reasons
	a.Notes = append(a.Notes, d.notes...)
	a.First, a.Then, a.Days = p.first, p.then, p.days
	return a
}

// missing are notes on used images that no policy can keep.
func (r *Request) missing() []string {
	status := map[string]lifecycle.Status{}
	for i := range r.Images {
		status[r.Images[i].Digest] = cmp.Or(r.Images[i].Status, lifecycle.Active)
	}
	var notes []string
	for _, u := range r.Used {
		switch status[u.Digest] {
		case "":
			notes = append(notes, fmt.Sprintf("%s: its image %s is gone already, and no policy brings it back", u.By, short(u.Digest)))
		case lifecycle.Archived:
			notes = append(notes, fmt.Sprintf("%s: its image %s is in the archive and must be restored before a restart", u.By, short(u.Digest)))
		}
	}
	slices.Sort(notes)
	return slices.Compact(notes)
}

// withSubjects adds the subjects of used referrers, which these go with.
func withSubjects(used []Use, images []Image) []Use {
	subjects := map[string]string{}
	for i := range images {
		if images[i].Subject != "" {
			subjects[images[i].Digest] = images[i].Subject
		}
	}
	all := slices.Clone(used)
	seen := map[string]bool{}
	for i := 0; i < len(all); i++ {
		subject := subjects[all[i].Digest]
		if subject == "" || seen[all[i].Digest+all[i].By] {
			continue
		}
		seen[all[i].Digest+all[i].By] = true
		if slices.ContainsFunc(images, func(m Image) bool { return m.Digest == subject }) {
			all = append(all, Use{Digest: subject, By: all[i].By, Rollback: all[i].Rollback})
		}
	}
	return all
}

// draft is a policy that is being put together.
type draft struct {
	rules   []document
	reasons []Reason
	notes   []string
}

// document is a rule as ECR reads it.
type document struct {
	Priority    int       `json:"rulePriority"`
	Description string    `json:"description"`
	Selection   selection `json:"selection"`
	Action      struct {
		Type string `json:"type"`
	} `json:"action"`
}

type selection struct {
	TagStatus lifecycle.TagStatus `json:"tagStatus"`
	Patterns  []string            `json:"tagPatternList,omitempty"`
	CountType lifecycle.CountType `json:"countType"`
	CountUnit string              `json:"countUnit,omitempty"`
	Number    int                 `json:"countNumber"`
}

// draft puts together what the repository needs and nothing else: rules for
// throw-away tags where there are such images, protecting ones before these,
// and one for untagged images.
func (r *Request) draft() *draft {
	d := &draft{}
	few := slices.DeleteFunc(slices.Clone(r.Few), func(p string) bool { return !r.carried(p) && !r.streams(p) })
	slices.Sort(few)
	few = slices.Compact(few)
	if len(few) > 0 {
		// Nothing but the rules for throw-away tags could take them.
		for _, p := range slices.Concat([]string{Pins}, r.Keep) {
			d.shield(p, r.most())
		}
	}
	for _, p := range few {
		r.few(d, p, few)
	}
	if r.hasUntagged() {
		r.untagged(d)
	}
	r.noteOthers(d)
	return d
}

// carried reports whether an image carries a tag of the pattern.
func (r *Request) carried(pattern string) bool {
	return slices.ContainsFunc(r.Images, func(m Image) bool { return matches(&m.Image, pattern) })
}

func (r *Request) streams(pattern string) bool {
	return slices.ContainsFunc(r.Streams, func(s Stream) bool { return s.Tag == pattern })
}

func matches(m *lifecycle.Image, pattern string) bool {
	return slices.ContainsFunc(m.Tags, func(tag string) bool { return lifecycle.MatchTag(pattern, tag) })
}

// holds reports whether an image carries a tag of the pattern that stays.
func (r *Request) holds(m *lifecycle.Image, pattern string) bool {
	return slices.ContainsFunc(m.Tags, func(tag string) bool { return !r.moves(tag) && lifecycle.MatchTag(pattern, tag) })
}

func (d *draft) add(description string, s selection, reason string) {
	doc := document{Priority: 10 * (len(d.rules) + 1), Description: description, Selection: s}
	doc.Action.Type = "expire"
	d.rules = append(d.rules, doc)
	d.reasons = append(d.reasons, Reason{doc.Priority, reason})
}

// usualShield is the count that people write to say never; ECR is known to take it.
const usualShield = 9999

// most is more images than the repository holds before the horizon: a rule with
// this count takes none.
func (r *Request) most() int { return max(usualShield, r.without().Images+1) }

func (d *draft) shield(pattern string, number int) {
	say, description := "releases stay, whatever other tags they carry", "keep releases"
	if pattern == Pins {
		say, description = "pinned images stay, whatever other tags they carry; the first rule that is about an image has it", "keep what is pinned"
	} else if !strings.Contains(pattern, ".") {
		say, description = "you want these kept", "keep "+pattern
	}
	d.add(description, selection{TagStatus: lifecycle.Tagged, Patterns: []string{pattern}, CountType: lifecycle.CountMoreThan, Number: number}, say)
}

// few adds the rule for a throw-away pattern: a count, or an age where services
// run such images. By count the pushes of others decide how long an image
// stays; an age is sure.
func (r *Request) few(d *draft, pattern string, few []string) {
	s := selection{TagStatus: lifecycle.Tagged, Patterns: []string{pattern}, CountType: lifecycle.CountMoreThan, Number: r.FewCount}
	before := slices.Concat([]string{Pins}, r.Keep, few[:slices.Index(few, pattern)])
	used := r.usedWhere(func(m *lifecycle.Image) bool {
		return matches(m, pattern) && !slices.ContainsFunc(before, func(p string) bool { return r.holds(m, p) })
	})
	if len(used) == 0 {
		d.add(fmt.Sprintf("keep %d of %s", s.Number, pattern), s, fmt.Sprintf("%s are made to be thrown away, and no service runs one; the newest %d stay", pattern, s.Number))
		return
	}
	s.CountType, s.CountUnit = lifecycle.SincePushed, "days"
	s.Number = max(r.daysTo(used), daysIn(r.Horizon))
	d.add(fmt.Sprintf("keep %s for %d days", pattern, s.Number), s, fmt.Sprintf(
		"%s; by count, the pushes of others would decide when it goes, so these go by age: what runs now, and what is deployed fresh, stays for the %d days that are proved", r.who(used), daysIn(r.Horizon)))
	d.notes = append(d.notes, fmt.Sprintf("with what runs pinned (plimsoll pin), %d of %s would do", r.FewCount, pattern))
}

// hasUntagged reports whether images are untagged by themselves, or will be.
func (r *Request) hasUntagged() bool {
	parts := partsOf(r.Images)
	for i := range r.Images {
		m := &r.Images[i]
		if len(m.Tags) == 0 && m.Subject == "" && !parts[m.Digest] || slices.ContainsFunc(m.Tags, r.moves) {
			return true
		}
	}
	// An index that goes leaves its parts untagged.
	return slices.ContainsFunc(r.Few, func(p string) bool { return r.carried(p) }) && len(parts) > 0
}

// untagged adds the rule for untagged images: by age, beyond the longest
// notice, and beyond the age that used images without a lasting tag will have.
func (r *Request) untagged(d *draft) {
	days := daysIn(r.Notice) + 1
	say := fmt.Sprintf("what a tag has moved away from may still run: it goes only when it is older than the longest notice of a retirement, %d days", daysIn(r.Notice))
	used := r.usedWhere(func(m *lifecycle.Image) bool {
		return !slices.ContainsFunc(m.Tags, func(tag string) bool { return !r.moves(tag) })
	})
	if need := r.daysTo(used); need > days {
		d.notes = append(d.notes, fmt.Sprintf("with what runs pinned (plimsoll pin), %d days would do for untagged images", days))
		days = need
		say = fmt.Sprintf("%s, which no lasting tag holds: age counts from the push, so the rule must not reach it before %s", r.who(used), r.end().UTC().Format(time.DateOnly))
	}
	d.add(fmt.Sprintf("tidy untagged images after %d days", days), selection{TagStatus: lifecycle.Untagged, CountType: lifecycle.SincePushed, CountUnit: "days", Number: days}, say)
}

// noteOthers says what is left alone.
func (r *Request) noteOthers(d *draft) {
	n, example := 0, ""
	for i := range r.Images {
		m := &r.Images[i].Image
		if len(m.Tags) == 0 || slices.ContainsFunc(slices.Concat([]string{Pins}, r.Keep, r.Few), func(p string) bool { return matches(m, p) }) || slices.ContainsFunc(m.Tags, r.moves) {
			continue
		}
		if n++; example == "" {
			example = m.Tags[0]
		}
	}
	if n > 0 {
		d.notes = append(d.notes, fmt.Sprintf("%s left alone, such as %s; --few %q would keep few of them", othersAre(n), example, pattern(example)))
	}
}

func othersAre(n int) string {
	if n == 1 {
		return "1 image with other tags is"
	}
	return fmt.Sprintf("%d images with other tags are", n)
}

// pattern guesses what a tag is one of.
func pattern(tag string) string {
	if at := strings.IndexAny(tag, "-_."); at > 0 {
		return tag[:at+1] + "*"
	}
	return "*"
}

// usedWhere are the used images that are there and for which f holds.
func (r *Request) usedWhere(f func(*lifecycle.Image) bool) []*lifecycle.Image {
	used := map[string]bool{}
	for _, u := range r.Used {
		used[u.Digest] = true
	}
	var found []*lifecycle.Image
	for i := range r.Images {
		m := &r.Images[i].Image
		if used[m.Digest] && m.Status != lifecycle.Archived && f(m) {
			found = append(found, m)
		}
	}
	return found
}

// daysTo is how many days an age rule needs so that it reaches none of the
// images before the horizon.
func (r *Request) daysTo(images []*lifecycle.Image) int {
	days := 0
	for _, m := range images {
		since := m.PushedAt
		if since.IsZero() { // an age rule never takes it
			continue
		}
		if !m.LastActivatedAt.IsZero() {
			since = m.LastActivatedAt
		}
		days = max(days, daysIn(r.end().Sub(since)))
	}
	return days
}

// who says which services need the images.
func (r *Request) who(images []*lifecycle.Image) string {
	var by []string
	rollback := true
	for _, u := range r.Used {
		if slices.ContainsFunc(images, func(m *lifecycle.Image) bool { return m.Digest == u.Digest }) {
			by = append(by, u.By)
			rollback = rollback && u.Rollback
		}
	}
	slices.Sort(by)
	by = slices.Compact(by)
	names, verb := by[0], "runs"
	if len(by) > 1 {
		names, verb = fmt.Sprintf("%s and %d more", by[0], len(by)-1), "run"
	}
	if rollback {
		return names + " could roll back to one"
	}
	return names + " " + verb + " one"
}

// daysIn is a duration in days, the begun one too.
func daysIn(d time.Duration) int { return int((d + day - 1) / day) }

func (d *draft) text() string {
	text, err := json.MarshalIndent(map[string]any{"rules": d.rules}, "", "  ")
	if err != nil { // of strings and numbers
		return ""
	}
	return string(text) + "\n"
}

func sizeOf(images []Image) Size {
	s := Size{Images: len(images)}
	for i := range images {
		s.Bytes += images[i].Bytes
	}
	return s
}

func short(digest string) string {
	return digest[:min(len(digest), len("sha256:")+12)]
}
