package cadence

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// noon is a Wednesday.
func noon() time.Time { return time.Date(2026, 1, 28, 12, 0, 0, 0, time.UTC) }

func ago(days ...float64) []time.Time {
	var out []time.Time
	for _, d := range days {
		out = append(out, noon().Add(-time.Duration(d*float64(day))))
	}
	return out
}

func every(days float64, from, to float64) []time.Time {
	var out []time.Time
	for d := from; d <= to; d += days {
		out = append(out, ago(d)...)
	}
	return out
}

// in is t in days from noon, or infinite.
func in(t time.Time) float64 {
	if t.IsZero() {
		return math.Inf(1)
	}
	return t.Sub(noon()).Hours() / 24
}

func TestWindows(t *testing.T) {
	forever := math.Inf(1)
	type limits [2]float64
	for _, tc := range []struct {
		name                     string
		pushes                   []time.Time
		n                        int
		earliest, likely, latest limits
	}{
		{"nothing ever", nil, 1, limits{0, 10}, limits{5, 90}, limits{300, forever}},
		{"nothing ever, ten to come", nil, 10, limits{30, 365}, limits{200, forever}, limits{forever, forever}},
		{"one push", ago(3), 1, limits{0, 10}, limits{5, 90}, limits{300, forever}},
		{"two pushes", ago(10, 3), 1, limits{0, 5}, limits{3, 20}, limits{20, forever}},
		{"every day at noon for a year", every(1, 0, 365), 10, limits{8, 10}, limits{9, 11}, limits{9.5, 13}},
		{"every day at noon, hundred to come", every(1, 0, 365), 100, limits{70, 100}, limits{92, 108}, limits{100, 135}},
		{"silent for half a year after a year of daily pushes", every(1, 180, 365), 1, limits{1, 365}, limits{forever, forever}, limits{forever, forever}},
		{"on holiday for ten days", every(0.5, 10, 365), 1, limits{0, 1}, limits{0, 3}, limits{0.5, 15}},
		{"clock ahead of ours", ago(-1, 0, 1, 2), 1, limits{0, 2}, limits{0, 4}, limits{1, 40}},
		{"no pushes to wait for", ago(1, 2), 0, limits{0, 0}, limits{0, 0}, limits{0, 0}},
		{"the last one years ago", ago(900), 1, limits{0, forever}, limits{20, forever}, limits{forever, forever}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := Learn(tc.pushes, noon()).After(tc.n)
			t.Logf("%.1f, %.1f, %.1f days", in(w.Earliest), in(w.Likely), in(w.Latest))
			for _, c := range []struct {
				what string
				got  float64
				want limits
			}{{"earliest", in(w.Earliest), tc.earliest}, {"likely", in(w.Likely), tc.likely}, {"latest", in(w.Latest), tc.latest}} {
				if !(c.got >= c.want[0] && c.got <= c.want[1]) {
					t.Errorf("%s in %.2f days, want %v", c.what, c.got, c.want)
				}
			}
		})
	}
}

// A team that never pushes at the weekend is not expected to.
func TestWeekend(t *testing.T) {
	var pushes []time.Time
	for d := range 200 {
		if at := ago(float64(d))[0]; at.Weekday() != time.Saturday && at.Weekday() != time.Sunday {
			pushes = append(pushes, at.Add(-time.Hour), at.Add(-3*time.Hour))
		}
	}
	friday := noon().AddDate(0, 0, 2).Add(8 * time.Hour)
	w := Learn(pushes, friday).After(1)
	if w.Likely.Weekday() != time.Monday {
		t.Errorf("Friday evening the next push is likely on %s", w.Likely.Format(time.RFC1123))
	}
}

// With the images of a build pushed together, the first of them is as far away
// as the last.
func TestWholeBuilds(t *testing.T) {
	var pushes []time.Time
	for d := range 100 {
		for i := range 5 {
			pushes = append(pushes, ago(2 * float64(d))[0].Add(time.Duration(i)*time.Second))
		}
	}
	m := Learn(pushes, noon().Add(time.Hour))
	if first, last := m.After(1), m.After(5); first != last {
		t.Errorf("first %v, fifth %v", first, last)
	}
	if first, next := m.After(5), m.After(6); !next.Likely.After(first.Likely) {
		t.Errorf("fifth %v, sixth %v", first, next)
	}
}

// Whatever the pushes: windows are in order, more pushes take no less time, and
// Within says the same as After.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var pushes []time.Time
		at := noon()
		for _, gap := range rapid.SliceOfN(rapid.Int64Range(0, int64(20*day)), 0, 60).Draw(t, "gaps") {
			at = at.Add(-time.Duration(gap / rapid.Int64Range(1, 1000).Draw(t, "part")))
			pushes = append(pushes, at)
		}
		m := Learn(pushes, noon())
		turned := slices.Clone(pushes)
		slices.Reverse(turned)
		if a, b := m.After(3), Learn(turned, noon()).After(3); a != b {
			t.Fatalf("in another order %v, not %v", b, a)
		}
		before := [3]float64{}
		for _, n := range []int{1, 2, 3, 7, 20, 255, 256, 257, 1000, 100000} {
			w := m.After(n)
			now := [3]float64{in(w.Earliest), in(w.Likely), in(w.Latest)}
			if now[0] < 0 || now[0] > now[1] || now[1] > now[2] {
				t.Fatalf("after %d: %v", n, now)
			}
			for i := range now {
				// Two cases in place of all bend the order a little.
				if now[i] < before[i]*0.97-0.05 {
					t.Fatalf("after %d: %v, after fewer %v", n, now, before)
				}
			}
			before = now
		}
		d := time.Duration(rapid.Int64Range(0, int64(100*day)).Draw(t, "within"))
		p10, p50, p90 := m.Within(d)
		if p10 < 0 || p10 > p50 || p50 > p90 {
			t.Fatalf("within %s: %d, %d, %d", d, p10, p50, p90)
		}
		if p50 > 0 {
			if w := m.After(p50); in(w.Likely)*24 > d.Hours()+1 {
				t.Fatalf("%d pushes within %s, and the last of them in %.1f days", p50, d, in(w.Likely))
			}
		}
	})
}

func TestPushes(t *testing.T) {
	policy, err := lifecycle.ParsePolicy([]byte(`{"rules": [
		{"rulePriority": 1, "selection": {"tagStatus": "tagged", "tagPatternList": ["v*"], "countType": "imageCountMoreThan", "countNumber": 5}, "action": {"type": "expire"}},
		{"rulePriority": 2, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5}, "action": {"type": "expire"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	at := ago(1)[0]
	images := []lifecycle.Image{
		{Digest: "index", Tags: []string{"v1"}, PushedAt: at, Children: []string{"child"}},
		{Digest: "child", PushedAt: at},
		{Digest: "other", Tags: []string{"dev"}, PushedAt: at},
		{Digest: "archived", Tags: []string{"v0"}, PushedAt: at, Status: lifecycle.Archived},
		{Digest: "unknown", Tags: []string{"v2"}},
	}
	for i, want := range []int{2, 4} {
		if got := Pushes(policy.Rules()[i], images); len(got) != want {
			t.Errorf("rule %d counts %d pushes, want %d", i+1, len(got), want)
		}
	}
}

func BenchmarkLearn(b *testing.B) {
	h := teams()[1].history(3)
	pushes, _ := h.cut()
	pushes = pushes[max(0, len(pushes)-300):]
	b.Run("Learn", func(b *testing.B) {
		for b.Loop() {
			Learn(pushes, h.now)
		}
	})
	m := Learn(pushes, h.now)
	b.Run("After", func(b *testing.B) {
		for b.Loop() {
			m.After(30)
		}
	})
	b.Run("Within", func(b *testing.B) {
		for b.Loop() {
			m.Within(14 * day)
		}
	})
}
