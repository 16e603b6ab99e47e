package term

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestFlow(t *testing.T) {
	start := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	var f flow
	for _, tc := range []struct {
		second float64
		done   int64
		want   string
	}{
		{0, 0, ""},                               // one look is no rate
		{0.5, 4_000_000, ""},                     // nor is half a second
		{2, 8_000_000, "  4.0 MB/s, 3s left"},    // 20 MB in all
		{4, 16_000_000, "  4.0 MB/s, 1s left"},   //
		{9, 18_000_000, "  400.0 kB/s, 5s left"}, // the last five seconds count
		{10, 20_000_000, "  666.7 kB/s"},         // all is there
		{11, 0, ""},                              // it begins anew
		{12.5, 300, "  0.2 kB/s"},                // in more than a day
	} {
		f.add(at(tc.second), tc.done)
		if got := f.words(at(tc.second), 20_000_000, false); got != tc.want {
			t.Errorf("%v s, %d bytes: %q, want %q", tc.second, tc.done, got, tc.want)
		}
	}
	if slow, fast := f.rate(at(60)), f.rate(at(13)); slow >= fast {
		t.Errorf("what has stopped does not get slower: %v after %v", slow, fast)
	}
}

// A rate is never negative, and never more than all of it in the least span.
func TestFlowIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const most = 1 << 40
		now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
		var f flow
		for range rapid.IntRange(0, 40).Draw(t, "samples") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(3*time.Second)).Draw(t, "gap")))
			f.add(now, rapid.Int64Range(0, most).Draw(t, "done"))
			if r := f.rate(now); r < 0 || r > most/flowLeast.Seconds() {
				t.Fatalf("%v bytes a second", r)
			}
			f.words(now, most, true)
		}
	})
}
