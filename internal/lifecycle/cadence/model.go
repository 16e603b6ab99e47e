package cadence

import (
	"math"
	"slices"
	"time"
)

// Model is how often a repository, or what a rule counts in it, is pushed to.
// It comes from [Learn], and only from there.
type Model struct {
	now   time.Time
	week  week
	needs []need // by number of pushes

	size, sizeVariance float64 // of a batch
	sizeSure           float64 // how many batches they are known from

	rate   float64 // batches a day, now
	sure   float64 // how many batches the rate is known from, as it were
	gap    float64 // squared coefficient of variation of a gap between batches
	spread float64 // the same over many gaps, where runs of short and long ones show
	moods  float64 // variance of the pace from month to month, to its square
	trend  float64 // growth of the rate a day
	unsure float64 // variance of trend
	age    float64 // mean age in days of what the rate was learned from
	alive  float64 // how likely it is that anybody pushes any more
}

// What is taken for granted before the first push is seen, and how fast it is
// forgotten. They were chosen once, on histories like those of
// TestCalibration but not the same.
const (
	halfLife = 70 * day // a push that old counts half
	memory   = 365 * day

	priorBatches = 0.5 // in so many days
	priorDays    = 7.0

	// A team seldom doubles or halves its pace in less than three months, and
	// what seems faster than two is something else.
	trendPrior = math.Ln2 / 90
	trendMost  = math.Ln2 / 60
	// No trend goes on for ever.
	trendReach = 180.0

	// Three weeks without a push are a holiday. After that one repository in
	// so many days is given up; but somebody may always come back to it.
	holiday   = 21.0
	lifeDays  = 1000.0
	returning = 0.2
)

func weightAt(age time.Duration) float64 { return math.Exp2(-float64(age) / float64(halfLife)) }

// Learn makes a model of the times of pushes, in any order. A push later than
// now, by another clock, counts as now.
func Learn(pushes []time.Time, now time.Time) Model {
	m := Model{now: now}
	batches, places := m.learnBatches(recent(pushes, now))
	m.learnSizes(batches)
	m.learnRate(batches, places)
	return m
}

// recent is the pushes within memory, sorted, or the last one before it.
func recent(pushes []time.Time, now time.Time) []time.Time {
	within := make([]time.Time, 0, len(pushes))
	for _, at := range pushes {
		if at.After(now) {
			at = now
		}
		if now.Sub(at) <= memory {
			within = append(within, at)
		}
	}
	if len(within) == 0 && len(pushes) > 0 {
		within = append(within, slices.MaxFunc(pushes, time.Time.Compare))
	}
	slices.SortFunc(within, time.Time.Compare)
	return within
}

// learnBatches joins pushes over the shortest gap that leaves the gaps between
// batches about as even as chance, or over the longest. It gives the batches
// their places in the week.
func (m *Model) learnBatches(pushes []time.Time) (batches []batch, places []float64) {
	const even = 1.25
	m.gap = 1
	if len(pushes) == 0 {
		m.week = learnWeek(nil, m.now, m.now)
		return nil, nil
	}
	for _, gap := range []time.Duration{5 * time.Minute, 2 * time.Hour, 8 * time.Hour} {
		batches = join(pushes, m.now, gap)
		m.week = learnWeek(batches, batches[0].at, m.now)
		places = m.places(batches)
		if m.gap = unevenness(places); m.gap < even {
			break
		}
	}
	return batches, places
}

// learnSizes finds how many pushes a batch is.
func (m *Model) learnSizes(batches []batch) {
	shares := sizes(batches)
	square := 0.0
	for _, s := range shares {
		m.size += s.part * float64(s.size)
		square += s.part * float64(s.size) * float64(s.size)
	}
	m.sizeVariance = max(0, square-m.size*m.size)
	total, squares := 0.0, 0.0
	for _, b := range batches {
		total += b.weight
		squares += b.weight * b.weight
	}
	m.sizeSure = 1
	if squares > 0 {
		m.sizeSure = total * total / squares
	}
	m.needs = needs(shares, exactNeeds)
}

func (m *Model) places(batches []batch) []float64 {
	out := make([]float64, len(batches))
	for i := range batches {
		out[i] = m.week.at(batches[i].at)
	}
	return out
}

// unevenness is the squared coefficient of variation of the gaps between
// places: 0 for a clock, 1 for pure chance, which is what it is taken for
// where gaps are few.
func unevenness(places []float64) float64 {
	const few, rare = 3, 8 // a gap many times the mean is a holiday, not a habit
	n := len(places) - 1
	if n < 1 || places[n] <= places[0] {
		return 1
	}
	mean, squares := (places[n]-places[0])/float64(n), 0.0
	for i := 1; i <= n; i++ {
		off := min((places[i]-places[i-1])/mean, rare) - 1
		squares += off * off
	}
	return (squares + few) / (float64(n-1) + few)
}
