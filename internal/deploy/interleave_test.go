package deploy

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
)

// passage is the way from a process to AWS: before and after every call it can
// take its time, or end.
type passage struct {
	AWS
	before, after func() error
}

func pass[T any](p *passage, call func() (T, error)) (value T, err error) {
	if err := p.before(); err != nil {
		return value, err
	}
	value, err = call()
	if lost := p.after(); lost != nil {
		var none T
		return none, lost
	}
	return value, err
}

func (p *passage) nothing(call func() error) error {
	_, err := pass(p, func() (struct{}, error) { return struct{}{}, call() })
	return err
}

func (p *passage) Cluster(ctx context.Context, name string) (Cluster, error) {
	return pass(p, func() (Cluster, error) { return p.AWS.Cluster(ctx, name) })
}

func (p *passage) Service(ctx context.Context, cluster, name string) (Service, error) {
	return pass(p, func() (Service, error) { return p.AWS.Service(ctx, cluster, name) })
}

func (p *passage) UpdateService(ctx context.Context, u Update) (Service, error) {
	return pass(p, func() (Service, error) { return p.AWS.UpdateService(ctx, u) })
}

func (p *passage) Tasks(ctx context.Context, cluster, service string, stopped bool) ([]rollout.Task, error) {
	return pass(p, func() ([]rollout.Task, error) { return p.AWS.Tasks(ctx, cluster, service, stopped) })
}

func (p *passage) Tag(ctx context.Context, arn string, tags map[string]string) error {
	return p.nothing(func() error { return p.AWS.Tag(ctx, arn, tags) })
}

func (p *passage) TaskDefinition(ctx context.Context, name string) ([]byte, error) {
	return pass(p, func() ([]byte, error) { return p.AWS.TaskDefinition(ctx, name) })
}

func (p *passage) Register(ctx context.Context, document []byte) ([]byte, error) {
	return pass(p, func() ([]byte, error) { return p.AWS.Register(ctx, document) })
}

func (p *passage) ServiceDeployment(ctx context.Context, arn string) (rollout.ServiceDeployment, error) {
	return pass(p, func() (rollout.ServiceDeployment, error) { return p.AWS.ServiceDeployment(ctx, arn) })
}

func (p *passage) ServiceDeployments(ctx context.Context, cluster, service string, limit int) ([]rollout.ServiceDeployment, error) {
	return pass(p, func() ([]rollout.ServiceDeployment, error) {
		return p.AWS.ServiceDeployments(ctx, cluster, service, limit)
	})
}

func (p *passage) RollBack(ctx context.Context, arn string) error {
	return p.nothing(func() error { return p.AWS.RollBack(ctx, arn) })
}

func (p *passage) Digest(ctx context.Context, ref image.Reference) (string, error) {
	return pass(p, func() (string, error) { return p.AWS.Digest(ctx, ref) })
}

func (p *passage) Tail(ctx context.Context, from LogStream, n int) ([]string, error) {
	return pass(p, func() ([]string, error) { return p.AWS.Tail(ctx, from, n) })
}

// through is the ports of a process whose calls take up to so long.
func through(t *testing.T, h *harbour, r *rand.Rand, longest time.Duration) Ports {
	p := ports(t, h)
	var mu sync.Mutex
	delay := func() error {
		mu.Lock()
		d := time.Duration(r.Int64N(int64(longest)))
		mu.Unlock()
		time.Sleep(d) // on the clock of the bubble
		return nil
	}
	p.AWS = &passage{h, delay, delay}
	return p
}

// Two pipelines deploy at once, each call of theirs at a moment of its own.
// Exactly one wins, the other says so, and what runs is the winner's, also
// where the loser's image cannot run.
func TestOfTwoDeploysOneWins(t *testing.T) {
	came := map[string]int{}
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			h := newHarbour()
			h.images[repo+":v1.2.0"] = digestOf("c")
			h.crash["v1.1.0"] = r.IntN(3) == 0
			h.records = r.IntN(4) > 0
			late := time.Duration(r.Int64N(int64(50 * time.Second)))
			var first, second struct {
				outcome string
				code    int
				summary string
				at      time.Time
			}
			var wg sync.WaitGroup
			one, two := through(t, h, rand.New(rand.NewPCG(seed, 2)), 2*time.Second), through(t, h, rand.New(rand.NewPCG(seed, 3)), 2*time.Second)
			wg.Go(func() {
				v, err := Deploy(t.Context(), one, request("v1.1.0"), (&log{}).tell)
				first.outcome, first.code, first.summary, first.at = v.Outcome, ExitCode(err, v), v.Summary, time.Now()
			})
			wg.Go(func() {
				time.Sleep(late)
				q := request("v1.2.0")
				q.TakeOver = true
				v, err := Deploy(t.Context(), two, q, (&log{}).tell)
				second.outcome, second.code, second.summary, second.at = v.Outcome, ExitCode(err, v), v.Summary, time.Now()
			})
			wg.Wait()
			came[fmt.Sprint(first.code, " and ", second.code)]++
			where := fmt.Sprintf("seed %d, %v later (crash %t, records %t): first %+v, second %+v, changes %s", seed, late, h.crash["v1.1.0"], h.records, first, second, h.changes())
			runs := h.imageTag(h.state().TaskDefinition)
			switch {
			case first.code == 6 && second.code == 0 && runs == "v1.2.0":
			case first.code == 0 && second.code == 6 && runs == "v1.1.0": // the second one's update came first
			case (first.code == 0 || first.code == 4) && second.code == 0 && first.at.Before(second.at) && runs == "v1.2.0": // one after the other
			case first.code == 4 && second.code == 6 && runs == "v1.0.0": // the way back was asked for at the same moment, and came second
			case first.code == 3 && second.code == 0 && runs == "v1.2.0": // the first one found the second under way
			default:
				t.Error(where)
			}
		})
	}
	t.Log(came)
}

var errKilled = errors.New("killed")

// mortal is a process that is killed at its n-th call, before AWS gets it or
// before the answer comes back. From then on nothing of it reaches AWS.
func mortal(t *testing.T, h *harbour, n int, after bool) (p Ports, died func() bool) {
	p = ports(t, h)
	var mu sync.Mutex
	calls, dead := 0, false
	p.AWS = &passage{h,
		func() error {
			mu.Lock()
			defer mu.Unlock()
			if calls++; dead || calls == n && !after {
				dead = true
				return errKilled
			}
			return nil
		},
		func() error {
			mu.Lock()
			defer mu.Unlock()
			if dead || calls >= n && after {
				dead = true
				return errKilled
			}
			return nil
		},
	}
	return p, func() bool { return dead }
}

// A deploy that is killed at any call, and run again, comes to the verdict that
// it would have come to, and registers nothing twice.
func TestADeployThatIsKilledAndRunAgain(t *testing.T) {
	for _, c := range []struct {
		name    string
		harbour func(*harbour)
		want    []int // exit codes of the second run
		runs    string
	}{
		{"good", func(*harbour) {}, []int{0}, "v1.1.0"},
		{"crashes", func(h *harbour) { h.crash["v1.1.0"] = true }, []int{4}, "v1.0.0"},
		{"crashes, no records", func(h *harbour) { h.crash["v1.1.0"], h.records = true, false }, []int{4, 5}, ""},
		{"crashes, breaker", func(h *harbour) { h.crash["v1.1.0"], h.breaker = true, true }, []int{4}, "v1.0.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			kills := 0
			for n, living := 1, false; !living; n += 1 + n/10 {
				for _, after := range []bool{false, true} {
					synctest.Test(t, func(t *testing.T) {
						h := newHarbour()
						c.harbour(h)
						p, died := mortal(t, h, n, after)
						_, _ = Deploy(t.Context(), p, request("v1.1.0"), (&log{}).tell)
						if !died() {
							living = true
							return
						}
						kills++
						v, err := Deploy(t.Context(), ports(t, h), request("v1.1.0"), (&log{}).tell)
						if c.name != "good" && ExitCode(err, v) == 3 && strings.Contains(err.Error(), "another rollout is under way") {
							again := request("v1.1.0")
							again.TakeOver = true
							v, err = Deploy(t.Context(), ports(t, h), again, (&log{}).tell)
						}
						where := fmt.Sprintf("killed at call %d (after %t), then %q (%v): %s", n, after, v.Summary, err, h.changes())
						if code := ExitCode(err, v); code != c.want[0] && code != c.want[len(c.want)-1] {
							t.Errorf("exit %d: %s", code, where)
						}
						if len(h.registered) > 1 {
							t.Errorf("%d revisions: %s", len(h.registered), where)
						}
						if n := strings.Count(h.changes(), "update "); c.name == "good" && n != 1 {
							t.Errorf("%d updates: %s", n, where) // the second run joins the rollout of the first
						}
						if verdict := h.tags[h.state().TaskDefinition]["plimsoll:verdict"]; c.name == "good" && verdict != "stable" {
							t.Errorf("the revision is marked %q: %s", verdict, where)
						}
						if runs := h.imageTag(h.state().TaskDefinition); c.runs != "" && runs != c.runs {
							t.Errorf("runs %s: %s", runs, where)
						}
					})
				}
			}
			t.Logf("%d kills", kills)
		})
	}
}

// So does a rollback to a named revision.
func TestARollbackThatIsKilledAndRunAgain(t *testing.T) {
	for n, living := 1, false; !living; n += 1 + n/10 {
		for _, after := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				h := newHarbour()
				if v, err := Deploy(t.Context(), ports(t, h), request("v1.1.0"), (&log{}).tell); err != nil || v.Outcome != Stable {
					t.Fatal(v, err)
				}
				h.inactive[strings.Replace(h.deployments[0].td, ":2", ":1", 1)] = n%2 == 0 // then a copy is registered
				back := RollbackRequest{Target: Target{Cluster: "prod", Service: "web"}, To: "v1.0.0", TakeOver: true}
				p, died := mortal(t, h, n, after)
				_, _ = Rollback(t.Context(), p, back, (&log{}).tell)
				if !died() {
					living = true
					return
				}
				v, err := Rollback(t.Context(), ports(t, h), back, (&log{}).tell)
				where := fmt.Sprintf("killed at call %d (after %t), then %q (%v): %s", n, after, v.Summary, err, h.changes())
				if err == nil && v.Outcome == Stable && h.imageTag(h.state().TaskDefinition) == "v1.0.0" {
					if len(h.registered) > 2 {
						t.Errorf("%d revisions: %s", len(h.registered), where)
					}
					return
				}
				t.Error(where)
			})
		}
	}
}
