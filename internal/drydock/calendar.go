package drydock

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
)

// calendar is how far the calendar was moved ahead of real time. It is kept
// with the data: without it, a drydock that was advanced and started again
// would find its own past in the future.
type calendar struct {
	Ahead time.Duration
}

// maxAhead keeps every date within what AWS's timestamps and Go's durations
// can say.
const maxAhead = 100 * 365 * 24 * time.Hour

const (
	bucketCalendar = "drydock"
	keyCalendar    = "calendar"
)

// resumeCalendar moves the clock to where an earlier drydock over the same
// data left it. Nothing is scheduled yet, so nothing happens on the way. A
// clock that a test turns by hand stands where the test put it.
func (s *Server) resumeCalendar() error {
	if s.options.Clock != nil {
		return nil
	}
	err := s.store.Load(bucketCalendar, func(key string, doc []byte) error {
		if key != keyCalendar {
			return nil
		}
		return json.Unmarshal(doc, &s.calendar)
	})
	if err != nil {
		return fmt.Errorf("read the calendar: %w", err)
	}
	s.clock.Advance(s.calendar.Ahead)
	return nil
}

// ahead is how far the calendar was moved.
func (s *Server) ahead() time.Duration {
	s.advancing.Lock()
	defer s.advancing.Unlock()
	return s.calendar.Ahead
}

// Advance moves the calendar forward, as [clock.Clock.Advance] does. The new
// calendar is stored before anything happens in it, so that no stamp in the
// data is ever ahead of it.
func (s *Server) Advance(d time.Duration) error {
	s.advancing.Lock()
	defer s.advancing.Unlock()
	next := calendar{Ahead: s.calendar.Ahead + d}
	if next.Ahead < 0 || next.Ahead > maxAhead {
		return fmt.Errorf("advance by %v: the calendar goes at most a hundred years ahead", d)
	}
	if err := s.store.Update(func(tx *store.Tx) error { return tx.Put(bucketCalendar, keyCalendar, next) }); err != nil {
		return fmt.Errorf("store the calendar: %w", err)
	}
	s.calendar = next
	defer s.changed.Ring() // the new time is one, whatever else has happened
	return s.tasks.Batch(func() { s.clock.Advance(d) })
}
