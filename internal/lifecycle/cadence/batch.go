package cadence

import (
	"math"
	"slices"
	"time"
)

// batch is pushes that belong together: an index with its platforms, the
// images of one CI run, a day of release candidates.
type batch struct {
	at     time.Time // of its first push
	end    time.Time // of its last
	size   int
	weight float64 // by its age
}

// join makes batches of pushes, which are sorted, no more than gap apart.
func join(pushes []time.Time, now time.Time, gap time.Duration) []batch {
	var batches []batch
	for _, at := range pushes {
		if last := len(batches) - 1; last >= 0 && at.Sub(batches[last].end) <= gap {
			batches[last].end = at
			batches[last].size++
			continue
		}
		batches = append(batches, batch{at: at, end: at, size: 1, weight: weightAt(now.Sub(at))})
	}
	return batches
}

// share is how often a batch has a size.
type share struct {
	size int
	part float64
}

// sizes is the distribution of the sizes of batches.
func sizes(batches []batch) []share {
	if len(batches) == 0 {
		return []share{{1, 1}}
	}
	bySize := map[int]float64{}
	total := 0.0
	for _, b := range batches {
		// A repository where nothing came for long still has its sizes.
		weight := b.weight + 1e-9
		bySize[b.size] += weight
		total += weight
	}
	shares := make([]share, 0, len(bySize))
	for size, weight := range bySize {
		shares = append(shares, share{size, weight / total})
	}
	slices.SortFunc(shares, func(a, b share) int { return a.size - b.size })
	return shares
}

// need is how many batches bring some number of pushes: the mean, and two more
// moments.
type need struct{ mean, square, cube float64 }

// variance of the number of batches.
func (n *need) variance() float64 { return max(0, n.square-n.mean*n.mean) }

// skewness of the number of batches: below zero when a rare large batch may
// bring all at once.
func (n *need) skewness() float64 {
	v := n.variance()
	if v < 1e-9*n.square {
		return 0
	}
	return (n.cube - 3*n.mean*v - n.mean*n.mean*n.mean) / (v * math.Sqrt(v))
}

// needs[n] is how many batches bring n pushes, for n up to most. It is the
// sum over the size of the first batch.
func needs(shares []share, most int) []need {
	out := make([]need, most+1)
	for n := 1; n <= most; n++ {
		all := need{1, 1, 1}
		for _, s := range shares {
			if s.size >= n {
				break
			}
			rest := &out[n-s.size]
			all.mean += s.part * rest.mean
			all.square += s.part * (2*rest.mean + rest.square)
			all.cube += s.part * (3*rest.mean + 3*rest.square + rest.cube)
		}
		out[n] = all
	}
	return out
}

// exactNeeds is as far as needs are worked out one by one.
const exactNeeds = 256

// needOf is how many batches bring n pushes. Beyond exactNeeds the mean and the
// variance grow in proportion, as renewal theory says.
func (m *Model) needOf(n int) need {
	if n < len(m.needs) {
		return m.needs[n]
	}
	last := &m.needs[len(m.needs)-1]
	more := float64(n - len(m.needs) + 1)
	mean := last.mean + more/m.size
	variance := last.variance() + more*m.sizeVariance/(m.size*m.size*m.size)
	return need{mean: mean, square: variance + mean*mean, cube: mean * (mean*mean + 3*variance)}
}
