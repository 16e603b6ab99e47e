// Package events is what the services of drydock send to EventBridge: it is kept
// for a while, in EventBridge's envelope, served as a stream, and routed to the
// default bus (package eventbridge).
//
// [New] makes a [Stream]; each service of AWS sends through a [Source] of it.
// A stream is of one process: what a drydock before it over the same data sent
// is not in it.
package events

import (
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/identifier"
)

// Kept is how many events a stream keeps unless told otherwise: a deploy is
// about thirty.
const Kept = 10_000

// Options are the surroundings of a [Stream].
type Options struct {
	Account string
	Region  string
	Keep    int    // 0 is Kept
	Seed    uint64 // of the events' ids
	Log     *slog.Logger
	Changed func() // called after every event, and must not call back; nil: nobody is told
	// Route hands every event to EventBridge's default bus, in order; nil: there is
	// none. It must not call back.
	Route func(Event)
}

// Stream keeps the newest events and hands them to whoever reads.
type Stream struct {
	options Options

	mu     sync.Mutex
	rand   *rand.Rand
	ring   []line        // event number n is at n modulo the length
	count  uint64        // of all events there ever were
	news   chan struct{} // closed by the next event; nil while nobody waits for it
	closed bool
}

// line is one event. Most are never read, so an event is rendered when it is.
type line struct {
	id    string
	event Event
	doc   []byte // the event, and a newline; nil until it is read
}

// New makes an empty stream.
func New(o Options) *Stream {
	if o.Keep == 0 {
		o.Keep = Kept
	}
	return &Stream{options: o, rand: rand.New(rand.NewPCG(o.Seed, o.Seed))}
}

// Source sends the events of one service of AWS.
type Source struct {
	stream *Stream
	name   string
}

// From is the source of that name, such as "aws.ecs".
func (s *Stream) From(name string) Source { return Source{s, name} }

// Event is an event as EventBridge has it (user guide, Events): what a service
// says, in the envelope that is the same for all.
type Event struct {
	Version    string   `json:"version"`
	ID         string   `json:"id"`
	DetailType string   `json:"detail-type"`
	Source     string   `json:"source"`
	Account    string   `json:"account"`
	Time       string   `json:"time"`
	Region     string   `json:"region"`
	Resources  []string `json:"resources"`
	Detail     any      `json:"detail"`
}

// Emit adds an event. detail must not change any more: encoding/json renders it
// when somebody reads. One that cannot be rendered is logged and left out:
// events are best effort on AWS too.
func (s Source) Emit(at time.Time, detailType string, resources []string, detail any) {
	s.stream.emit(Event{
		Version: "0", DetailType: detailType, Source: s.name,
		Account: s.stream.options.Account, Region: s.stream.options.Region,
		Time: at.UTC().Format(time.RFC3339), Resources: append([]string{}, resources...), Detail: detail,
	}, true)
}

// emit adds an event, which is routed unless it is drydock's own.
func (s *Stream) emit(e Event, route bool) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.ID = identifier.UUID(s.rand)
	l := line{id: e.ID, event: e}
	if len(s.ring) < s.options.Keep {
		s.ring = append(s.ring, l)
	} else {
		s.ring[s.count%uint64(len(s.ring))] = l
	}
	s.count++
	s.wake()
	if s.options.Changed != nil {
		s.options.Changed()
	}
	if route && s.options.Route != nil {
		s.options.Route(e)
	}
	return e.ID
}

// Put adds an event of somebody else's to those of AWS's services, and gives its id.
// Source, DetailType, Time, Resources and Detail are the caller's, the rest is
// filled in.
func (s *Stream) Put(e Event) (id string) {
	e.Version, e.Account, e.Region, e.Resources = "0", s.options.Account, s.options.Region, append([]string{}, e.Resources...)
	return s.emit(e, true)
}

// Note adds something that drydock itself has to say, and that no rule can see: AWS
// has no such event.
func (s *Stream) Note(at time.Time, detailType string, resources []string, detail any) {
	s.emit(Event{
		Version: "0", DetailType: detailType, Source: "drydock", Account: s.options.Account, Region: s.options.Region,
		Time: at.UTC().Format(time.RFC3339), Resources: append([]string{}, resources...), Detail: detail,
	}, false)
}

// render gives the event of that number. The stream is locked.
func (s *Stream) render(n uint64) []byte {
	l := &s.ring[n%uint64(len(s.ring))]
	if l.doc != nil {
		return l.doc
	}
	doc, err := json.Marshal(l.event)
	if err != nil {
		s.options.Log.Error("an event was dropped", "type", l.event.DetailType, "error", err)
		l.doc = []byte{}
	} else {
		l.doc = append(doc, '\n')
	}
	l.event = Event{}
	return l.doc
}

// wake has everybody who waits look again.
func (s *Stream) wake() {
	if s.news != nil {
		close(s.news)
		s.news = nil
	}
}

// Close ends everybody's following. Events still go in.
func (s *Stream) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.wake()
}

// oldest is the number of the oldest event that is kept.
func (s *Stream) oldest() uint64 { return s.count - uint64(len(s.ring)) }

// after is the number of the event that came after the one of that id, or of
// the oldest one when id is "". ok is false when that event is not kept.
func (s *Stream) after(id string) (n uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id == "" {
		return s.oldest(), true
	}
	for n := s.count; n > s.oldest(); n-- { // the newest is the likeliest
		if s.ring[(n-1)%uint64(len(s.ring))].id == id {
			return n, true
		}
	}
	return 0, false
}

// page is how many events a read takes at most, so that a slow reader holds
// nobody up and nothing much.
const page = 256

// read is the events from number n on, a page at most, or what is closed when
// there are any. lost is set when some were dropped before they were read.
func (s *Stream) read(n uint64) (docs [][]byte, news <-chan struct{}, lost, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n < s.oldest() {
		return nil, nil, true, s.closed
	}
	for ; n < s.count && len(docs) < page; n++ {
		docs = append(docs, s.render(n))
	}
	if len(docs) == 0 && s.news == nil {
		s.news = make(chan struct{})
	}
	return docs, s.news, false, s.closed
}
