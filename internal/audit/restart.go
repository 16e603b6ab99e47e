package audit

import (
	"fmt"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle/advice"
)

// restart judges whether one container could be started, now and up to the
// horizon. A loss is told once, by what comes first; what is said of its tag
// is said only where there is no loss.
func (j *judge) restart(u *user, use *use) {
	switch use.standing {
	case foreign:
		j.meet(use.container.Image, u)
	case unseen:
		u.blind = true
	case gone:
		u.lost = append(u.lost, j.add(j.lost(u, use)))
	case there:
		switch status := use.found().Status; status {
		case lifecycle.Archived:
			u.lost = append(u.lost, j.add(j.archived(u, use)))
		case lifecycle.Activating:
			u.lost = append(u.lost, j.add(j.restoring(u, use)))
		default:
			j.present(u, use)
		}
	}
}

// present judges an image that can be pulled now, or would be if it were whole.
func (j *judge) present(u *user, use *use) {
	if child, archived, broken := use.broken(); broken {
		u.lost = append(u.lost, j.add(j.indexBroken(u, use, child, archived)))
		return
	}
	d, doomed := use.repo.dooms[use.image]
	switch {
	case doomed && d.nextRun(j.o.Now):
		u.losing = append(u.losing, j.add(j.atNextRun(u, use, &d)))
	case doomed && d.by(u.until):
		u.losing = append(u.losing, j.add(j.sinks(u, use, &d)))
	default:
		j.unpulled(u, use, &d)
		j.moved(u, use)
	}
	j.tag(u, use)
}

// about begins a finding on a container.
func (u *user) about(code Code, severity Severity, use *use) Finding {
	if u.minor {
		severity = min(severity, Warning)
	}
	return Finding{Code: code, Severity: severity, Object: u.object, Container: use.container.Name, Image: use.container.Image, Digest: use.digest}
}

// its is the image in a sentence about the user.
func (use *use) its() string {
	if use.several {
		return "the image of container " + use.container.Name
	}
	return "its image"
}

// cannot is the start of a sentence: what cannot be done any more.
func (u *user) cannot() string {
	switch {
	case u.object.Kind == ScheduleObject:
		return "schedule " + u.object.Name + " cannot run"
	case u.object.Kind == TaskObject:
		return u.object.Name + " cannot be started again"
	case u.idle:
		return u.object.Name + " cannot start"
	}
	return u.object.Name + " cannot restart"
}

// name is the user in the middle of a sentence.
func (u *user) name() string {
	if u.object.Kind == ScheduleObject {
		return "schedule " + u.object.Name
	}
	return u.object.Name
}

func (j *judge) lost(u *user, use *use) Finding {
	f := u.about(ImageGone, Error, use)
	f.What = u.cannot() + ": " + use.its() + " is gone"
	tagged, alive := use.tagged()
	switch {
	case use.repo == nil:
		f.Why = fmt.Sprintf("registry %s has no repository %s", use.ref.Registry, use.ref.Repository)
	case use.pinned && alive:
		f.Code = DigestGone
		f.What = u.cannot() + ": the digest that it is pinned to is gone"
		if use.several {
			f.What = u.cannot() + ": the digest that container " + use.container.Name + " is pinned to is gone"
		}
		f.Why = fmt.Sprintf("repository %s has no %s; its tag %s is %s, pushed %s, so a pull by tag works and a restart does not",
			use.repo.Name, image.ShortDigest(use.digest), use.tag(), image.ShortDigest(tagged.Digest), date(tagged.PushedAt))
	case use.pinned && use.tag() == "":
		f.Why = fmt.Sprintf("repository %s has no %s", use.repo.Name, image.ShortDigest(use.digest))
	case use.pinned:
		f.Why = fmt.Sprintf("repository %s has neither %s nor a tag %s", use.repo.Name, image.ShortDigest(use.digest), use.tag())
	default:
		f.Why = fmt.Sprintf("repository %s has no tag %s, and nothing pins a digest", use.repo.Name, use.tag())
	}
	if use.repo != nil && !use.repo.EvaluatedAt.IsZero() {
		f.Why += "; its lifecycle policy last ran " + date(use.repo.EvaluatedAt)
	}
	f.Fix = append(j.rescue(u, "look for the same bytes in other regions and registries, and bring them back"), j.redeploy(u, use, alive)...)
	return f
}

func (j *judge) archived(u *user, use *use) Finding {
	f := u.about(ImageArchived, Error, use)
	f.What = u.cannot() + ": " + use.its() + " is archived"
	f.Why = fmt.Sprintf("%s of repository %s lies in the archive, where it cannot be pulled", image.ShortDigest(use.digest), use.repo.Name)
	if at := use.found().LastArchivedAt; !at.IsZero() {
		f.Why += ", since " + date(at)
	}
	if d, ok := use.repo.dooms[use.image]; ok && d.event.Action == lifecycle.Expire {
		f.Why += fmt.Sprintf("; %s deletes it on %s", d.taker(), date(d.event.At))
	}
	f.Fix = j.rescue(u, "restore it from the archive, which takes up to 20 minutes, and pin it")
	switch {
	case u.svc == nil:
		f.Fix = j.restore(use)
	case !advice.Spares(use.repo.policy, use.found().Tags): // the rule that archived it would do so again
		f.Fix = append(f.Fix, j.shield(use.repo, false))
	}
	return f
}

func (j *judge) restoring(u *user, use *use) Finding {
	f := u.about(ImageRestoring, Warning, use)
	f.What = u.cannot() + " yet: " + use.its() + " is being restored from the archive"
	f.Why = fmt.Sprintf("%s of repository %s cannot be pulled before ECR has restored it, which takes up to 20 minutes", image.ShortDigest(use.digest), use.repo.Name)
	f.Fix = j.rescue(u, "wait until it is back, and pin it")
	if u.svc == nil {
		f.Fix = []Fix{{Say: "wait until it is back"}}
	}
	return f
}

func (j *judge) indexBroken(u *user, use *use, child string, archived bool) Finding {
	f := u.about(IndexBroken, Error, use)
	f.What = u.cannot() + ": a part of " + use.its() + " is gone"
	f.Why = fmt.Sprintf("index %s of repository %s lists %s, which is not there", image.ShortDigest(use.digest), use.repo.Name, image.ShortDigest(child))
	if archived {
		f.What = u.cannot() + ": a part of " + use.its() + " is archived"
		f.Why = fmt.Sprintf("index %s of repository %s lists %s, which lies in the archive", image.ShortDigest(use.digest), use.repo.Name, image.ShortDigest(child))
	}
	f.Fix = append(j.rescue(u, "bring the missing part back, by its digest"), j.redeploy(u, use, false)...)
	return f
}

func (j *judge) atNextRun(u *user, use *use, d *doom) Finding {
	f := u.about(LostAtNextRun, Error, use)
	f.What = fmt.Sprintf("%s is about to lose %s: %s %s it at the next run", u.name(), use.its(), d.taker(), d.verb())
	if !d.certain(j.o.Now) {
		f.Severity = Warning
		f.What = fmt.Sprintf("%s may be about to lose %s: by one reading of AWS's text %s %s it at the next run", u.name(), use.its(), d.taker(), d.verb())
	}
	f.Why = j.whyDoomed(use, d)
	if at := use.repo.EvaluatedAt; !at.IsZero() {
		f.Why += "; the last run was " + date(at) + ", and ECR acts within 24 hours"
	}
	when := d.when
	f.When = &when
	f.Fix = j.keep(u, use, "pin the digest before the next run")
	return f
}

func (j *judge) sinks(u *user, use *use, d *doom) Finding {
	f := u.about(Sinks, Error, use)
	switch {
	case d.event.Pushes > 0:
		f.Severity = Warning
		f.What = fmt.Sprintf("%s may lose %s from %s on: after %s %s %s it", u.name(), use.its(), date(d.when.Earliest), pushes(d.event.Pushes), d.taker(), d.verb())
	case d.certain(j.o.Now):
		f.What = fmt.Sprintf("%s loses %s on %s: %s %s it", u.name(), use.its(), date(d.event.At), d.taker(), d.verb())
	case d.pulled():
		f.Severity = Warning
		f.What = fmt.Sprintf("%s loses %s on %s unless something pulls it before: %s %s it", u.name(), use.its(), date(d.event.At), d.taker(), d.verb())
	default:
		f.Severity = Warning
		f.What = fmt.Sprintf("%s may lose %s on %s: by one reading of AWS's text %s %s it", u.name(), use.its(), date(d.event.At), d.taker(), d.verb())
	}
	f.Why = j.whyDoomed(use, d)
	when := d.when
	f.When = &when
	f.Fix = j.keep(u, use, "pin the digest")
	return f
}

// whyDoomed is the rule, and what made the image its prey.
func (j *judge) whyDoomed(use *use, d *doom) string {
	why := d.reason(use.repo.Name) + "; the image was pushed " + date(use.found().PushedAt)
	if tagged, ok := use.tagged(); ok && tagged.Digest != use.digest {
		why += fmt.Sprintf(", and its tag %s names an image pushed %s", use.tag(), date(tagged.PushedAt))
	}
	if d.then.Action == lifecycle.Expire {
		why += fmt.Sprintf("; rule %d deletes it from the archive later", d.then.Rule)
	}
	return why
}

func pushes(n int) string {
	if n == 1 {
		return "1 more push"
	}
	return fmt.Sprintf("%d more pushes", n)
}

// unpulled finds an image that goes on running while its age by
// sinceImagePulled grows: half of what the rule allows has passed.
func (j *judge) unpulled(u *user, use *use, d *doom) {
	if !d.pulled() || u.object.Kind != ServiceObject {
		return
	}
	if left := d.event.At.Sub(j.o.Now); left > lifecycleDays(d.rule.CountNumber)/2 {
		return
	}
	f := u.about(RunsUnpulled, Warning, use)
	f.What = fmt.Sprintf("%s runs an image that counts as unused: %s archives it on %s", u.name(), d.taker(), date(d.event.At))
	f.Why = d.reason(use.repo.Name)
	if pulled := use.found().LastPulledAt; !pulled.IsZero() {
		f.Why += ", and the last pull was " + date(pulled)
	} else {
		f.Why += ", and no pull was ever recorded"
	}
	when := d.when
	f.When = &when
	f.Fix = j.keep(u, use, "pin the digest")
	j.add(f)
}
