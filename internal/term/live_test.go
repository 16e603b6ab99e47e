package term

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// display is as much of a terminal as the painter needs: endless rows, a
// cursor, lines that wrap.
type display struct {
	width int
	rows  []string
	x, y  int
}

func (d *display) Write(p []byte) (int, error) {
	for s := string(p); s != ""; {
		if rest, ok := strings.CutPrefix(s, "\x1b["); ok {
			end := strings.IndexAny(rest, "ABCDHJKhlm")
			arg, op := rest[:end], rest[end]
			s = rest[end+1:]
			switch op {
			case 'A':
				n := 0
				fmt.Sscan(arg, &n)
				if d.y -= n; d.y < 0 {
					return 0, fmt.Errorf("cursor %d rows above the screen", -d.y)
				}
			case 'K':
				d.row(d.y)
				d.rows[d.y] = d.rows[d.y][:min(d.x, len(d.rows[d.y]))]
			case 'J':
				d.row(d.y)
				d.rows[d.y] = d.rows[d.y][:min(d.x, len(d.rows[d.y]))]
				d.rows = d.rows[:d.y+1]
			}
			continue
		}
		switch c := s[0]; c {
		case '\r':
			d.x = 0
		case '\n':
			d.y++
			d.row(d.y)
		default:
			if d.x == d.width {
				d.x, d.y = 0, d.y+1
			}
			d.row(d.y)
			row := d.rows[d.y]
			d.rows[d.y] = row[:min(d.x, len(row))] + string(c) + row[min(d.x+1, len(row)):]
			d.x++
		}
		s = s[1:]
	}
	return len(p), nil
}

func (d *display) row(y int) {
	for len(d.rows) <= y {
		d.rows = append(d.rows, "")
	}
}

// TestPainterLosesNothing: whatever is painted, the screen is all that was
// done with, in order, and the present block below it.
func TestPainterLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(5, 30).Draw(t, "width")
		lines := rapid.SliceOfN(rapid.StringMatching(fmt.Sprintf(`[a-z ]{0,%d}[a-z]`, width-3)), 0, 5)
		d := &display{width: width}
		p := painter{w: d}
		var done []string
		for range rapid.IntRange(1, 8).Draw(t, "frames") {
			more, block := lines.Draw(t, "done"), lines.Draw(t, "block")
			if err := p.paint(more, block, width); err != nil {
				t.Fatal(err)
			}
			done = append(done, more...)
			want := strings.TrimRight(strings.Join(append(done[:len(done):len(done)], block...), "\n"), "\n")
			if got := strings.TrimRight(strings.Join(d.rows, "\n"), "\n"); got != want {
				t.Fatalf("screen:\n%s\nwant:\n%s", got, want)
			}
		}
	})
}

// A narrower window wraps what is on it; the next frame begins where the
// first wrapped row is.
func TestPainterCountsWrappedRows(t *testing.T) {
	for _, tc := range []struct {
		line  string
		width int
		want  int
	}{
		{"", 10, 1}, {"0123456789", 10, 1}, {"0123456789a", 10, 2}, {"決済サービス", 6, 2}, {"決済サービス", 12, 1},
		{"\x1b[31m0123456789\x1b[m", 10, 1}, {"0123456789", 0, 1},
	} {
		if got := rows([]string{tc.line}, tc.width); got != tc.want {
			t.Errorf("rows(%q, %d) = %d, want %d", tc.line, tc.width, got, tc.want)
		}
	}
}

// The block never wraps and never scrolls, whatever is in it.
func TestBlockFits(t *testing.T) {
	for _, name := range []string{"success", "failure", "fleet"} {
		events := readStory(t, name)
		rapid.Check(t, func(t *rapid.T) {
			width, height := rapid.IntRange(20, 120).Draw(t, "width"), rapid.IntRange(3, 10).Draw(t, "height")
			s := screen{palette: newPalette(rapid.Bool().Draw(t, "color"), Either), brief: rapid.Bool().Draw(t, "brief")}
			for _, e := range events {
				s.take(e, e.Time, width)
				block := s.block(e.Time.Add(time.Hour), width, height)
				if len(block) >= height {
					t.Fatalf("%d lines on %d rows", len(block), height)
				}
				if n := rows(block, width); n != len(block) {
					t.Fatalf("%d columns: %d lines take %d rows:\n%s", width, len(block), n, strings.Join(block, "\n"))
				}
			}
		})
	}
}

// Live mode writes when something changed, and once a second for the elapsed
// time; nothing else, and no question to the terminal.
func TestLivePaintsOnChangeAndOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &writes{}
		term := New(Options{Out: w, Err: w, Mode: Live, Width: columns(80)})
		begin := story.Event{Kind: story.Begin, Step: story.Watch, Message: "waiting"}
		term.Tell(begin)
		if got := w.count(); got != 1 {
			t.Fatalf("%d writes after the first event", got)
		}
		for range 5 {
			term.Tell(story.Event{Kind: story.Change, Step: story.Watch, Message: "waiting"})
		}
		if got := w.count(); got != 1 {
			t.Errorf("%d writes though nothing changed", got)
		}
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		if got := w.count(); got != 11 {
			t.Errorf("%d writes in 10 s, want one a second", got)
		}
		if err := term.Close(); err != nil {
			t.Fatal(err)
		}
		if text := w.text(); strings.Contains(text, "$p") || strings.Contains(text, "\x1b[c") || strings.Contains(text, "\x1b[6n") {
			t.Errorf("the terminal was asked something: %q", text)
		}
	})
}

func TestStoriesFromManyGoroutines(t *testing.T) {
	for _, mode := range []Mode{Lines, Live, JSON} {
		var out, err writes
		term := New(Options{Out: &out, Err: &err, Mode: mode, Width: columns(60), Height: columns(20)})
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				service := fmt.Sprintf("c/s%d", i)
				for j := range 50 {
					term.Tell(story.Event{Kind: story.Change, Step: story.Watch, Service: service, Message: fmt.Sprint("change ", j)})
				}
				term.Tell(story.Event{Kind: story.End, Step: story.Watch, Service: service, Message: "done"})
			})
		}
		wg.Wait()
		if e := term.Close(); e != nil {
			t.Fatal(e)
		}
		before := out.count() + err.count()
		term.Tell(story.Event{Kind: story.Note, Message: "too late"})
		if out.count()+err.count() != before {
			t.Errorf("mode %d: an event was shown after Close", mode)
		}
		if mode != JSON && strings.Count(err.text(), ": done") != 8 {
			t.Errorf("mode %d: not every service is done:\n%s", mode, err.text())
		}
	}
}

// What others wrote can neither move the cursor nor pretend to be ours.
func TestForeignTextIsHarmless(t *testing.T) {
	var out, err bytes.Buffer
	term := New(Options{Out: &out, Err: &err, Mode: Live, Width: columns(80)})
	evil := "a\x1b[2J\x1b]0;title\x07b\rc\nd\u202ee\x9b31mf"
	term.Tell(story.Event{Kind: story.Begin, Step: story.Watch, Message: evil})
	term.Tell(story.Event{Kind: story.Failed, Failure: &story.Failure{TaskID: evil, StoppedReason: evil, Container: evil, Log: []string{evil}, Cause: evil}})
	term.Tell(story.Event{Kind: story.Final, Verdict: &story.Verdict{Outcome: evil, Summary: evil, Next: []string{evil}}})
	if e := term.Close(); e != nil {
		t.Fatal(e)
	}
	text := err.String() + out.String()
	for _, bad := range []string{"\x1b[2J", "\x1b]", "\x07", "\u202e", "\x9b", "31m"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q came through", bad)
		}
	}
}

// writes counts what is written.
type writes struct {
	mu    sync.Mutex
	parts []string
}

func (w *writes) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.parts = append(w.parts, string(p))
	return len(p), nil
}

func (w *writes) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.parts)
}

func (w *writes) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.parts, "")
}
