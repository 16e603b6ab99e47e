package audit

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// retired is one announced end of somebody's tasks.
type retired struct {
	retirement *Retirement
	object     Object
	user       *user // nil for a service that was not among what was read
}

// retired matches announcements to whom they hit. An event names services, or
// tasks, and comes more than once: each is hit once by it.
func (j *judge) retired() []retired {
	users := map[string]*user{}
	for _, u := range j.users {
		if u.object.Kind != ScheduleObject {
			users[u.object.key()] = u
		}
	}
	tasks := map[string]*Task{}
	for i := range j.fleet.Tasks {
		tasks[j.fleet.Tasks[i].ARN] = &j.fleet.Tasks[i]
	}
	var hits []retired
	for i := range j.fleet.Retirements {
		r := &j.fleet.Retirements[i]
		if r.Service != "" {
			o := serviceObject(r.Place, r.Cluster, r.Service)
			hits = append(hits, retired{r, o, users[o.key()]})
		}
		for _, arn := range r.Tasks {
			if t := tasks[arn]; t != nil { // else it has stopped already
				o := userOf(t)
				hits = append(hits, retired{r, o, users[o.key()]})
			}
		}
	}
	slices.SortStableFunc(hits, func(a, b retired) int {
		return cmp.Or(strings.Compare(a.retirement.Event, b.retirement.Event), strings.Compare(a.object.key(), b.object.key()), a.retirement.At.Compare(b.retirement.At))
	})
	return slices.CompactFunc(hits, func(a, b retired) bool {
		return a.retirement.Event == b.retirement.Event && a.object.key() == b.object.key()
	})
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
	for _, hit := range j.hits {
		at := later(hit.retirement.At, j.o.Now)
		f := Finding{Code: RetirementComes, Severity: Note, Object: hit.object, Part: path.Base(hit.retirement.Event), When: &When{Earliest: at, Likely: at, Latest: at}}
		if hit.user != nil {
			f.Object = hit.user.object
		}
		f.Why = "AWS retires tasks for maintenance of the hosts under them"
		f.Fix = []Fix{{Say: "see what AWS has announced", Command: j.command(hit.object.Place, "plimsoll", "maintenance", "plan")}}
		j.afterRetirement(&f, hit, date(at))
		j.add(f)
	}
}

// afterRetirement finishes a finding with what becomes of the tasks.
func (j *judge) afterRetirement(f *Finding, hit retired, day string) {
	name, u := hit.object.Name, hit.user
	if hit.object.Kind != ServiceObject {
		f.Severity = Warning
		f.What = fmt.Sprintf("AWS stops %s on %s or later, and nothing starts it again", name, day)
		f.Why += "; only tasks of a service are replaced"
		return
	}
	var by []int
	if u != nil {
		by = j.lossesBy(u, hit.retirement)
	}
	losses, certain := j.named(by)
	switch {
	case len(losses) > 0:
		f.Code, f.Severity = RetirementFails, Warning
		f.What = fmt.Sprintf("AWS restarts %s on %s or later, which may fail", name, day)
		if certain {
			f.Severity = Error
			f.What = fmt.Sprintf("AWS restarts %s on %s or later, which will fail", name, day)
		}
		f.Why += ", and stops them though no replacement can start: " + list(losses)
		f.Fix = j.fixesOf(by) // before that day
	case u == nil || u.blind || len(u.uses) == 0:
		f.Severity = Warning
		f.What = fmt.Sprintf("AWS restarts %s on %s or later, and whether that works could not be seen", name, day)
		f.Why += "; not everything that it needs was read"
	default:
		f.What = fmt.Sprintf("AWS restarts %s on %s or later, which would work", name, day)
		f.Why += "; everything that it needs could be pulled then"
		f.Fix = []Fix{{
			Say:     "replace the tasks yourself, at a time that suits you",
			Command: j.command(hit.object.Place, "plimsoll", "maintenance", "run", "--service", name),
		}}
	}
}

// lossesBy are the findings that keep a user from starting when it is retired.
func (j *judge) lossesBy(u *user, r *Retirement) []int {
	var by []int
	for _, i := range slices.Concat(u.lost, u.losing) {
		f := &j.findings[i]
		if f.Code == ImageRestoring || f.When != nil && f.When.Earliest.After(later(r.At, j.o.Now)) {
			continue
		}
		by = append(by, i)
	}
	return by
}

// named are findings by their code and container, and whether any is certain.
func (j *judge) named(findings []int) (names []string, certain bool) {
	for _, i := range findings {
		f := &j.findings[i]
		names, certain = append(names, fmt.Sprintf("%s (%s)", f.Container, f.Code)), certain || f.Severity == Error
	}
	slices.Sort(names)
	return slices.Compact(names), certain
}
