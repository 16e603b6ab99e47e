package simulated_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime/simulated"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) }

// rehearsal runs tasks on a manual clock and writes down what happens, a line
// an event: "5s app started".
type rehearsal struct {
	clock   *clock.Clock
	runtime *simulated.Runtime
	lines   []string
}

func rehearse() *rehearsal {
	c := clock.Manual(start())
	return &rehearsal{clock: c, runtime: simulated.New(c)}
}

func (r *rehearsal) note(format string, args ...any) {
	r.lines = append(r.lines, fmt.Sprint(r.clock.Now().Sub(start()), " ", fmt.Sprintf(format, args...)))
}

func (r *rehearsal) event(e runtime.Event) {
	switch e.Kind {
	case runtime.Started:
		r.note("%s started", e.Container)
	case runtime.Failed:
		r.note("%s failed: %s", e.Container, e.Reason)
	case runtime.Exited:
		r.note("%s exited %d", e.Container, e.ExitCode)
	case runtime.Healthy:
		r.note("%s healthy", e.Container)
	case runtime.Unhealthy:
		r.note("%s unhealthy", e.Container)
	}
}

// container makes one of its name, its labels ("exit-after=3s") and
// dependencies ("db:HEALTHY"), with a health check if it is checked.
func (r *rehearsal) container(name string, words ...string) runtime.Container {
	c := runtime.Container{Name: name, Labels: map[string]string{}}
	c.Log = func(at time.Time, line string) {
		if !at.Equal(r.clock.Now()) {
			r.note("a line of %v", at)
		}
		r.note("%s: %s", name, line)
	}
	for _, word := range words {
		label, value, isLabel := strings.Cut(word, "=")
		dependency, condition, depends := strings.Cut(word, ":")
		switch {
		case word == "checked":
			c.HealthCheck = &runtime.HealthCheck{Interval: 10 * time.Second, Retries: 2}
		case isLabel:
			c.Labels["plimsoll.drydock."+label] = value
		case depends:
			c.DependsOn = append(c.DependsOn, runtime.Dependency{Container: dependency, Condition: condition})
		}
	}
	return c
}

func (r *rehearsal) start(containers ...runtime.Container) {
	r.runtime.Start(runtime.Task{ID: "0123456789abcdef0123456789abcdef", Containers: containers}, r.event)
}

func (r *rehearsal) stop(grace time.Duration) {
	r.runtime.Stop("0123456789abcdef0123456789abcdef", grace)
}

func TestStories(t *testing.T) {
	for _, test := range []struct {
		name string
		play func(*rehearsal)
		want []string
	}{
		{"runs for ever", func(r *rehearsal) {
			r.start(r.container("app"))
		}, []string{"5s app started"}},
		{"crashes", func(r *rehearsal) {
			r.start(r.container("app", "start-delay=2s", "exit-after=1s", "exit-code=3", `log=boom\nat main`))
		}, []string{"2s app: boom", "2s app: at main", "2s app started", "3s app exited 3"}},
		{"a typing mistake in a label", func(r *rehearsal) {
			r.start(r.container("app", "exit-after=soon"))
		}, []string{`5s app failed: CannotStartContainerError: image label plimsoll.drydock.exit-after="soon": want a duration such as 1m30s`}},
		{"its health without a check is nobody's business", func(r *rehearsal) {
			r.start(r.container("app", "health=unhealthy"))
		}, []string{"5s app started"}},
		{"healthy", func(r *rehearsal) {
			r.start(r.container("app", "checked"))
		}, []string{"5s app started", "15s app healthy"}},
		{"unhealthy", func(r *rehearsal) {
			r.start(r.container("app", "checked", "health=unhealthy"))
		}, []string{"5s app started", "25s app unhealthy"}},
		{"recovers", func(r *rehearsal) {
			r.start(r.container("app", "checked", "health=healthy-after=35s"))
		}, []string{"5s app started", "25s app unhealthy", "45s app healthy"}},
		{"falls ill", func(r *rehearsal) {
			r.start(r.container("app", "checked", "health=unhealthy-after=15s"))
		}, []string{"5s app started", "15s app healthy", "35s app unhealthy"}},
		{"dependencies", func(r *rehearsal) {
			r.start(
				r.container("app", "db:HEALTHY", "migrate:SUCCESS", "seed:COMPLETE", "proxy:START"),
				r.container("db", "checked"),
				r.container("migrate", "exit-after=1s"),
				r.container("seed", "exit-after=2s", "exit-code=1"),
				r.container("proxy", "start-delay=1s"),
			)
		}, []string{"1s proxy started", "5s db started", "5s migrate started", "5s seed started", "6s migrate exited 0", "7s seed exited 1", "15s db healthy", "20s app started"}},
		{"a dependency that cannot be met any more", func(r *rehearsal) {
			r.start(r.container("app", "migrate:SUCCESS"), r.container("migrate", "exit-after=1s", "exit-code=1"))
		}, []string{"5s migrate started", "6s migrate exited 1",
			"6s app failed: CannotStartContainerError: dependency graph: failed to resolve the container ordering dependency [migrate] for target [app] as dependency did not exit successfully"}},
		{"stopped while running", func(r *rehearsal) {
			r.start(r.container("app", "checked"), r.container("sidecar", "exit-after=1h"))
			r.clock.Advance(6 * time.Second)
			r.stop(30 * time.Second)
		}, []string{"5s app started", "5s sidecar started", "6s app exited 143", "6s sidecar exited 143"}},
		{"ignores SIGTERM", func(r *rehearsal) {
			r.start(r.container("app", "ignore-sigterm=true"))
			r.clock.Advance(10 * time.Second)
			r.stop(30 * time.Second)
			r.clock.Advance(10 * time.Second)
			r.stop(30 * time.Second) // asking again gives no more time
		}, []string{"5s app started", "40s app exited 137"}},
		{"ends by itself in the grace", func(r *rehearsal) {
			r.start(r.container("app", "ignore-sigterm=true", "exit-after=10s", "exit-code=4"))
			r.clock.Advance(10 * time.Second)
			r.stop(30 * time.Second)
		}, []string{"5s app started", "15s app exited 4"}},
		{"stopped before it started", func(r *rehearsal) {
			r.start(r.container("app", "db:START"), r.container("db"))
			r.stop(0)
		}, []string{"0s app exited 0", "0s db exited 0"}},
		{"stopped while one waits for another", func(r *rehearsal) {
			r.start(r.container("app", "migrate:COMPLETE"), r.container("migrate"))
			r.clock.Advance(10 * time.Second)
			r.stop(0)
		}, []string{"5s migrate started", "10s app exited 0", "10s migrate exited 143"}},
		{"stopped after its end", func(r *rehearsal) {
			r.start(r.container("app", "exit-after=1s"))
			r.clock.Advance(10 * time.Second)
			r.stop(0)
		}, []string{"5s app started", "6s app exited 0"}},
		{"closed", func(r *rehearsal) {
			r.start(r.container("app", "exit-after=10s"))
			r.clock.Advance(10 * time.Second)
			if err := r.runtime.Close(); err != nil {
				r.note("%v", err)
			}
			r.start(r.container("late"))
		}, []string{"5s app started"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := rehearse()
			test.play(r)
			r.clock.Advance(time.Hour)
			if diff := cmp.Diff(test.want, r.lines); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReportMayStopTheTask(t *testing.T) {
	r := rehearse()
	r.runtime.Start(runtime.Task{ID: "a", Containers: []runtime.Container{r.container("app"), r.container("other", "start-delay=1m")}}, func(e runtime.Event) {
		r.event(e)
		if e.Kind == runtime.Started {
			r.runtime.Stop("a", 0)
		}
	})
	r.clock.Advance(time.Hour)
	if diff := cmp.Diff([]string{"5s app started", "5s other exited 0", "5s app exited 143"}, r.lines); diff != "" {
		t.Error(diff)
	}
}

func TestNothingHappensInsideStartAndStop(t *testing.T) {
	r := rehearse()
	r.start(r.container("app", "start-delay=0s"))
	if len(r.lines) > 0 {
		t.Errorf("inside Start: %q", r.lines)
	}
	r.clock.Advance(0)
	r.lines = nil
	r.stop(0)
	if len(r.lines) > 0 {
		t.Errorf("inside Stop: %q", r.lines)
	}
}

func TestScaleDividesLabels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.Real(20)
		sim := simulated.New(c)
		began := time.Now()
		var took []time.Duration
		sim.Start(runtime.Task{ID: "a", Containers: []runtime.Container{{
			Name: "app", Labels: map[string]string{"plimsoll.drydock.exit-after": "20s"}, Log: func(time.Time, string) {},
		}}}, func(runtime.Event) { took = append(took, c.Now().Sub(began)) })
		c.Advance(time.Minute)
		if want := []time.Duration{250 * time.Millisecond, 1250 * time.Millisecond}; !slices.Equal(took, want) {
			t.Errorf("got %v, want %v", took, want)
		}
	})
}

// Whatever a task does, every container has one end, starts at most once and
// before its end, and the same task does the same again.
func TestEveryContainerEndsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var words [][]string
		for i := range rapid.IntRange(1, 4).Draw(t, "containers") {
			list := []string{"checked"}
			for range rapid.IntRange(0, 3).Draw(t, "words") {
				list = append(list, rapid.SampledFrom([]string{
					"exit-after=3s", "exit-code=1", "health=unhealthy", "start-delay=20s", "ignore-sigterm=true", "exit-after=x",
				}).Draw(t, "label"))
			}
			for d := range i { // on earlier ones only: no circles
				if rapid.Bool().Draw(t, "depends") {
					list = append(list, fmt.Sprint("c", d, ":", rapid.SampledFrom([]string{"START", "COMPLETE", "SUCCESS", "HEALTHY"}).Draw(t, "condition")))
				}
			}
			words = append(words, list)
		}
		until := time.Duration(rapid.IntRange(0, 60).Draw(t, "until")) * time.Second
		play := func() []string {
			r := rehearse()
			var containers []runtime.Container
			for i, list := range words {
				containers = append(containers, r.container(fmt.Sprint("c", i), list...))
			}
			r.start(containers...)
			r.clock.Advance(until)
			r.stop(30 * time.Second)
			r.clock.Advance(time.Hour)
			return r.lines
		}
		lines := play()
		if again := play(); !slices.Equal(lines, again) {
			t.Fatalf("first %q, then %q", lines, again)
		}
		for i := range words {
			starts, ends := 0, 0
			for _, line := range lines {
				switch {
				case strings.Contains(line, fmt.Sprint("c", i, " started")):
					starts++
					if ends > 0 {
						t.Fatalf("c%d starts after its end: %q", i, lines)
					}
				case strings.Contains(line, fmt.Sprint("c", i, " exited")), strings.Contains(line, fmt.Sprint("c", i, " failed")):
					ends++
				}
			}
			if starts > 1 || ends != 1 {
				t.Fatalf("c%d has %d starts and %d ends: %q", i, starts, ends, lines)
			}
		}
	})
}
