package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"
)

// How often a stream is drawn for: not more often than people can see, and
// now and then without a change, for ages ("2 h ago") are part of the page.
const (
	atMostEvery  = 250 * time.Millisecond
	atLeastEvery = 15 * time.Second
)

// part is an element of the page that is sent anew when what it says has changed.
type part struct {
	id   string
	html templ.Component
}

func (v view) parts() []part {
	return []part{
		{"summary", v.summary()}, {"fleet", v.fleet()}, {"weather", v.weather()},
		{"events", v.events()}, {"repositories", v.repositories()},
	}
}

// live is a stream of server-sent events: "clock" with the time and the pace,
// "part" with an element to put in the place of the one with its id.
func (c *Console) live(w http.ResponseWriter, r *http.Request) {
	select {
	case c.seats <- struct{}{}:
		defer func() { <-c.seats }()
	default:
		http.Error(w, fmt.Sprintf("%d pages are watching already", maxWatching), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	s := stream{c, w, askedBy(r.URL.Query()), map[string]string{}}
	rest := time.NewTimer(0)
	defer rest.Stop()
	for {
		next := c.views.Changed.Next()
		if err := s.send(r.Context()); err != nil {
			if r.Context().Err() == nil && !errors.Is(err, errHungUp) {
				c.views.Log.Error("the page could not be drawn", "error", err)
			}
			return
		}
		if !c.pause(r.Context(), rest, atMostEvery, nil) || !c.pause(r.Context(), rest, atLeastEvery, next) {
			return
		}
	}
}

// errHungUp ends a stream that nobody reads.
var errHungUp = errors.New("the client hung up")

// pause waits until d has passed or the bell has rung. It is false when the
// stream is to end.
func (c *Console) pause(ctx context.Context, timer *time.Timer, d time.Duration, rung <-chan struct{}) bool {
	timer.Reset(d)
	select {
	case <-ctx.Done():
		return false
	case <-c.closed:
		return false
	case <-rung:
	case <-timer.C:
	}
	return true
}

// stream is one watching page.
type stream struct {
	console *Console
	to      http.ResponseWriter
	asked   asked
	sent    map[string]string // by part
}

// clockNews is the data of a "clock" event.
type clockNews struct {
	Now   int64   `json:"now"` // milliseconds since the epoch
	Ahead string  `json:"ahead"`
	Scale float64 `json:"scale"`
}

// partNews is the data of a "part" event.
type partNews struct {
	ID   string `json:"id"`
	HTML string `json:"html"`
}

func (s *stream) send(ctx context.Context) error {
	v, err := s.console.look(ctx, s.asked)
	if err != nil {
		return err
	}
	clock := v.Clock
	if err := s.event("clock", clockNews{clock.Now.UnixMilli(), ahead(clock.Ahead), clock.Scale}); err != nil {
		return err
	}
	for _, p := range v.parts() {
		var b strings.Builder
		if err := p.html.Render(ctx, &b); err != nil {
			return err
		}
		if s.sent[p.id] == b.String() {
			continue
		}
		s.sent[p.id] = b.String()
		if err := s.event("part", partNews{p.id, b.String()}); err != nil {
			return err
		}
	}
	return http.NewResponseController(s.to).Flush()
}

func (s *stream) event(name string, data any) error {
	doc, err := json.Marshal(data)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(s.to, "event: %s\ndata: %s\n\n", name, doc); err != nil {
		return errors.Join(errHungUp, err)
	}
	return nil
}
