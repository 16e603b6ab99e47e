// Package live draws what a use case tells, and keeps a page that shows it fresh.
//
// A tale is drawn as parts, elements with ids of their own ([Board]). A page has
// them as they are at that moment, and so reads without JavaScript; the script
// ([Script]) asks the stream that the board names for those that have changed
// since ([Streams.Serve]), and puts them in place.
package live

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

	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/tale"
	"github.com/plimsoll-ecs/plimsoll/internal/panel"
)

//go:generate go run github.com/a-h/templ/cmd/templ@v0.3.977 generate

//go:embed live.js
var script []byte

//go:embed live.css
var style []byte

// Script is what pages with a board load.
func Script() []byte { return bytes.Clone(script) }

// Style is how boards look, on the colours of the dashboard's own style.
func Style() []byte { return bytes.Clone(style) }

// How often a stream is drawn for: not more often than people can see, and now
// and then without a change, so that one who is gone is noticed.
const (
	atMostEvery  = 200 * time.Millisecond
	atLeastEvery = 15 * time.Second
	patience     = 30 * time.Second // for a client that takes nothing
	maxStreams   = 32
)

// Source is a tale that can be waited for.
type Source interface {
	Told() (tale.Told, <-chan struct{})
}

// Streams are the streams of one server.
type Streams struct {
	seats   chan struct{}
	closing sync.Once
	closed  chan struct{}
}

// NewStreams has room for as many pages as people look at.
func NewStreams() *Streams {
	return &Streams{seats: make(chan struct{}, maxStreams), closed: make(chan struct{})}
}

// Close ends all of them.
func (s *Streams) Close() { s.closing.Do(func() { close(s.closed) }) }

// Serve streams the parts of a board that change, until the last word, the end
// of the server, or the client's going away.
func (s *Streams) Serve(w http.ResponseWriter, r *http.Request, from Source, draw func(tale.Told) Board) {
	select {
	case s.seats <- struct{}{}:
		defer func() { <-s.seats }()
	default:
		http.Error(w, fmt.Sprintf("%d pages are watching already", maxStreams), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := stream{w: w, connection: http.NewResponseController(w), sent: map[string]string{}}
	defer func() { _ = out.connection.SetWriteDeadline(time.Time{}) }() // the connection may be used again
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		told, more := from.Told()
		board := draw(told)
		if err := out.send(r.Context(), board); err != nil {
			return // the client is gone, or will ask again
		}
		if board.over() {
			_ = out.event("end", struct{}{}) // a client that misses it asks once more, and hears it again
			return
		}
		if !Pause(r.Context(), s.closed, timer, atMostEvery, nil) || !Pause(r.Context(), s.closed, timer, atLeastEvery, more) {
			return
		}
	}
}

// Pause is the rest between two looks of a stream: it waits until d has passed or there
// is more. It is false when the stream is to end.
func Pause(ctx context.Context, closed <-chan struct{}, timer *time.Timer, d time.Duration, more <-chan struct{}) bool {
	timer.Reset(d)
	select {
	case <-ctx.Done():
		return false
	case <-closed:
		return false
	case <-more:
	case <-timer.C:
	}
	return true
}

// stream is one page that is kept fresh.
type stream struct {
	w          http.ResponseWriter
	connection *http.ResponseController
	sent       map[string]string // by part
}

// news is the data of a "part" event.
type news struct {
	ID   string `json:"id"`
	HTML string `json:"html"`
}

func (s *stream) send(ctx context.Context, b Board) error {
	quiet := true
	for _, p := range b.parts() {
		html, err := drawn(ctx, p.html)
		if err != nil {
			return err
		}
		if s.sent[p.id] == html {
			continue
		}
		s.sent[p.id], quiet = html, false
		if err := s.event("part", news{p.id, html}); err != nil {
			return err
		}
	}
	if quiet {
		return s.write(": still here\n\n")
	}
	return nil
}

// drawn is a part as HTML, without what can be neither seen nor trusted: pages
// are drawn so too.
func drawn(ctx context.Context, c templ.Component) (string, error) {
	var b bytes.Buffer
	err := c.Render(ctx, &b)
	return string(bytes.Map(panel.Visible, b.Bytes())), err
}

func (s *stream) event(name string, data any) error {
	doc, err := json.Marshal(data)
	if err != nil {
		return err
	}
	return s.write(fmt.Sprintf("event: %s\ndata: %s\n\n", name, doc))
}

func (s *stream) write(text string) error {
	// One that knows no deadline, as in tests, cannot stall.
	if err := s.connection.SetWriteDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.connection.Flush()
}
