// Package term shows a story on a terminal, as plain lines, or as JSON.
//
//	t := term.New(term.Detect(os.Getenv, os.Stdout, os.Stderr))
//	defer t.Close()
//	deploy.Run(ctx, plan, t.Tell)
//
// There are four modes. [Live] redraws what goes on now in place and leaves
// one line for everything that is done with; [Lines] writes one line for each
// change, for pipes and CI logs; [Plain] writes sentences for those who listen;
// [JSON] writes every event as it is.
package term

// The rule for everything in this package:
//
//   - stderr is the story, stdout is the result: the verdict, and tables. In
//     JSON mode the events are the result, and stderr stays empty.
//   - Messages are lower case, without a full stop, and say what is, not what
//     the program feels about it. No exclamation, no emoji, no spinner.
//   - Colour repeats what a mark or a word says already; it never says
//     anything alone. A mark repeats a word, too: in Plain mode there is no mark.
//   - What others wrote (log lines, AWS messages) is shown without its control
//     characters: it can neither move the cursor nor colour our lines.
//   - Nothing of the story is lost: what is cut to the width of the screen is
//     only what will be drawn again; what stays is wrapped.

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// Mode is how a [Terminal] speaks.
type Mode int

// The modes.
const (
	Lines Mode = iota // one line a change, with the time
	Live              // a block redrawn in place below the lines that are done with
	JSON              // one event object a line, on Out
	Plain             // one sentence a change, in words alone: for screen readers and braille
)

// Options says where and how a [Terminal] writes. [Detect] fills them in.
type Options struct {
	Out io.Writer // the result
	Err io.Writer // the story

	Mode     Mode
	Brief    bool // of several services: a verdict is one line of the story, and a table follows
	Color    bool // ANSI colours on Err
	OutColor bool // ANSI colours on Out
	Shades   Shades

	// Width and Height are the present size of Err in columns and rows,
	// OutWidth that of Out; nil or 0 is no limit.
	Width    func() int
	Height   func() int
	OutWidth func() int

	Now func() time.Time // nil: time.Now

	// Around, where there is one, is called with every event and has show write
	// it: a CI system has marks of its own around a step.
	Around func(e story.Event, show func())
}

// Terminal shows a story. Its methods may be called from any goroutine.
type Terminal struct {
	opts Options

	mu     sync.Mutex
	teller teller
	closed bool
}

// teller is one mode. Calls come one at a time.
type teller interface {
	tell(story.Event) error
	close() error
}

// New makes a Terminal. Nothing is written, and in Live mode nothing is done
// to the terminal, before the first event.
func New(opts Options) *Terminal {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Width == nil {
		opts.Width = unlimited
	}
	if opts.Height == nil {
		opts.Height = unlimited
	}
	if opts.OutWidth == nil {
		opts.OutWidth = unlimited
	}
	t := &Terminal{opts: opts}
	switch opts.Mode {
	case JSON:
		enc := json.NewEncoder(opts.Out)
		enc.SetEscapeHTML(false)
		t.teller = objects{enc}
	case Plain:
		t.teller = newLines(opts)
	case Live:
		t.teller = newLive(opts)
	default:
		t.teller = newLines(opts)
	}
	return t
}

func unlimited() int { return 0 }

// Tell shows one event; it is a [story.Teller]. What is told after Close is
// dropped, and so is what cannot be written: a closed pipe is no reason to
// stop a deployment half-way.
func (t *Terminal) Tell(e story.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	if e.Time.IsZero() {
		e.Time = t.opts.Now()
	}
	show := func() { _ = t.teller.tell(e) }
	if t.opts.Around == nil {
		show()
		return
	}
	t.opts.Around(e, show)
}

// Close ends the drawing and, in Live mode, writes the verdicts to Out. It
// must be called before anyone else writes to the terminal; calling it again
// does nothing.
func (t *Terminal) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	t.closed = true
	if err := t.teller.close(); err != nil {
		return fmt.Errorf("writing to the terminal: %w", err)
	}
	return nil
}

// objects is JSON mode.
type objects struct{ enc *json.Encoder }

func (o objects) tell(e story.Event) error { return o.enc.Encode(e) }
func (o objects) close() error             { return nil }
