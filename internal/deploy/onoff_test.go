package deploy

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

func web() Target { return Target{Cluster: "prod", Service: "web"} }

func TestStopSuspendsAutoscalingAndStartBringsItBack(t *testing.T) {
	for _, before := range []Suspended{{}, {In: true}, {Out: true, Scheduled: true}, allSuspended()} {
		synctest.Test(t, func(t *testing.T) {
			h := newHarbour()
			h.scaling = &Scaling{Min: 1, Max: 4, Suspended: before}
			p := ports(t, h)
			for range 2 { // stopping what is stopped forgets nothing
				if v, err := Stop(t.Context(), p, ScaleRequest{Target: web()}, (&log{}).tell); err != nil || v.ExitCode != 0 {
					t.Fatalf("%+v, %v", v, err)
				}
				if h.desired != 0 || h.scaling.Suspended != allSuspended() {
					t.Errorf("desired %d, suspended %s", h.desired, h.scaling.Suspended)
				}
			}
			if v, err := Start(t.Context(), p, ScaleRequest{Target: web()}, (&log{}).tell); err != nil || v.ExitCode != 0 {
				t.Fatalf("%+v, %v", v, err)
			}
			if h.desired != 2 || h.scaling.Suspended != before || len(h.tags["arn:web"]) != 0 {
				t.Errorf("desired %d, suspended %s, want %s; tags %v", h.desired, h.scaling.Suspended, before, h.tags["arn:web"])
			}
		})
	}
}

func TestStopGoesOnWhereAutoscalingMayNotBeSeenOrSuspended(t *testing.T) {
	for _, method := range []string{"Scaling", "Suspend"} {
		synctest.Test(t, func(t *testing.T) {
			h := newHarbour()
			h.scaling = &Scaling{Min: 1, Max: 4}
			h.fail[method] = fmt.Errorf("no: %w", Denied)
			l := &log{}
			v, err := Stop(t.Context(), ports(t, h), ScaleRequest{Target: web()}, l.tell)
			if err != nil || v.Outcome != Stable || h.desired != 0 {
				t.Errorf("%s: %+v, %v", method, v, err)
			}
		})
	}
}

func TestSuspendedIsReadAsItIsWritten(t *testing.T) {
	for i := range 8 {
		s := Suspended{In: i&1 > 0, Out: i&2 > 0, Scheduled: i&4 > 0}
		if got, err := parseSuspended(s.String()); err != nil || got != s || tagValue(s.String()) != s.String() {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	if _, err := parseSuspended("in+up"); err == nil {
		t.Error("in+up is taken")
	}
}

func TestAProtectedServiceIsNotStopped(t *testing.T) {
	for _, tc := range []struct {
		name    string
		request ScaleRequest
		tag     string
		refused bool
	}{
		{"by the configuration", ScaleRequest{Protected: true}, "", true},
		{"by its tag", ScaleRequest{}, "true", true},
		{"a tag that says no", ScaleRequest{}, "false", false},
		{"overridden", ScaleRequest{Protected: true, Override: true}, "true", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarbour()
				h.tags["arn:web"] = map[string]string{tagProtected: tc.tag}
				r := tc.request
				r.Target = web()
				for _, do := range []func() (int, error){
					func() (int, error) {
						v, err := Stop(t.Context(), ports(t, h), r, (&log{}).tell)
						return v.ExitCode, err
					},
					func() (int, error) { // by another name
						v, err := Scale(t.Context(), ports(t, h), r, (&log{}).tell)
						return v.ExitCode, err
					},
				} {
					code, err := do()
					if tc.refused && (code != 3 || h.changes() != "") || !tc.refused && code != 0 {
						t.Errorf("exit %d, %v; %s", code, err, h.changes())
					}
				}
			})
		})
	}
}

func TestRollbackFollowsTheOneThatECSIsAtAlready(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour()
		goingBack(h)
		v, err := Rollback(t.Context(), ports(t, h), RollbackRequest{Target: web()}, (&log{}).tell)
		if err != nil || v.Outcome != RolledBack || v.ExitCode != 4 || h.changes() != "" {
			t.Errorf("%+v, %v; %s", v, err, h.changes())
		}
	})
}

func TestRollbackPassesOverWhatCannotRun(t *testing.T) {
	tagged := func(h *harbour, tag, verdict string) {
		h.define(strings.Replace(strings.TrimSuffix(plain, "}"), "TAG", tag, 1) + `,"tags":[{"key":"plimsoll:verdict","value":"` + verdict + `"}]}`)
	}
	for _, tc := range []struct {
		name    string
		harbour func(*harbour)
		to      string
		want    string // task definition, or a part of the error
		said    string
	}{
		{
			name:    "its image is gone",
			harbour: func(h *harbour) { h.records = false; delete(h.images, repo+":v1.1.0") },
			want:    "web:1", said: "passing over web:2: there is no image",
		},
		{
			name: "no image of any is there",
			harbour: func(h *harbour) {
				h.records = false
				delete(h.images, repo+":v1.1.0")
				delete(h.images, repo+":v1.0.0")
			},
			want: "there is no image " + repo + ":v1.0.0",
		},
		{
			name:    "ECS keeps no records, and the tags know",
			harbour: func(h *harbour) { h.records = false },
			want:    "web:2", said: "ECS keeps no records of rollouts here",
		},
		{
			name:    "ECS keeps no records, and the newest of a tag failed",
			harbour: func(h *harbour) { h.records = false; tagged(h, "v1.0.0", "failed") },
			to:      "v1.0.0", want: "web:1",
		},
		{
			name:    "ECS keeps no records, and the revisions may not be listed",
			harbour: func(h *harbour) { h.records = false; h.fail["Revisions"] = Denied },
			want:    "no earlier revision", said: "cannot look through the revisions of web",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarbour()
				h.images[repo+":v1.2.0"] = digestOf("c")
				tagged(h, "v1.1.0", "stable")
				tagged(h, "v1.2.0", "stable")
				h.deployments[0].td = strings.Replace(h.deployments[0].td, "web:1", "web:3", 1)
				tc.harbour(h)
				l := &log{}
				v, err := Rollback(t.Context(), ports(t, h), RollbackRequest{Target: web(), To: tc.to, DryRun: true}, l.tell)
				if err == nil && v.TaskDefinition != tc.want || err != nil && !strings.Contains(err.Error(), tc.want) {
					t.Errorf("%s, %v; want %s", v.TaskDefinition, err, tc.want)
				}
				if got := fmt.Sprint(l.events); !strings.Contains(got, tc.said) {
					t.Errorf("not said: %s in %s", tc.said, got)
				}
				if h.changes() != "" {
					t.Errorf("a dry run changes %s", h.changes())
				}
			})
		})
	}
}

func TestRun(t *testing.T) {
	for _, tc := range []struct {
		name    string
		harbour func(*harbour)
		request func(*RunRequest)
		exit    int
		changes string
	}{
		{name: "what the service runs", exit: 0, changes: "run web:1 migrate"},
		{name: "its exit code", request: func(r *RunRequest) { r.Command = []string{"exit", "7"} }, exit: 7, changes: "run web:1 exit 7"},
		{
			name: "a new image", exit: 0, changes: "register, run web:2 migrate",
			request: func(r *RunRequest) { r.Image = image.Reference{Registry: host, Repository: "web", Tag: "v1.1.0"} },
		},
		{
			name: "an image that is not there", exit: 125,
			request: func(r *RunRequest) { r.Image = image.Reference{Registry: host, Repository: "web", Tag: "v9.9.9"} },
		},
		{name: "not allowed", exit: 125, harbour: func(h *harbour) { h.fail["RunTask"] = Denied }, changes: "run web:1 migrate"},
		{name: "no such container", exit: 125, request: func(r *RunRequest) { r.Container = "wbe" }},
		{
			name: "too long", exit: 124, harbour: func(h *harbour) { h.hangs = true },
			request: func(r *RunRequest) { r.Timeout = time.Minute },
			changes: "run web:1 migrate, stop task: plimsoll: still running after 1m0s",
		},
		{name: "detached", exit: 0, harbour: func(h *harbour) { h.hangs = true }, request: func(r *RunRequest) { r.Detach = true }, changes: "run web:1 migrate"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarbour()
				if tc.harbour != nil {
					tc.harbour(h)
				}
				r := RunRequest{Target: web(), Command: []string{"migrate"}}
				if tc.request != nil {
					tc.request(&r)
				}
				v, err := Run(t.Context(), ports(t, h), r, (&log{}).tell)
				if v.ExitCode != tc.exit || h.changes() != tc.changes {
					t.Errorf("exit %d, want %d; changes %q, want %q; %v", v.ExitCode, tc.exit, h.changes(), tc.changes, err)
				}
			})
		})
	}
}

func TestAnInterruptStopsTheTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour()
		h.hangs = true
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		ctx, interrupt := context.WithCancel(ctx)
		time.AfterFunc(10*time.Second, interrupt)
		v, err := Run(ctx, ports(t, h), RunRequest{Target: web()}, (&log{}).tell)
		if err != nil || v.ExitCode != 130 || !strings.HasSuffix(h.changes(), "stop task: plimsoll: interrupted") {
			t.Errorf("%+v, %v; %s", v, err, h.changes())
		}
	})
}

func TestHooks(t *testing.T) {
	hook := func(words ...string) []Hook { return []Hook{{Run: words}} }
	for _, tc := range []struct {
		name    string
		request func(*Request)
		exit    int
		changes string
		verdict string // noted on the new revision
	}{
		{"before", func(r *Request) { r.Before = hook("migrate") }, 0, "register, run web:2 migrate, update web:2 force=true", "stable"},
		{"before fails", func(r *Request) { r.Before = hook("exit", "1") }, 3, "register, run web:2 exit 1", "failed"},
		{"after", func(r *Request) { r.After = hook("smoke") }, 0, "register, update web:2 force=true, run web:2 smoke", "stable"},
		{"after fails", func(r *Request) { r.After = hook("exit", "1") }, 4, "register, update web:2 force=true, run web:2 exit 1, update web:1 force=true", "failed"},
		{"after fails and is kept", func(r *Request) { r.After, r.AfterFailure = hook("exit", "1"), AfterKeep }, 5, "register, update web:2 force=true, run web:2 exit 1", "failed"},
		{"only once", func(r *Request) { r.Before = append(hook("exit", "1"), hook("second")...) }, 3, "register, run web:2 exit 1", "failed"},
		{"no such container", func(r *Request) { r.Before = []Hook{{Run: []string{"x"}, Container: "db"}} }, 3, "", ""},
		{"no command", func(r *Request) { r.Before = []Hook{{Name: "x"}} }, 2, "", ""},
		{"what runs already runs no hook", func(r *Request) { r.Image.Tag = "v1.0.0"; r.Before = hook("migrate") }, 0, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, r := newHarbour(), request("v1.1.0")
				tc.request(&r)
				v, err := Deploy(t.Context(), ports(t, h), r, (&log{}).tell)
				if got := ExitCode(err, v); got != tc.exit || h.changes() != tc.changes {
					t.Errorf("exit %d, want %d; changes %q, want %q: %+v, %v", got, tc.exit, h.changes(), tc.changes, v, err)
				}
				if got := h.tags["arn:aws:ecs:eu-west-1:"+account+":task-definition/web:2"][tagVerdict]; got != tc.verdict {
					t.Errorf("verdict %q, want %q", got, tc.verdict)
				}
			})
		})
	}
}

func TestVariablesPrintWithoutTheirValues(t *testing.T) {
	for _, form := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(form, OneOff{Environment: []Variable{{"KEY", "hunter2"}}}); strings.Contains(got, "hunter2") {
			t.Errorf("%s shows %s", form, got)
		}
	}
}
