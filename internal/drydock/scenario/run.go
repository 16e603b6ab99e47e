package scenario

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/client"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/strictyaml"
)

// Event is one thing that Run tells.
type Event struct {
	Kind     Kind
	Scenario string        // its name
	File     string        // of the scenario
	At       time.Duration // on the calendar, since the story began
	Line     int           // of the step in the file
	Text     string        // what was done, or the note
	Failure  *Failure      // of Failed
	Steps    int           // of Ended: how many were made
}

// Kind is the kind of an [Event].
type Kind string

// The kinds.
const (
	Began  Kind = "began"
	Noted  Kind = "note"
	Done   Kind = "done"
	Failed Kind = "failed"
	Ended  Kind = "ended"
)

// Failure is a step that did not come to what was expected.
type Failure struct {
	File string
	strictyaml.Position
	Text    string
	Details []string // what helps to see why
}

// Error is the place and what is wrong there, on one line.
func (f *Failure) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Text)
}

// Run plays a scenario on a drydock of its own and tells what happens. The
// error is a [*Failure] when something did not come out as expected, and
// anything else when the story could not be told.
func Run(ctx context.Context, s *Scenario, o Options) (err error) {
	w, err := open(ctx, s, o)
	if err != nil {
		return fmt.Errorf("%s: %w", s.File, err)
	}
	defer func() { err = errors.Join(err, w.close()) }()
	w.tell(Event{Kind: Began, Text: s.About})
	if err := w.given(ctx); err != nil {
		return w.failed(err, s.Given.At, "given")
	}
	for i := range s.Steps {
		if err := w.step(ctx, &s.Steps[i]); err != nil {
			if ctx.Err() != nil { // interrupted: no fault of the story
				return ctx.Err()
			}
			return w.failed(err, s.Steps[i].At, "")
		}
	}
	if o.End != nil {
		if err := o.End(ctx, w.client); err != nil {
			return err
		}
	}
	w.tell(Event{Kind: Ended, Steps: len(s.Steps)})
	return nil
}

// Options are the surroundings of Run.
type Options struct {
	Tell    func(Event)  // hears of everything; nil for nobody
	Advance AdvanceFunc  // how time passes; nil is in one jump
	Log     *slog.Logger // of the drydock; nil for nobody
	Clock   *clock.Clock // replaces the one that stands still between the steps
	// End looks at the drydock when the last step is done.
	End func(context.Context, *client.Client) error
}

// AdvanceFunc lets so much time pass by calling advance any number of times.
// Tests use it to show that the story does not depend on the size of the jumps.
type AdvanceFunc func(d time.Duration, advance func(time.Duration) error) error

// mismatch is something that is not as expected; a step gives several.
type mismatch struct {
	at     strictyaml.Position
	member string
	want   string
	got    string
}

// unexpected says that a step came to something else.
type unexpected struct {
	mismatches []mismatch
	details    []string
}

func (u *unexpected) Error() string {
	var out []string
	for _, m := range u.mismatches {
		out = append(out, fmt.Sprintf("%s: want %s, got %s", m.member, m.want, m.got))
	}
	return strings.Join(out, "; ")
}

// failed tells of the step that ended the story.
func (w *world) failed(err error, at strictyaml.Position, what string) error {
	f := &Failure{File: w.scenario.File, Position: at, Text: err.Error()}
	if u, ok := errors.AsType[*unexpected](err); ok {
		f.Details = u.details
		f.Position = u.mismatches[0].at
	}
	f.Text = w.plain(f.Text)
	w.tell(Event{Kind: Failed, Text: cmp.Or(what, w.doing), Line: at.Line, Failure: f})
	return f
}

func (w *world) tell(e Event) {
	if w.options.Tell == nil {
		return
	}
	e.Scenario, e.File, e.At = w.scenario.Name, w.scenario.File, w.elapsed()
	e.Text = w.plain(e.Text)
	w.options.Tell(e)
}

// plain takes the registry's address out of a text: the port is another one
// every time.
func (w *world) plain(text string) string { return strings.ReplaceAll(text, w.registry+"/", "") }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
