// Package tale keeps what a use case tells so that a page can show it: all of it
// at any moment, and a bell when there is more. A [Tale] is told by one use case
// ([Tale.Tell] is a [story.Teller]) and read by any number of pages.
package tale

import (
	"slices"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

const (
	// MaxLines is how much of a tale is kept: the newest. A rollout that is
	// followed to its end has some dozens.
	MaxLines = 300
	// MaxFailures are the failed tasks that are shown; use cases tell those that
	// are worth it.
	MaxFailures = 6
)

// Tale is what has been told. The zero value is an empty one.
type Tale struct {
	mu   sync.Mutex
	told Told
	bell chan struct{} // closed at the next news; nil while nobody waits
}

// Told is a tale at one moment.
type Told struct {
	Lines    []story.Event // the newest MaxLines
	Dropped  int           // lines that were older
	Rollout  *rollout.View // as last seen; nil while nothing was seen
	SeenAt   time.Time     // when that was
	Checks   []story.Check // of the preflight
	Failures []story.Failure
	Verdict  *story.Verdict // the last word
}

// Tell takes one piece of news.
func (t *Tale) Tell(e story.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.told.take(e)
	if t.bell != nil {
		close(t.bell)
		t.bell = nil
	}
}

// Told is all of it, and a channel that is closed as soon as there is more.
func (t *Tale) Told() (Told, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bell == nil {
		t.bell = make(chan struct{})
	}
	now := t.told
	now.Lines, now.Failures = slices.Clone(now.Lines), slices.Clone(now.Failures)
	return now, t.bell
}

func (t *Told) take(e story.Event) {
	if e.Rollout != nil {
		t.Rollout, t.SeenAt = e.Rollout, e.Time
	}
	if e.Checks != nil {
		t.Checks = e.Checks
	}
	if e.Failure != nil && len(t.Failures) < MaxFailures {
		t.Failures = append(t.Failures, *e.Failure)
	}
	if e.Verdict != nil {
		t.Verdict = e.Verdict
	}
	if e.Message == "" || e.Kind == story.Progress {
		return
	}
	if last := len(t.Lines) - 1; last >= 0 && t.Lines[last].Message == e.Message && t.Lines[last].Kind == e.Kind {
		return
	}
	e.Rollout, e.Checks, e.Failure, e.Verdict = nil, nil, nil, nil // they are kept beside the lines
	t.Lines = append(t.Lines, e)
	if over := len(t.Lines) - MaxLines; over > 0 {
		t.Lines, t.Dropped = slices.Delete(t.Lines, 0, over), t.Dropped+over
	}
}
