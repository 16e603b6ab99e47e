package cadence

import (
	"math"
	"sort"
	"time"
)

// Sight is how far a forecast goes. What lies beyond is not told.
const Sight = 730 * day

// Window is when something happens: in one case of ten before Earliest, in
// half of the cases before Likely, in nine of ten before Latest. A time that
// is zero is not within [Sight].
type Window struct{ Earliest, Likely, Latest time.Time }

// After is when the n-th push from now comes. For n below 1 it is now.
func (m Model) After(n int) Window {
	if n < 1 {
		return Window{m.now, m.now, m.now}
	}
	w := m.wait(n)
	at := func(q float64) time.Time {
		if q >= m.alive {
			return time.Time{}
		}
		return m.when(w.quantile(q / m.alive))
	}
	return Window{at(0.1), at(0.5), at(0.9)}
}

// Within is how many pushes come in d: with nine chances of ten at least p10,
// as likely as not p50, with one chance of ten p90. It goes no further than
// [Sight].
func (m Model) Within(d time.Duration) (p10, p50, p90 int) {
	work := m.work(min(d, Sight))
	if work <= 0 {
		return 0, 0, 0
	}
	return m.most(work, 0.9), m.most(work, 0.5), m.most(work, 0.1)
}

// most is the largest number of pushes that come in so much work with a chance
// of at least p.
func (m *Model) most(work, p float64) int {
	short := func(n int) bool {
		w := m.wait(n)
		chance, _ := w.chance(work)
		return m.alive*chance < p
	}
	high := 1
	for high < 1<<24 && !short(high) {
		high *= 2
	}
	return high/2 + sort.Search(high-high/2, func(i int) bool { return short(high/2 + i + 1) })
}

// wait is how long a number of pushes takes, in days of work: in each of two
// cases a gamma variable for the batches over another one for their rate. Two
// cases, few batches or many, show what a rare large batch does.
type wait struct {
	sure  float64
	cases [2]struct{ chance, shape, scale float64 }
}

func (m *Model) wait(n int) wait {
	batches := m.needOf(n)
	// The first batch is waited for from now, not from the one before it.
	first := (1 + m.gap) / 2
	firstVariance := (1+m.gap)*(1+2*m.gap)/3 - first*first

	ahead := reach((batches.mean - 1 + first) / m.rate / 2)
	unsure := 1/m.sure + m.unsure*(m.age+ahead)*(m.age+ahead) + m.unsureSize(n, &batches)
	w := wait{sure: 1 / unsure}
	fewer, more, chance := batches.twoCases()
	for i, count := range [2]float64{fewer, more} {
		mean := count - 1 + first
		variance := max(count-1, 0)*m.spreadOver(count) + firstVariance
		w.cases[i].chance, w.cases[i].shape, w.cases[i].scale = chance, mean*mean/variance, mean/m.rate
		chance = 1 - chance
	}
	return w
}

// unsureSize is what is not known of n pushes because the sizes of batches are
// known from few.
func (m *Model) unsureSize(n int, batches *need) float64 {
	if m.sizeVariance <= 0 {
		return 0
	}
	settled := float64(n) * m.sizeVariance / (m.size * m.size * m.size)
	return min(1, batches.variance()/settled) * m.sizeVariance / (m.size * m.size) / m.sizeSure
}

// twoCases are two numbers of batches, and the chance of the first, with the
// same mean, variance and skewness.
func (n *need) twoCases() (fewer, more, chance float64) {
	deviation := math.Sqrt(n.variance())
	half := n.skewness() / 2
	root := math.Sqrt(1 + half*half)
	fewer, more = n.mean-deviation*(root-half), n.mean+deviation*(root+half)
	if fewer < 1 { // one batch at least: the variance and the mean must do
		fewer = 1
		if n.mean > 1 {
			more = n.mean + n.variance()/(n.mean-1)
		}
	}
	if more-fewer < 1e-9 {
		return n.mean, n.mean, 1
	}
	return fewer, more, (more - n.mean) / (more - fewer)
}

// reach is how much of a trend still shows so many days ahead.
func reach(days float64) float64 { return trendReach * (1 - math.Exp(-days/trendReach)) }

// chance is how likely the wait is over within so many days of work, and how
// fast that grows with the logarithm of the work.
func (w *wait) chance(work float64) (chance, slope float64) {
	for _, c := range w.cases {
		if c.chance < 1e-9 {
			continue
		}
		odds := work / c.scale * c.shape / w.sure
		x := odds / (1 + odds)
		chance += c.chance * incompleteBeta(x, c.shape, w.sure)
		slope += c.chance * math.Exp(logKernel(x, c.shape, w.sure))
	}
	return chance, slope
}

// quantile is the days of work within which the wait is over with a chance of
// q, all in all. It goes by Newton's method inside a bracket that shrinks.
func (w *wait) quantile(q float64) float64 {
	low, high := -50.0, 50.0
	log := math.Log(max(w.cases[0].scale, w.cases[1].scale))
	for range 100 {
		chance, slope := w.chance(math.Exp(log))
		if chance > q {
			high = log
		} else {
			low = log
		}
		next := log - (chance-q)/slope
		if !(next > low && next < high) || math.Abs(next-log) > 4 {
			next = (max(low, log-4) + min(high, log+4)) / 2
		}
		if math.Abs(next-log) < 1e-5 {
			return math.Exp(next)
		}
		log = next
	}
	return math.Exp(log)
}

// when is the time after so many days of work at the rate of now; zero beyond
// sight. Weeks in which the team is larger do more of it.
func (m *Model) when(work float64) time.Time {
	at := m.week.at(m.now)
	for ahead := 0.0; ahead < Sight.Hours()/24; ahead += 7 {
		growth := math.Exp(m.trend * reach(ahead+3.5))
		if work <= 7*growth {
			t := m.week.back(at + ahead + work/growth)
			if t.Sub(m.now) > Sight {
				return time.Time{}
			}
			if t.Before(m.now) {
				return m.now
			}
			return t
		}
		work -= 7 * growth
	}
	return time.Time{}
}

// work is how many days of work, at the rate of now, there are in d.
func (m *Model) work(d time.Duration) float64 {
	total := 0.0
	for ahead := 0.0; d > 0; ahead += 7 {
		part := min(d, 7*day)
		from := m.now.Add(time.Duration(ahead) * day)
		total += (m.week.at(from.Add(part)) - m.week.at(from)) * math.Exp(m.trend*reach(ahead+3.5))
		d -= part
	}
	return total
}
