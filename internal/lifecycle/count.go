package lifecycle

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// ranking is the order by age of the images that count rules identify.
type ranking struct {
	byAge []int32 // images, youngest first
	// place of an image: lower is younger, equal is a tie.
	place []int32
}

type aged struct {
	pushed int64
	image  int32
}

// ageKey orders times of the years 1678 to 2262; one not known is oldest.
func ageKey(t time.Time) int64 {
	if t.IsZero() {
		return math.MinInt64
	}
	return t.UnixNano()
}

func newRanking(images []Image, matched []uint64, rules uint64, breakTies bool) ranking {
	all := make([]aged, 0, len(images))
	for i := range images {
		if matched[i]&rules != 0 {
			all = append(all, aged{ageKey(images[i].ordered()), int32(i)})
		}
	}
	sortByAge(all)
	if breakTies {
		sortTies(all, images)
	}
	k := ranking{byAge: make([]int32, len(all)), place: make([]int32, len(images))}
	for n, a := range all {
		k.byAge[n] = a.image
		k.place[a.image] = int32(n)
		if n > 0 && !breakTies && a.pushed == all[n-1].pushed {
			k.place[a.image] = k.place[all[n-1].image]
		}
	}
	return k
}

// sortByAge puts the youngest first. It takes a million images a third of the
// time when their ages are not compared, but sorted digit by digit.
func sortByAge(all []aged) {
	const few = 2000
	if len(all) < few {
		slices.SortFunc(all, func(a, b aged) int { return cmp.Compare(b.pushed, a.pushed) })
		return
	}
	radixSort(all)
}

func radixSort(all []aged) {
	const bits = 11
	key := func(a *aged) uint64 { return ^(uint64(a.pushed) ^ 1<<63) } // in unsigned order, the highest first
	from, to := all, make([]aged, len(all))
	for shift := 0; shift < 64; shift += bits {
		var starts [1 << bits]int32
		for i := range from {
			starts[key(&from[i])>>shift&(1<<bits-1)]++
		}
		if len(from) == 0 || int(starts[key(&from[0])>>shift&(1<<bits-1)]) == len(from) {
			continue // all have the same digit
		}
		sum := int32(0)
		for d, n := range starts {
			starts[d] = sum
			sum += n
		}
		for i := range from {
			d := key(&from[i]) >> shift & (1<<bits - 1)
			to[starts[d]] = from[i]
			starts[d]++
		}
		from, to = to, from
	}
	copy(all, from)
}

// sortTies orders images of one age by digest, the highest first.
func sortTies(all []aged, images []Image) {
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].pushed == all[0].pushed {
			n++
		}
		slices.SortFunc(all[:n], func(a, b aged) int {
			return cmp.Compare(images[b.image].Digest, images[a.image].Digest)
		})
		all = all[n:]
	}
}

// cut is where a count rule parts the images to keep from the rest, once
// with all images counted and once without the children of live indexes.
type cut struct{ all, unheld edge }

// edge is the places of the last image to keep and of the next one. They are
// the same when the two tie.
type edge struct{ last, next int32 }

// beyond reports whether an image lies beyond the edge when all ties go
// against it, and when all go for it.
func (e edge) beyond(place int32) (against, favoured bool) {
	return place >= e.next, place > e.last
}

// cut goes through what rule r identifies, "sorted from youngest to oldest",
// as far as the edge.
func (j *judge) cut(r int) cut {
	keep := j.policy.rules[r].CountNumber
	c := cut{edge{math.MaxInt32, math.MaxInt32}, edge{math.MaxInt32, math.MaxInt32}}
	all, unheld := 0, 0
	for _, i := range j.order.byAge {
		if unheld > keep {
			break
		}
		if j.matched[i]&(1<<r) == 0 {
			continue
		}
		all++
		c.all.note(all-keep, j.order.place[i])
		if !j.family.held(int(i)) {
			unheld++
			c.unheld.note(unheld-keep, j.order.place[i])
		}
	}
	return c
}

// note takes the place of an image that is so many beyond the count.
func (e *edge) note(beyond int, place int32) {
	switch beyond {
	case 0:
		e.last = place
	case 1:
		e.next = place
	}
}

// beyond reports whether rule r, which identifies image i, takes it for the
// newer ones that it identifies. The children of live indexes are the
// question: more images counted take more.
func (j *judge) beyond(r, i int) (bool, Doubt) {
	harsh, mild := j.cuts[r].all, j.cuts[r].unheld
	if j.family.held(i) {
		// Where children do not count, they are not identified either.
		mild = edge{math.MaxInt32, math.MaxInt32}
	}
	switch j.options.ChildrenCount {
	case Yes:
		mild = harsh
	case No:
		harsh = mild
	}
	place := j.order.place[i]
	harshAgainst, harshFavoured := harsh.beyond(place)
	mildAgainst, mildFavoured := mild.beyond(place)
	var doubt Doubt
	switch {
	case !harshAgainst:
		return false, 0
	case mildFavoured:
		return true, 0
	case harshFavoured && mildAgainst: // only both together would save it
		return true, DoubtChildren | DoubtTies
	}
	if !harshFavoured {
		doubt |= DoubtTies
	}
	if !mildAgainst {
		doubt |= DoubtChildren
	}
	return true, doubt
}
