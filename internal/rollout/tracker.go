package rollout

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Start says what to follow. All of it is what ECS answered, so that nothing
// depends on the clock of this machine.
type Start struct {
	// DeploymentID is the deployment that UpdateService's answer has as
	// PRIMARY. FollowRollback may leave it empty.
	DeploymentID string
	// TaskDefinition is the ARN that should come to run. FollowRollback may
	// leave it empty: ECS then chooses.
	TaskDefinition string
	// Answer is the service in UpdateService's answer: every other deployment
	// in it was there before ours, its events are old news, and a read that
	// is older than it proves nothing.
	Answer Service
	// EarlierServiceDeployment is the ARN of the service deployment that was
	// current before the update, "" when there was none.
	EarlierServiceDeployment string
	// KnownTasks are the tasks of this deployment that there were before the
	// update, where that goes on with it; they prove nothing about it.
	KnownTasks []string
	// Until is how far the deployment has to come; the zero value is Completed.
	Until Goal
	// FailAfter is how many distinct tasks must fail of one cause that a retry
	// might mend, before it counts as proved; 0 leaves it to the [Cause].
	FailAfter int
	// ImageTags names the image tag of task definitions, by ARN, for the View.
	ImageTags map[string]string
	// Usual is how long rollouts of this service take, for the View.
	Usual time.Duration
}

// Goal is what a deployment is followed to.
type Goal int

// The goals.
const (
	Completed Goal = iota // the old tasks are gone and ECS has completed it
	Healthy               // the new tasks are all healthy; the old ones may still drain
)

// Tracker follows one deployment. It is not safe for concurrent use.
type Tracker struct {
	start    Start
	rollback bool
	known    []Deployment // rollback: what was there when it began

	ours    []string // the deployment's id, and those of later deployments of the same revision
	service Service  // the newest that was read
	record  *ServiceDeployment
	tasks   []Task
	targets *Targets

	caughtUp    bool                 // a read is known to be newer than the update
	lastEvent   time.Time            // newest event seen
	seenEvents  map[string]bool      // by id
	updated     map[string]time.Time // deployments' UpdatedAt, newest seen
	failures    map[string]Task      // failed tasks of ours, by task id
	saidFailed  string               // ECS's event that ours failed
	lookedGone  int                  // reads in a row without ours
	lookedBack  int                  // rollback: reads in a row that look done
	progress    string               // the last progress told
	steps       string               // the states of the tasks that went with it
	toldFailure map[string]bool
	toldHold    string // id of the hook
	verdict     Verdict
}

// Follow tracks a deployment that an update has started.
func Follow(s Start) *Tracker {
	t := &Tracker{
		start:       s,
		service:     s.Answer,
		seenEvents:  map[string]bool{},
		updated:     map[string]time.Time{},
		failures:    map[string]Task{},
		toldFailure: map[string]bool{},
	}
	if s.DeploymentID != "" {
		t.ours = []string{s.DeploymentID}
	}
	for _, id := range s.KnownTasks {
		t.toldFailure[id] = true
	}
	t.remember(s.Answer)
	return t
}

// FollowRollback tracks the way back to a task definition after a failure.
// ECS's own rollback makes the old deployment, under its old id, PRIMARY
// again; a rollback by UpdateService has a new id. So any deployment of the
// wanted revision is taken for the rollback, except the one that failed.
func FollowRollback(s Start, failedIDs ...string) *Tracker {
	t := Follow(s)
	t.rollback = true
	t.known = s.Answer.Deployments
	t.start.Answer.Deployments = slices.DeleteFunc(slices.Clone(s.Answer.Deployments), func(d Deployment) bool {
		return !slices.Contains(failedIDs, d.ID)
	})
	return t
}

// NewsKind is the kind of a [News].
type NewsKind int

// What a look can bring.
const (
	Moved      NewsKind = iota + 1 // counts or states changed: Message says how
	Said                           // ECS wrote an event: Message is its text
	TaskFailed                     // a task of ours failed: TaskID
	Stepped                        // a task took a step that no count shows: Message as it was
	Held                           // a hook waits for somebody's answer: Message says which; the View has the Hold
)

// News is one thing that a look brought.
type News struct {
	Kind    NewsKind
	Message string
	TaskID  string
}

// Observe takes a look and says what is new in it, oldest first. After the
// verdict there is no more news.
func (t *Tracker) Observe(o Observation) []News {
	if t.verdict.Final() {
		return nil
	}
	var news []News
	fresh := !t.stale(o.Service)
	if fresh {
		t.service = o.Service
		t.adopt()
		news = append(news, t.newEvents(o.Service.Events)...)
		t.countLooks()
		t.remember(o.Service)
	}
	if r := o.ServiceDeployment; t.isOurs(r) && !t.older(r) {
		t.record = r
	}
	if o.Tasks != nil && (fresh || t.tasks == nil) {
		t.tasks = o.Tasks
	}
	if o.Targets != nil {
		t.targets = o.Targets
	}
	news = append(news, t.newFailures(o.Tasks)...)
	switch line, steps := t.describe(), t.states(); {
	case !fresh:
	case line != t.progress:
		t.progress, t.steps = line, steps
		news = append(news, News{Kind: Moved, Message: line})
	case steps != t.steps:
		t.steps = steps
		news = append(news, News{Kind: Stepped, Message: line})
	}
	news = append(news, t.newHold()...)
	t.verdict = t.judge()
	return news
}

// Verdict is what the deployment has come to so far.
func (t *Tracker) Verdict() Verdict { return t.verdict }

// NearlyDone reports whether the next look may bring success: all of ours run,
// and what is left is for ECS to find them healthy or to let the old ones go.
func (t *Tracker) NearlyDone() bool {
	d, listed := t.current()
	return listed && d.Status == primary && d.Running == d.Desired && d.Pending == 0
}

// Usurper is the deployment that a service moves to, if that is neither ours
// nor one from before: somebody has deployed another revision since.
func (t *Tracker) Usurper(s Service) (Deployment, bool) {
	p, ok := s.Primary()
	if !ok || slices.Contains(t.ours, p.ID) || t.earlier(p.ID) || p.TaskDefinition == t.start.TaskDefinition {
		return Deployment{}, false
	}
	return p, true
}

// Mine reports whether a task was started by the deployment being followed.
func (t *Tracker) Mine(task Task) bool { return slices.Contains(t.ours, task.StartedBy) }

// Failed are the ids of the tasks of ours that have failed.
func (t *Tracker) Failed() []string { return slices.Sorted(maps.Keys(t.failures)) }

// IDs are the deployments that count as ours, the newest last.
func (t *Tracker) IDs() []string { return slices.Clone(t.ours) }

// TaskDefinition is the ARN that should come to run, "" while a rollback that
// ECS leads has not shown where it goes.
func (t *Tracker) TaskDefinition() string { return t.start.TaskDefinition }

// stale reports whether a read is older than one before it. ECS's reads lag
// now and then by about a second. A service's events only grow, and the time
// of a deployment's last change only moves forward: a read that goes back in
// either is an old one.
func (t *Tracker) stale(s Service) bool {
	if newestEvent(s.Events).Before(t.lastEvent) {
		return true
	}
	return slices.ContainsFunc(s.Deployments, func(d Deployment) bool {
		return !d.UpdatedAt.IsZero() && d.UpdatedAt.Before(t.updated[d.ID])
	})
}

func (t *Tracker) remember(s Service) {
	for _, e := range s.Events {
		t.seenEvents[e.ID] = true
	}
	if at := newestEvent(s.Events); at.After(t.lastEvent) {
		t.lastEvent = at
	}
	for _, d := range s.Deployments {
		if d.UpdatedAt.After(t.updated[d.ID]) {
			t.updated[d.ID] = d.UpdatedAt
		}
	}
}

func newestEvent(events []Event) time.Time {
	var newest time.Time
	for _, e := range events {
		if e.At.After(newest) {
			newest = e.At
		}
	}
	return newest
}

// adopt follows a deployment that somebody else started of our own revision:
// a Terraform run that sends the task definition again makes a new deployment
// id, and that is no reason to call ours superseded. A rollback that ECS leads
// goes where ECS says.
func (t *Tracker) adopt() {
	p, ok := t.service.Primary()
	if !ok || t.earlier(p.ID) || slices.Contains(t.ours, p.ID) {
		return
	}
	if t.rollback && t.start.TaskDefinition == "" && t.leadsBack(p) {
		t.start.TaskDefinition = p.TaskDefinition
	}
	if p.TaskDefinition == t.start.TaskDefinition {
		t.ours = append(t.ours, p.ID)
	}
}

// leadsBack reports whether a deployment is where ECS can have rolled back to:
// one that was there, or the revision that ECS's record names. Anything else
// somebody has deployed meanwhile.
func (t *Tracker) leadsBack(p Deployment) bool {
	if t.record != nil && t.record.RolledBackTo != "" {
		return t.record.RolledBackTo == p.TaskDefinition
	}
	old := slices.DeleteFunc(slices.Clone(t.known), func(d Deployment) bool { return t.earlier(d.ID) })
	return len(old) == 0 || slices.ContainsFunc(old, func(d Deployment) bool {
		return d.ID == p.ID || d.TaskDefinition == p.TaskDefinition
	})
}

// earlier reports whether a deployment was there before ours.
func (t *Tracker) earlier(id string) bool {
	return !slices.Contains(t.ours, id) && slices.ContainsFunc(t.start.Answer.Deployments, func(d Deployment) bool { return d.ID == id })
}

// current is the newest of our deployments that the service still lists.
func (t *Tracker) current() (Deployment, bool) {
	for _, id := range slices.Backward(t.ours) {
		for _, d := range t.service.Deployments {
			if d.ID == id {
				return d, true
			}
		}
	}
	return Deployment{}, false
}

// others are the deployments that are not ours.
func (t *Tracker) others() []Deployment {
	return slices.DeleteFunc(slices.Clone(t.service.Deployments), func(d Deployment) bool {
		return slices.Contains(t.ours, d.ID) || d.Status == inactive
	})
}

// countLooks keeps what the rules that must not trust one look need.
func (t *Tracker) countLooks() {
	d, listed := t.current()
	switch {
	case listed:
		t.lookedGone = 0
		// An update in place (a new desired count) keeps the id, so the count
		// itself, or a later change, shows that the read knows of it.
		before := slices.IndexFunc(t.start.Answer.Deployments, func(a Deployment) bool { return a.ID == d.ID })
		if t.service.Desired == t.start.Answer.Desired ||
			before >= 0 && d.UpdatedAt.After(t.start.Answer.Deployments[before].UpdatedAt) {
			t.caughtUp = true
		}
	case t.caughtUp:
		t.lookedGone++
	}
	if t.settled() {
		t.lookedBack++
	} else {
		t.lookedBack = 0
	}
}

// isOurs reports whether ECS's record of a rollout is that of ours: not the
// one that was current before, and to our revision.
func (t *Tracker) isOurs(r *ServiceDeployment) bool {
	return r != nil && r.ARN != t.start.EarlierServiceDeployment &&
		(r.TaskDefinition == t.start.TaskDefinition || t.rollback)
}

// older reports whether a record was read before the one that is known: a
// rollout that is over does not go on.
func (t *Tracker) older(r *ServiceDeployment) bool {
	return t.record != nil && t.record.ARN == r.ARN && t.record.over() && !r.over()
}

func (t *Tracker) newEvents(events []Event) []News {
	var news []News
	for _, e := range slices.Backward(events) { // ECS lists the newest first
		if t.seenEvents[e.ID] {
			continue
		}
		news = append(news, News{Kind: Said, Message: e.Message})
		for _, id := range t.ours {
			// "(service S) (deployment ecs-svc/N) deployment failed: tasks failed to start."
			if strings.Contains(e.Message, "(deployment "+id+") deployment failed") {
				t.saidFailed = e.Message
			}
		}
	}
	return news
}

func (t *Tracker) newFailures(tasks []Task) []News {
	var news []News
	for _, task := range tasks {
		if !t.Mine(task) || !task.Failed() || slices.Contains(t.start.KnownTasks, task.ID) {
			continue
		}
		if t.failures[task.ID].Cause == nil {
			t.failures[task.ID] = task
		}
		if !t.toldFailure[task.ID] {
			t.toldFailure[task.ID] = true
			news = append(news, News{Kind: TaskFailed, TaskID: task.ID, Message: task.StoppedReason})
		}
	}
	return news
}

// describe puts the counts into one line.
func (t *Tracker) describe() string {
	v := t.View()
	if v.DeploymentID == "" {
		return "waiting for the deployment to show"
	}
	line := fmt.Sprintf("%d of %d running", v.New.Running, v.Desired)
	if v.New.Pending > 0 {
		line += fmt.Sprintf(", %d pending", v.New.Pending)
	}
	if v.FailedTasks > 0 {
		line += fmt.Sprintf(", %d failed", v.FailedTasks)
	}
	old := 0
	for _, g := range v.Old {
		old += g.Running
	}
	if old > 0 {
		line += fmt.Sprintf(", %d old still running", old)
	}
	if v.Stage != "" {
		line += ", " + v.Stage
	}
	return line
}

// states is what the counts do not say: the state of every task, and of the
// targets.
func (t *Tracker) states() string {
	var b strings.Builder
	for _, task := range t.tasks {
		fmt.Fprintln(&b, task.ID, task.LastStatus, task.Health)
	}
	if t.targets != nil {
		fmt.Fprintln(&b, *t.targets)
	}
	return b.String()
}

// View is the rollout as last seen.
func (t *Tracker) View() View {
	d, listed := t.current()
	if !listed {
		d = Deployment{TaskDefinition: t.start.TaskDefinition, Desired: t.service.Desired}
	}
	v := View{
		DeploymentID: d.ID,
		RolloutState: d.RolloutState,
		Desired:      d.Desired,
		FailedTasks:  max(d.FailedTasks, len(t.failures)),
		New:          t.group(d),
		Targets:      t.targets,
		Usual:        t.start.Usual,
	}
	if s := t.service; s.MaxPercent > 0 && d.Desired > 0 && !t.record.shiftsTraffic() {
		v.Bounds = bounds(d.Desired, s.MinHealthyPercent, s.MaxPercent)
	}
	for _, o := range t.others() {
		v.Old = append(v.Old, t.group(o))
	}
	if len(t.service.Events) > 0 {
		v.LastEvent = t.service.Events[0].Message
	}
	if t.record.shiftsTraffic() && d.RolloutState == "IN_PROGRESS" {
		v.Stage, v.Hold = stageName(t.record.Stage), t.record.hold()
		if v.Hold != nil {
			v.Stage += ", held"
		}
	}
	return v
}

// stageName is a lifecycle stage as people read it.
func stageName(stage string) string { return strings.ToLower(strings.ReplaceAll(stage, "_", " ")) }

func (t *Tracker) group(d Deployment) Group {
	g := Group{
		TaskDefinition: RevisionName(d.TaskDefinition),
		ImageTag:       t.start.ImageTags[d.TaskDefinition],
		Running:        d.Running,
		Pending:        d.Pending,
	}
	var tasks []Task
	for _, task := range t.tasks {
		if task.StartedBy == d.ID && d.ID != "" {
			tasks = append(tasks, task)
		}
	}
	slices.SortStableFunc(tasks, func(a, b Task) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	known := checked(t.tasks)
	for _, task := range tasks {
		health := task.Health
		if health == "UNKNOWN" && !known {
			health = ""
		}
		g.Tasks = append(g.Tasks, TaskState{ID: task.ID, Status: task.LastStatus, Health: health})
	}
	return g
}
