// Package clock is drydock's calendar and alarm clock: every wake-up of the
// embedded AWS is one entry of one heap.
//
// The calendar is real time plus whatever [Clock.Advance] added. Advance does
// not skip what would have happened meanwhile: it runs every wake-up on the
// way, in order, each at its own time. A clock made by [Manual] never moves by
// itself, so a test sees the same run every time.
package clock

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// Clock tells the time and calls back. Callbacks run one at a time, on the
// goroutine of [Clock.Run] or [Clock.Advance], without any lock of the clock
// held: they may schedule and cancel.
type Clock struct {
	running sync.Mutex // held while callbacks run: one runner at a time

	mu     sync.Mutex
	manual bool
	now    time.Time     // manual: the time
	offset time.Duration // real: what Advance added
	scale  float64
	queue  wakeups
	byKey  map[string]*wakeup
	seq    uint64
	kick   chan struct{} // tells Run that the head of the queue changed
}

type wakeup struct {
	at    time.Time
	seq   uint64 // equal times run in the order they were scheduled
	key   string
	call  func(now time.Time)
	index int
}

// Real makes a clock that moves with time itself. Durations given to
// [Clock.Scale] are divided by scale; 1 is AWS's own pace.
func Real(scale float64) *Clock {
	return &Clock{scale: scale, byKey: map[string]*wakeup{}, kick: make(chan struct{}, 1)}
}

// Manual makes a clock that stands at start until [Clock.Advance] moves it;
// its scale is 1.
func Manual(start time.Time) *Clock {
	c := Real(1)
	c.manual, c.now = true, start
	return c
}

// Now is the present calendar time, in UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.present()
}

func (c *Clock) present() time.Time {
	if c.manual {
		return c.now.UTC()
	}
	return time.Now().Add(c.offset).UTC()
}

// Scale is how long one of AWS's own durations (a scheduler tick, a start, a
// drain) takes on this clock. Calendar ages are never scaled.
func (c *Clock) Scale(d time.Duration) time.Duration {
	return time.Duration(float64(d) / c.TimeScale())
}

// TimeScale is what [Clock.Scale] divides by.
func (c *Clock) TimeScale() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.scale
}

// SetTimeScale changes the pace of what begins from now on. Wake-ups that are
// scheduled stay where they are.
func (c *Clock) SetTimeScale(scale float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scale = scale
}

// At has call run at t, or at once when t is past. There is one wake-up a
// key: a later At with the same key replaces the earlier one.
func (c *Clock) At(t time.Time, key string, call func(now time.Time)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(key)
	c.seq++
	w := &wakeup{at: t, seq: c.seq, key: key, call: call}
	c.byKey[key] = w
	heap.Push(&c.queue, w)
	if w.index == 0 {
		c.wake()
	}
}

// Cancel forgets the wake-up of that key, if there is one.
func (c *Clock) Cancel(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(key)
}

func (c *Clock) remove(key string) {
	if w, ok := c.byKey[key]; ok {
		heap.Remove(&c.queue, w.index)
		delete(c.byKey, key)
	}
}

func (c *Clock) wake() {
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

// Advance moves the calendar forward by d and runs everything that falls due
// on the way, wake-ups scheduled meanwhile included. It must not be called
// from a callback.
func (c *Clock) Advance(d time.Duration) {
	c.running.Lock()
	defer c.running.Unlock()
	target := c.Now().Add(d)
	for {
		c.mu.Lock()
		if len(c.queue) == 0 || c.queue[0].at.After(target) {
			c.moveTo(target)
			c.mu.Unlock()
			c.wake()
			return
		}
		w := c.pop()
		c.moveTo(w.at)
		now := c.present()
		c.mu.Unlock()
		w.call(now)
	}
}

// moveTo brings the calendar to t; it never goes back.
func (c *Clock) moveTo(t time.Time) {
	ahead := t.Sub(c.present())
	if ahead <= 0 {
		return
	}
	if c.manual {
		c.now = t
	} else {
		c.offset += ahead
	}
}

func (c *Clock) pop() *wakeup {
	w := heap.Pop(&c.queue).(*wakeup)
	delete(c.byKey, w.key)
	return w
}

// Run calls back in real time until ctx is done; a callback that runs at that
// moment is the last one. A manual clock has no use for it.
func (c *Clock) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		wait := c.runDue(ctx)
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-c.kick:
		}
	}
}

// idle is how long Run sleeps when nothing is scheduled; a new wake-up ends
// the sleep.
const idle = time.Hour

// runDue runs what is due and says how long until the next wake-up.
func (c *Clock) runDue(ctx context.Context) time.Duration {
	c.running.Lock()
	defer c.running.Unlock()
	for {
		c.mu.Lock()
		if len(c.queue) == 0 || ctx.Err() != nil {
			c.mu.Unlock()
			return idle
		}
		now := c.present()
		if wait := c.queue[0].at.Sub(now); wait > 0 {
			c.mu.Unlock()
			return wait
		}
		w := c.pop()
		c.mu.Unlock()
		w.call(now)
	}
}

// wakeups is the heap, earliest first.
type wakeups []*wakeup

func (q wakeups) Len() int { return len(q) }

func (q wakeups) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].seq < q[j].seq
	}
	return q[i].at.Before(q[j].at)
}

func (q wakeups) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push implements heap.Interface.
func (q *wakeups) Push(x any) {
	w := x.(*wakeup)
	w.index = len(*q)
	*q = append(*q, w)
}

// Pop implements heap.Interface.
func (q *wakeups) Pop() any {
	old := *q
	w := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return w
}
