package lifecycle

import (
	"math/bits"
	"time"
)

// Event is something that will happen to an image.
type Event struct {
	// Action is empty when nothing happens within the horizon.
	Action Action
	Rule   int // its priority, or 0 WithSubject
	Reason Reason
	// At is the earliest time of a run that does it: ECR acts "within 24
	// hours" of it. When Pushes is not 0, the pushes must have come as well.
	At time.Time
	// Pushes is how many more images must be pushed that a count rule
	// identifies, at the fewest; PushesMost is how many are surely enough.
	// They differ where the text can be read in two ways. Both go by the
	// images of today: when some of those go first it takes more pushes.
	Pushes, PushesMost int
	Doubt              Doubt
}

// Forecast is what a policy has in store for one image.
type Forecast struct {
	Digest string
	Next   Event
	// Then is what follows when Next moves the image to the archive.
	Then Event
}

// Next says when each image's turn comes if nothing but what it counts is
// pushed and no tag moves: for age rules the time, up to now+horizon, for
// count rules the number of pushes. It answers for each image in the order of
// the images, and keeps all readings open: an event that is possible in one
// of them is foreseen.
func Next(p Policy, images []Image, now time.Time, horizon time.Duration) []Forecast {
	f := &forecaster{
		judge:     newJudge(p, images, now, Options{}),
		forecasts: make([]Forecast, len(images)),
		state:     make([]state, len(images)),
	}
	f.archived = f.inArchive()
	f.newer = f.judge.newerImages()
	for i := range images {
		f.settle(i)
	}
	for f.ring {
		f.ring = f.workAgain()
	}
	for i := range f.forecasts {
		f.forecasts[i].Digest = images[i].Digest
		f.forecasts[i].clip(now.Add(horizon))
	}
	return f.forecasts
}

func (f *Forecast) clip(end time.Time) {
	if f.Next.At.After(end) {
		f.Next = Event{}
	}
	if f.Then.At.After(end) {
		f.Then = Event{}
	}
}

// forecaster works out each image after those it waits for.
type forecaster struct {
	judge     *judge
	forecasts []Forecast // no event until it is worked out
	state     []state
	ring      bool // two images wait for each other
	newer     []span
	archived  []selector // of the rules for archived images, else none
}

type state uint8

const (
	unsettled state = iota
	settling
	settled
)

func (f *forecaster) inArchive() []selector {
	selectors := make([]selector, len(f.judge.policy.rules))
	for r := range selectors {
		if rule := &f.judge.policy.rules[r]; rule.StorageClass == Archive {
			selectors[r] = newSelector(rule)
		}
	}
	return selectors
}

// settle works out image i after the indexes that hold it and its subject.
func (f *forecaster) settle(i int) {
	if f.state[i] != unsettled {
		f.ring = f.ring || f.state[i] == settling
		return
	}
	f.state[i] = settling
	f.judge.family.holders(i, f.settle)
	if subject, ok := f.judge.family.subjectOf(i); ok {
		f.settle(subject)
	}
	f.work(i)
	f.state[i] = settled
}

// workAgain works all out once more and reports whether anything changed. An
// index about one of its children makes a ring: the child waits for the index
// to go and takes it along. In such a ring an image worked out too early has
// an event missing or too late, never one too early, so this ends.
func (f *forecaster) workAgain() bool {
	changed := false
	for i := range f.forecasts {
		before := f.forecasts[i]
		f.work(i)
		changed = changed || f.forecasts[i] != before
	}
	return changed
}

// work puts together what is in store for image i.
func (f *forecaster) work(i int) {
	next := f.onceReleased(i, f.own(i))
	subject, referrer := f.judge.family.subjectOf(i)
	if referrer {
		next = earlier(doubted(next), f.following(i, f.forecasts[subject]))
	}
	f.forecasts[i] = Forecast{Next: next}
	if next.Action != Transition {
		return
	}
	then := f.fromArchive(i, next)
	if referrer {
		then = earlier(doubted(then), expiryAfter(next, f.forecasts[subject].Next))
		then = earlier(then, expiryAfter(next, f.forecasts[subject].Then))
	}
	f.forecasts[i].Then = then
}

// doubted is what a rule has for a referrer whose subject may stay.
func doubted(e Event) Event {
	if e.Action != "" {
		e.Doubt |= DoubtReferrers
	}
	return e
}

// own is the event that the image's rule has for it.
func (f *forecaster) own(i int) Event {
	j := f.judge
	if j.matched[i] == 0 {
		return Event{}
	}
	owner := bits.TrailingZeros64(j.matched[i])
	rule := &j.policy.rules[owner]
	e := Event{Action: rule.Action, Rule: rule.Priority, Reason: rule.taking(), At: j.now}
	if rule.CountType == CountMoreThan {
		e.Pushes = max(0, rule.CountNumber-int(f.newer[i].most))
		e.PushesMost = max(0, rule.CountNumber-int(f.newer[i].fewest))
		if e.Pushes == 0 {
			_, e.Doubt = j.takes(owner, i)
		}
		return e
	}
	at := rule.reference(&j.images[i])
	if at.IsZero() {
		return Event{}
	}
	if due := addDays(at, rule.CountNumber); due.After(j.now) {
		e.At = due
	}
	return e
}

// onceReleased puts an event off until no index holds the image any more.
func (f *forecaster) onceReleased(i int, e Event) Event {
	f.judge.family.holders(i, func(holder int) {
		release := f.forecasts[holder].Next
		if release.Action == "" {
			e = Event{}
		}
		if e.Action == "" {
			return
		}
		if release.At.After(e.At) {
			e.At = release.At
		}
		e.Pushes, e.PushesMost = max(e.Pushes, release.Pushes), max(e.PushesMost, release.PushesMost)
		e.Doubt |= release.Doubt
	})
	return e
}

// following is the event that what happens to the subject brings on a
// referrer. One that is in the archive already waits for its expiry there.
// Whether ECR comes back for one that an index held is not documented.
func (f *forecaster) following(i int, subject Forecast) Event {
	e := subject.Next
	if e.Action == Transition && f.judge.images[i].Status == Archived {
		e = subject.Then
	}
	if e.Action != "" {
		e.Rule, e.Reason = 0, WithSubject
	}
	if e.Action != "" && f.judge.family.held(i) {
		e.Doubt |= DoubtReferrers
	}
	return f.onceReleased(i, e)
}

// fromArchive is what the rules for archived images have for an image that e
// moves there.
func (f *forecaster) fromArchive(i int, e Event) Event {
	for r := range f.archived {
		if f.archived[r].identifies(Archive, f.judge.images[i].Tags) {
			rule := &f.judge.policy.rules[r]
			e.Action, e.Rule, e.Reason = rule.Action, rule.Priority, TooOld
			e.At = addDays(e.At, rule.CountNumber)
			return e
		}
	}
	return Event{}
}

// expiryAfter is the expiry that the subject's event brings on a referrer after
// its archival. Whether ECR comes back when that was earlier is not documented.
func expiryAfter(archival, e Event) Event {
	if e.Action != Expire {
		return Event{}
	}
	e.Rule, e.Reason = 0, WithSubject
	e.Doubt |= archival.Doubt
	e.Pushes, e.PushesMost = max(e.Pushes, archival.Pushes), max(e.PushesMost, archival.PushesMost)
	if !e.At.After(archival.At) {
		e.At, e.Doubt = archival.At, e.Doubt|DoubtReferrers
	}
	return e
}

// earlier prefers what needs fewer pushes, then what comes first, then of two
// that come to the same what is certain.
func earlier(a, b Event) Event {
	switch {
	case b.Action == "":
		return a
	case a.Action == "":
		return b
	case a.Pushes != b.Pushes:
		if b.Pushes < a.Pushes {
			return b
		}
	case !a.At.Equal(b.At):
		if b.At.Before(a.At) {
			return b
		}
	case b.Doubt == 0 && b.Action == a.Action:
		return b
	}
	return a
}

// span is how many newer images a count rule sees: the fewest, without the
// children of live indexes and with ties taken for older, and the most.
type span struct{ fewest, most int32 }

// newerImages counts, for each image that belongs to a count rule, the newer
// ones that the rule identifies.
func (j *judge) newerImages() []span {
	newer := make([]span, len(j.images))
	for rules := j.countRules(); rules != 0; rules &= rules - 1 {
		j.countNewer(bits.TrailingZeros64(rules), newer)
	}
	return newer
}

// countNewer walks over what rule r identifies, one group of ties at a time.
func (j *judge) countNewer(r int, newer []span) {
	var all, unheld int32
	byAge := j.order.byAge
	for len(byAge) > 0 {
		group := byAge[:j.order.tied(byAge)]
		byAge = byAge[len(group):]
		before := unheld
		for _, i := range group {
			if j.matched[i]&(1<<r) != 0 {
				all++
				if !j.family.held(int(i)) {
					unheld++
				}
			}
		}
		for _, i := range group {
			if bits.TrailingZeros64(j.matched[i]) == r {
				newer[i] = span{fewest: before, most: all - 1}
			}
		}
	}
}

// tied is how many images at the head of byAge have the same age.
func (k *ranking) tied(byAge []int32) int {
	n := 1
	for n < len(byAge) && k.place[byAge[n]] == k.place[byAge[0]] {
		n++
	}
	return n
}
