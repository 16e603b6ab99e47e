package deploy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
)

// moored is a service that stands still: what reads of it bring is given.
type moored struct {
	*harbour
	service rollout.Service
	stopped []rollout.Task
	record  map[string]string // pinned digests
}

func (m moored) Service(context.Context, string, string) (Service, error) {
	s := m.harbour.state()
	s.ARN, s.Record, s.Service = "arn:aws:ecs:eu-west-1:"+account+":service/prod/web", "", m.service
	if m.record != nil {
		s.Record = "record/now"
	}
	return s, nil
}

func (m moored) Tasks(_ context.Context, _, _ string, stopped bool) ([]rollout.Task, error) {
	if err := m.fail["Tasks"]; err != nil {
		return nil, err
	}
	if stopped {
		return m.stopped, nil
	}
	return nil, nil
}

func (m moored) ServiceDeployment(context.Context, string) (rollout.ServiceDeployment, error) {
	return rollout.ServiceDeployment{TaskDefinition: m.deployments[0].td, Digests: m.record}, nil
}

func TestDiagnose(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	td := "arn:aws:ecs:eu-west-1:" + account + ":task-definition/web:1"
	task := func(id, code, reason string, at time.Time, containers ...rollout.Container) rollout.Task {
		return rollout.Task{ID: id, TaskDefinition: td, LastStatus: "STOPPED", StopCode: code, StoppedReason: reason, StoppedAt: at, Containers: containers}
	}
	one := 1
	crashed := rollout.Container{Name: "web", ExitCode: &one}
	service := func(desired, running int, state string, events ...rollout.Event) rollout.Service {
		return rollout.Service{
			Status: "ACTIVE", Desired: desired, Running: running, Events: events,
			Deployments: []rollout.Deployment{{ID: "ecs-svc/1", Status: "PRIMARY", TaskDefinition: td, RolloutState: state, CreatedAt: ago(100 * time.Hour)}},
		}
	}
	steady := func(at time.Time) rollout.Event {
		return rollout.Event{At: at, Message: "(service web) has reached a steady state."}
	}
	unplaced := func(at time.Time, reason string) rollout.Event {
		return rollout.Event{At: at, Message: "(service web) was unable to place a task. Reason: " + reason}
	}
	const capacity = "Capacity is unavailable at this time. Please try again later or in a different availability zone."
	notFound := "CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to resolve ref " + repo + ":v1.0.0: not found"
	for _, c := range []struct {
		name    string
		moored  moored
		ask     Question
		images  bool // the image is not in ECR
		denied  bool
		healthy bool
		want    []string // "id past certain: first quote"
	}{
		{name: "nothing is wrong", moored: moored{service: service(2, 2, "COMPLETED", steady(ago(time.Hour)))}, healthy: true},
		{
			name:   "words that nobody knows are shown as they are, and no cause is made up",
			moored: moored{service: service(2, 0, "COMPLETED"), stopped: []rollout.Task{task("aaaaaaaa01", "TaskFailedToStart", "FluxError: the capacitor is empty", ago(time.Minute))}},
			want:   []string{"unknown: task aaaaaaaa: FluxError: the capacitor is empty"},
		},
		{
			name: "the same cause on several tasks is one finding",
			moored: moored{service: service(2, 0, "COMPLETED"), stopped: []rollout.Task{
				task("aaaaaaaa01", "EssentialContainerExited", "Essential container in task exited", ago(3*time.Minute), crashed),
				task("bbbbbbbb02", "EssentialContainerExited", "Essential container in task exited", ago(time.Minute), crashed),
			}},
			want: []string{"exit-error certain: task bbbbbbbb ×2: Essential container in task exited (web: exit code 1, the application's own error)"},
		},
		{
			name: "what no retry mends comes before what may pass, and that before what says little",
			moored: moored{service: service(2, 0, "IN_PROGRESS",
				rollout.Event{At: ago(time.Second), Message: "(service web) is unable to consistently start tasks successfully."},
				unplaced(ago(time.Minute), capacity), unplaced(ago(2*time.Minute), notFound))},
			want: []string{
				"image-not-found certain: event: (service web) was unable to place a task. Reason: " + notFound,
				"fargate-capacity: event: (service web) was unable to place a task. Reason: " + capacity,
			},
		},
		{
			name:    "what a steady state followed is past",
			moored:  moored{service: service(2, 2, "COMPLETED", steady(ago(time.Minute)), unplaced(ago(10*time.Minute), capacity))},
			healthy: true,
			want:    []string{"fargate-capacity past: event: (service web) was unable to place a task. Reason: " + capacity},
		},
		{
			name:    "what is long past is not told",
			moored:  moored{service: service(2, 2, "COMPLETED", steady(ago(time.Minute)), unplaced(ago(5*time.Hour), capacity))},
			healthy: true,
		},
		{
			name:    "unless it is asked for",
			moored:  moored{service: service(2, 2, "COMPLETED", steady(ago(time.Minute)), unplaced(ago(5*time.Hour), capacity))},
			ask:     Question{Since: 6 * time.Hour},
			healthy: true,
			want:    []string{"fargate-capacity past: event: (service web) was unable to place a task. Reason: " + capacity},
		},
		{
			name:   "a service short of tasks: back to when it was steady",
			moored: moored{service: service(2, 1, "COMPLETED", unplaced(ago(5*time.Hour), capacity), steady(ago(9*time.Hour)))},
			want:   []string{"fargate-capacity: event: (service web) was unable to place a task. Reason: " + capacity},
		},
		{
			name:   "a service short of tasks, and nobody says why",
			moored: moored{service: service(2, 1, "COMPLETED", steady(ago(9*time.Hour)))},
			want:   []string{"tasks-missing: service: 1 of 2 tasks run, 0 pending"},
		},
		{
			name:    "a Spot interruption that was made up for is nothing wrong",
			moored:  moored{service: service(2, 2, "COMPLETED", steady(ago(time.Hour))), stopped: []rollout.Task{task("aaaaaaaa01", "SpotInterruption", "Your Spot Task was interrupted.", ago(time.Minute))}},
			healthy: true,
		},
		{
			name:   "it runs, and could not start again",
			moored: moored{service: service(2, 2, "COMPLETED", steady(ago(time.Hour))), record: map[string]string{"web": digestOf("f")}},
			images: true,
			want:   []string{"digest-gone certain: ECR: look up image " + repo + ":v1.0.0@" + digestOf("f") + ": not found"},
		},
		{
			name:    "with no permission to look at tasks the rest is told",
			moored:  moored{service: service(2, 2, "COMPLETED", steady(ago(time.Hour)))},
			denied:  true,
			healthy: true,
		},
		{
			name:   "one task, by the beginning of its id",
			moored: moored{service: service(2, 0, "COMPLETED", unplaced(ago(time.Minute), capacity)), stopped: []rollout.Task{task("aaaaaaaa01", "TaskFailedToStart", notFound, ago(time.Hour)), task("bbbbbbbb02", "TaskFailedToStart", "other", ago(time.Hour))}},
			ask:    Question{Task: "aaaa"},
			want:   []string{"image-not-found certain: task aaaaaaaa: " + notFound},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.moored.harbour = newHarbour()
			if c.denied {
				c.moored.fail["Tasks"] = refused("ecs:ListTasks")
			}
			p := ports(t, c.moored.harbour)
			p.AWS, p.Now = c.moored, func() time.Time { return now }
			if c.images {
				p.Clues = shore{}
			}
			report, err := Diagnose(t.Context(), p, Target{Cluster: "prod", Service: "web"}, c.ask)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range report.Findings {
				line := f.ID
				if f.Past {
					line += " past"
				}
				if f.Certain {
					line += " certain"
				}
				line += ": " + f.Evidence[0].From
				if n := f.Evidence[0].Count; n > 1 {
					line += fmt.Sprintf(" ×%d", n)
				}
				got = append(got, line+": "+f.Evidence[0].Text)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if report.Healthy != c.healthy {
				t.Errorf("healthy: %t", report.Healthy)
			}
			if c.denied && (len(report.Unread) != 1 || report.Unread[0] != "ecs:ListTasks") {
				t.Errorf("unread: %v", report.Unread)
			}
		})
	}
}

func TestDiagnoseOfATaskThatIsNotThere(t *testing.T) {
	m := moored{harbour: newHarbour(), service: rollout.Service{Status: "ACTIVE"}, stopped: []rollout.Task{{ID: "0123456789"}}}
	p := ports(t, m.harbour)
	p.AWS = m
	_, err := Diagnose(t.Context(), p, Target{Cluster: "prod", Service: "web"}, Question{Task: "arn:aws:ecs:eu-west-1:1:task/prod/ffff"})
	if e, ok := errors.AsType[*UsageError](err); !ok || e.Error() != "prod/web has no task ffff" || !strings.Contains(e.Hint(), "there are 01234567") {
		t.Errorf("got %v", err)
	}
}

func TestShortImage(t *testing.T) {
	ref := image.Reference{Registry: host, Repository: "web", Tag: "v1", Digest: digestOf("a")}
	if got := shortImage(ref); got != "web:v1@sha256:aaaaaaaaaaaa" {
		t.Error(got)
	}
}
