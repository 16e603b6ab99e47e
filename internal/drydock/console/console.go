// Package console is the page at /_drydock/: everything that a drydock holds,
// live, for people. The server renders all of it; a small script takes the
// parts that changed and moves the time. It reads without the script, too.
//
// [New] makes a [Console], which serves the page, its style and script, and
// the stream of what changed. It only ever reads, through AWS's own API in
// process ([Views]); what moves the time is the control API's affair.
package console

import (
	"embed"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecr"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecs"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/faults"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/news"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
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
	views Views
	files http.Handler

	closing sync.Once
	closed  chan struct{}
	seats   chan struct{} // one for everybody who watches

	mu       sync.Mutex
	versions map[string]string // of task definitions, by ARN
}

// Base is the path of the page.
const Base = "/_drydock/"

// maxWatching bounds how many streams are drawn for.
const maxWatching = 64

//go:generate go run github.com/a-h/templ/cmd/templ@v0.3.977 generate

//go:embed style.css script.js mark.svg
var files embed.FS

// New makes the page of a drydock.
func New(v Views) *Console {
	return &Console{
		views:    v,
		files:    http.StripPrefix(Base+"page/", http.FileServerFS(files)),
		closed:   make(chan struct{}),
		seats:    make(chan struct{}, maxWatching),
		versions: map[string]string{},
	}
}

// Close ends every stream. The page still answers.
func (c *Console) Close() { c.closing.Do(func() { close(c.closed) }) }

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
	switch name, isFile := strings.CutPrefix(r.URL.Path, Base+"page/"); {
	case name == "live":
		c.live(w, r)
	case isFile && name != "":
		c.files.ServeHTTP(w, r)
	case isFile:
		http.NotFound(w, r)
	default:
		c.page(w, r)
	}
}

func (c *Console) page(w http.ResponseWriter, r *http.Request) {
	var b strings.Builder
	v, err := c.look(r.Context(), askedBy(r.URL.Query()))
	if err == nil {
		err = v.page().Render(r.Context(), &b)
	}
	if err != nil {
		c.views.Log.Error("the page could not be drawn", "error", err)
		http.Error(w, "the page could not be drawn: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(b.String())) // the client hung up: nobody is left to tell
}
