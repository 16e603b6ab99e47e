package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// crew is acts that only note when they went.
type crew struct {
	mu    sync.Mutex
	at    int
	most  int
	began []string // in order
	ended []string
}

func (c *crew) act(name string, takes time.Duration, v story.Verdict, err error) Act {
	return func(ctx context.Context, tell story.Teller) (story.Verdict, error) {
		c.mu.Lock()
		c.at++
		c.most = max(c.most, c.at)
		c.began = append(c.began, name)
		c.mu.Unlock()
		if slept := Sleep(ctx, takes); slept != nil {
			v, err = story.Verdict{Outcome: Interrupted, ExitCode: 130}, nil
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.at--
		c.ended = append(c.ended, name)
		if v.Outcome != "" {
			tell(story.Event{Kind: story.Final, Service: name, Verdict: &v})
		}
		return v, err
	}
}

// Whatever happens: where one is refused nothing is done; no wave begins
// before the one before it has ended; no more than so many go at once; after a
// failure none begins; every service has one verdict; the exit code is the
// worst.
func TestFleetPromises(t *testing.T) {
	outcomes := []string{Stable, Stable, Stable, Stable, Unchanged, RolledBack, Failed, Superseded, TimedOut}
	rapid.Check(t, func(rt *rapid.T) {
		var c crew
		var r FleetRequest
		r.MaxParallel = rapid.IntRange(1, 4).Draw(rt, "parallel")
		r.KeepGoing = rapid.Bool().Draw(rt, "keep going")
		refusal := rapid.IntRange(0, 9).Draw(rt, "refusal") == 0
		refusedAt := -1
		n := rapid.IntRange(1, 9).Draw(rt, "services")
		wave := map[string]int{}
		results := map[string]string{}
		for i := range n {
			name := fmt.Sprint("s", i)
			m := Member{Target: Target{Cluster: "c", Service: name}, Wave: i * 3 / n}
			wave[name] = m.Wave
			results[name] = rapid.SampledFrom(outcomes).Draw(rt, "outcome")
			m.Do = c.act(name, time.Duration(rapid.IntRange(1, 60).Draw(rt, "takes"))*time.Second, story.Verdict{Outcome: results[name], ExitCode: exitCodeOf(results[name])}, nil)
			m.Check = func(context.Context, story.Teller) (story.Verdict, error) {
				return story.Verdict{Outcome: Unchanged}, nil
			}
			if refusal && (refusedAt < 0 || rapid.Bool().Draw(rt, "refused too")) {
				refusedAt = i
				m.Check = func(context.Context, story.Teller) (story.Verdict, error) {
					return story.Verdict{Outcome: Refused, ExitCode: 3}, &PreflightError{}
				}
			}
			r.Members = append(r.Members, m)
		}
		var got []Result
		synctest.Test(t, func(t *testing.T) {
			var err error
			if got, err = Fleet(t.Context(), r, time.Now, func(story.Event) {}); err != nil {
				rt.Fatal(err)
			}
		})
		if refusal {
			if len(c.began) > 0 || Sum(got).ExitCode != 3 {
				rt.Fatalf("refused, and yet %v; exit %d", c.began, Sum(got).ExitCode)
			}
			return
		}
		if c.most > r.MaxParallel {
			rt.Fatalf("%d at once", c.most)
		}
		worst := story.Verdict{}
		failedWave := n
		for _, res := range got {
			switch {
			case res.Verdict.Outcome == NotBegun:
				if slices.Contains(c.began, res.Service) {
					rt.Fatalf("%s was begun", res.Service)
				}
			case res.Verdict.Outcome != results[res.Service]:
				rt.Fatalf("%s came to %q, not to %s", res.Service, res.Verdict.Outcome, results[res.Service])
			}
			if res.Verdict.ExitCode != 0 && res.Verdict.Outcome != NotBegun {
				failedWave = min(failedWave, res.Wave)
			}
			if severity(res.Verdict) > severity(worst) {
				worst = res.Verdict
			}
		}
		for _, res := range got {
			if begun := slices.Contains(c.began, res.Service); !begun && (r.KeepGoing || failedWave == n) || begun && !r.KeepGoing && res.Wave > failedWave {
				rt.Fatalf("%s of wave %d, begun %t; wave %d failed, keep going %t", res.Service, res.Wave, begun, failedWave, r.KeepGoing)
			}
		}
		if !slices.IsSortedFunc(c.began, func(a, b string) int { return wave[a] - wave[b] }) || !slices.IsSortedFunc(c.ended, func(a, b string) int { return wave[a] - wave[b] }) {
			rt.Fatalf("waves are mixed: began %v, ended %v", c.began, c.ended)
		}
		if sum := Sum(got); sum.ExitCode != worst.ExitCode {
			rt.Fatalf("exit %d, worst is %d", sum.ExitCode, worst.ExitCode)
		}
	})
}

func TestFleetErrors(t *testing.T) {
	setup := fmt.Errorf("no credentials: %w", Setup)
	odd := errors.New("odd")
	var c crew
	ok := story.Verdict{Outcome: Stable}
	fleet := func(check, do Act) FleetRequest {
		return FleetRequest{Members: []Member{
			{Target: Target{Cluster: "c", Service: "a"}, Check: check, Do: do},
			{Target: Target{Cluster: "c", Service: "b"}, Check: check, Do: c.act("b", 0, ok, nil)},
		}, MaxParallel: 1}
	}
	if _, err := Fleet(t.Context(), fleet(c.act("a", 0, story.Verdict{}, setup), nil), time.Now, func(story.Event) {}); !errors.Is(err, Setup) {
		t.Errorf("what concerns all: %v", err)
	}
	var told log
	got, err := Fleet(t.Context(), fleet(nil, c.act("a", 0, story.Verdict{}, odd)), time.Now, told.tell)
	if err != nil || got[0].Verdict.Outcome != Errored || got[0].Verdict.ExitCode != 1 || got[1].Verdict.Outcome != NotBegun {
		t.Errorf("%+v, %v", got, err)
	}
	if n := len(told.kind(story.Final)); n != 2 {
		t.Errorf("%d verdicts", n)
	}
	if sum := Sum(got); sum.ExitCode != 1 || sum.Summary != "1 error, 1 not-begun" {
		t.Errorf("%+v", sum)
	}
}

// An interrupt begins no other, and every service that was under way is left
// to its own verdict.
func TestFleetInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var c crew
		r := FleetRequest{MaxParallel: 2}
		for i := range 4 {
			name := fmt.Sprint("s", i)
			r.Members = append(r.Members, Member{Target: Target{Service: name}, Do: c.act(name, time.Minute, story.Verdict{Outcome: Stable}, nil)})
		}
		time.AfterFunc(time.Second, cancel)
		got, err := Fleet(ctx, r, time.Now, func(story.Event) {})
		if err != nil || Sum(got).ExitCode != 130 || Sum(got).Summary != "2 interrupted, 2 not-begun" {
			t.Errorf("%+v, %v", Sum(got), err)
		}
	})
}

// All containers that are named get their images, in one revision; one whose
// image is not there is a fault like any other.
func TestDeployOfSeveralContainers(t *testing.T) {
	two := strings.Replace(plain, `"containerDefinitions":[`, `"containerDefinitions":[{"name":"nginx","image":"`+repo+`-nginx:v1.0.0"},`, 1)
	for tag, wants := range map[string]string{"v1.1.0": Stable, "v1.2.0": Refused} {
		synctest.Test(t, func(t *testing.T) {
			h := newHarbour()
			h.deployments[0].td = h.define(strings.Replace(two, "TAG", "v1.0.0", 1))
			h.images[repo+":v1.2.0"] = digestOf("d")
			h.images[repo+"-nginx:v1.1.0"] = digestOf("c")
			r := request(tag)
			r.Container = "web"
			r.Others = []Replacement{{Container: "nginx", Image: image.Reference{Registry: host, Repository: "web-nginx", Tag: tag}}}
			var l log
			v, _ := Deploy(t.Context(), ports(t, h), r, l.tell)
			if v.Outcome != wants {
				t.Fatalf("%s: %+v", tag, v)
			}
			if wants == Refused {
				if len(h.registered) > 0 {
					t.Error("registered though refused")
				}
				return
			}
			if len(h.registered) != 1 || !strings.Contains(h.registered[0], repo+":v1.1.0") || !strings.Contains(h.registered[0], repo+"-nginx:v1.1.0") {
				t.Errorf("%s", h.registered)
			}
		})
	}
}

// What services have in common is asked once; a failure is asked again.
func TestShared(t *testing.T) {
	h := &counting{harbour: newHarbour()}
	p := ports(t, h.harbour)
	p.AWS = h
	p = Shared(p)
	for range 3 {
		if _, err := p.AWS.Cluster(t.Context(), "prod"); err != nil {
			t.Fatal(err)
		}
		if _, err := p.AWS.Cluster(t.Context(), "nowhere"); !errors.Is(err, NotFound) {
			t.Fatal(err)
		}
	}
	if h.clusters != 4 {
		t.Errorf("%d calls", h.clusters)
	}
}

type counting struct {
	*harbour
	clusters int
}

func (c *counting) Cluster(ctx context.Context, name string) (Cluster, error) {
	c.clusters++
	return c.harbour.Cluster(ctx, name)
}
