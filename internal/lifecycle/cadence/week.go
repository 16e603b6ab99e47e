package cadence

import (
	"math"
	"sort"
	"time"
)

const (
	hoursOfWeek = 7 * 24
	day         = 24 * time.Hour
)

// week is when in the week a team pushes. It makes a calendar of its own, in
// which every day weighs the same: an average week has 7 of its days, a Sunday
// on which nobody pushes has none.
type week struct {
	until [hoursOfWeek + 1]float64 // from Sunday 00:00 UTC, in days of work
}

// newWeek is the week whose hours weigh day × hour.
func newWeek(days *[7]float64, hours *[24]float64) week {
	var w week
	for h := range hoursOfWeek {
		w.until[h+1] = w.until[h] + days[h/24]*hours[h%24]
	}
	for h := range w.until {
		w.until[h] *= 7 / w.until[hoursOfWeek]
	}
	return w
}

// at is the place of a time in this calendar.
func (w *week) at(t time.Time) float64 {
	// 1970-01-01 was a Thursday.
	seconds := t.Unix() + 4*86400
	weeks := floorDiv(seconds, 7*86400)
	within := seconds - weeks*7*86400
	h := within / 3600
	part := float64(within%3600) / 3600
	return float64(weeks)*7 + w.until[h] + part*(w.until[h+1]-w.until[h])
}

// back is the time at a place.
func (w *week) back(at float64) time.Time {
	weeks := math.Floor(at / 7)
	rest := at - weeks*7
	h := sort.SearchFloat64s(w.until[1:], rest)
	h = min(h, hoursOfWeek-1)
	part := 0.0
	if width := w.until[h+1] - w.until[h]; width > 0 {
		part = (rest - w.until[h]) / width
	}
	seconds := weeks*7*86400 + (float64(h)+part)*3600 - 4*86400
	return time.Unix(int64(math.Ceil(seconds)), 0).UTC()
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// learnWeek finds when in the week the batches come. Where they are too few to
// tell, the week stays even.
func learnWeek(batches []batch, since, now time.Time) week {
	var days, dayShare [7]float64
	var hours, hourShare [24]float64
	total, squares := 0.0, 0.0
	for _, b := range batches {
		at := b.at.UTC()
		days[at.Weekday()] += b.weight
		hours[at.Hour()] += b.weight
		total += b.weight
		squares += b.weight * b.weight
	}
	if earliest := now.Add(-2 * memory); since.Before(earliest) {
		since = earliest
	}
	for at := since; at.Before(now); at = at.Add(day) {
		dayShare[at.UTC().Weekday()] += weightAt(now.Sub(at))
	}
	for h := range hourShare {
		hourShare[h] = 1
	}
	grain := 1.0
	if total > 0 {
		grain = squares / total // what one batch weighs
	}
	shrink(days[:], dayShare[:], grain)
	shrink(hours[:], hourShare[:], grain)
	return newWeek(&days, &hours)
}

// shrink makes weights of counts, 1 being what their share of the time would
// bring, and draws them to 1 as far as chance explains the differences
// (James and Stein).
func shrink(counts, share []float64, grain float64) {
	total, shares := 0.0, 0.0
	for i := range counts {
		total += counts[i]
		shares += share[i]
	}
	differences, cells := 0.0, 0
	for i := range counts {
		if expected := total * share[i] / shares; expected > 0 {
			differences += (counts[i] - expected) * (counts[i] - expected) / expected
			cells++
		}
	}
	trust := 0.0
	if differences > 0 {
		trust = max(0, 1-grain*float64(max(cells-3, 1))/differences)
	}
	for i := range counts {
		expected := total * share[i] / shares
		if !(expected > 0) {
			counts[i] = 1
			continue
		}
		counts[i] = 1 + trust*(counts[i]/expected-1)
	}
}
