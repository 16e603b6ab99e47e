package deploy

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/diagnose"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// log collects what is told.
type log struct {
	mu     sync.Mutex
	events []story.Event
}

func (l *log) tell(e story.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
}

func (l *log) kind(k story.Kind) []story.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.events), func(e story.Event) bool { return e.Kind != k })
}

func ports(t *testing.T, h *harbour) Ports {
	t.Helper()
	knowledge, err := diagnose.Load()
	if err != nil {
		t.Fatal(err)
	}
	return Ports{AWS: h, Knowledge: knowledge, Now: time.Now, Sleep: Sleep}
}

func request(tag string) Request {
	return Request{
		Target:     Target{Cluster: "prod", Service: "web"},
		Image:      image.Reference{Registry: host, Repository: "web", Tag: tag},
		Provenance: Provenance{GitSHA: "0123abc"},
	}
}

func TestDeploy(t *testing.T) {
	two, three := 2, 3
	for _, tc := range []struct {
		name    string
		harbour func(*harbour)
		request func(*Request)
		tag     string
		outcome string
		changes string
		summary string        // a part of it
		within  time.Duration // at most so long after the truth was there to see
	}{
		{
			name: "healthy", tag: "v1.1.0",
			outcome: Stable, changes: "register, update web:2 force=true", summary: "web runs v1.1.0 (minor upgrade v1.0.0 -> v1.1.0)",
			within: startsIn + drainsIn + slowest,
		},
		{
			name: "count and image in one update", tag: "v1.1.0",
			request: func(r *Request) { r.Desired = &three },
			outcome: Stable, changes: "register, update web:2 force=true",
		},
		{
			name: "no wait", tag: "v1.1.0",
			request: func(r *Request) { r.NoWait = true },
			outcome: Started, changes: "register, update web:2 force=true", within: time.Millisecond,
		},
		{
			name: "dry run", tag: "v1.1.0",
			request: func(r *Request) { r.DryRun = true },
			outcome: Unchanged, summary: "would deploy v1.1.0 (minor upgrade v1.0.0 -> v1.1.0)", within: time.Millisecond,
		},
		{
			name: "what runs already", tag: "v1.0.0",
			outcome: Unchanged, summary: "already runs v1.0.0", within: time.Millisecond,
		},
		{
			name: "what runs already, with the count it has", tag: "v1.0.0",
			request: func(r *Request) { r.Desired = &two },
			outcome: Unchanged,
		},
		{
			name: "what runs already, with another count: no revision, no restart", tag: "v1.0.0",
			request: func(r *Request) { r.Desired = &three },
			outcome: Stable, changes: "update  force=false",
		},
		{
			name: "what runs already, forced", tag: "v1.0.0",
			request: func(r *Request) { r.Force = true },
			outcome: Stable, changes: "update web:1 force=true",
		},
		{
			name: "what runs already, forced, though deregistered", tag: "v1.0.0",
			harbour: func(h *harbour) {
				h.inactive[h.deployments[0].td] = true
				h.define(strings.Replace(plain, "TAG", "v1.1.0", 1))
			},
			request: func(r *Request) { r.Force = true; r.Base = "running" },
			outcome: Stable, changes: "register, update web:3 force=true",
		},
		{
			name: "the tag has moved since: its content is new", tag: "v1.0.0",
			harbour: func(h *harbour) {
				h.definitions[h.deployments[0].td] = strings.Replace(h.definitions[h.deployments[0].td], `"tags":[`, `"tags":[{"key":"plimsoll:digest","value":"`+digestOf("f")+`"},`, 1)
				h.fail["Tasks"] = Denied
			},
			outcome: Stable, changes: "register, update web:2 force=true",
		},
		{
			name: "fails, the breaker puts it back", tag: "v1.1.0",
			harbour: func(h *harbour) { h.crash["v1.1.0"], h.breaker = true, true; h.fail["RollBack"] = Conflict },
			outcome: RolledBack, summary: "back on web:1",
		},
		{
			name: "fails, no breaker, ECS is asked to go back", tag: "v1.1.0",
			harbour: func(h *harbour) { h.crash["v1.1.0"] = true },
			outcome: RolledBack, changes: "register, update web:2 force=true, stop", summary: "back on web:1",
			within: 3*failsEvery + startsIn + drainsIn + 3*slowest + deepEvery,
		},
		{
			name: "fails where ECS keeps no records: updated back", tag: "v1.1.0",
			harbour: func(h *harbour) { h.crash["v1.1.0"], h.records = true, false },
			outcome: RolledBack, changes: "register, update web:2 force=true, update web:1 force=true", summary: "back on web:1",
		},
		{
			name: "fails, and what ran was deregistered: back on a copy", tag: "v1.1.0",
			harbour: func(h *harbour) {
				h.crash["v1.1.0"], h.records = true, false
				h.inactive[h.deployments[0].td] = true
				h.define(strings.Replace(plain, "TAG", "v1.0.0", 1))
			},
			outcome: RolledBack, changes: "register, update web:3 force=true, register, update web:4 force=true", summary: "back on web:4",
		},
		{
			name: "fails, and the image of what ran is gone too", tag: "v1.1.0",
			harbour: func(h *harbour) {
				h.crash["v1.1.0"], h.records = true, false
				h.onUpdate = func() { delete(h.images, repo+":v1.0.0") }
			},
			outcome: Failed, summary: "NOT back",
		},
		{
			name: "superseded", tag: "v1.1.0",
			harbour: func(h *harbour) {
				time.AfterFunc(10*time.Second, func() {
					defer h.lock()()
					h.deployments = append([]*berth{{id: "ecs-svc/9", td: h.define(strings.Replace(plain, "TAG", "v1.0.0", 1)), began: time.Now()}}, h.deployments...)
				})
			},
			outcome: Superseded, summary: "web:3", within: 10*time.Second + slowest,
		},
		{
			name: "timeout", tag: "v1.1.0",
			request: func(r *Request) { r.Timeout = 10 * time.Second },
			outcome: TimedOut, within: 10 * time.Second,
		},
		{
			name: "tags that cannot be written are no failure", tag: "v1.1.0",
			harbour: func(h *harbour) { h.fail["Tag"] = Denied },
			outcome: Stable,
		},
		{
			name: "tasks that may not be read are no failure", tag: "v1.1.0",
			harbour: func(h *harbour) { h.fail["Tasks"] = Denied },
			outcome: Stable,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, l, r := newHarbour(), &log{}, request(tc.tag)
				if tc.harbour != nil {
					tc.harbour(h)
				}
				if tc.request != nil {
					tc.request(&r)
				}
				v, err := Deploy(t.Context(), ports(t, h), r, l.tell)
				if err != nil {
					t.Fatal(err)
				}
				if v.Outcome != tc.outcome || v.ExitCode != ExitCode(err, v) {
					t.Errorf("outcome %s (exit %d), want %s: %s", v.Outcome, v.ExitCode, tc.outcome, v.Summary)
				}
				if got := h.changes(); tc.changes != "" && got != tc.changes || v.Outcome == Unchanged && got != "" {
					t.Errorf("changes %q, want %q", got, tc.changes)
				}
				if !strings.Contains(v.Summary, tc.summary) {
					t.Errorf("summary %q, want a part %q", v.Summary, tc.summary)
				}
				if tc.within > 0 && v.Duration > tc.within {
					t.Errorf("took %s, want at most %s", v.Duration, tc.within)
				}
				if finals := l.kind(story.Final); len(finals) != 1 {
					t.Errorf("%d verdicts were told", len(finals))
				}
			})
		})
	}
}

const plain = `{"family":"web","futureField":{"x":1.50},"containerDefinitions":[{"name":"web","image":"` + repo + `:TAG"}]}`

func TestDeployRegistersTheTemplateAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour()
		if _, err := Deploy(t.Context(), ports(t, h), request("v1.1.0"), (&log{}).tell); err != nil {
			t.Fatal(err)
		}
		got := h.registered[0]
		for _, want := range []string{
			`"futureField":{"x":1.50}`, repo + `:v1.1.0`,
			`{"key":"team","value":"harbour"}`,
			`{"key":"plimsoll:image-tag","value":"v1.1.0"}`,
			`{"key":"plimsoll:git-sha","value":"0123abc"}`,
			`{"key":"plimsoll:verdict","value":"pending"}`, // not the template's
			`{"key":"plimsoll:actor","value":""}`,          // nor its actor
			digestOf("b"),
		} {
			if !strings.Contains(got, want) {
				t.Errorf("%s\nhas no %s", got, want)
			}
		}
		for _, never := range []string{"taskDefinitionArn", `"revision"`, "v1.0.0"} {
			if strings.Contains(got, never) {
				t.Errorf("%s\nhas %s", got, never)
			}
		}
		if got := h.tags["arn:aws:ecs:eu-west-1:"+account+":task-definition/web:2"][tagVerdict]; got != "stable" {
			t.Errorf("the revision's verdict is %q", got)
		}
	})
}

func TestPreflightListsEveryFaultAndChangesNothing(t *testing.T) {
	for _, tc := range []struct {
		name    string
		harbour func(*harbour)
		request func(*Request)
		want    []string
	}{
		{
			name: "everything that can be wrong with the request",
			request: func(r *Request) {
				r.Account, r.Region, r.Image.Tag, r.Container = "999999999999", "us-east-1", "latest", "wbe"
			},
			want: []string{"account 123456789012, expected is 999999999999", "expected is us-east-1", `tag "latest" is refused`, "there is no image", `no container "wbe"`},
		},
		{name: "cluster", request: func(r *Request) { r.Cluster = "prd" }, want: []string{"there is no cluster prd", "did you mean prod?"}},
		{name: "service", request: func(r *Request) { r.Service = "wev" }, want: []string{"there is no service wev", "did you mean web?"}},
		{name: "family", request: func(r *Request) { r.Family = "wbe" }, want: []string{"no active task definition wbe", "did you mean web?"}},
		{name: "base", request: func(r *Request) { r.Base = "7" }, want: []string{"no active task definition web:7"}},
		{name: "base in words", request: func(r *Request) { r.Base = "newest" }, want: []string{`base "newest" is not`}},
		{
			name:    "a rollout under way",
			harbour: func(h *harbour) { h.deployments[0].began = time.Now() },
			want:    []string{"another rollout is under way: ecs-svc/1 to web:1"},
		},
		{
			name:    "credentials that do not work are one fault, not five",
			harbour: func(h *harbour) { h.fail["Caller"], h.fail["Cluster"] = errSetup, errSetup },
			want:    []string{"refused for 1 fault;", "no usable credentials"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, r := newHarbour(), request("v1.1.0")
				if tc.harbour != nil {
					tc.harbour(h)
				}
				if tc.request != nil {
					tc.request(&r)
				}
				v, err := Deploy(t.Context(), ports(t, h), r, (&log{}).tell)
				var refused *PreflightError
				if !errors.As(err, &refused) || ExitCode(err, v) != 3 {
					t.Fatalf("%v, exit %d", err, ExitCode(err, v))
				}
				for _, want := range tc.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("%v\nhas no %q", err, want)
					}
				}
				if got := h.changes(); got != "" {
					t.Errorf("changed: %s", got)
				}
			})
		})
	}
}

const errSetup Kind = "no usable credentials"

func TestTakeOverBeginsThoughAnotherRolloutIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, r := newHarbour(), request("v1.1.0")
		h.deployments[0].began = time.Now()
		r.TakeOver = true
		if v, err := Deploy(t.Context(), ports(t, h), r, (&log{}).tell); err != nil || v.Outcome != Stable {
			t.Errorf("%+v, %v", v, err)
		}
	})
}

func TestFailedTaskIsToldOnceWithItsLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, l := newHarbour(), &log{}
		h.crash["v1.1.0"] = true
		if _, err := Deploy(t.Context(), ports(t, h), request("v1.1.0"), l.tell); err != nil {
			t.Fatal(err)
		}
		failed := l.kind(story.Failed)
		last := len(failed) - 1
		if last < 1 || failed[last].Failure != nil || failed[last].Step != story.Watch {
			t.Fatalf("want failed tasks, and then that the watch failed: %+v", failed)
		}
		seen := map[string]bool{}
		for _, e := range failed[:last] {
			f := e.Failure
			if seen[f.TaskID] {
				t.Errorf("task %s was told twice", f.TaskID)
			}
			seen[f.TaskID] = true
			if f.Container != "web" || f.ExitCode == nil || *f.ExitCode != 1 || !slices.Contains(f.Log, "panic: no DATABASE_URL in ecs/web/"+f.TaskID) {
				t.Errorf("evidence %+v", f)
			}
		}
	})
}

func TestInterruptLeavesTheDeploymentRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, cancel)
		v, err := Deploy(ctx, ports(t, h), request("v1.1.0"), (&log{}).tell)
		if err != nil || v.Outcome != Interrupted || ExitCode(err, v) != 130 {
			t.Fatalf("%+v, %v", v, err)
		}
		if want := "plimsoll wait --cluster prod --service web --revision web:2"; !slices.Contains(v.Next, want) {
			t.Errorf("next %q", v.Next)
		}
		if got := h.changes(); got != "register, update web:2 force=true" {
			t.Errorf("changes %q", got)
		}
		v, err = Wait(t.Context(), ports(t, h), WaitRequest{Target: Target{Cluster: "prod", Service: "web"}, Revision: "web:2"}, (&log{}).tell)
		if err != nil || v.Outcome != Stable {
			t.Errorf("resumed: %+v, %v", v, err)
		}
	})
}

func TestInterruptBeforeTheUpdateChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		v, err := Deploy(ctx, ports(t, h), request("v1.1.0"), (&log{}).tell)
		if ExitCode(err, v) != 130 || h.changes() != "" {
			t.Errorf("%+v, %v, changes %q", v, err, h.changes())
		}
	})
}

func TestWatchSurvivesReadsThatFailForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour()
		set := func(err error) func() {
			return func() { defer h.lock()(); h.fail["Service"] = err }
		}
		time.AfterFunc(5*time.Second, set(Throttled))
		time.AfterFunc(15*time.Second, set(nil))
		if v, err := Deploy(t.Context(), ports(t, h), request("v1.1.0"), (&log{}).tell); err != nil || v.Outcome != Stable {
			t.Errorf("%+v, %v", v, err)
		}
	})
}

func TestScaleStopStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour()
		p := ports(t, h)
		r := ScaleRequest{Target: Target{Cluster: "prod", Service: "web"}, Count: 4}
		for _, step := range []struct {
			do       func(context.Context, Ports, ScaleRequest, story.Teller) (story.Verdict, error)
			desired  int
			remember string
		}{{Scale, 4, ""}, {Stop, 0, "4"}, {Stop, 0, "4"}, {Start, 4, ""}, {Start, 4, ""}} {
			v, err := step.do(t.Context(), p, r, (&log{}).tell)
			if err != nil || v.ExitCode != 0 || h.desired != step.desired {
				t.Fatalf("desired %d, want %d: %+v, %v", h.desired, step.desired, v, err)
			}
			if got := h.tags["arn:web"][tagDesired]; got != step.remember {
				t.Errorf("with %d desired it remembers %q, want %q", h.desired, got, step.remember)
			}
		}
	})
}

func TestStartOfAServiceThatWasNeverStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour()
		h.desired = 0
		v, err := Start(t.Context(), ports(t, h), ScaleRequest{Target: Target{Cluster: "prod", Service: "web"}}, (&log{}).tell)
		if ExitCode(err, v) != 2 || !strings.Contains(err.Error(), "does not say how many tasks ran") {
			t.Errorf("%+v, %v", v, err)
		}
	})
}

func TestRollback(t *testing.T) {
	third := func(h *harbour) string { return h.define(strings.Replace(plain, "TAG", "v1.2.0", 1)) }
	for _, tc := range []struct {
		name    string
		harbour func(*harbour)
		to      string
		outcome string
		want    string // task definition, or a part of the error
	}{
		{name: "last stable before the current", outcome: Stable, want: "web:2"},
		{name: "by tag", to: "v1.0.0", outcome: Stable, want: "web:1"},
		{name: "by revision", to: "1", outcome: Stable, want: "web:1"},
		{name: "by name", to: "web:1", outcome: Stable, want: "web:1"},
		{name: "unknown tag", to: "v9.9.9", outcome: Refused, want: "no revision with image tag v9.9.9"},
		{name: "unknown revision", to: "99", outcome: Refused, want: "no revision web:99"},
		{
			name:    "one that never was stable is passed over",
			harbour: func(h *harbour) { h.crash["v1.1.0"] = true }, outcome: Stable, want: "web:1",
		},
		{
			name:    "the image of the target is gone",
			harbour: func(h *harbour) { delete(h.images, repo+":v1.0.0") }, to: "1", outcome: Refused, want: "there is no image " + repo + ":v1.0.0",
		},
		{
			name:    "a deregistered target is registered again",
			harbour: func(h *harbour) { h.inactive[strings.Replace(h.deployments[0].td, ":3", ":2", 1)] = true },
			outcome: Stable, want: "web:4",
		},
		{
			name: "ECS has just rolled back by itself",
			harbour: func(h *harbour) {
				h.crash["v1.2.0"] = true
				h.deployments[0].td = strings.Replace(h.deployments[0].td, ":3", ":2", 1)
			},
			outcome: Refused, want: "already rolled web:3 back to web:2",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarbour()
				h.images[repo+":v1.2.0"] = digestOf("c")
				h.define(strings.Replace(plain, "TAG", "v1.1.0", 1))
				h.deployments[0].td = third(h)
				if tc.harbour != nil {
					tc.harbour(h)
				}
				v, err := Rollback(t.Context(), ports(t, h), RollbackRequest{Target: Target{Cluster: "prod", Service: "web"}, To: tc.to}, (&log{}).tell)
				if v.Outcome != tc.outcome {
					t.Fatalf("%+v, %v", v, err)
				}
				if err == nil && v.TaskDefinition != tc.want || err != nil && !strings.Contains(err.Error(), tc.want) {
					t.Errorf("%s, %v; want %s", v.TaskDefinition, err, tc.want)
				}
			})
		})
	}
}

func TestWait(t *testing.T) {
	for _, tc := range []struct {
		name     string
		harbour  func(*harbour)
		revision string
		outcome  string
	}{
		{name: "at rest", outcome: Stable},
		{name: "under way", harbour: func(h *harbour) { h.deployments[0].began = time.Now() }, outcome: Stable},
		{name: "another revision than expected", revision: "web:7", outcome: Superseded},
		{name: "ECS is putting it back", harbour: goingBack, outcome: RolledBack},
		{name: "ECS is putting it back from the expected one", harbour: goingBack, revision: "web:2", outcome: RolledBack},
		{name: "ECS puts it back later", harbour: func(h *harbour) { failing(h); h.breaker = true }, outcome: RolledBack},
		{name: "nobody puts it back", harbour: failing, outcome: Failed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarbour()
				if tc.harbour != nil {
					tc.harbour(h)
				}
				v, err := Wait(t.Context(), ports(t, h), WaitRequest{Target: Target{Cluster: "prod", Service: "web"}, Revision: tc.revision}, (&log{}).tell)
				if err != nil || v.Outcome != tc.outcome {
					t.Errorf("%+v, %v; want %s", v, err, tc.outcome)
				}
			})
		})
	}
}

func failing(h *harbour) {
	h.crash["v1.1.0"] = true
	td := h.define(strings.Replace(plain, "TAG", "v1.1.0", 1))
	h.deployments = append([]*berth{{id: "ecs-svc/2", td: td, began: time.Now()}}, h.deployments...)
}

func goingBack(h *harbour) {
	failing(h)
	h.deployments[0].failed = true
	h.putBack()
}

func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := Status(t.Context(), ports(t, newHarbour()), Target{Cluster: "prod", Service: "web"})
		if err != nil {
			t.Fatal(err)
		}
		if s.TaskDefinition != "web:1" || s.Running != 2 || s.Verdict != "stable" || s.Actor != "ann" || s.Rollout.New.Running != 2 ||
			len(s.Images) != 1 || s.Images[0].Image != repo+":v1.0.0" || !slices.Equal(s.Images[0].Digests, []string{digestOf("a")}) {
			t.Errorf("%+v", s)
		}
	})
}

func TestExitCodes(t *testing.T) {
	for _, tc := range []struct {
		err     error
		outcome string
		want    int
	}{
		{nil, "", 0}, {nil, Stable, 0}, {nil, Unchanged, 0}, {nil, Started, 0}, {nil, RolledBack, 4}, {nil, Failed, 5},
		{nil, Superseded, 6}, {nil, TimedOut, 7}, {nil, Interrupted, 130}, {errors.New("x"), "", 1},
		{&UsageError{What: "x"}, "", 2}, {&PreflightError{}, "", 3}, {&PreflightError{}, Refused, 3}, {context.Canceled, "", 130},
	} {
		if got := ExitCode(tc.err, story.Verdict{Outcome: tc.outcome}); got != tc.want {
			t.Errorf("%v, %q: %d, want %d", tc.err, tc.outcome, got, tc.want)
		}
	}
}

func TestARequestThatCannotBeMeant(t *testing.T) {
	below := -1
	for name, edit := range map[string]func(*Request){
		"cluster":    func(r *Request) { r.Cluster = "" },
		"service":    func(r *Request) { r.Service = "" },
		"repository": func(r *Request) { r.Image.Repository = "" },
		"count":      func(r *Request) { r.Desired = &below },
	} {
		r := request("v1.1.0")
		edit(&r)
		v, err := Deploy(t.Context(), ports(t, nil), r, (&log{}).tell)
		if ExitCode(err, v) != 2 || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatWasUnderWayIsNoPlaceToGoBackTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour()
		h.crash["v1.1.0"], h.crash["v1.2.0"] = true, true
		h.images[repo+":v1.2.0"] = digestOf("c")
		failing(h) // web:2 is under way, and will fail
		h.fail["RollBack"] = Conflict
		r := request("v1.2.0")
		r.TakeOver = true
		v, err := Deploy(t.Context(), ports(t, h), r, (&log{}).tell)
		if err != nil || v.Outcome != RolledBack || !strings.Contains(v.Summary, "back on web:1") {
			t.Errorf("%+v, %v", v, err)
		}
	})
}

// A tag that ECS refuses would lose a whole deploy for a detail.
func TestEveryTagValueIsOneThatECSTakes(t *testing.T) {
	doc, err := taskdef.Parse([]byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		value := tagValue(rapid.String().Draw(t, "value"))
		if _, err := doc.SetTags(map[string]string{tagActor: value}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestNear(t *testing.T) {
	names := []string{"prod", "production", "staging", "api-prod"}
	for name, want := range map[string]string{"prd": "prod", "stagin": "staging", "zzz": "", "prod": "prod api-prod production", "STAGING": "staging"} {
		if got := strings.Join(near(name, names), " "); got != want {
			t.Errorf("near %s: %q, want %q", name, got, want)
		}
	}
}

func TestFailedDeployPutsTheCountBack(t *testing.T) {
	five := 5
	for _, tc := range []struct {
		name    string
		harbour func(*harbour)
		want    int
	}{
		{"ECS rolls back when asked", func(*harbour) {}, 2},
		{"ECS rolls back by itself", func(h *harbour) { h.breaker = true }, 2},
		{"ECS keeps no records", func(h *harbour) { h.records = false }, 2},
		{"it was none", func(h *harbour) { h.desired = 0 }, 0},
		{"somebody has changed it since", func(h *harbour) {
			time.AfterFunc(10*time.Second, func() {
				defer h.lock()()
				h.desired = 7
			})
		}, 7},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, r := newHarbour(), request("v1.1.0")
				h.crash["v1.1.0"] = true
				tc.harbour(h)
				r.Desired = &five
				v, err := Deploy(t.Context(), ports(t, h), r, (&log{}).tell)
				if err != nil || v.Outcome != RolledBack {
					t.Fatalf("%+v, %v", v, err)
				}
				if h.desired != tc.want {
					t.Errorf("desired count %d, want %d", h.desired, tc.want)
				}
				if none := strings.Contains(v.Summary, "with no task, as before"); none != (tc.want == 0) {
					t.Errorf("summary %q", v.Summary)
				}
			})
		})
	}
}

func TestFailureOfAGrownCountPutsTheCountBackAndNoRevision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, r, three := newHarbour(), request("v1.0.0"), 3
		r.Desired = &three
		h.onUpdate = func() {
			if h.desired == 3 {
				h.crash["v1.0.0"] = true
			} else {
				delete(h.crash, "v1.0.0")
			}
		}
		v, err := Deploy(t.Context(), ports(t, h), r, (&log{}).tell)
		if err != nil || v.Outcome != RolledBack || h.desired != 2 {
			t.Errorf("desired %d: %+v, %v", h.desired, v, err)
		}
		if got := h.changes(); got != "update  force=false, update  force=false" {
			t.Errorf("changes %q", got)
		}
	})
}

func TestCountsThatNoServiceCanHaveAreUsage(t *testing.T) {
	for _, n := range []int{-1, 1 << 32} {
		r := request("v1.1.0")
		r.Desired = &n
		v, err := Deploy(t.Context(), Ports{}, r, nil)
		if ExitCode(err, v) != 2 {
			t.Errorf("%d: %+v, %v", n, v, err)
		}
	}
}
