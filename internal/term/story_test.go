package term

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/plimsoll-ecs/plimsoll/internal/golden"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// readStory is one of the stories in testdata, an event a line.
func readStory(t *testing.T, name string) []story.Event {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var events []story.Event
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		var e story.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		events = append(events, e)
	}
	return events
}

func columns(n int) func() int { return func() int { return n } }

func TestLinesGolden(t *testing.T) {
	for _, name := range []string{"success", "failure", "fleet", "release"} {
		t.Run(name, func(t *testing.T) {
			var out, err bytes.Buffer
			term := New(Options{Out: &out, Err: &err})
			for _, e := range readStory(t, name) {
				term.Tell(e)
			}
			if err := term.Close(); err != nil {
				t.Fatal(err)
			}
			golden.File(t, "testdata/lines-"+name+".golden", "--- stderr\n"+err.String()+"--- stdout\n"+out.String())
			if strings.Contains(err.String()+out.String(), "\x1b") {
				t.Error("an escape sequence without Color")
			}
		})
	}
}

// TestLiveGolden shows the block after each event, what went into the
// scrollback in between, and the cards on stdout.
func TestLiveGolden(t *testing.T) {
	for _, tc := range []struct {
		story string
		width int
		color bool
	}{
		{"success", 80, false}, {"failure", 80, false}, {"failure", 40, false}, {"fleet", 80, false}, {"fleet", 40, false},
		{"failure", 80, true},
	} {
		name := "live-" + tc.story + "-" + map[int]string{40: "40", 80: "80"}[tc.width]
		if tc.color {
			name += "-color"
		}
		t.Run(name, func(t *testing.T) {
			var got strings.Builder
			s := screen{palette: newPalette(tc.color, Own)}
			for _, e := range readStory(t, tc.story) {
				done := s.take(e, e.Time, tc.width)
				// 1.5 s later, so that the elapsed time is not always 0.
				block := s.block(e.Time.Add(1500*time.Millisecond), tc.width, 24)
				got.WriteString("=== " + string(e.Kind) + " " + string(e.Step) + "\n")
				for _, line := range done {
					got.WriteString("> " + line + "\n")
				}
				for _, line := range block {
					got.WriteString("| " + line + "\n")
				}
				if e.Verdict != nil {
					for _, line := range s.verdict(e.Service, *e.Verdict, tc.width) {
						got.WriteString("  " + line + "\n")
					}
				}
			}
			golden.File(t, "testdata/"+name+".golden", strings.ReplaceAll(got.String(), "\x1b", "␛"))
		})
	}
}

// Several services in brief: a row for each, one line at its end, no card.
func TestBriefGolden(t *testing.T) {
	events := readStory(t, "fleet")
	var out, err bytes.Buffer
	term := New(Options{Out: &out, Err: &err, Brief: true})
	s := screen{palette: newPalette(false, Own), brief: true}
	var live strings.Builder
	for _, e := range events {
		term.Tell(e)
		live.WriteString("=== " + string(e.Kind) + " " + string(e.Step) + "\n")
		for _, line := range s.take(e, e.Time, 80) {
			live.WriteString("> " + line + "\n")
		}
		for _, line := range s.block(e.Time.Add(1500*time.Millisecond), 80, 24) {
			live.WriteString("| " + line + "\n")
		}
	}
	if e := term.Close(); e != nil {
		t.Fatal(e)
	}
	if out.Len() > 0 {
		t.Errorf("stdout is for the table: %q", out.String())
	}
	golden.File(t, "testdata/lines-fleet-brief.golden", err.String())
	golden.File(t, "testdata/live-fleet-brief-80.golden", live.String())
}

func TestJSONIsTheEvents(t *testing.T) {
	events := readStory(t, "failure")
	var out, err bytes.Buffer
	term := New(Options{Out: &out, Err: &err, Mode: JSON})
	for _, e := range events {
		term.Tell(e)
	}
	if e := term.Close(); e != nil {
		t.Fatal(e)
	}
	if err.Len() > 0 {
		t.Errorf("stderr: %q", err.String())
	}
	var got []story.Event
	for line := range strings.Lines(out.String()) {
		var e story.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("not an object a line: %q: %v", line, err)
		}
		got = append(got, e)
	}
	if diff := cmp.Diff(events, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("events changed on the way (-told +written):\n%s", diff)
	}
	golden.File(t, "testdata/json-failure.golden", out.String())
}
