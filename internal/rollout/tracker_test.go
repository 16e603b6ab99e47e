package rollout

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const (
	oldID, ourID, otherID = "ecs-svc/1111", "ecs-svc/2222", "ecs-svc/3333"

	oldTD   = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:6"
	ourTD   = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7"
	otherTD = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:8"
)

var epoch = time.Date(2026, 10, 9, 22, 3, 1, 0, time.UTC)

// d writes a deployment as "STATUS STATE running/desired+pending".
func d(id, td, s string) Deployment {
	dep := Deployment{ID: id, TaskDefinition: td}
	var counts string
	if _, err := fmt.Sscan(s, &dep.Status, &dep.RolloutState, &counts); err != nil {
		panic(err)
	}
	if _, err := fmt.Sscanf(counts, "%d/%d+%d", &dep.Running, &dep.Desired, &dep.Pending); err != nil {
		panic(err)
	}
	if dep.RolloutState == "-" {
		dep.RolloutState = ""
	}
	return dep
}

// at is a look some seconds after the update.
func at(seconds int, events []Event, deployments ...Deployment) Observation {
	o := Observation{At: epoch.Add(time.Duration(seconds) * time.Second)}
	o.Service = Service{Status: "ACTIVE", Deployments: deployments, Events: events}
	for i := range deployments {
		deployments[i].UpdatedAt = o.At
		o.Service.Running += deployments[i].Running
		o.Service.Pending += deployments[i].Pending
		if deployments[i].Status == primary {
			o.Service.Desired = deployments[i].Desired
		}
	}
	return o
}

// said makes events of messages, the newest first, as ECS lists them.
func said(messages ...string) []Event {
	var events []Event
	for i, m := range messages {
		events = append([]Event{{ID: m, At: epoch.Add(time.Duration(i) * time.Second), Message: m}}, events...)
	}
	return events
}

func withFailed(dep Deployment, n int) Deployment { dep.FailedTasks = n; return dep }

func withReason(dep Deployment, reason string) Deployment { dep.RolloutReason = reason; return dep }

func (o Observation) with(tasks ...Task) Observation { o.Tasks = tasks; return o }

func (o Observation) recorded(status string) Observation {
	o.ServiceDeployment = &ServiceDeployment{ARN: "ours", TaskDefinition: ourTD, Status: status}
	return o
}

func broken(id string, cause *Cause) Task {
	return Task{ID: id, StartedBy: ourID, LastStatus: stopped, StopCode: "TaskFailedToStart", StoppedReason: "CannotPullContainerError: not found", Cause: cause}
}

// starting is a task of ours that came after the broken ones.
func starting(id string) Task {
	return Task{ID: id, StartedBy: ourID, LastStatus: "PENDING", CreatedAt: epoch.Add(time.Hour)}
}

// updated is the answer of UpdateService: ours is PRIMARY, the old one ACTIVE.
func updated(desired int) Start {
	return Start{
		DeploymentID:   ourID,
		TaskDefinition: ourTD,
		Answer: at(0, nil,
			d(ourID, ourTD, fmt.Sprintf("PRIMARY IN_PROGRESS 0/%d+0", desired)),
			d(oldID, oldTD, fmt.Sprintf("ACTIVE COMPLETED %d/%d+0", desired, desired))).Service,
		EarlierServiceDeployment: "before",
	}
}

type timeline struct {
	name  string
	start Start
	looks []Observation
	want  Verdict // Reason: a part of it
	at    int     // the look that decides; -1: none does
}

func timelines() []timeline {
	const breaker = "ECS deployment circuit breaker: tasks failed to start."
	const back = "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1111."
	old := func(s string) Deployment { return d(oldID, oldTD, s) }
	our := func(s string) Deployment { return d(ourID, ourTD, s) }
	return []timeline{
		{
			name:  "healthy, one task behind a load balancer",
			start: updated(1),
			looks: []Observation{
				at(1, nil, our("PRIMARY IN_PROGRESS 0/1+1"), old("ACTIVE COMPLETED 1/1+0")),
				at(40, nil, our("PRIMARY IN_PROGRESS 1/1+0"), old("ACTIVE COMPLETED 1/1+0")),
				at(91, nil, our("PRIMARY IN_PROGRESS 1/1+0"), old("ACTIVE COMPLETED 0/0+0")),
				at(153, said("(service web) (deployment ecs-svc/2222) deployment completed.", "(service web) has reached a steady state."),
					our("PRIMARY COMPLETED 1/1+0")),
			},
			want: Verdict{Outcome: Stable}, at: 3,
		},
		{
			name:  "A: the tag does not exist, the breaker rolls back after eleven minutes",
			start: updated(1),
			looks: []Observation{
				at(154, nil, withFailed(our("PRIMARY IN_PROGRESS 0/1+1"), 1), old("ACTIVE COMPLETED 1/1+0")),
				at(286, nil, withFailed(our("PRIMARY IN_PROGRESS 0/1+1"), 2), old("ACTIVE COMPLETED 1/1+0")),
				at(704, nil, withReason(old("PRIMARY IN_PROGRESS 1/1+0"), back), withReason(withFailed(our("ACTIVE FAILED 0/0+0"), 3), breaker)),
			},
			want: Verdict{Outcome: Failed, Reason: "tasks failed to start", RollingBack: true, TaskDefinition: oldTD}, at: 2,
		},
		{
			name:  "A with diagnosis: one task proves that the image does not exist",
			start: updated(1),
			looks: []Observation{
				at(154, nil, withFailed(our("PRIMARY IN_PROGRESS 0/1+1"), 1), old("ACTIVE COMPLETED 1/1+0")).
					with(broken("t1", &Cause{ID: "image-not-found", Reason: "the tag is not in the repository", Enough: 1})),
			},
			want: Verdict{Outcome: Failed, Reason: "not in the repository"}, at: 0,
		},
		{
			name:  "B: exit 1 at start, seen on the same task twice, then on a second one",
			start: updated(1),
			looks: []Observation{
				at(20, nil, our("PRIMARY IN_PROGRESS 1/1+0"), old("ACTIVE COMPLETED 1/1+0")).with(broken("t1", &Cause{ID: "exit-1", Reason: "exits with 1", Enough: 2})),
				at(40, nil, our("PRIMARY IN_PROGRESS 0/1+1"), old("ACTIVE COMPLETED 1/1+0")).with(broken("t1", &Cause{ID: "exit-1", Reason: "exits with 1", Enough: 2})),
				at(72, nil, our("PRIMARY IN_PROGRESS 0/1+1"), old("ACTIVE COMPLETED 1/1+0")).with(
					broken("t2", &Cause{ID: "exit-1", Reason: "exits with 1", Enough: 2}), starting("t3")),
			},
			want: Verdict{Outcome: Failed, Reason: "exits with 1"}, at: 2,
		},
		{
			name:  "C: the load balancer gets 500, ECS replaces three tasks and trips",
			start: updated(1),
			looks: []Observation{
				at(60, nil, our("PRIMARY IN_PROGRESS 1/1+0"), old("ACTIVE COMPLETED 1/1+0")),
				at(400, nil, our("PRIMARY IN_PROGRESS 1/1+1"), old("ACTIVE COMPLETED 1/1+0")).with(
					Task{ID: "t1", StartedBy: ourID, LastStatus: stopped, StopCode: "ServiceSchedulerInitiated", StoppedReason: "Task failed ELB health checks in (target-group tg)"}),
				at(612, said("(service web) (deployment ecs-svc/2222) deployment failed: tasks failed to start."),
					withReason(old("PRIMARY COMPLETED 1/1+0"), "ECS deployment ecs-svc/1111 completed.")),
			},
			want: Verdict{Outcome: Failed, Reason: "deployment failed", RollingBack: true, TaskDefinition: oldTD}, at: 2,
		},
		{
			name:  "breaker without rollback: ours stays PRIMARY and FAILED",
			start: updated(1),
			looks: []Observation{at(300, nil, withReason(our("PRIMARY FAILED 0/1+0"), breaker), old("ACTIVE COMPLETED 1/1+0"))},
			want:  Verdict{Outcome: Failed, Reason: breaker[:len(breaker)-1]}, at: 0,
		},
		{
			name:  "no breaker: three tasks failed and none runs",
			start: updated(1),
			looks: []Observation{
				at(300, nil, withFailed(our("PRIMARY IN_PROGRESS 0/1+1"), 2), old("ACTIVE COMPLETED 1/1+0")),
				at(400, nil, withFailed(our("PRIMARY IN_PROGRESS 0/1+1"), 3), old("ACTIVE COMPLETED 1/1+0")),
			},
			want: Verdict{Outcome: Failed, Reason: "3 tasks failed"}, at: 1,
		},
		{
			name:  "two failures and a healthy task are no failure",
			start: updated(4),
			looks: []Observation{
				at(100, nil, withFailed(our("PRIMARY IN_PROGRESS 1/4+1"), 3), old("ACTIVE COMPLETED 4/4+0")),
				at(200, nil, our("PRIMARY COMPLETED 4/4+0")),
			},
			want: Verdict{Outcome: Stable}, at: 1,
		},
		{
			name:  "another pipeline deploys",
			start: updated(1),
			looks: []Observation{at(10, nil, d(otherID, otherTD, "PRIMARY IN_PROGRESS 0/1+0"), our("ACTIVE IN_PROGRESS 0/0+0"), old("ACTIVE COMPLETED 1/1+0"))},
			want:  Verdict{Outcome: Superseded, Reason: "web:8", TaskDefinition: otherTD}, at: 0,
		},
		{
			name:  "terraform sends our revision again",
			start: updated(1),
			looks: []Observation{
				at(10, nil, d(otherID, ourTD, "PRIMARY IN_PROGRESS 0/1+0"), our("ACTIVE IN_PROGRESS 0/0+0"), old("ACTIVE COMPLETED 1/1+0")),
				at(99, nil, d(otherID, ourTD, "PRIMARY COMPLETED 1/1+0")),
			},
			want: Verdict{Outcome: Stable}, at: 1,
		},
		{
			name:  "reads from before the update prove nothing",
			start: updated(1),
			looks: []Observation{
				at(-2, nil, old("PRIMARY COMPLETED 1/1+0")),
				at(-1, nil, old("PRIMARY COMPLETED 1/1+0")),
				at(99, nil, our("PRIMARY COMPLETED 1/1+0")),
			},
			want: Verdict{Outcome: Stable}, at: 2,
		},
		{
			name:  "ECS's record says rollback before the list does",
			start: updated(1),
			looks: []Observation{at(60, nil, our("PRIMARY IN_PROGRESS 0/1+1"), old("ACTIVE COMPLETED 1/1+0")).recorded("ROLLBACK_REQUESTED")},
			want:  Verdict{Outcome: Failed, RollingBack: true}, at: 0,
		},
		{
			name:  "early success leaves old tasks: not stable until they are gone",
			start: updated(2),
			looks: []Observation{
				at(60, nil, our("PRIMARY IN_PROGRESS 2/2+0"), old("ACTIVE COMPLETED 1/1+0")).recorded("SUCCESSFUL"),
				at(90, nil, our("PRIMARY IN_PROGRESS 2/2+0")),
			},
			want: Verdict{Outcome: Stable}, at: 1,
		},
		{
			name:  "no rollout state: one deployment, running as desired",
			start: updated(1),
			looks: []Observation{
				at(60, nil, our("PRIMARY - 1/1+0"), old("ACTIVE - 0/0+0")),
				at(90, nil, our("PRIMARY - 1/1+0")),
			},
			want: Verdict{Outcome: Stable}, at: 1,
		},
		{
			name: "scale out in place: the count of the answer must show first",
			start: Start{DeploymentID: oldID, TaskDefinition: oldTD,
				Answer: at(0, nil, old("PRIMARY COMPLETED 1/3+0")).Service},
			looks: []Observation{
				at(0, nil, old("PRIMARY COMPLETED 1/1+0")),
				at(10, nil, old("PRIMARY COMPLETED 1/3+2")),
				at(50, nil, old("PRIMARY COMPLETED 3/3+0")),
			},
			want: Verdict{Outcome: Stable}, at: 2,
		},
		{
			name: "tasks that had stopped before a scale-out are no evidence",
			start: Start{DeploymentID: ourID, TaskDefinition: ourTD, KnownTasks: []string{"t1"},
				Answer: at(0, nil, our("PRIMARY COMPLETED 0/1+0")).Service},
			looks: []Observation{
				at(9, nil, our("PRIMARY COMPLETED 0/1+1")).with(broken("t1", &Cause{ID: "x", Reason: "gone", Enough: 1})),
			},
			at: -1,
		},
		{
			name:  "the service is deleted",
			start: updated(1),
			looks: []Observation{func() Observation {
				o := at(9, nil, our("PRIMARY IN_PROGRESS 0/0+0"))
				o.Service.Status = "DRAINING"
				return o
			}()},
			want: Verdict{Outcome: Failed, Reason: "being deleted"}, at: 0,
		},
	}
}

func TestTimelines(t *testing.T) {
	for _, tl := range timelines() {
		t.Run(tl.name, func(t *testing.T) {
			tracker := Follow(tl.start)
			for i, o := range tl.looks {
				tracker.Observe(o)
				if got := tracker.Verdict(); got.Final() != (tl.at >= 0 && i >= tl.at) {
					t.Fatalf("after look %d the verdict is %+v", i, got)
				}
			}
			got := tracker.Verdict()
			if !strings.Contains(got.Reason, tl.want.Reason) {
				t.Errorf("reason %q, want a part %q", got.Reason, tl.want.Reason)
			}
			got.Reason, got.Rule = tl.want.Reason, ""
			if got != tl.want {
				t.Errorf("verdict %+v, want %+v", got, tl.want)
			}
		})
	}
}

func TestADeploymentThatVanishesIsNotConcludedFromOneLook(t *testing.T) {
	tracker := Follow(updated(1))
	tracker.Observe(at(1, nil, d(ourID, ourTD, "PRIMARY IN_PROGRESS 0/1+1"), d(oldID, oldTD, "ACTIVE COMPLETED 1/1+0")))
	n := 0
	for ; !tracker.Verdict().Final() && n < 100; n++ {
		tracker.Observe(at(2+n, nil, d(oldID, oldTD, "PRIMARY COMPLETED 1/1+0")))
	}
	if v := tracker.Verdict(); n != lostLooks || v.Outcome != Failed || !v.RollingBack {
		t.Errorf("after %d looks: %+v", n, v)
	}
}

func TestRollbackIsFollowedToItsEnd(t *testing.T) {
	failing := at(60, nil, d(ourID, ourTD, "PRIMARY IN_PROGRESS 0/1+1"), d(oldID, oldTD, "ACTIVE COMPLETED 1/1+0"))
	for _, want := range []string{oldTD, ""} { // "": ECS chooses
		tracker := FollowRollback(Start{TaskDefinition: want, Answer: failing.Service}, ourID)
		tracker.Observe(failing)
		tracker.Observe(at(61, nil, d(oldID, oldTD, "PRIMARY IN_PROGRESS 1/1+0"), d(ourID, ourTD, "ACTIVE FAILED 0/0+1")))
		if v := tracker.Verdict(); v.Final() {
			t.Fatalf("too early: %+v", v)
		}
		for n := range looks {
			tracker.Observe(at(90+n, nil, d(oldID, oldTD, "PRIMARY COMPLETED 1/1+0")))
		}
		if v := tracker.Verdict(); v.Outcome != Stable || tracker.TaskDefinition() != oldTD {
			t.Errorf("verdict %+v of %s", v, tracker.TaskDefinition())
		}
	}
}

func TestRollbackThatFails(t *testing.T) {
	failing := at(60, nil, d(ourID, ourTD, "PRIMARY FAILED 0/1+1"), d(oldID, oldTD, "ACTIVE COMPLETED 1/1+0"))
	tracker := FollowRollback(Start{TaskDefinition: oldTD, Answer: failing.Service}, ourID)
	tracker.Observe(at(99, nil, d(oldID, oldTD, "PRIMARY FAILED 0/1+0"), d(ourID, ourTD, "ACTIVE FAILED 0/0+0")))
	if v := tracker.Verdict(); v.Outcome != Failed {
		t.Errorf("verdict %+v", v)
	}
}

func TestNews(t *testing.T) {
	tracker := Follow(updated(1))
	look := at(1, said("(service web) has started 1 tasks: (task t1)."), d(ourID, ourTD, "PRIMARY IN_PROGRESS 0/1+1"), d(oldID, oldTD, "ACTIVE COMPLETED 1/1+0")).
		with(broken("t1", nil), Task{ID: "t0", StartedBy: oldID, LastStatus: "RUNNING", Health: "UNKNOWN"})
	var kinds []NewsKind
	for _, n := range tracker.Observe(look) {
		kinds = append(kinds, n.Kind)
	}
	if fmt.Sprint(kinds) != fmt.Sprint([]NewsKind{Said, TaskFailed, Moved}) {
		t.Errorf("news %v", kinds)
	}
	if again := tracker.Observe(look); len(again) != 0 {
		t.Errorf("the same look again brought %v", again)
	}
	v := tracker.View()
	if v.New.TaskDefinition != "web:7" || len(v.Old) != 1 || v.Old[0].Tasks[0] != (TaskState{ID: "t0", Status: "RUNNING"}) || v.FailedTasks != 1 {
		t.Errorf("view %+v", v)
	}
}

// The end of a story does not depend on the order in which its reads arrive,
// nor on how often one of them does: old reads are known as old.
func TestOrderAndRepetitionOfReadsDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tl := rapid.SampledFrom(timelines()).Draw(t, "timeline")
		want := tl.want.Outcome
		looks := append([]Observation(nil), tl.looks...)
		for range rapid.IntRange(0, 10).Draw(t, "repeats") {
			looks = append(looks, rapid.SampledFrom(tl.looks).Draw(t, "again"))
		}
		rand.New(rand.NewSource(rapid.Int64().Draw(t, "seed"))).Shuffle(len(looks), func(i, j int) { looks[i], looks[j] = looks[j], looks[i] })
		tracker := Follow(tl.start)
		for _, o := range looks {
			tracker.Observe(o)
		}
		if got := tracker.Verdict().Outcome; got != want {
			t.Fatalf("%s: %q, want %q", tl.name, got, want)
		}
	})
}

// Whatever ECS might answer: a verdict never changes, and success is never
// said while a task of another deployment is left.
func TestVerdictIsFinalAndNeverEarly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// What a deployment runs never changes, so it is drawn once for all looks.
		third := rapid.SampledFrom([]string{ourTD, otherTD}).Draw(t, "td")
		states := rapid.SampledFrom([]string{"", inProgress, completed, failed})
		deployment := rapid.Custom(func(t *rapid.T) Deployment {
			id := rapid.SampledFrom([]string{oldID, ourID, otherID}).Draw(t, "id")
			return Deployment{
				ID:             id,
				Status:         rapid.SampledFrom([]string{primary, "ACTIVE", "DRAINING"}).Draw(t, "status"),
				TaskDefinition: map[string]string{oldID: oldTD, ourID: ourTD, otherID: third}[id],
				RolloutState:   states.Draw(t, "state"),
				Desired:        rapid.IntRange(0, 2).Draw(t, "desired"),
				Running:        rapid.IntRange(0, 2).Draw(t, "running"),
				Pending:        rapid.IntRange(0, 1).Draw(t, "pending"),
			}
		})
		tracker := Follow(updated(1))
		var first Verdict
		for range rapid.IntRange(1, 12).Draw(t, "looks") {
			list := rapid.SliceOfNDistinct(deployment, 0, 3, func(d Deployment) string { return d.ID }).Draw(t, "list")
			o := Observation{Service: Service{Status: "ACTIVE", Desired: 1, Deployments: list}}
			tracker.Observe(o)
			v := tracker.Verdict()
			if first.Final() && v != first {
				t.Fatalf("the verdict changed from %+v to %+v", first, v)
			}
			if v.Outcome == Stable && !first.Final() {
				for _, d := range list {
					mine := d.ID == ourID || d.ID == otherID && d.TaskDefinition == ourTD
					if !mine && d.Running+d.Pending > 0 {
						t.Fatalf("stable with %+v left", d)
					}
				}
			}
			first = v
		}
	})
}
