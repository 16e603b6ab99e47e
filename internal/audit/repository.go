package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle/advice"
)

// repository is everything that is said of a repository itself.
func (j *judge) repository(r *repository) {
	switch {
	case r.Unread != "":
		j.repositoryUnread(r)
		return
	case r.Policy == "":
		j.noPolicy(r)
	case r.policyErr != nil:
		f := j.on(r, PolicyUnreadable, Warning, r.Name+" has a lifecycle policy that cannot be judged")
		f.Why = "this build does not understand it: " + r.policyErr.Error()
		f.Fix = []Fix{{Say: "see what is odd about it", Command: j.command(r.Place, "plimsoll", "lifecycle", "lint", "--repository", r.Name)}}
		j.add(f)
	default:
		j.luck(r)
		j.neverPulled(r)
		j.remarks(r)
	}
	j.mutable(r)
	j.unused(r)
}

// on begins a finding on a repository.
func (j *judge) on(r *repository, code Code, severity Severity, what string) Finding {
	return Finding{Code: code, Severity: severity, Object: Object{Kind: RepositoryObject, Place: r.Place, Name: r.Name, ARN: r.ARN}, What: what}
}

// repositoryUnread is one note for what could not be read of a repository,
// unless it stands among what is blind already.
func (j *judge) repositoryUnread(r *repository) {
	for _, b := range j.fleet.Blind {
		if b.Place == r.Place && b.About == "repository "+r.Name {
			return
		}
	}
	f := j.on(r, Unseen, Note, "repository "+r.Name+" could not be read, and what needs its images is not judged")
	f.Why = r.Unread
	f.Fix = []Fix{{Say: "allow ecr:DescribeImages and ecr:GetLifecyclePolicy to the role that runs the audit"}}
	j.add(f)
}

func (j *judge) noPolicy(r *repository) {
	if len(r.Images) == 0 {
		return
	}
	f := j.on(r, NoPolicy, Note, fmt.Sprintf("%s has no lifecycle policy: nothing is ever deleted", r.Name))
	f.Why = fmt.Sprintf("it keeps %s, %s as ECR bills them", images(len(r.Images)), size(bytesOf(r.Images)))
	f.Fix = j.advise(r.Repository)
	j.add(f)
}

func bytesOf(list []Image) int64 {
	var sum int64
	for i := range list {
		sum += list[i].Bytes
	}
	return sum
}

// luck finds images in use that no rule protects: nobody has to do anything
// wrong for one of them to go. Those that go within the horizon are findings of
// their own.
func (j *judge) luck(r *repository) {
	var users, rules []string
	var next *doom
	var at []imageUse
	count := map[int32]bool{}
	for _, use := range r.uses {
		d, ok := r.dooms[use.image]
		if !ok || use.earlier || d.nextRun(j.o.Now) || d.by(use.user.until) || d.farOff(j.o) || r.Images[use.image].Status == lifecycle.Archived {
			continue
		}
		users, count[use.image] = append(users, use.user.object.Name), true
		at = append(at, use)
		if d.rule != nil {
			rules = append(rules, fmt.Sprintf("rule %d of repository %s %s", d.rule.Priority, r.Name, describe(d.rule)))
		}
		if next == nil || sooner(&d, next) {
			next = &d
		}
	}
	if next == nil {
		return
	}
	f := j.on(r, KeptByLuck, Warning, fmt.Sprintf("nothing protects %s of %s in use from its lifecycle policy", images(len(count)), r.Name))
	f.Why = list(distinct(rules)) + "; in use by " + list(distinct(users))
	when := next.when
	f.When = &when
	f.Fix = j.keepAll(r, at)
	j.add(f)
}

// keepAll holds several images of a repository above the line: a command for each
// cluster pins what its services run, and a rule protects the pins.
func (j *judge) keepAll(r *repository, uses []imageUse) []Fix {
	type cluster struct {
		place Place
		name  string
	}
	services := map[cluster][]string{}
	var clusters []cluster
	open := false
	for _, use := range uses {
		tags := r.Images[use.image].Tags
		open = open || !advice.Spares(r.policy, tags)
		if use.user.svc == nil { // has no pins
			return j.advise(r.Repository)
		}
		if slices.ContainsFunc(tags, isPin) {
			continue
		}
		at := cluster{use.user.object.Place, use.user.cluster}
		if services[at] == nil {
			clusters = append(clusters, at)
		}
		services[at] = append(services[at], use.user.service)
	}
	var fixes []Fix
	for _, at := range clusters {
		words := []string{"plimsoll", "pin", "--cluster", at.name}
		for _, service := range distinct(services[at]) {
			words = append(words, "--service", service)
		}
		fixes = append(fixes, Fix{Say: "pin what runs in cluster " + at.name, Command: j.command(at.place, words...), Then: len(fixes) > 0})
	}
	if open {
		fixes = append(fixes, j.shield(r, len(fixes) == 0))
	}
	return fixes
}

// sooner orders losses: what has a date by that date, the rest by pushes.
func sooner(a, b *doom) bool {
	if a.when.Earliest.IsZero() || b.when.Earliest.IsZero() {
		if a.when.Earliest.IsZero() && b.when.Earliest.IsZero() {
			return a.event.Pushes < b.event.Pushes
		}
		return b.when.Earliest.IsZero()
	}
	if a.when.Earliest.Equal(b.when.Earliest) {
		return a.event.Pushes < b.event.Pushes || a.event.Pushes == b.event.Pushes && a.event.Rule < b.event.Rule
	}
	return a.when.Earliest.Before(b.when.Earliest)
}

// neverPulled finds images in use to which a sinceImagePulled rule applies and
// for which ECR has recorded no pull: the rule counts from the push instead.
func (j *judge) neverPulled(r *repository) {
	pulled := false
	for _, rule := range r.policy.Rules() {
		pulled = pulled || rule.CountType == lifecycle.SincePulled
	}
	if !pulled {
		return
	}
	count := map[int32]bool{}
	var at []imageUse
	for _, use := range r.uses {
		if d, ok := r.dooms[use.image]; ok && d.pulled() && !use.earlier && r.Images[use.image].LastPulledAt.IsZero() {
			count[use.image] = true
			at = append(at, use)
		}
	}
	if len(count) == 0 {
		return
	}
	f := j.on(r, NeverPulled, Note, fmt.Sprintf("ECR has recorded no pull of %s of %s in use", images(len(count)), r.Name))
	f.Why = "a sinceImagePulled rule counts from the push where no pull is known; pulls from before ECR recorded them are not"
	f.Fix = j.keepAll(r, at)
	j.add(f)
}

func (j *judge) remarks(r *repository) {
	if j.o.Lint == nil {
		return
	}
	for _, remark := range j.o.Lint(r.Repository, r.policy, r.usage(), j.o.Now) {
		f := j.on(r, PolicyRemark, min(remark.Severity, Warning), remark.What) // what it loses is said of who needs it
		f.Why, f.Part = remark.Why, remark.Code
		f.Fix = append(slices.Clone(remark.Fix), Fix{
			Say:     "see the place in the policy",
			Command: j.command(r.Place, "plimsoll", "lifecycle", "lint", "--repository", r.Name),
		})
		if remark.Rule > 0 {
			f.Part = fmt.Sprintf("%s rule %d", remark.Code, remark.Rule)
		}
		j.add(f)
	}
}

// mutable finds tags in use that a push could move.
func (j *judge) mutable(r *repository) {
	var tags []string
	for _, use := range r.uses {
		if use.earlier {
			continue
		}
		for i := range use.user.uses {
			u := &use.user.uses[i]
			if u.release == 0 && u.repo == r && u.tag() != "" && r.tagCanMove(u.tag()) {
				tags = append(tags, u.tag())
			}
		}
	}
	if len(tags) == 0 {
		return
	}
	tags = distinct(tags)
	f := j.on(r, TagsCanMove, Warning, fmt.Sprintf("a push can move the tags of %s that are in use: %s", r.Name, list(tags)))
	f.Why = fmt.Sprintf("the repository is %s", r.Mutability)
	if len(r.Exclusions) > 0 {
		f.Why += ", with the filters " + strings.Join(r.Exclusions, ", ")
	}
	f.Fix = []Fix{{
		Say:     "make the repository immutable, once no pipeline moves a tag any more",
		Command: j.command(Place{}, "aws", "ecr", "put-image-tag-mutability", "--repository-name", r.Name, "--image-tag-mutability", "IMMUTABLE", "--region", r.Region),
	}}
	j.add(f)
}

// unused finds images that cost money and that nothing the audit saw has used
// for long.
func (j *judge) unused(r *repository) {
	if j.o.Unused <= 0 || len(r.Images) == 0 {
		return
	}
	needed := r.needed()
	since := j.o.Now.Add(-lifecycleDays(j.o.Unused))
	count, bytes := 0, int64(0)
	for i := range r.Images {
		img := &r.Images[i]
		if needed[i] || img.Status == lifecycle.Archived || !lastSign(img).Before(since) {
			continue
		}
		count, bytes = count+1, bytes+img.Bytes
	}
	if count == 0 {
		return
	}
	were := "were"
	if count == 1 {
		were = "was"
	}
	f := j.on(r, UnusedImages, Note, fmt.Sprintf("%s of %s %s not used for %s: %s", images(count), r.Name, were, days(j.o.Unused), size(bytes)))
	f.Why = "neither pushed, pulled nor restored since, and nothing that this audit saw needs them; others may, and layers that images share are billed once"
	f.Fix = j.advise(r.Repository)
	j.add(f)
}

// lastSign is when somebody last did something with an image.
func lastSign(img *Image) time.Time {
	return later(later(img.PushedAt, img.LastPulledAt), img.LastActivatedAt)
}

// needed marks the images that somebody needs, with what hangs on them: the
// children of an index, and signatures.
func (r *repository) needed() []bool {
	needed := make([]bool, len(r.Images))
	var mark func(i int32)
	mark = func(i int32) {
		if needed[i] {
			return
		}
		needed[i] = true
		for _, child := range r.Images[i].Children {
			if c, ok := r.byDigest(child); ok {
				mark(c)
			}
		}
	}
	for _, use := range r.uses {
		mark(use.image)
	}
	for _, running := range r.held {
		mark(running)
	}
	for i := range r.Images {
		if subject := r.Images[i].Subject; subject != "" {
			if s, ok := r.byDigest(subject); ok && needed[s] {
				needed[i] = true
			}
		}
	}
	return needed
}

// distinct sorts names and drops what is there twice.
func distinct(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

func images(n int) string {
	if n == 1 {
		return "1 image"
	}
	return fmt.Sprintf("%d images", n)
}

// size is a number of bytes as ECR's console writes it.
func size(bytes int64) string {
	const kilo = 1000
	switch {
	case bytes >= kilo*kilo*kilo:
		return fmt.Sprintf("%.1f GB", float64(bytes)/(kilo*kilo*kilo))
	case bytes >= kilo*kilo:
		return fmt.Sprintf("%.0f MB", float64(bytes)/(kilo*kilo))
	}
	return fmt.Sprintf("%d kB", bytes/kilo)
}

// lifecycleDays is a number of days as a lifecycle policy counts them.
func lifecycleDays(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
