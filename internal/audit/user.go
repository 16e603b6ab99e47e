package audit

import (
	"slices"
	"strings"
	"time"
)

// user is one whose restart is judged.
type user struct {
	object Object
	// cluster and service are what commands name; both are "" for schedules and
	// tasks of their own.
	cluster, service string
	svc              *Service // nil for others
	uses             []use
	idle             bool      // nothing of it runs: a start is judged, not a restart
	minor            bool      // nobody restarts it by himself: a loss is a warning
	byTag            bool      // nothing pins its images
	since            time.Time // start of its oldest task
	until            time.Time // losses up to here are reported
	lost             []int     // findings that keep it from starting now
	losing           []int     // and that will
	blind            bool      // something it needs could not be read
}

// use is one container of a user, of what runs or of an earlier release.
type use struct {
	container Container
	several   bool // the task has more containers than this one
	release   int  // 0 for what runs, else 1 + the index in Before
	target
}

// collect lists everybody whose restart is judged. The fleet's order does not
// show in it: objects are told apart by their names.
func (j *judge) collect() {
	at := map[string]*user{} // services by place and name
	for i := range j.fleet.Services {
		u := j.service(&j.fleet.Services[i])
		j.users = append(j.users, u)
		at[u.object.key()] = u
	}
	alone := map[string]*user{}
	for i := range j.fleet.Tasks {
		t := &j.fleet.Tasks[i]
		if name, ok := strings.CutPrefix(t.Group, "service:"); ok {
			if u := at[serviceObject(t.Place, t.Cluster, name).key()]; u != nil {
				u.startedAt(t.StartedAt)
			}
			j.running(t)
			continue
		}
		j.alone(t, alone)
		j.running(t)
	}
	for i := range j.fleet.Schedules {
		j.schedule(&j.fleet.Schedules[i])
	}
}

func serviceObject(p Place, cluster, name string) Object {
	return Object{Kind: ServiceObject, Place: p, Name: cluster + "/" + name}
}

// key tells objects apart.
func (o Object) key() string {
	return string(o.Kind) + "\x00" + o.Account + "\x00" + o.Region + "\x00" + o.Name
}

func (u *user) startedAt(at time.Time) {
	if !at.IsZero() && (u.since.IsZero() || at.Before(u.since)) {
		u.since = at
	}
}

func (j *judge) service(s *Service) *user {
	u := &user{object: serviceObject(s.Place, s.Cluster, s.Name), cluster: s.Cluster, service: s.Name, svc: s, idle: s.Desired == 0 && s.Running == 0}
	u.object.ARN = s.ARN
	for _, release := range s.Runs {
		j.release(u, release.Containers, 0)
	}
	for i, release := range s.Before {
		if !s.runs(release) {
			j.release(u, release.Containers, i+1)
		}
	}
	return u
}

// runs says whether the service runs a release already.
func (s *Service) runs(r Release) bool {
	for _, running := range s.Runs {
		if r.ARN != "" && r.ARN == running.ARN || r.ARN == "" && r.TaskDefinition == running.TaskDefinition {
			return true
		}
	}
	return false
}

// aloneObject is the object of a task that no service started: tasks of the
// same group and task definition are one.
func aloneObject(t *Task) Object {
	name := shortARN(t.TaskDefinition)
	if t.Group != "" && t.Group != "family:"+familyOf(t.TaskDefinition) {
		name += " (" + t.Group + ")"
	}
	return Object{Kind: TaskObject, Place: t.Place, Name: t.Cluster + "/" + name}
}

// alone adds a task that no service started to its like.
func (j *judge) alone(t *Task, known map[string]*user) {
	o := aloneObject(t)
	k := o.key()
	u := known[k]
	if u == nil {
		u = &user{object: o, minor: true, byTag: true}
		known[k] = u
		j.users = append(j.users, u)
	}
	u.startedAt(t.StartedAt)
	for _, c := range t.Containers { // tasks of one definition have the same
		if !slices.ContainsFunc(u.uses, func(known use) bool { return known.container.Name == c.Name && known.container.Image == c.Image }) {
			j.use(u, c, len(t.Containers) > 1, 0)
		}
	}
}

// running marks the images of a task as used, whatever its service is pinned
// to by now.
func (j *judge) running(t *Task) {
	for _, c := range t.Containers {
		if c.Digest == "" {
			continue
		}
		if target := j.registries.aim(c, false); target.standing == there {
			target.repo.held = append(target.repo.held, target.image)
		}
	}
}

func (j *judge) schedule(s *Schedule) {
	u := &user{
		object: Object{Kind: ScheduleObject, Place: s.Place, Name: s.Name, ARN: s.ARN},
		byTag:  true, idle: true, minor: !s.Enabled,
	}
	j.users = append(j.users, u)
	revision, known := j.revision(s)
	if !known {
		j.definitionGone(u, s, revision)
		return
	}
	j.release(u, revision.Containers, 0)
}

// release adds the containers of one release.
func (j *judge) release(u *user, containers []Container, number int) {
	for _, c := range containers {
		j.use(u, c, len(containers) > 1, number)
	}
}

func (j *judge) use(u *user, c Container, several bool, release int) {
	t := j.registries.aim(c, u.byTag)
	u.uses = append(u.uses, use{container: c, several: several, release: release, target: t})
	if t.standing == there {
		t.repo.uses = append(t.repo.uses, imageUse{t.image, u, release > 0})
	}
}

// revision is the task definition that a schedule runs: a family means its
// newest ACTIVE revision, and RunTask refuses an INACTIVE one.
func (j *judge) revision(s *Schedule) (*Revision, bool) {
	if r, ok := j.fleet.Definitions[s.TaskDefinition]; ok {
		return &r, r.Active
	}
	r, ok := j.newest[family{s.Place, familyOf(s.TaskDefinition)}]
	if !ok || numbered(s.TaskDefinition) {
		return nil, false
	}
	return &r, true
}

type family struct {
	Place
	name string
}

// newestRevisions are the newest ACTIVE ones of each family.
func newestRevisions(definitions map[string]Revision) map[family]Revision {
	newest := map[family]Revision{}
	for _, r := range definitions {
		key := family{placeOf(r.ARN), r.Family}
		if best, ok := newest[key]; r.Active && (!ok || r.Number > best.Number) {
			newest[key] = r
		}
	}
	return newest
}

// placeOf is the account and region of an ARN.
func placeOf(arn string) Place {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return Place{}
	}
	return Place{Account: parts[4], Region: parts[3]}
}

// shortARN is what follows the first slash of an ARN: "web:7".
func shortARN(arn string) string {
	if _, name, ok := strings.Cut(arn, "/"); ok {
		return name
	}
	return arn
}

func familyOf(definition string) string {
	name, _, _ := strings.Cut(shortARN(definition), ":")
	return name
}

// numbered says whether a task definition is named with its revision.
func numbered(definition string) bool { return strings.Contains(shortARN(definition), ":") }
