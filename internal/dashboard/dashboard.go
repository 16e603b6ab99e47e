// Package dashboard is the page server of `plimsoll dashboard`: the fleet by
// restart safety, services, repositories with their load lines, what AWS is
// going to retire, and findings, drawn on the server for a browser on the same
// machine.
//
// [New] makes a [Server] from what it may read ([Options]); [Server.Refresh]
// reads the fleet once, in the background. Everything but actions only reads,
// and every page reads without JavaScript. What one service is asked is asked
// when somebody looks at it.
package dashboard

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/guard"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/livepage"
	"github.com/plimsoll-ecs/plimsoll/internal/maintenance"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

//go:generate go run github.com/a-h/templ/cmd/templ@v0.3.977 generate

// Options say what a dashboard shows.
type Options struct {
	// Survey reads the fleet and tells how far it is.
	Survey func(ctx context.Context, tell story.Teller) (audit.Fleet, error)
	// Judge is how the fleet is judged, but for the time.
	Judge audit.Options
	// Reach is where one service can be asked; nil where nothing can, as of a
	// fleet from a file.
	Reach func(ctx context.Context, p audit.Place, cluster, service string) (Reach, error)
	// Plan is what retires, and whether it would come back, of a fleet; nil leaves
	// it to what the audit says.
	Plan func(ctx context.Context, fleet audit.Fleet) (maintenance.Plan, error)
	// Windows are the times in which services may be redeployed.
	Windows maintenance.Windows
	From    string // the file that the fleet is from; "" is AWS
	Version string // of plimsoll
	Now     func() time.Time
	Log     *slog.Logger // nil: nothing is logged
	// AllowActions serves what changes something, as Acting can.
	AllowActions bool
	Acting       Acting
	Guard        *guard.Guard // stands before everything
}

// Reach is one service within reach.
type Reach struct {
	Ports     deploy.Ports
	Container string // whose image is the service's version; "" means the only one
}

// Server serves the dashboard. It is safe for concurrent use.
type Server struct {
	options Options
	fleet   *watch
	handler http.Handler
	bridge  *bridge

	assets  assets
	closing sync.Once
	streams *livepage.Streams
}

// maxStreams bounds how many streams are drawn for; the page of a service has two.
const maxStreams = 96

// New makes a dashboard. Nothing is read before the first [Server.Refresh].
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{options: o, assets: newAssets(), streams: livepage.New(maxStreams)}
	s.fleet = newWatch(o)
	s.bridge = s.newBridge()
	mux := http.NewServeMux()
	s.routes(mux)
	s.actionRoutes(mux)
	s.handler = o.Guard.Wrap(mux)
	return s
}

// Refresh reads the fleet anew in the background, unless that is under way.
func (s *Server) Refresh() { s.fleet.refresh() }

// Close ends what is read and every stream. Pages still answer.
func (s *Server) Close() {
	s.closing.Do(func() {
		s.streams.Close()
		s.bridge.close()
		s.fleet.close()
	})
}

// ServeHTTP serves the pages.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// routes are those that only read.
func (s *Server) routes(mux *http.ServeMux) {
	s.assets.routes(mux)
	mux.HandleFunc("GET /live", s.live)
	mux.HandleFunc("POST /refresh", s.refresh)
	mux.HandleFunc("GET /{$}", s.overview)
	mux.HandleFunc("GET /repositories", s.repositories)
	mux.HandleFunc("GET /repository/{account}/{region}/{name...}", s.repository)
	mux.HandleFunc("GET /maintenance", s.maintenance)
	mux.HandleFunc("GET /findings", s.findings)
	mux.HandleFunc("GET /codes", s.codes)
	mux.HandleFunc("GET /codes/{code}", s.codes)
	const service = "GET /service/{account}/{region}/{cluster}/{service}"
	mux.HandleFunc(service, s.service)
	mux.HandleFunc(service+"/diagnosis", s.diagnosis)
	mux.HandleFunc(service+"/diff", s.diff)
	mux.HandleFunc("GET /", s.nothing)
}

// nothing is what there is at any other address.
func (s *Server) nothing(w http.ResponseWriter, r *http.Request) {
	s.draw(w, r, http.StatusNotFound, s.frame("Nothing is here", ""), oops("Nothing is here", "The dashboard has no such page.", "The parts of it are named above."))
}
