package cadence

import "math"

// stretch is a day of the past: how much it weighs, what fell into it.
type stretch struct {
	age    float64 // days, of its middle
	work   float64 // days of work in it
	weight float64
	count  float64 // batches
}

// learnRate finds the rate of batches, its trend and what is not known of both.
func (m *Model) learnRate(batches []batch, places []float64) {
	m.alive = 1
	past := m.past(batches, places)
	m.spread = m.gap
	for range 2 { // the spread is judged about the trend, the trend by the spread
		m.level(past)
		m.spread = m.weeklySpread(past)
		m.moods = m.monthlyMoods(past)
	}
	m.level(past)
	if n := len(batches); n > 0 {
		m.alive = m.chanceAlive(m.now.Sub(batches[n-1].end).Hours()/24, places)
	}
}

// past is the days since the first batch, the last first. That batch begins
// what is seen and is no part of it.
func (m *Model) past(batches []batch, places []float64) []stretch {
	if len(batches) == 0 {
		return nil
	}
	end := m.week.at(m.now)
	days := int(math.Ceil(min(m.now.Sub(batches[0].at), 2*memory).Hours() / 24))
	past := make([]stretch, days)
	next := len(batches) - 1
	for d := range past {
		from := m.now.AddDate(0, 0, -d-1)
		begin := m.week.at(from)
		if from.Before(batches[0].at) {
			begin = places[0]
		}
		s := &past[d]
		s.age, s.work = float64(d)+0.5, end-begin
		for ; next > 0 && !batches[next].at.Before(from); next-- {
			s.count++
		}
		s.weight = math.Exp2(-s.age * 24 / halfLife.Hours())
		end = begin
	}
	return past
}

// level fits the rate and its trend: batches come at rate·e^(-trend·age).
func (m *Model) level(past []stretch) {
	batches, work, squares, ages, batchAges := 0.0, 0.0, 0.0, 0.0, 0.0
	for _, s := range past {
		batches += s.weight * s.count
		batchAges += s.weight * s.count * s.age
		work += s.weight * s.work
		squares += s.weight * s.weight * s.work
		ages += s.weight * s.work * s.age
	}
	prior := priorDays / (1 + batches)
	m.rate = (priorBatches + batches) / (prior + work)
	m.sure, m.trend, m.unsure, m.age = priorBatches, 0, trendPrior*trendPrior, 0
	if work <= 0 {
		return
	}
	m.sure += m.rate * work * work / squares / m.spreadOver(math.Inf(1))
	m.age = ages / work
	if batches <= 0 {
		return
	}
	variance := 0.0
	for _, s := range past {
		variance += s.weight * s.work * (s.age - m.age) * (s.age - m.age)
	}
	variance /= work
	slope := (m.age - batchAges/batches) / max(variance, 1)
	doubt := 1 / (m.sure * max(variance, 1))
	belief := trendPrior * trendPrior / (trendPrior*trendPrior + doubt)
	m.trend, m.unsure = min(max(belief*slope, -trendMost), trendMost), belief*doubt
	faded := 0.0
	for _, s := range past {
		faded += s.weight * s.work * math.Exp(-m.trend*s.age)
	}
	m.rate = (priorBatches + batches) / (prior + faded)
}

// spreadOver is the spread over so many batches.
func (m *Model) spreadOver(batches float64) float64 {
	return m.spread + m.moods*max(0, min(batches, 28*m.rate)-7*m.rate)
}

// block is some days together.
type block struct{ weight, expected, count float64 }

// blocks parts the past into blocks of so many days; a rest is left out.
func (m *Model) blocks(past []stretch, days int) []block {
	var out []block
	for ; len(past) >= days; past = past[days:] {
		b := block{weight: past[days/2].weight}
		for _, s := range past[:days] {
			b.expected += m.rate * math.Exp(-m.trend*s.age) * s.work
			b.count += s.count
		}
		if b.expected > 0 {
			out = append(out, b)
		}
	}
	return out
}

// weeklySpread is how much more than by chance the weeks differ, drawn to the
// unevenness of the single gaps where weeks are few.
func (m *Model) weeklySpread(past []stretch) float64 {
	const few = 4
	differences, weeks := 0.0, 0.0
	for _, b := range m.blocks(past, 7) {
		differences += b.weight * (b.count - b.expected) * (b.count - b.expected) / b.expected
		weeks += b.weight
	}
	return (differences + few*m.gap) / (max(weeks-1, 0) + few)
}

// monthlyMoods is how much more than their weeks the months differ.
func (m *Model) monthlyMoods(past []stretch) float64 {
	const few, usual = 3, 0.02
	excess, scale, months := 0.0, 0.0, 0.0
	for _, b := range m.blocks(past, 28) {
		off := b.count - b.expected
		excess += b.weight * (off*off - m.spread*b.expected)
		scale += b.weight * b.expected * b.expected * 3 / 4 // a quarter is in the weeks
		months += b.weight
	}
	found := 0.0
	if scale > 0 {
		found = max(0, excess/scale)
	}
	return (months*found + few*usual) / (max(months-1, 0) + few)
}

// chanceAlive weighs two explanations of a silence: chance, and that nobody
// pushes any more.
func (m *Model) chanceAlive(silent float64, places []float64) float64 {
	n := len(places) - 1
	silent -= holiday
	if silent <= 0 || n < 1 || places[n] <= places[0] {
		return 1
	}
	shape := float64(n)/max(m.spread, 1) + priorBatches
	rate := float64(n) / (places[n] - places[0])
	chance := math.Pow(1+rate*silent/shape, -shape)
	given := silent / lifeDays
	return max(returning, chance/(chance+given))
}
