package term

import (
	"fmt"
	"math"
	"time"
)

// flow is how fast bytes go and when the last of them will have gone. It has no
// clock: every moment comes in.
//
// The rate is that of the last seconds: a mean over all would remember a slow
// start for long. When all will be there is told once there is evidence, and
// moves towards what the rate says now rather than jump after it; between two
// looks it comes nearer by itself, second by second.
type flow struct {
	samples []sample
	left    int64     // bytes to go; negative: not known
	moved   time.Time // when bytes last went
	finish  time.Time // when all will have gone, as far as can be told; zero: it cannot
	judged  time.Time // when that was
}

type sample struct {
	at   time.Time
	sent int64
}

const (
	flowWindow   = 10 * time.Second
	flowLeast    = time.Second     // less than this says nothing
	flowEvidence = 3 * time.Second // less than this says nothing of the rest
	flowIdle     = 5 * time.Second // longer than this is worth a word
)

// add takes how many bytes had gone at a moment, and how many had not. What
// goes back begins anew.
func (f *flow) add(now time.Time, sent, left int64) {
	n := len(f.samples)
	if n > 0 && sent < f.samples[n-1].sent {
		*f, n = flow{}, 0
	}
	if n == 0 || sent > f.samples[n-1].sent {
		f.moved = now
	}
	f.samples, f.left = append(f.samples, sample{now, sent}), left
	for len(f.samples) > 2 && now.Sub(f.samples[1].at) >= flowWindow {
		f.samples = f.samples[1:]
	}
	f.judge(now)
}

// judge brings the finish up to date, once a second.
func (f *flow) judge(now time.Time) {
	const (
		often  = time.Second
		settle = 3 * time.Second // what the rate says now has got through by two thirds
		far    = 24 * time.Hour  // nobody waits for more
	)
	rate := f.rate(now)
	switch {
	case f.left <= 0 || now.Sub(f.samples[0].at) < flowEvidence || now.Sub(f.judged) < often:
		return
	case rate < 1 || float64(f.left)/rate > far.Seconds():
		f.finish = time.Time{}
		return
	}
	weight := 1 - math.Exp(-now.Sub(f.judged).Seconds()/settle.Seconds())
	f.judged = now
	said, says := f.finish.Sub(now), time.Duration(float64(f.left)/rate*float64(time.Second))
	if f.finish.IsZero() || says > 2*said || says < said/2 { // so far off is another story
		said = says
	}
	f.finish = now.Add(said + time.Duration(float64(says-said)*weight))
}

// rate is in bytes a second, 0 when it cannot be told. Now is not the last
// sample's time: what has stopped gets slower and slower.
func (f *flow) rate(now time.Time) float64 {
	if len(f.samples) < 2 {
		return 0
	}
	first, last := f.samples[0], f.samples[len(f.samples)-1]
	span := now.Sub(first.at)
	if span < flowLeast {
		return 0
	}
	return float64(last.sent-first.sent) / span.Seconds()
}

// idle is how long nothing has gone that has to; 0 when that is no time.
func (f *flow) idle(now time.Time) time.Duration {
	if len(f.samples) == 0 || f.left == 0 || now.Sub(f.moved) < flowIdle {
		return 0
	}
	return now.Sub(f.moved)
}

// speed is "31.5 MB/s"; "" when it cannot be told.
func (f *flow) speed(now time.Time) string {
	rate := f.rate(now)
	switch {
	case rate < 1 || f.left == 0 || f.idle(now) > 0:
		return ""
	case rate >= 1e9:
		return fmt.Sprintf("%.1f GB/s", rate/1e9)
	case rate >= 99.95e6:
		return fmt.Sprintf("%.0f MB/s", rate/1e6)
	case rate >= 1e6:
		return fmt.Sprintf("%.1f MB/s", rate/1e6)
	}
	return fmt.Sprintf("%.0f kB/s", max(rate/1e3, 1))
}

// remaining is "12s left", or what there is to say instead; "" when there is
// nothing.
func (f *flow) remaining(now time.Time) string {
	idle, left := f.idle(now), f.finish.Sub(now)
	switch {
	case len(f.samples) == 0:
		return ""
	case f.left == 0 && f.samples[len(f.samples)-1].sent > 0:
		return "all sent"
	case idle > 0:
		return "nothing sent for " + elapsed(idle)
	case f.left <= 0 || f.finish.IsZero() || left <= 0:
		return ""
	}
	return roughly(left) + " left"
}

// roughly is a duration no finer than an estimate deserves.
func roughly(d time.Duration) string {
	switch {
	case d >= time.Hour:
		return age(d)
	case d >= 10*time.Minute:
		return fmt.Sprintf("%dm", int(d.Round(time.Minute).Minutes()))
	case d >= 2*time.Minute:
		return about(d.Round(10 * time.Second))
	case d >= 20*time.Second:
		return about(d.Round(5 * time.Second))
	}
	return about(d)
}
