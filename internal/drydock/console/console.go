// Package console is the page at /_drydock/: everything that a drydock holds,
// live, for people. The server renders all of it; a small script takes the
// parts that changed and moves the time. It reads without the script, too.
//
// [New] makes a [Console], which serves the page, its style and script, and
// the stream of what changed. It only ever reads, through AWS's own API in
// process ([Views]); what moves the time is the control API's affair.
package console

import (
	_ "embed"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/asset"
	"github.com/plimsoll-ecs/plimsoll/internal/drawn"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecr"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecs"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/faults"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/news"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
	"github.com/plimsoll-ecs/plimsoll/internal/livepage"
	"github.com/plimsoll-ecs/plimsoll/internal/panel"
)

// Views is where the page looks. None of it may change anything.
type Views struct {
	Title       Title
	API         wire.Local
	Clock       func() Clock
	Changed     *news.Bell // rung whenever any of this may have changed
	Fleet       func() ecs.Fleet
	Outlook     func(repository string) (ecr.Outlook, error)
	Events      func(n int) []json.RawMessage // the newest, newest first
	Faults      func() []faults.Report
	Retirements func() []ecs.Retirement
	Log         *slog.Logger
}

// Title says which drydock this is.
type Title struct{ Account, Region, Runtime, Address string }

// Clock is the time of a drydock.
type Clock struct {
	Now   time.Time
	Ahead time.Duration // how far it was moved ahead of real time
	Scale float64       // what the scheduler's own durations are divided by
}

// Console serves the page. It is safe for concurrent use.
type Console struct {
	views   Views
	style   *asset.File
	script  *asset.File
	icon    *asset.File
	streams *livepage.Streams

	mu       sync.Mutex
	versions map[string]string // of task definitions, by ARN
}

// Base is the path of the page.
const Base = "/_drydock/"

const (
	maxWatching = 64             // streams that are drawn for
	under       = Base + "page/" // what the page is made of
)

//go:generate go run github.com/a-h/templ/cmd/templ@v0.3.977 generate

//go:embed style.css
var style []byte

//go:embed script.js
var script []byte

// New makes the page of a drydock.
func New(v Views) *Console {
	return &Console{
		views:    v,
		style:    asset.New(under+"style.css", "text/css; charset=utf-8", []byte(panel.Ground()), style),
		script:   asset.New(under+"script.js", "text/javascript; charset=utf-8", livepage.Script(), script),
		icon:     asset.New(under+"mark.svg", "image/svg+xml", []byte(panel.Icon())),
		streams:  livepage.New(maxWatching),
		versions: map[string]string{},
	}
}

// Close ends every stream. The page still answers.
func (c *Console) Close() { c.streams.Close() }

// policy allows the page its own style, script and stream, and nothing else:
// whatever a name or a log line says, it is text.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// ServeHTTP serves the page, its files under page/, and the stream page/live.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	switch r.URL.Path {
	case under + "live":
		c.live(w, r)
	case c.style.Path():
		c.style.ServeHTTP(w, r)
	case c.script.Path():
		c.script.ServeHTTP(w, r)
	case c.icon.Path():
		c.icon.ServeHTTP(w, r)
	case Base:
		c.page(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (c *Console) page(w http.ResponseWriter, r *http.Request) {
	var page []byte
	v, err := c.look(r.Context(), askedBy(r.URL.Query()))
	if err == nil {
		page, err = drawn.HTML(r.Context(), v.page(c))
	}
	if err != nil {
		c.views.Log.Error("the page could not be drawn", "error", err)
		http.Error(w, "the page could not be drawn: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(page) // the client hung up: nobody is left to tell
}
