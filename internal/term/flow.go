package term

import (
	"time"
)

// flow is how fast bytes go, over the last seconds: a registry takes the layers
// it has in no time, and a mean over all would promise too much.
type flow struct{ samples []sample }

type sample struct {
	at   time.Time
	done int64
}

const (
	flowWindow = 5 * time.Second
	flowLeast  = time.Second // less than this says nothing
)

// add takes how much was done at a moment. What goes back begins anew.
func (f *flow) add(now time.Time, done int64) {
	if n := len(f.samples); n > 0 && done < f.samples[n-1].done {
		f.samples = nil
	}
	f.samples = append(f.samples, sample{now, done})
	for len(f.samples) > 2 && now.Sub(f.samples[1].at) >= flowWindow {
		f.samples = f.samples[1:]
	}
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
	return float64(last.done-first.done) / span.Seconds()
}

// words is "  3.4 MB/s, 12s left", in brief "  12s left"; "" when it cannot be
// told.
func (f *flow) words(now time.Time, total int64, brief bool) string {
	rate := f.rate(now)
	if rate < 1 {
		return ""
	}
	text := "  " + amount(int64(rate), 0, "bytes") + "/s"
	left := total - f.samples[len(f.samples)-1].done
	if left <= 0 {
		return text
	}
	const far = 24 * time.Hour // nobody waits for more
	seconds := float64(left) / rate
	if seconds >= far.Seconds() {
		return text
	}
	remaining := about(time.Duration(seconds*float64(time.Second))) + " left"
	if brief {
		return "  " + remaining
	}
	return text + ", " + remaining
}
