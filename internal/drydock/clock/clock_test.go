package clock_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is in a zone of its own: the clock's answers are in UTC all the same.
func start() time.Time {
	return time.Date(2026, 11, 21, 18, 0, 0, 0, time.FixedZone("JST", 9*60*60))
}

// A manual clock against the plainest model there is: a list of wake-ups,
// sorted anew for every step.
func TestManualClockMatchesModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type alarm struct {
			at  time.Time
			key string
			id  int
		}
		type ring struct {
			id int
			at time.Time
		}
		var (
			c         = clock.Manual(start())
			now       = start()
			model     []alarm // in the order they were set
			got, want []ring
			ids       int
		)
		forget := func(key string) {
			model = slices.DeleteFunc(model, func(a alarm) bool { return a.key == key })
		}
		key := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"})
		seconds := rapid.IntRange(-3, 20)
		t.Repeat(map[string]func(*rapid.T){
			"at": func(t *rapid.T) {
				k := key.Draw(t, "key")
				at := now.Add(time.Duration(seconds.Draw(t, "in")) * time.Second)
				ids++
				id := ids
				forget(k)
				model = append(model, alarm{at, k, id})
				c.At(at, k, func(now time.Time) { got = append(got, ring{id, now}) })
			},
			"cancel": func(t *rapid.T) {
				k := key.Draw(t, "key")
				forget(k)
				c.Cancel(k)
			},
			"advance": func(t *rapid.T) {
				d := time.Duration(rapid.IntRange(0, 15).Draw(t, "by")) * time.Second
				target := now.Add(d)
				slices.SortStableFunc(model, func(a, b alarm) int { return a.at.Compare(b.at) })
				for len(model) > 0 && !model[0].at.After(target) {
					if model[0].at.After(now) {
						now = model[0].at
					}
					want = append(want, ring{model[0].id, now.UTC()})
					model = model[1:]
				}
				now = target
				// The model's order among equals is the order they were set in.
				slices.SortFunc(model, func(a, b alarm) int { return a.id - b.id })
				c.Advance(d)
			},
			"": func(t *rapid.T) {
				if !slices.Equal(got, want) {
					t.Fatalf("rang %v, want %v", got, want)
				}
				if c.Now() != now.UTC() {
					t.Fatalf("now is %v, want %v", c.Now(), now.UTC())
				}
			},
		})
	})
}

func TestAdvanceRunsWhatIsScheduledOnTheWay(t *testing.T) {
	c := clock.Manual(start())
	var rings []time.Duration
	var tick func(time.Time)
	tick = func(now time.Time) {
		rings = append(rings, now.Sub(start()))
		c.At(now.Add(10*time.Second), "tick", tick) // the same key, from its own callback
	}
	c.At(start().Add(10*time.Second), "tick", tick)
	c.Advance(35 * time.Second)
	want := []time.Duration{10 * time.Second, 20 * time.Second, 30 * time.Second}
	if !slices.Equal(rings, want) || c.Now().Sub(start()) != 35*time.Second {
		t.Errorf("rang at %v by %v, want %v by 35s", rings, c.Now().Sub(start()), want)
	}
}

func TestAdvanceBackwardsStandsStill(t *testing.T) {
	c := clock.Manual(start())
	c.Advance(-time.Hour)
	if !c.Now().Equal(start()) {
		t.Errorf("now is %v", c.Now())
	}
}

func TestCallbackCancels(t *testing.T) {
	c := clock.Manual(start())
	c.At(start().Add(time.Second), "first", func(time.Time) { c.Cancel("second") })
	c.At(start().Add(time.Second), "second", func(time.Time) { t.Error("a cancelled wake-up rang") })
	c.Advance(time.Minute)
	c.Cancel("never set")
}

func TestScaleDividesDurations(t *testing.T) {
	if got := clock.Real(20).Scale(40 * time.Second); got != 2*time.Second {
		t.Errorf("got %v", got)
	}
	if got := clock.Manual(start()).Scale(40 * time.Second); got != 40*time.Second {
		t.Errorf("got %v", got)
	}
}

// real runs a real clock in a bubble of fake time until f returns.
func real(t *testing.T, f func(t *testing.T, c *clock.Clock)) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c := clock.Real(1)
		var wg sync.WaitGroup
		wg.Go(func() { c.Run(ctx) })
		f(t, c)
		cancel()
		wg.Wait()
	})
}

func TestRunRingsInRealTime(t *testing.T) {
	real(t, func(t *testing.T, c *clock.Clock) {
		began := time.Now()
		var rings []string
		ring := func(name string) func(time.Time) {
			return func(now time.Time) {
				rings = append(rings, fmt.Sprint(name, " ", now.Sub(began)))
			}
		}
		c.At(began.Add(3*time.Second), "c", ring("c"))
		c.At(began.Add(time.Second), "a", ring("a")) // a new head wakes the sleeper
		c.At(began.Add(2*time.Second), "b", ring("b"))
		c.At(began.Add(-time.Hour), "past", ring("past"))
		c.At(began.Add(2500*time.Millisecond), "gone", ring("gone"))
		c.Cancel("gone")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		want := []string{"past 0s", "a 1s", "b 2s", "c 3s"}
		if !slices.Equal(rings, want) {
			t.Errorf("rang %q, want %q", rings, want)
		}
	})
}

func TestAdvanceMovesTheRealCalendar(t *testing.T) {
	real(t, func(t *testing.T, c *clock.Clock) {
		began := time.Now()
		rings := make(chan time.Duration, 2)
		ring := func(now time.Time) { rings <- now.Sub(began) }
		const day, twoWeeks = 24 * time.Hour, 14 * 24 * time.Hour
		c.At(began.Add(day), "during", ring)
		c.At(began.Add(twoWeeks+time.Second), "after", ring)
		c.Advance(twoWeeks)
		if got := c.Now().Sub(began); got != twoWeeks {
			t.Errorf("landed at %v", got)
		}
		if at := <-rings; at != day || len(rings) > 0 {
			t.Errorf("the first rang at %v, and %d more", at, len(rings))
		}
		if at := <-rings; at != twoWeeks+time.Second || time.Since(began) != time.Second {
			t.Errorf("the second rang at %v, after %v of real time", at, time.Since(began))
		}
	})
}

func TestRunEndsThoughSomethingIsAlwaysDue(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := clock.Real(1)
	rings := 0
	var again func(time.Time)
	again = func(now time.Time) {
		if rings++; rings == 100 {
			cancel()
		}
		c.At(now, "again", again)
	}
	c.At(c.Now(), "again", again)
	c.Run(ctx)
	if rings != 100 {
		t.Errorf("rang %d times", rings)
	}
}

func TestCallbacksRunOneAtATime(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := clock.Real(1)
	var runners, schedulers sync.WaitGroup
	runners.Go(func() { c.Run(ctx) })
	rung := make(map[string]bool) // the race detector watches it
	done := make(chan struct{}, 400)
	for s := range 4 {
		schedulers.Go(func() {
			for i := range 100 {
				key := fmt.Sprint(s, "/", i)
				c.At(c.Now().Add(time.Duration(i%3)*time.Minute), key, func(time.Time) {
					rung[key] = true
					done <- struct{}{}
				})
			}
		})
	}
	schedulers.Wait()
	c.Advance(time.Hour)
	for range 400 {
		<-done
	}
	cancel()
	runners.Wait()
	if len(rung) != 400 {
		t.Errorf("%d keys rang", len(rung))
	}
}
