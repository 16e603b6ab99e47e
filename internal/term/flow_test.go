package term

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// noon is when synthetic clocks begin.
func noon() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) }

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func TestFlow(t *testing.T) {
	const total = 20_000_000
	var f flow
	for _, tc := range []struct {
		second      float64
		sent        int64
		speed, left string
	}{
		{0, 0, "", ""},                             // one look is no rate
		{0.5, 2_000_000, "", ""},                   // nor is half a second
		{2, 4_000_000, "2.0 MB/s", ""},             // two seconds are no evidence of the rest
		{3, 6_000_000, "2.0 MB/s", "7s left"},      //
		{4, 8_000_000, "2.0 MB/s", "6s left"},      //
		{4.5, 8_000_000, "1.8 MB/s", "6s left"},    // judged once a second
		{5, 8_000_000, "1.6 MB/s", "6s left"},      // slower, and it comes nearer all the same
		{11, 8_000_000, "", "nothing sent for 7s"}, //
		{14, 10_000_000, "200 kB/s", "50s left"},   // the last ten seconds count
		{15, 12_000_000, "400 kB/s", "20s left"},   // half of what was said: it is said at once
		{16, 14_000_000, "545 kB/s", "17s left"},   //
		{17, 15_000_000, "583 kB/s", "14s left"},   // else it moves bit by bit
		{20, 20_000_000, "", "all sent"},           //
		{21, 0, "", ""},                            // it begins anew
		{25, 1000, "1 kB/s", "22h13m left"},        //
		{29, 1010, "1 kB/s", ""},                   // in more than a day
	} {
		now := noon().Add(seconds(tc.second))
		f.add(now, tc.sent, total-tc.sent)
		if speed, left := f.speed(now), f.remaining(now); speed != tc.speed || left != tc.left {
			t.Errorf("%v s, %d bytes: %q, %q; want %q, %q", tc.second, tc.sent, speed, left, tc.speed, tc.left)
		}
	}
	if slow, fast := f.rate(noon().Add(time.Minute)), f.rate(noon().Add(30*time.Second)); slow >= fast {
		t.Errorf("what has stopped does not get slower: %v after %v", slow, fast)
	}
}

// Between two looks the rest comes nearer by itself, and is never made up.
func TestFlowCountsDown(t *testing.T) {
	var f flow
	for i := range 5 {
		f.add(noon().Add(seconds(float64(i))), int64(i)*1_000_000, 16_000_000-int64(i)*1_000_000)
	}
	var got []string
	for _, s := range []float64{4, 6, 8, 9} {
		got = append(got, f.remaining(noon().Add(seconds(s))))
	}
	if want := "12s left, 10s left, 8s left, nothing sent for 5s"; strings.Join(got, ", ") != want {
		t.Errorf("%s, want %s", strings.Join(got, ", "), want)
	}
	var unknown flow
	for i := range 9 {
		unknown.add(noon().Add(seconds(float64(i))), int64(i)*1_000_000, -1)
	}
	if left := unknown.remaining(noon().Add(seconds(8))); left != "" {
		t.Errorf("of a total that nobody knows: %q", left)
	}
}

// A steady stream that comes in lumps is told steadily: each second the end is
// about as far away as it is.
func TestFlowIsSmooth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const perSecond, lasts = 10_000_000, 120
		var f flow
		ahead := rapid.SliceOfN(rapid.Int64Range(0, perSecond), lasts*2, lasts*2).Draw(t, "ahead") // by up to a second
		for i := range lasts * 2 {
			now := noon().Add(time.Duration(i) * 500 * time.Millisecond)
			sent := min(int64(i)*perSecond/2+ahead[i], lasts*perSecond)
			if n := len(f.samples); n > 0 {
				sent = max(sent, f.samples[n-1].sent)
			}
			f.add(now, sent, lasts*perSecond-sent)
			if i < 20 || f.left == 0 || f.finish.IsZero() { // ten seconds make a rate
				continue
			}
			truth, told := noon().Add(lasts*time.Second).Sub(now), f.finish.Sub(now)
			if off := math.Abs((told - truth).Seconds()); off > truth.Seconds()/4+3 {
				t.Fatalf("after %v: %v to go, told %v", now.Sub(noon()), truth, told)
			}
		}
	})
}

// A rate is never negative, never more than all of it in the least span, and
// nothing is told that is not so.
func TestFlowIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const most = 1 << 40
		now := noon()
		var f flow
		for range rapid.IntRange(0, 40).Draw(t, "samples") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(3*time.Second)).Draw(t, "gap")))
			sent := rapid.Int64Range(0, most).Draw(t, "sent")
			f.add(now, sent, most-sent)
			if r := f.rate(now); r < 0 || r > most/flowLeast.Seconds() {
				t.Fatalf("%v bytes a second", r)
			}
			if left := f.remaining(now); strings.Contains(left, "-") || left == "all sent" && sent < most {
				t.Fatalf("%d of %d sent: %q", sent, int64(most), left)
			}
		}
	})
}

// A row of bytes keeps within its room, and keeps its shape while its numbers
// change.
func TestTransferredFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		room := rapid.IntRange(22, 120).Draw(t, "room")
		total := rapid.Int64Range(1, 1<<42).Draw(t, "total")
		layers := rapid.IntRange(0, 127).Draw(t, "layers")
		p := newPalette(false, Own)
		var row transfer
		bars := map[int]bool{}
		var done int64
		for i := range 20 {
			now := noon().Add(time.Duration(i) * time.Second)
			done = rapid.Int64Range(done, total).Draw(t, "done")
			e := story.Event{Done: done, Total: total, There: rapid.Int64Range(0, done).Draw(t, "there")}
			if layers > 0 {
				e.Layers = &story.Layers{Done: rapid.IntRange(0, layers).Draw(t, "over"), Total: layers}
			}
			row.take(e, now)
			text := p.transferred(&row, now, room)
			if n := len([]rune(text)); n > room {
				t.Fatalf("%d columns of %d: %q", n, room, text)
			}
			bars[strings.Count(text, "━")+strings.Count(text, "─")] = true
		}
		if len(bars) > 1 {
			t.Fatalf("bars of several lengths: %v", bars)
		}
	})
}
