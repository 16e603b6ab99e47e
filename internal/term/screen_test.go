package term

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/vt"

	"github.com/plimsoll-ecs/plimsoll/internal/golden"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// stories are those in testdata.
func stories() []string { return []string{"success", "failure", "balanced", "fleet", "release"} }

// emulator is a terminal behind a line discipline: a line feed is a new
// line. It is written to and looked at from several goroutines.
type emulator struct {
	mu sync.Mutex
	vt *vt.Emulator
}

func newEmulator(width, height int) *emulator { return &emulator{vt: vt.NewEmulator(width, height)} }

func (e *emulator) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	text := strings.ReplaceAll(strings.ReplaceAll(string(p), "\r\n", "\n"), "\n", "\r\n")
	_, err := e.vt.WriteString(text)
	return len(p), err
}

// lines are what is on the screen, without the empty rows at its end.
func (e *emulator) lines() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	lines := strings.Split(strings.ReplaceAll(e.vt.String(), "\r", ""), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// TestScreens shows what a terminal has on its screen at the chief moments of a
// story: each time a rollout has moved or something failed, and at the end.
func TestScreens(t *testing.T) {
	const height = 60
	for _, name := range stories() {
		for _, width := range []int{100, 80, 60, 40} {
			t.Run(fmt.Sprintf("%s-%d", name, width), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					screen := newEmulator(width, height)
					term := New(Options{
						Out: screen, Err: screen, Mode: Live, Color: true, OutColor: true, Shades: Dark,
						Width: columns(width), Height: columns(height), OutWidth: columns(width),
					})
					var got strings.Builder
					events := readStory(t, name)
					for i, e := range events {
						if i > 0 {
							time.Sleep(e.Time.Sub(events[i-1].Time))
						}
						term.Tell(e)
						if chief(e) {
							synctest.Wait() // for a tick of the same moment
							shoot(t, &got, screen, width, string(e.Kind)+" "+string(e.Step))
						}
					}
					if err := term.Close(); err != nil {
						t.Fatal(err)
					}
					shoot(t, &got, screen, width, "end")
					golden.File(t, fmt.Sprintf("testdata/screens/%s-%d.golden", name, width), got.String())
				})
			})
		}
	}
}

// chief tells the events after which it is worth to look.
func chief(e story.Event) bool {
	return e.Rollout != nil || e.Failure != nil || e.Kind == story.Progress
}

// shoot writes what is on the screen.
func shoot(t *testing.T, to *strings.Builder, screen *emulator, width int, title string) {
	t.Helper()
	fmt.Fprintf(to, "┌─ %s\n", title)
	for _, line := range screen.lines() {
		if lipgloss.Width(line) > width {
			t.Errorf("%s: %d columns on %d: %q", title, lipgloss.Width(line), width, line)
		}
		to.WriteString("│" + line + "\n")
	}
}
