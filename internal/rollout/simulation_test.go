package rollout

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The simulation is a small ECS that keeps to the documented rules of a rolling
// update, one second a step, with tasks that fail in every way the tracker has
// to tell apart. It knows what really became of the rollout; the tracker sees
// of it what reads with a lag show, in any order, and must never say anything
// else. PLIMSOLL_ROLLOUTS is how many random ones are tried (100,000 take some
// minutes).

// nature is how the tasks of the new revision behave.
type nature string

const (
	good      nature = "good"
	slow      nature = "slow start"            // healthy late, inside its grace period
	flaky     nature = "some tasks die"        // never two in a row
	badZone   nature = "one bad zone"          // tasks in zone b die, and no others
	shortage  nature = "capacity comes late"   // tasks fail to start for a while
	spot      nature = "Spot interruptions"    // running tasks are taken away for a while
	missing   nature = "image missing"         // no task can ever start
	crashes   nature = "crash loop"            // every task dies after a while
	sick      nature = "failing health checks" // ECS stops every task after a while
	nameless  nature = "dies for no known reason"
	simulated        = 40 * 60 // seconds that a rollout is followed at most
	drains           = 35
	settles          = 40 // a task without a health check counts as healthy after so long
)

func (n nature) bad() bool {
	return n == missing || n == crashes || n == sick || n == nameless
}

type simulatedTask struct {
	Task
	starts  int // when it runs
	healthy int // when it is healthy
	dies    int // by itself; never when 0
	stopped int // when ECS told it to
	counted bool
}

type simulation struct {
	now                int
	desired, min, max  int
	nature             nature
	trouble            int // until when it lasts, for natures that pass
	breaker, rollsBack bool
	records, states    bool
	deployments        []*Deployment // the PRIMARY first
	tasks              []*simulatedTask
	events             []Event
	record             *ServiceDeployment
	made               int
	grace              int

	completedAt, turnedAt, supersededAt int // what really happened, 0: it did not
	settledAt                           int // likewise, and has been so ever since
	conclusiveAt                        int // the first task that could not start has ended
	snapshots                           []Observation
}

func seconds(n int) time.Time { return epoch.Add(time.Duration(n) * time.Second) }

func newSimulation(t *rapid.T) *simulation {
	percent := rapid.SampledFrom([][2]int{{100, 200}, {100, 200}, {50, 200}, {50, 100}, {0, 100}, {100, 125}}).Draw(t, "percent")
	s := &simulation{
		desired: rapid.IntRange(1, 6).Draw(t, "desired"),
		min:     percent[0], max: percent[1],
		nature:    rapid.SampledFrom([]nature{good, slow, flaky, badZone, shortage, spot, missing, crashes, sick, nameless}).Draw(t, "nature"),
		trouble:   rapid.IntRange(60, 900).Draw(t, "trouble"),
		breaker:   rapid.Bool().Draw(t, "breaker"),
		rollsBack: rapid.Bool().Draw(t, "rolls back"),
		records:   rapid.Bool().Draw(t, "records"),
		states:    rapid.IntRange(0, 9).Draw(t, "states") > 0,
		grace:     rapid.IntRange(20, 120).Draw(t, "grace"),
	}
	s.breaker = s.breaker && s.states
	s.deployments = []*Deployment{s.deployment(oldID, oldTD)}
	s.deployments[0].RolloutState = s.state(completed)
	for range s.desired {
		task := s.start(s.deployments[0])
		task.starts, task.healthy, task.dies = -100, -50, 0
	}
	s.update(ourID, ourTD)
	return s
}

func (s *simulation) state(name string) string {
	if !s.states {
		return ""
	}
	return name
}

func (s *simulation) deployment(id, td string) *Deployment {
	return &Deployment{ID: id, TaskDefinition: td, Status: primary, RolloutState: s.state(inProgress), UpdatedAt: seconds(s.now)}
}

func (s *simulation) update(id, td string) {
	for _, d := range s.deployments {
		d.Status = "ACTIVE"
	}
	s.deployments = append([]*Deployment{s.deployment(id, td)}, s.deployments...)
	if s.records {
		s.record = &ServiceDeployment{ARN: "record/" + id, TaskDefinition: td, Status: inProgress}
	}
}

func (s *simulation) say(format string, args ...any) {
	e := Event{ID: fmt.Sprint(len(s.events)), At: seconds(s.now), Message: fmt.Sprintf(format, args...)}
	s.events = slices.Insert(slices.Clone(s.events), 0, e)
}

// start makes a task and decides its fate.
func (s *simulation) start(d *Deployment) *simulatedTask {
	s.made++
	n := s.made
	task := &simulatedTask{Task: Task{
		ID: fmt.Sprintf("t%04d", n), StartedBy: d.ID, TaskDefinition: d.TaskDefinition,
		CreatedAt: seconds(s.now), Zone: []string{"a", "b"}[n%2],
	}}
	task.starts = s.now + 8 + n*7%15
	task.healthy = task.starts + settles
	s.tasks = append(s.tasks, task)
	if d.TaskDefinition != ourTD {
		return task
	}
	fail := func(after int, code, reason, cause string, enough int) {
		task.dies = task.starts + after
		task.StopCode, task.StoppedReason = code, reason
		if cause != "" {
			task.Cause = &Cause{ID: cause, Reason: cause, Enough: enough}
		}
	}
	const exited, essential = "EssentialContainerExited", "Essential container in task exited"
	switch s.nature {
	case slow:
		task.healthy = task.starts + s.grace
	case flaky:
		if n%2 == 0 && s.now < s.trouble {
			fail(1+n%30, exited, essential, "exit-error", 2)
		}
	case badZone:
		if task.Zone == "b" && s.now < s.trouble {
			fail(1+n%30, exited, essential, "connection-timeout", 2)
		}
	case shortage:
		if s.now < s.trouble {
			fail(-1, "TaskFailedToStart", "ResourceInitializationError: no network interface", "network-interface", 0)
		}
	case spot:
		if s.now < s.trouble && n%3 > 0 {
			fail(5+n%40, "SpotInterruption", "Your Spot Task was interrupted.", "spot", 0)
		}
	case missing:
		fail(-1, "TaskFailedToStart", "CannotPullContainerError: not found", "image-not-found", 1)
	case crashes:
		fail(1+n%30, exited, essential, "exit-error", 2)
	case sick:
		fail(60, "ServiceSchedulerInitiated", "Task failed ELB health checks in (target-group tg)", "elb-health", 2)
		task.healthy = simulated * 2
	case nameless:
		fail(3+n%9, exited, essential, "", 0)
	}
	return task
}

// end is when the task has stopped, or is never.
func (k *simulatedTask) end() int {
	end := simulated * 2
	if k.dies != 0 {
		end = k.dies
	}
	if k.stopped != 0 {
		end = min(end, k.stopped+drains)
	}
	return end
}

// at is the task as ECS shows it.
func (k *simulatedTask) at(now int) Task {
	t := k.Task
	t.Stopping = k.stopped != 0 && now >= k.stopped
	switch {
	case now >= k.end():
		t.LastStatus, t.Stopping = stopped, true
		if k.stopped != 0 && (k.dies == 0 || k.stopped <= k.dies) {
			t.StopCode, t.StoppedReason, t.Cause = "ServiceSchedulerInitiated", "Scaling activity initiated by (deployment x)", nil
		}
		return t
	case now >= k.starts:
		t.LastStatus = running
	default:
		t.LastStatus = "PENDING"
	}
	t.StopCode, t.StoppedReason, t.Cause = "", "", nil
	return t
}

func (k *simulatedTask) wanted(now int) bool { return k.stopped == 0 && now < k.end() }

func (k *simulatedTask) isHealthy(now int) bool {
	return k.wanted(now) && now >= k.healthy && now >= k.starts
}

// step is one second; every tenth, the scheduler looks.
func (s *simulation) step(alarm bool) {
	s.now++
	for _, task := range s.tasks {
		if s.conclusiveAt == 0 && task.Cause != nil && task.Cause.Enough == 1 && s.now >= task.end() && task.stopped == 0 {
			s.conclusiveAt = s.now
		}
	}
	if alarm && s.deployments[0].ID == ourID && s.deployments[0].RolloutState == inProgress {
		s.turn("ECS deployment failed: alarm detected.")
	}
	if s.now%10 == 0 {
		s.count()
		s.move()
		s.conclude()
	}
	s.snapshots = append(s.snapshots, s.snapshot())
}

func (s *simulation) of(d *Deployment) []*simulatedTask {
	var list []*simulatedTask
	for _, task := range s.tasks {
		if task.StartedBy == d.ID && s.now < task.end() {
			list = append(list, task)
		}
	}
	return list
}

// count counts failures, and trips the circuit breaker.
func (s *simulation) count() {
	d := s.deployments[0]
	for _, task := range s.tasks {
		if task.StartedBy != d.ID {
			continue
		}
		if task.dies != 0 && s.now >= task.dies && task.stopped == 0 && !task.counted {
			task.counted = true
			d.FailedTasks++
			d.UpdatedAt = seconds(s.now)
		}
	}
	for _, task := range s.of(d) {
		if task.isHealthy(s.now) {
			d.FailedTasks = 0
		}
	}
	if s.breaker && d.RolloutState == inProgress && d.FailedTasks >= breakerThreshold(s.desired) {
		s.turn("ECS deployment circuit breaker: tasks failed to start.")
	}
}

// turn ends the PRIMARY deployment as failed, and puts the old one back.
func (s *simulation) turn(reason string) {
	d := s.deployments[0]
	s.turnedAt = cmp.Or(s.turnedAt, s.now)
	d.RolloutState, d.RolloutReason, d.UpdatedAt = failed, reason, seconds(s.now)
	s.say("(service web) (deployment %s) deployment failed: tasks failed to start.", d.ID)
	i := slices.IndexFunc(s.deployments, func(d *Deployment) bool { return d.ID == oldID })
	if s.record != nil {
		r := *s.record
		r.Status, r.RollbackReason = "STOPPED", reason
		if s.rollsBack && i > 0 {
			r.Status = "ROLLBACK_IN_PROGRESS"
		}
		s.record = &r
	}
	if !s.rollsBack || i <= 0 {
		return
	}
	old := s.deployments[i]
	d.Status, old.Status = "ACTIVE", primary
	old.RolloutState, old.RolloutReason, old.UpdatedAt = inProgress, "ECS deployment circuit breaker: rolling back.", seconds(s.now)
	s.deployments = append([]*Deployment{old}, slices.Delete(s.deployments, i, i+1)...)
}

func (s *simulation) move() {
	first := s.deployments[0]
	if first.RolloutState == failed {
		return
	}
	lower, upper := (s.desired*s.min+99)/100, s.desired*s.max/100
	live, healthyNow := 0, 0
	for _, task := range s.tasks {
		if s.now < task.end() {
			live++
		}
		if task.isHealthy(s.now) {
			healthyNow++
		}
	}
	have := 0
	for _, task := range s.of(first) {
		if task.wanted(s.now) {
			have++
		}
	}
	for ; have < s.desired && live < upper; have, live = have+1, live+1 {
		s.start(first)
		first.UpdatedAt = seconds(s.now)
	}
	for _, d := range s.deployments[1:] {
		for _, task := range s.of(d) {
			if !task.wanted(s.now) {
				continue
			}
			if task.isHealthy(s.now) {
				if healthyNow <= lower {
					continue
				}
				healthyNow--
			}
			task.stopped = s.now
			d.UpdatedAt = seconds(s.now)
		}
	}
}

func (s *simulation) conclude() {
	first := s.deployments[0]
	if first.RolloutState == failed {
		return
	}
	s.deployments = slices.DeleteFunc(s.deployments, func(d *Deployment) bool { return d != first && len(s.of(d)) == 0 })
	mine := s.of(first)
	if len(s.deployments) > 1 || len(mine) != s.desired || slices.ContainsFunc(mine, func(k *simulatedTask) bool { return !k.isHealthy(s.now) }) {
		return
	}
	if first.RolloutState == s.state(inProgress) && first.RolloutReason != "done" {
		first.RolloutState, first.RolloutReason, first.UpdatedAt = s.state(completed), "done", seconds(s.now)
		s.say("(service web) (deployment %s) deployment completed.", first.ID)
		if s.record != nil && s.record.Status == inProgress {
			r := *s.record
			r.Status = "SUCCESSFUL"
			s.record = &r
		}
	}
}

func (s *simulation) snapshot() Observation {
	o := Observation{At: seconds(s.now), ServiceDeployment: s.record, Tasks: []Task{}}
	o.Service = Service{Status: "ACTIVE", Desired: s.desired, Events: s.events, MinHealthyPercent: s.min}
	for _, d := range s.deployments {
		shown := *d
		for _, task := range s.of(d) {
			switch task.at(s.now).LastStatus {
			case running:
				shown.Running++
			case "PENDING":
				shown.Pending++
			}
			if task.wanted(s.now) {
				shown.Desired++
			}
		}
		if d.Status == primary {
			shown.Desired = s.desired
		}
		o.Service.Running += shown.Running
		o.Service.Pending += shown.Pending
		o.Service.Deployments = append(o.Service.Deployments, shown)
		if s.done(shown) && len(s.deployments) == 1 && d.TaskDefinition == ourTD {
			s.completedAt, s.settledAt = cmp.Or(s.completedAt, s.now), cmp.Or(s.settledAt, s.now)
		} else {
			s.settledAt = 0
		}
	}
	for _, task := range s.tasks {
		o.Tasks = append(o.Tasks, task.at(s.now))
	}
	return o
}

// done is what the SDK's own waiter takes for stable where ECS gives no states,
// and ECS's word elsewhere.
func (s *simulation) done(d Deployment) bool {
	if !s.states {
		return d.Running == s.desired && d.Pending == 0
	}
	return d.RolloutState == completed
}

// look is what reads show that are up to three seconds old, each by itself.
func (s *simulation) look(lags uint64) Observation {
	age := func(shift int) Observation {
		return s.snapshots[max(0, len(s.snapshots)-1-int(lags>>shift&3))]
	}
	o := age(0)
	o.Tasks, o.ServiceDeployment = age(2).Tasks, age(4).ServiceDeployment
	if lags>>6&3 == 3 {
		o.Tasks, o.ServiceDeployment = nil, nil // not read this time
	}
	return o
}

func TestSimulatedRollouts(t *testing.T) {
	rollouts := 500
	if n, err := strconv.Atoi(os.Getenv("PLIMSOLL_ROLLOUTS")); err == nil {
		rollouts = n
	}
	checks := flag.Lookup("rapid.checks")
	before := checks.Value.String()
	if err := checks.Value.Set(strconv.Itoa(rollouts)); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = checks.Value.Set(before) }()
	came := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		outcome, rule := simulate(t)
		came[fmt.Sprintf("%s by %s", outcome, rule)]++
	})
	t.Log(came)
}

// simulate follows one random rollout and holds the verdict against the truth.
func simulate(t *rapid.T) (Outcome, string) {
	s := newSimulation(t)
	disturbed := rapid.SampledFrom([]string{"", "", "", "", "superseded", "sent again", "alarm"}).Draw(t, "disturbance")
	when := rapid.IntRange(3, 200).Draw(t, "when")
	start := Start{
		DeploymentID: ourID, TaskDefinition: ourTD, EarlierServiceDeployment: "before",
		Until: rapid.SampledFrom([]Goal{Completed, Healthy}).Draw(t, "until"),
	}
	start.Answer = s.snapshot().Service
	s.snapshots = append(s.snapshots, s.snapshot())
	reads := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "reads"), 0))
	tracker := Follow(start)
	for s.now < simulated && !tracker.Verdict().Final() {
		s.step(disturbed == "alarm" && s.now == when)
		if s.now == when && s.deployments[0].RolloutState != failed {
			switch disturbed {
			case "superseded":
				s.update(otherID, otherTD)
				s.supersededAt = s.now
			case "sent again":
				s.update(otherID, ourTD)
			}
			s.snapshots = append(s.snapshots, s.snapshot())
		}
		if s.now%2 == 0 {
			tracker.Observe(s.look(reads.Uint64()))
		}
	}
	s.hold(t, tracker, start.Until)
	v := tracker.Verdict()
	return v.Outcome, v.Rule
}

// bound is how many seconds after the evidence the verdict may come: a look
// every two seconds, reads three seconds old, and some that fail.
const bound = 30

func (s *simulation) hold(t *rapid.T, tracker *Tracker, until Goal) {
	v := tracker.Verdict()
	switch v.Outcome {
	case Stable:
		if s.completedAt == 0 && !(until == Healthy && s.healthyNow()) {
			t.Fatalf("stable by %s at %d, and it is not: %s", v.Rule, s.now, tracker.describe())
		}
	case Failed:
		if !s.nature.bad() && s.turnedAt == 0 {
			t.Fatalf("failed by %s at %d (%s), though it is %s", v.Rule, s.now, v.Reason, s.nature)
		}
	case Superseded:
		if s.supersededAt == 0 {
			t.Fatalf("superseded at %d, and by nothing", s.now)
		}
	default:
		for what, at := range map[string]int{"completed": s.settledAt, "turned": s.turnedAt, "superseded": s.supersededAt, "could not start": s.conclusiveAt} {
			if at != 0 && s.now-at > bound {
				t.Fatalf("%s at %d, and no verdict by %d: %s", what, at, s.now, tracker.describe())
			}
		}
	}
	for _, late := range []struct {
		outcome Outcome
		at      int
	}{{Stable, s.settledAt}, {Failed, s.conclusiveAt}, {Superseded, s.supersededAt}} {
		if v.Outcome == late.outcome && late.at != 0 && s.now-late.at > bound {
			t.Fatalf("%s by %s at %d, %d s after it was true", v.Outcome, v.Rule, s.now, s.now-late.at)
		}
	}
}

// healthyNow is whether as many tasks of ours as desired were healthy within
// the last seconds, which is what reads can show.
func (s *simulation) healthyNow() bool {
	for back := range 6 {
		n := 0
		for _, task := range s.tasks {
			if task.TaskDefinition == ourTD && task.isHealthy(s.now-back) {
				n++
			}
		}
		if n >= s.desired {
			return true
		}
	}
	return false
}
