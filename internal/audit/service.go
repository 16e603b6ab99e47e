package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle/advice"
)

// release is the state of one earlier release of a service.
type release struct {
	name  string      // "web:6"
	lost  string      // why it cannot be gone back to; "" when it can
	sinks *doom       // the first loss within the horizon
	image bool        // an image is lost, which may be somewhere else
	open  *repository // that would take the image even if it were pinned
}

// rollbacks judges where the service could go back to.
func (j *judge) rollbacks(u *user) {
	releases := j.releases(u)
	var lost, sinking, why []string
	first := When{}
	pin := Fix{Say: "pin what runs and what a rollback needs, from now on", Command: j.onService(u, "pin")}
	var back, hold []Fix
	for _, r := range releases {
		switch {
		case r.lost != "":
			lost, why = append(lost, r.name), append(why, r.name+": "+r.lost)
			if r.image && len(back) == 0 {
				back = j.rescue(u, "bring back what of it can still be found, and pin it")
			}
		case r.sinks != nil:
			sinking = append(sinking, r.name)
			if r.open != nil && !slices.Contains(hold, j.shield(r.open, false)) {
				hold = append(hold, j.shield(r.open, false))
			}
			if first.Earliest.IsZero() || r.sinks.when.Earliest.Before(first.Earliest) {
				first = r.sinks.when
			}
		}
	}
	f := Finding{Object: u.object, Fix: append(back, pin)}
	switch {
	case len(releases) == 0:
		return
	case len(lost) == len(releases):
		f.Code, f.Severity = NoRollback, Warning
		f.What = fmt.Sprintf("%s has nothing to roll back to", u.object.Name)
		f.Why = strings.Join(why, "; ")
		j.add(f)
		return
	case len(lost) > 0:
		some := f
		some.Code, some.Severity = FewerRollbacks, Note
		some.What = fmt.Sprintf("%s cannot roll back to %s", u.object.Name, list(lost))
		some.Why = strings.Join(why, "; ")
		j.add(some)
	}
	if len(sinking) > 0 {
		f.Code, f.Severity, f.Fix = RollbackSinks, Note, append([]Fix{pin}, hold...)
		if len(sinking)+len(lost) == len(releases) {
			f.Severity = Warning
		}
		f.What = fmt.Sprintf("%s is losing the way back to %s", u.object.Name, list(sinking))
		f.Why = "a lifecycle policy takes the images that a rollback would start, within the horizon"
		f.When = &first
		j.add(f)
	}
}

// releases are the earlier releases of a service, newest first.
func (j *judge) releases(u *user) []release {
	var releases []release
	for i := range u.svc.Before {
		before := &u.svc.Before[i]
		if u.svc.runs(*before) || before.neverRan() {
			continue
		}
		r := release{name: shortARN(before.TaskDefinition)}
		if revision, ok := j.fleet.Definitions[before.TaskDefinition]; ok && !revision.Active {
			r.lost = "the task definition is deregistered"
		}
		for k := range u.uses {
			if use := &u.uses[k]; use.release == i+1 && r.lost == "" {
				j.wayBack(u, use, &r)
			}
		}
		releases = append(releases, r)
	}
	return releases
}

// neverRan says that ECS keeps a service revision and has fixed no digest in
// it: nothing was ever started from it, as where a service is created at 0.
func (r *Release) neverRan() bool {
	for _, c := range r.Containers {
		if c.Digest != "" || c.Unpinned {
			return false
		}
	}
	return r.ARN != ""
}

// wayBack judges one container of an earlier release.
func (j *judge) wayBack(u *user, use *use, r *release) {
	if use.standing == gone {
		r.lost, r.image = use.subject()+" is gone", true
	}
	if use.standing != there {
		return
	}
	if status := use.found().Status; status == lifecycle.Archived {
		r.lost, r.image = use.subject()+" is archived", true
		return
	}
	if _, _, broken := use.broken(); broken {
		r.lost, r.image = "a part of "+use.subject()+" is gone", true
		return
	}
	if d, ok := use.repo.dooms[use.image]; ok && (d.nextRun(j.o.Now) || d.by(u.until)) {
		if r.sinks == nil || d.when.Earliest.Before(r.sinks.when.Earliest) {
			r.sinks = &d
		}
		if !advice.Spares(use.repo.policy, use.found().Tags) {
			r.open = use.repo
		}
	}
}

func (use *use) subject() string {
	if use.digest != "" {
		return image.ShortDigest(use.digest)
	}
	return use.container.Image
}

// growth says what a loss means for a start and for scaling out.
func (j *judge) growth(u *user) {
	lost := j.sure(u.lost)
	if len(lost) == 0 {
		return
	}
	f := Finding{Severity: Error, Object: u.object, Why: "an image that every new task needs cannot be pulled: " + list(lost)}
	f.Fix = j.fixesOf(u.lost)
	switch s := u.svc; {
	case u.idle:
		f.Code = StartFails
		f.What = u.object.Name + " is stopped, and a start would fail"
		if s.Remembered > 0 {
			f.What = fmt.Sprintf("%s is stopped, and starting its %s would fail", u.object.Name, tasks(s.Remembered))
		}
	case s.MostTasks > s.Desired:
		f.Code = ScaleOutFails
		f.What = fmt.Sprintf("%s runs %s and cannot scale out to %d", u.object.Name, tasks(s.Desired), s.MostTasks)
	default:
		return
	}
	j.add(f)
}

func tasks(n int) string {
	if n == 1 {
		return "1 task"
	}
	return fmt.Sprintf("%d tasks", n)
}

// sure names the losses that are errors by their code and container.
func (j *judge) sure(findings []int) []string {
	var names []string
	for _, i := range findings {
		if f := &j.findings[i]; f.Severity == Error {
			names = append(names, fmt.Sprintf("%s (%s)", f.Container, f.Code))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// list is names in a sentence. More than five are counted.
func list(names []string) string {
	if len(names) > 5 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:5], ", "), len(names)-5)
	}
	return strings.Join(names, ", ")
}
