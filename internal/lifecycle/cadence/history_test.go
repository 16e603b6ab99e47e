package cadence

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// history is a made-up past and future of a repository.
type history struct {
	pushes []time.Time // sorted
	now    time.Time
}

// cut parts the pushes at now.
func (h *history) cut() (before, after []time.Time) {
	at, _ := slices.BinarySearchFunc(h.pushes, h.now, time.Time.Compare)
	return h.pushes[:at], h.pushes[at:]
}

const future = 500 * day

// team is how histories are made: pace says how many builds a day to expect at
// a time, build how many pushes one of them makes.
type team struct {
	name  string
	about string
	make  func(r *rand.Rand) (pace func(t time.Time) float64, build func(t time.Time, push func(time.Time)))
}

// history of 40 to 400 days, and what comes after it.
func (tm *team) history(seed uint64) history {
	r := rand.New(rand.NewPCG(11, seed))
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.Float64() * float64(365*day)))
	now := start.Add(40*day + time.Duration(r.Float64()*float64(360*day)))
	pace, build := tm.make(r)
	h := history{now: now}
	for at := start; at.Before(now.Add(future)); at = at.Add(time.Hour) {
		for range poisson(r, pace(at)/24) {
			build(at.Add(time.Duration(r.Int64N(int64(time.Hour)))), func(t time.Time) { h.pushes = append(h.pushes, t) })
		}
	}
	slices.SortFunc(h.pushes, time.Time.Compare)
	return h
}

func poisson(r *rand.Rand, mean float64) int {
	n := 0
	for left := r.ExpFloat64(); left < mean; left += r.ExpFloat64() {
		n++
	}
	return n
}

func between(r *rand.Rand, low, high float64) float64 {
	return low * math.Exp(r.Float64()*math.Log(high/low))
}

func one(t time.Time, push func(time.Time)) { push(t) }

// office is the weight of an hour when people of some zone work on weekdays.
func office(r *rand.Rand) func(time.Time) float64 {
	zone := time.Duration(r.IntN(20)-8) * time.Hour
	return func(t time.Time) float64 {
		t = t.Add(zone)
		if d := t.Weekday(); d == time.Saturday || d == time.Sunday || t.Hour() < 9 || t.Hour() >= 18 {
			return 0
		}
		return 24.0 / 9 * 7 / 5
	}
}

func teams() []team {
	return []team{
		{"Poisson", "any time of the day, one in ten days to ten a day", func(r *rand.Rand) (func(time.Time) float64, func(time.Time, func(time.Time))) {
			rate := between(r, 0.1, 10)
			return func(time.Time) float64 { return rate }, one
		}},
		{"weekdays", "Monday to Friday, 9 to 18 in some zone", func(r *rand.Rand) (func(time.Time) float64, func(time.Time, func(time.Time))) {
			rate, open := between(r, 0.1, 10), office(r)
			return func(t time.Time) float64 { return rate * open(t) }, one
		}},
		{"buildx", "on weekdays 3 to 9 images at once", func(r *rand.Rand) (func(time.Time) float64, func(time.Time, func(time.Time))) {
			rate, open, images := between(r, 0.1, 3), office(r), 3+r.IntN(7)
			return func(t time.Time) float64 { return rate * open(t) }, func(t time.Time, push func(time.Time)) {
				for range images {
					push(t)
					t = t.Add(time.Duration(r.IntN(9)) * time.Second)
				}
			}
		}},
		{"releases", "1 to 12 candidates within five hours, every 3 to 14 days", func(r *rand.Rand) (func(time.Time) float64, func(time.Time, func(time.Time))) {
			rate, open := 1/between(r, 3, 14), office(r)
			return func(t time.Time) float64 { return rate * open(t) }, func(t time.Time, push func(time.Time)) {
				for range 1 + r.IntN(12) {
					push(t.Add(time.Duration(r.Int64N(int64(5 * time.Hour)))))
				}
			}
		}},
		{"CI storms", "one or two builds a weekday; one in twenty sets off 20 to 80", func(r *rand.Rand) (func(time.Time) float64, func(time.Time, func(time.Time))) {
			rate, open := between(r, 0.7, 2), office(r)
			return func(t time.Time) float64 { return rate * open(t) }, func(t time.Time, push func(time.Time)) {
				push(t)
				if r.IntN(20) == 0 {
					for range 20 + r.IntN(60) {
						push(t.Add(time.Duration(r.Int64N(int64(6 * time.Hour)))))
					}
				}
			}
		}},
		{"growing", "doubles every 5 to 12 months", trending(+1)},
		{"shrinking", "halves every 5 to 12 months", trending(-1)},
		{"holidays", "nobody at the turn of the year, half in August, three weeks off at random", func(r *rand.Rand) (func(time.Time) float64, func(time.Time, func(time.Time))) {
			rate, open := between(r, 0.2, 8), office(r)
			off := map[int]bool{}
			for range 3 * 3 {
				off[r.IntN(3*52)] = true
			}
			return func(t time.Time) float64 {
				switch d := t.YearDay(); {
				case d < 5 || d > 357, off[(t.Year()-2025)*52+d/7]:
					return 0
				case t.Month() == time.August:
					return rate / 2 * open(t)
				}
				return rate * open(t)
			}, one
		}},
		{"moods", "the pace of a month is anything from half to double", func(r *rand.Rand) (func(time.Time) float64, func(time.Time, func(time.Time))) {
			rate, open := between(r, 0.2, 8), office(r)
			mood := map[int]float64{}
			return func(t time.Time) float64 {
				month := t.Year()*12 + int(t.Month())
				if mood[month] == 0 {
					mood[month] = between(r, 0.5, 2)
				}
				return mood[month] * rate * open(t)
			}, one
		}},
	}
}

func trending(sign float64) func(r *rand.Rand) (func(time.Time) float64, func(time.Time, func(time.Time))) {
	return func(r *rand.Rand) (func(time.Time) float64, func(time.Time, func(time.Time))) {
		rate, open, double := between(r, 0.3, 6), office(r), between(r, 150, 365)
		middle := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		return func(t time.Time) float64 {
			return rate * open(t) * math.Exp2(sign*t.Sub(middle).Hours()/24/double)
		}, one
	}
}
