// Package livepage keeps pages fresh that are open in a browser. A page is drawn
// whole by the server, and reads without JavaScript; its script ([Script]) asks a
// stream of server-sent events for the parts that have changed since, elements
// with ids of their own, and puts them in place.
//
// [New] makes the streams of one server; [Streams.Serve] is one of them, for one
// page, and what it sends is drawn through [Page].
package livepage

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/a-h/templ"

	"github.com/plimsoll-ecs/plimsoll/internal/drawn"
)

//go:embed livepage.js
var script []byte

// Script is what such pages load, before scripts of their own: byID, parsed, morph
// and listening.
func Script() []byte { return bytes.Clone(script) }

// patience is how long a client may take nothing of what is sent.
const patience = 30 * time.Second

// Streams are the streams of one server. They are safe for concurrent use.
type Streams struct {
	seats   chan struct{}
	closing sync.Once
	closed  chan struct{}
}

// New has room for so many pages.
func New(room int) *Streams {
	return &Streams{seats: make(chan struct{}, room), closed: make(chan struct{})}
}

// Close ends all of them.
func (s *Streams) Close() { s.closing.Do(func() { close(s.closed) }) }

// Pace is how often a page is drawn for.
type Pace struct {
	AtMost  time.Duration // between two times: people see no more often
	AtLeast time.Duration // though nothing has changed: ages are news too, and one who is gone is noticed
}

// Draw sends what there is to say. More is closed when there is more of it; what
// changes while Draw is at work has to close it too.
type Draw func(ctx context.Context, p *Page) (more <-chan struct{}, err error)

// Serve keeps one page fresh until it was told the end, goes away, or the server
// closes. An error is Draw's own.
func (s *Streams) Serve(w http.ResponseWriter, r *http.Request, pace Pace, draw Draw) error {
	select {
	case s.seats <- struct{}{}:
		defer func() { <-s.seats }()
	default:
		http.Error(w, fmt.Sprintf("%d pages are watching already", cap(s.seats)), http.StatusServiceUnavailable)
		return nil
	}
	w.Header().Set("Content-Type", "text/event-stream")
	p := &Page{ctx: r.Context(), to: w, connection: http.NewResponseController(w), sent: map[string]string{}}
	defer func() { _ = p.connection.SetWriteDeadline(time.Time{}) }() // the connection may be used again
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		more, err := draw(p.ctx, p)
		if err == nil {
			err = p.flush()
		}
		switch {
		case errors.Is(err, errHungUp), err != nil && p.ctx.Err() != nil, err == nil && p.over:
			return nil
		case err != nil:
			return err
		}
		if !s.rest(p.ctx, timer, pace.AtMost, nil) || !s.rest(p.ctx, timer, pace.AtLeast, more) {
			return nil
		}
	}
}

// rest waits until d has passed or there is more. It is false when the stream is
// to end.
func (s *Streams) rest(ctx context.Context, timer *time.Timer, d time.Duration, more <-chan struct{}) bool {
	timer.Reset(d)
	select {
	case <-ctx.Done():
		return false
	case <-s.closed:
		return false
	case <-more:
	case <-timer.C:
	}
	return true
}

// errHungUp ends a stream that nobody reads.
var errHungUp = errors.New("the client hung up")

// Page is one page that is kept fresh.
type Page struct {
	ctx        context.Context
	to         http.ResponseWriter
	connection *http.ResponseController
	sent       map[string]string // by part
	wrote      bool              // since the last flush
	over       bool
}

// Part sends the element with the id when it is not as it was sent last, as the
// event "part".
func (p *Page) Part(id string, c templ.Component) error {
	html, err := drawn.HTML(p.ctx, c)
	if err != nil || p.sent[id] == string(html) {
		return err
	}
	p.sent[id] = string(html)
	return p.Event("part", struct {
		ID   string `json:"id"`
		HTML string `json:"html"`
	}{id, string(html)})
}

// Event sends an event with data, as JSON.
func (p *Page) Event(name string, data any) error {
	doc, err := json.Marshal(data)
	if err != nil {
		return err
	}
	return p.write(fmt.Sprintf("event: %s\ndata: %s\n\n", name, doc))
}

// End says that nothing more comes, and ends the stream. A page that misses it
// asks once more, and hears it again.
func (p *Page) End() error {
	p.over = true
	return p.Event("end", struct{}{})
}

func (p *Page) write(text string) error {
	// One that knows no deadline, as in tests, cannot stall.
	if err := p.connection.SetWriteDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return errors.Join(errHungUp, err)
	}
	p.wrote = true
	if _, err := p.to.Write([]byte(text)); err != nil {
		return errors.Join(errHungUp, err)
	}
	return nil
}

// flush sends what was written; where that is nothing, a comment, by which one
// who is gone is noticed.
func (p *Page) flush() error {
	if !p.wrote {
		if err := p.write(": still here\n\n"); err != nil {
			return err
		}
	}
	p.wrote = false
	if err := p.connection.Flush(); err != nil {
		return errors.Join(errHungUp, err)
	}
	return nil
}
