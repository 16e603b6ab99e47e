package cadence

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tally counts where the truth fell.
type tally struct{ early, first, late, all int }

func (c *tally) note(w Window, truth time.Time) {
	c.all++
	if w.Earliest.IsZero() || truth.Before(w.Earliest) {
		c.early++
	}
	if w.Likely.IsZero() || truth.Before(w.Likely) {
		c.first++
	}
	if !w.Latest.IsZero() && truth.After(w.Latest) {
		c.late++
	}
}

func (c *tally) String() string {
	share := func(n int) float64 { return 100 * float64(n) / float64(c.all) }
	return fmt.Sprintf("%6.1f %6.1f %6.1f", share(c.early), share(c.first), share(c.late))
}

// repeats is how many histories of each kind a test makes. The long run:
//
//	PLIMSOLL_HISTORIES=1000 go test ./internal/lifecycle/cadence
func repeats(usual int) int {
	if n, err := strconv.Atoi(os.Getenv("PLIMSOLL_HISTORIES")); err == nil {
		return n
	}
	return usual
}

// The n-th push comes before P10 in about one case of ten, before P50 in half,
// after P90 in one of ten: for every kind of team in 5 to 15 %, 40 to 60 % and
// 5 to 15 % of the cases.
func TestCalibration(t *testing.T) {
	histories := repeats(300)
	ns := []int{1, 2, 5, 10, 25, 60}
	var table strings.Builder
	fmt.Fprintf(&table, "\n%-10s %-20s", "", "all n: <P10 <P50 >P90")
	for _, n := range ns {
		fmt.Fprintf(&table, " | n = %-14d", n)
	}
	for _, tm := range teams() {
		var all tally
		each := make([]tally, len(ns))
		for seed := range histories {
			h := tm.history(uint64(seed))
			before, after := h.cut()
			m := Learn(before, h.now)
			for i, n := range ns {
				truth := h.now.Add(future)
				if n <= len(after) {
					truth = after[n-1]
				}
				w := m.After(n)
				if w.Latest.Sub(h.now) > future {
					w.Latest = time.Time{} // not known whether it came later
				}
				each[i].note(w, truth)
				all.note(w, truth)
			}
		}
		fmt.Fprintf(&table, "\n%-10s %s ", tm.name, &all)
		for i := range each {
			fmt.Fprintf(&table, " |%s", &each[i])
		}
		check(t, tm.name, all)
	}
	t.Log(table.String())
}

func check(t *testing.T, what string, c tally) {
	t.Helper()
	within := func(name string, n int, low, high float64) {
		if share := 100 * float64(n) / float64(c.all); share < low || share > high {
			t.Errorf("%s: %.1f %% of the pushes come %s, want %g to %g %%", what, share, name, low, high)
		}
	}
	within("before P10", c.early, 5, 15)
	within("before P50", c.first, 40, 60)
	within("after P90", c.late, 5, 15)
}
