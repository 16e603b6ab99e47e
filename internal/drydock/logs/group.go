package logs

import (
	"slices"
	"time"
)

// group is one log group. Its events lie in one list, sorted by time and then
// arrival, whatever their stream: retention and the cap cut off its front, and
// FilterLogEvents reads it as it is.
type group struct {
	groupDoc
	streams map[string]*stream
	events  []event
	bytes   int64    // of the events, as AWS counts them
	emptied []string // documents in the store that hold no living event any more
}

// groupDoc is what the store keeps of a group.
type groupDoc struct {
	Name      string
	Created   int64             // ms
	Retention int32             `json:",omitempty"` // days; 0: for ever
	KMSKey    string            `json:",omitempty"`
	Tags      map[string]string `json:",omitempty"`
}

// stream is one log stream; its events are in the group.
type stream struct {
	streamDoc
	first, last, ingested int64 // ms: earliest and latest event, latest arrival; 0 without events
}

// streamDoc is what the store keeps of a stream. Events name their stream by
// ID: a stream deleted and made anew does not get the old one's events back.
type streamDoc struct {
	ID      uint64
	Group   string
	Name    string
	Created int64 // ms
}

// event is one log event.
type event struct {
	eventDoc
	saved *batch // the document in the store that holds it; nil: none yet
}

// eventDoc is what the store keeps of an event.
type eventDoc struct {
	At       int64  // ms
	Seq      uint64 // rises with every event
	Stream   uint64
	Ingested int64 // ms
	Message  string
}

// batch is a document of the store with the events of one flush.
type batch struct {
	key    string
	living int // events of it that the group still has
}

func (e event) cursor() cursor { return cursor{e.At, e.Seq} }

func (e event) size() int64 { return int64(len(e.Message)) + eventOverhead }

// eventOverhead is what AWS counts for an event beside its message, in bytes
// (PutLogEvents: "this size is calculated as the sum of all event messages in
// UTF-8, plus 26 bytes for each log event").
const eventOverhead = 26

// maxGroupBytes bounds the events of a group, the oldest going first. It
// holds a hundred thousand ordinary lines, far more than anyone reads of a
// rehearsal, while a container that logs without end costs some tens of
// megabytes and not the machine.
const maxGroupBytes = 8 << 20

// maxGroupEvents bounds what short lines cost beyond their bytes.
const maxGroupEvents = 100_000

// insert puts an event in its place, which is nearly always the end.
func (g *group) insert(e event) {
	i := len(g.events)
	if i > 0 && compareEvent(g.events[i-1], e.cursor()) > 0 {
		i, _ = slices.BinarySearchFunc(g.events, e.cursor(), compareEvent)
	}
	g.events = slices.Insert(g.events, i, e)
	g.bytes += e.size()
}

// trim drops what is older than the retention and what is above the cap, and
// says whether the store has events to forget.
func (g *group) trim(now time.Time) bool {
	n := 0
	if g.Retention > 0 {
		oldest := now.AddDate(0, 0, -int(g.Retention)).UnixMilli()
		n, _ = slices.BinarySearchFunc(g.events, cursor{oldest, 0}, compareEvent)
	}
	bytes := g.bytes
	for _, e := range g.events[:n] {
		bytes -= e.size()
	}
	for ; bytes > maxGroupBytes || len(g.events)-n > maxGroupEvents; n++ {
		bytes -= g.events[n].size()
	}
	for _, e := range g.events[:n] {
		g.forget(e)
	}
	clear(g.events[:n]) // their messages, not the room in the list
	g.events = g.events[n:]
	return len(g.emptied) > 0
}

// dropStream drops the events of a stream.
func (g *group) dropStream(id uint64) {
	g.events = slices.DeleteFunc(g.events, func(e event) bool {
		if e.Stream != id {
			return false
		}
		g.forget(e)
		return true
	})
}

// forget takes an event out of the books.
func (g *group) forget(e event) {
	g.bytes -= e.size()
	if e.saved == nil {
		return
	}
	if e.saved.living--; e.saved.living == 0 {
		g.emptied = append(g.emptied, e.saved.key)
	}
}

// between is the events of [start, end), in order; nil leaves a side open.
func (g *group) between(start, end *int64) []event {
	from, to := 0, len(g.events)
	if start != nil {
		from, _ = slices.BinarySearchFunc(g.events, cursor{*start, 0}, compareEvent)
	}
	if end != nil {
		to, _ = slices.BinarySearchFunc(g.events, cursor{*end, 0}, compareEvent)
	}
	return g.events[from:max(from, to)]
}

// note keeps a stream's times up to date with an event of it.
func (s *stream) note(e eventDoc) {
	if s.ingested == 0 {
		s.first, s.last = e.At, e.At
	}
	s.first, s.last = min(s.first, e.At), max(s.last, e.At)
	s.ingested = max(s.ingested, e.Ingested)
}
