package cadence

import (
	"fmt"
	"math"
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
// 5 to 15 % of the cases. Before P50 it is 35 to 65 % where all teams grow, or all
// shrink: what is not seen in a short past is taken for as likely either way.
// With fewer than 1,000 histories there are two standard errors more.
func TestCalibration(t *testing.T) {
	histories := repeats(150)
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
		check(t, tm.name, all, histories)
	}
	t.Log(table.String())
}

func check(t *testing.T, what string, c tally, histories int) {
	t.Helper()
	within := func(name string, n int, low, high float64) {
		if histories < 1000 {
			p := (low + high) / 200
			low -= 200 * math.Sqrt(p*(1-p)/float64(histories))
			high += 200 * math.Sqrt(p*(1-p)/float64(histories))
		}
		if share := 100 * float64(n) / float64(c.all); share < low || share > high {
			t.Errorf("%s: %.1f %% of the pushes come %s, want %.1f to %.1f %%", what, share, name, low, high)
		}
	}
	off := 10.0
	if what == "growing" || what == "shrinking" {
		off = 15
	}
	within("before P10", c.early, 5, 15)
	within("before P50", c.first, 50-off, 50+off)
	within("after P90", c.late, 5, 15)
}

// Within says the same the other way round. As pushes are counted, what is
// likely falls on both sides of the truth: no more than 18 % below
// and above, and two standard errors more with fewer than 1,000 histories.
func TestCalibrationWithin(t *testing.T) {
	for _, tm := range teams() {
		below, above, all := 0, 0, 0
		histories := repeats(60)
		for seed := range histories {
			h := tm.history(uint64(seed))
			before, after := h.cut()
			m := Learn(before, h.now)
			for _, d := range []time.Duration{7 * day, 30 * day} {
				truth := 0
				for truth < len(after) && !after[truth].After(h.now.Add(d)) {
					truth++
				}
				p10, _, p90 := m.Within(d)
				all++
				if truth < p10 {
					below++
				}
				if truth > p90 {
					above++
				}
			}
		}
		t.Logf("%-10s %4.1f %% below P10, %4.1f %% above P90", tm.name, 100*float64(below)/float64(all), 100*float64(above)/float64(all))
		most := 0.18 * float64(all)
		if histories < 1000 {
			most += 2 * math.Sqrt(0.18*0.82/float64(histories)) * float64(all)
		}
		if max(below, above) > int(most) {
			t.Errorf("%s: %d of %d below P10, %d above P90", tm.name, below, all, above)
		}
	}
}
