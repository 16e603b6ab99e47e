package audit

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// release is the state of one earlier release of a service.
type release struct {
	name  string // "web:6"
	lost  string // why it cannot be gone back to; "" when it can
	sinks *doom  // the first loss within the horizon
}

// rollbacks judges where the service could go back to.
func (j *judge) rollbacks(u *user) {
	releases := j.releases(u)
	var lost, sinking, why []string
	first := When{}
	for _, r := range releases {
		switch {
		case r.lost != "":
			lost, why = append(lost, r.name), append(why, r.name+": "+r.lost)
		case r.sinks != nil:
			sinking = append(sinking, r.name)
			if first.Earliest.IsZero() || r.sinks.when.Earliest.Before(first.Earliest) {
				first = r.sinks.when
			}
		}
	}
	f := Finding{Object: u.object, Fix: []Fix{{Say: "Pin what runs and what a rollback needs, from now on", Command: j.onService(u, "pin")}}}
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
		f.Code, f.Severity = RollbackSinks, Note
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
		if u.svc.runs(*before) {
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

// wayBack judges one container of an earlier release.
func (j *judge) wayBack(u *user, use *use, r *release) {
	if use.standing == gone {
		r.lost = use.subject() + " is gone"
	}
	if use.standing != there {
		return
	}
	if status := use.found().Status; status == lifecycle.Archived {
		r.lost = use.subject() + " is archived"
		return
	}
	if _, _, broken := use.broken(); broken {
		r.lost = "a part of " + use.subject() + " is gone"
		return
	}
	if d, ok := use.repo.dooms[use.image]; ok && (d.nextRun(j.o.Now) || d.by(u.until)) {
		if r.sinks == nil || d.when.Earliest.Before(r.sinks.when.Earliest) {
			r.sinks = &d
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
	f.Fix = j.rescue(u, "Bring back what it needs")
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

// retired is one announced end of a user's tasks.
type retired struct {
	retirement *Retirement
	user       *user
}

// retired matches announcements to whom they hit. An event names services, or
// tasks; each user is hit once by it.
func (j *judge) retired() []retired {
	byName := map[string]*user{}
	for _, u := range j.users {
		if u.object.Kind != ScheduleObject {
			byName[u.object.key()] = u
		}
	}
	groups := map[string]*Task{}
	for i := range j.fleet.Tasks {
		groups[j.fleet.Tasks[i].ARN] = &j.fleet.Tasks[i]
	}
	var hits []retired
	for i := range j.fleet.Retirements {
		r := &j.fleet.Retirements[i]
		seen := map[*user]bool{}
		hit := func(u *user) {
			if u != nil && !seen[u] {
				seen[u] = true
				hits = append(hits, retired{r, u})
			}
		}
		if r.Service != "" {
			hit(byName[serviceObject(r.Place, r.Cluster, r.Service).key()])
		}
		for _, arn := range r.Tasks {
			if t := groups[arn]; t != nil {
				hit(byName[userOf(t).key()])
			}
		}
	}
	slices.SortStableFunc(hits, func(a, b retired) int {
		return cmp.Or(strings.Compare(a.retirement.Event, b.retirement.Event), a.retirement.At.Compare(b.retirement.At))
	})
	return hits
}

// userOf is the object that a task belongs to.
func userOf(t *Task) Object {
	if name, ok := strings.CutPrefix(t.Group, "service:"); ok {
		return serviceObject(t.Place, t.Cluster, name)
	}
	return aloneObject(t)
}

// retirements says of each announced retirement whether the restart that it
// brings would work.
func (j *judge) retirements() {
	type once struct {
		user  *user
		event string
	}
	said := map[once]bool{}
	for _, hit := range j.hits {
		r, u := hit.retirement, hit.user
		if key := (once{u, r.Event}); said[key] {
			continue
		} else {
			said[key] = true
		}
		at := later(r.At, j.o.Now)
		f := Finding{Code: RetirementComes, Severity: Note, Object: u.object, Part: path.Base(r.Event), When: &When{Earliest: at, Likely: at, Latest: at}}
		f.Why = "AWS retires tasks for maintenance of the hosts under them; what it needs could be pulled then"
		f.Fix = []Fix{{Say: "Replace the tasks yourself, at a time that suits you", Command: j.command(u.object.Place, "plimsoll", "maintenance", "plan")}}
		switch losses, certain := j.lossesBy(u, r.At); {
		case u.svc == nil:
			f.Severity = Warning
			f.What = fmt.Sprintf("AWS stops %s on %s or later, and nothing starts it again", u.object.Name, date(at))
			f.Why = "AWS retires tasks for maintenance of the hosts under them; only tasks of a service are replaced"
		case u.blind && len(losses) == 0:
			f.Severity = Warning
			f.What = fmt.Sprintf("AWS restarts %s on %s or later, and whether that works could not be seen", u.object.Name, date(at))
			f.Why = "AWS retires tasks for maintenance of the hosts under them; not everything it needs could be read"
		case len(losses) == 0:
			f.What = fmt.Sprintf("AWS restarts %s on %s or later, which would work", u.object.Name, date(at))
		default:
			f.Code, f.Severity = RetirementFails, Warning
			f.What = fmt.Sprintf("AWS restarts %s on %s or later, which may fail", u.object.Name, date(at))
			if certain {
				f.Severity = Error
				f.What = fmt.Sprintf("AWS restarts %s on %s or later, which will fail", u.object.Name, date(at))
			}
			f.Why = "AWS retires tasks for maintenance of the hosts under them, and stops them though no replacement can start: " + list(losses)
			f.Fix = j.rescue(u, "Keep or bring back what it needs before that day")
		}
		j.add(f)
	}
}

// lossesBy names what keeps a user from starting at a time, and says whether
// any of it is certain.
func (j *judge) lossesBy(u *user, at time.Time) (names []string, certain bool) {
	for _, i := range slices.Concat(u.lost, u.losing) {
		f := &j.findings[i]
		if f.Code == ImageRestoring || f.When != nil && f.When.Earliest.After(at) && f.When.Earliest.After(j.o.Now) {
			continue
		}
		names, certain = append(names, fmt.Sprintf("%s (%s)", f.Container, f.Code)), certain || f.Severity == Error
	}
	slices.Sort(names)
	return slices.Compact(names), certain
}
