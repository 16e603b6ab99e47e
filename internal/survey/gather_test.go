package survey

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"
)

// Whoever asks for whatever in whatever order: each thing is read once, askers
// get what they asked for, and but for the last call of each round of questions
// every call is full.
func TestGathererMakesFullCalls(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		size := rapid.IntRange(1, 5).Draw(r, "size")
		askers := rapid.SliceOfN(rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(0, 30), 0, 4), 0, 3), 1, 20).Draw(r, "askers")
		rounds := 0
		var mu sync.Mutex
		reads := map[string]int{}
		var partial atomic.Int32
		g := newGatherer(size, func(_ context.Context, arns []string) (map[string]string, error) {
			mu.Lock()
			defer mu.Unlock()
			if len(arns) > size || len(arns) == 0 {
				t.Errorf("a call for %d of %d", len(arns), size)
			}
			if len(arns) < size {
				partial.Add(1)
			}
			out := map[string]string{}
			for _, arn := range arns {
				reads[arn]++
				if arn != "thing-7" { // which does not exist
					out[arn] = "value of " + arn
				}
			}
			return out, nil
		})
		g.join(len(askers))
		var group sync.WaitGroup
		for _, questions := range askers {
			rounds = max(rounds, len(questions))
			group.Go(func() {
				defer g.leave(context.Background())
				for _, numbers := range questions {
					var arns []string
					for _, n := range numbers {
						arns = append(arns, fmt.Sprint("thing-", n))
					}
					found, err := g.ask(context.Background(), arns)
					if err != nil {
						t.Error(err)
					}
					for _, arn := range arns {
						if value, ok := found[arn]; ok != (arn != "thing-7") || ok && value != "value of "+arn {
							t.Errorf("%s is %q", arn, value)
						}
					}
				}
			})
		}
		group.Wait()
		for arn, n := range reads {
			if n != 1 {
				t.Errorf("%s was read %d times", arn, n)
			}
		}
		if int(partial.Load()) > rounds {
			t.Errorf("%d calls were not full, in %d rounds", partial.Load(), rounds)
		}
	})
}

// A call that fails fails those who asked for something of it, and leaves nobody
// waiting.
func TestGathererPassesErrorsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGatherer(2, func(context.Context, []string) (map[string]int, error) { return nil, context.DeadlineExceeded })
		g.join(3)
		for i := range 3 {
			go func() {
				defer g.leave(t.Context())
				if _, err := g.ask(t.Context(), []string{fmt.Sprint(i)}); err == nil {
					t.Error("no error")
				}
			}()
		}
		synctest.Wait()
	})
}
