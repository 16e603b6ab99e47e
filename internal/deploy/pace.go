package deploy

import (
	"time"
)

// Poll is how often a watch looks.
type Poll string

// The ways to look. Both are inside ECS's published limits by a wide margin,
// and throttling slows either.
const (
	// PollFast tells a verdict within about a second of its being true, for at
	// most about one call a second. It is the zero value.
	PollFast Poll = ""
	// PollEconomical makes as few calls as it can and may be seconds late.
	PollEconomical Poll = "economical"
)

// The pace of looks. ECS's scheduler acts about every ten seconds, so a look
// a second is late by half a second at the median, and looking faster for long
// would be waste.
const (
	fastest = 25 * time.Millisecond
	closing = time.Second             // when the next look may decide
	usual   = 1500 * time.Millisecond // while things move
	resting = 2 * time.Second         // when nothing has moved for a while
	slowest = 10 * time.Second        // when AWS throttles

	economical     = 8 * time.Second
	economicalNear = 5 * time.Second

	restsAfter = time.Minute
)

// pace says how long to wait between two looks.
type pace struct {
	poll     Poll
	changed  time.Time     // the last change
	tempo    time.Duration // the shortest time between two changes so far; 0: not known
	interval time.Duration
}

// next is the wait after a look that succeeded. After a change it begins small
// against the tempo at which the rollout has moved so far, and grows: what
// moved may move again. (A drydock moves a hundred times faster than AWS.)
func (p *pace) next(now time.Time, moved, nearlyDone bool) time.Duration {
	if p.poll == PollEconomical {
		p.interval = economical
		if nearlyDone {
			p.interval = economicalNear
		}
		return p.interval
	}
	ceiling := usual
	switch {
	case nearlyDone:
		ceiling = closing
	case !moved && now.Sub(p.changed) > restsAfter:
		ceiling = resting
	}
	switch {
	case moved:
		if gap := now.Sub(p.changed); !p.changed.IsZero() && gap > 0 && (p.tempo == 0 || gap < p.tempo) {
			p.tempo = gap
		}
		p.changed = now
		p.interval = max(fastest, p.tempo/4)
	case p.tempo == 0:
		p.interval = 4 * p.interval // nobody knows yet how fast this ECS is
	default:
		p.interval = 2 * p.interval
	}
	p.interval = min(max(p.interval, fastest), ceiling)
	return p.interval
}

// afterError is the wait after a look that failed.
func (p *pace) afterError() time.Duration {
	p.interval = min(max(2*p.interval, closing), slowest)
	return p.interval
}

// ration keeps the reads that only add detail (tasks, ECS's own record) to what
// is left of one call a second after the looks themselves. Evidence of a
// failure is never rationed.
type ration struct {
	began time.Time
	spent int
}

// What reads cost at least, in calls.
const (
	burst     = 5
	costLook  = 1
	costTasks = 2 // ListTasks and DescribeTasks
)

func (r *ration) spend(calls int) { r.spent += calls }

func (r *ration) allows(now time.Time, calls int) bool {
	return r.spent+calls <= burst+int(now.Sub(r.began)/time.Second)
}
