// Package live draws what a use case tells, and keeps a page that shows it fresh.
//
// A tale is drawn as parts, elements with ids of their own ([Board]). A page has
// them as they are at that moment, and so reads without JavaScript; the script
// ([Script]) asks the stream that the board names for those that have changed
// since ([Serve]).
package live

import (
	"bytes"
	"context"
	_ "embed"
	"net/http"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/tale"
	"github.com/plimsoll-ecs/plimsoll/internal/livepage"
)

//go:generate go run github.com/a-h/templ/cmd/templ@v0.3.977 generate

//go:embed live.js
var script []byte

//go:embed live.css
var style []byte

// Script is what pages with a board load, after that of package livepage.
func Script() []byte { return bytes.Clone(script) }

// Style is how boards look, on the colours of the dashboard's own style.
func Style() []byte { return bytes.Clone(style) }

// Source is a tale that can be waited for.
type Source interface {
	Told() (tale.Told, <-chan struct{})
}

// Serve streams the parts of a board that change, until the last word, the end
// of the server, or the client's going away.
func Serve(streams *livepage.Streams, w http.ResponseWriter, r *http.Request, from Source, draw func(tale.Told) Board) error {
	pace := livepage.Pace{AtMost: 200 * time.Millisecond, AtLeast: 15 * time.Second}
	return streams.Serve(w, r, pace, func(_ context.Context, p *livepage.Page) (<-chan struct{}, error) {
		told, more := from.Told()
		b := draw(told)
		if b.blank() {
			return more, nil // the page has what was known when it was drawn
		}
		for _, part := range b.parts() {
			if err := p.Part(part.id, part.html); err != nil {
				return nil, err
			}
		}
		if b.over() {
			return nil, p.End()
		}
		return more, nil
	})
}
