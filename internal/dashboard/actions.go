package dashboard

import (
	"context"
	"net/http"
	"time"

	"github.com/a-h/templ"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/actions"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/guard"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/live"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/lookout"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/runs"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/tale"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// Acting is what a dashboard needs so that services can be acted on.
type Acting struct {
	// Berth is where a service is acted on, and how its settings want it.
	Berth func(ctx context.Context, p audit.Place, cluster, service string) (actions.Berth, error)
	By    string // who acts, as far as this machine knows
}

// bridge is what of the server is live, and what changes something.
type bridge struct {
	lookout *lookout.Lookout[serviceKey]
	runs    *runs.Book
	cut     []*runs.Run // by the end of the server
}

func (s *Server) newBridge() *bridge {
	return &bridge{runs: runs.New(s.options.Now), lookout: lookout.New(s.observe)}
}

// close ends what is watched, and lets go of what is being done.
func (b *bridge) close() {
	b.cut = b.runs.Close()
	b.lookout.Close()
}

// CutShort are the runs that [Server.Close] has let go of. What they began goes
// on; the verdict of each says how it is taken up again.
func (s *Server) CutShort() []*runs.Run { return s.bridge.cut }

// actionRoutes are those that are live, and those that change something. There
// are none of these without AllowActions.
func (s *Server) actionRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /watch/{account}/{region}/{cluster}/{service}", s.watch)
	if !s.acts() {
		return
	}
	actions.New(actions.Options{
		Reach: func(ctx context.Context, a actions.Service) (actions.Berth, error) {
			return s.options.Acting.Berth(ctx, a.Place, a.Cluster, a.Name)
		},
		Draw: s.drawAction, FormToken: s.options.Guard.FormToken, Runs: s.bridge.runs, Follow: s.follow, Now: s.options.Now, By: s.options.Acting.By,
		ServicePath: func(a actions.Service) string { return serviceLink(a.Place, a.Cluster, a.Name) },
	}).Routes(mux)
}

// acts reports whether services can be acted on.
func (s *Server) acts() bool { return s.options.AllowActions && s.options.Acting.Berth != nil }

func (s *Server) drawAction(w http.ResponseWriter, r *http.Request, status int, p actions.Page) {
	f := s.frame(p.Title, r.URL.Path)
	f.reload = p.Reload
	s.draw(w, r, status, f, p.Content)
}

// observe follows what anybody does to a service, for as long as a page of it is
// looked at.
func (s *Server) observe(ctx context.Context, k serviceKey, tell story.Teller) error {
	reach, err := s.options.Reach(ctx, k.Place, k.Cluster, k.Service)
	if err != nil {
		return err
	}
	return deploy.Observe(ctx, reach.Ports, k.target(), tell)
}

// watch streams what becomes of a service while its page is open.
func (s *Server) watch(w http.ResponseWriter, r *http.Request) {
	if s.options.Reach == nil {
		http.NotFound(w, r)
		return
	}
	k := keyOf(r)
	seen, leave := s.bridge.lookout.Join(k)
	defer leave()
	s.follow(w, r, seen, func(told tale.Told) live.Board { return boardOf(k, told) })
}

// follow keeps a board fresh.
func (s *Server) follow(w http.ResponseWriter, r *http.Request, from live.Source, draw func(tale.Told) live.Board) {
	s.streamed(live.Serve(s.streams, w, r, from, draw))
}

// newestLines is how much of what was told the page of a service has.
const newestLines = 8

func boardOf(k serviceKey, told tale.Told) live.Board {
	return live.Board{
		Told: told, Stream: "/watch/" + actions.Service{Place: k.Place, Cluster: k.Cluster, Name: k.Service}.Path(),
		Waiting: "Looking at the tasks.", Endless: true, Newest: newestLines,
	}
}

// watched is the board of a service as its page begins: with what others who look
// have been told, and what was read for the page.
func (s *Server) watched(k serviceKey, now rollout.View) templ.Component {
	told, _ := s.bridge.lookout.Seen(k)
	if told.Rollout == nil && now.DeploymentID != "" {
		told.Rollout = &now
	}
	return boardOf(k, told).Draw()
}

// actLinks are the ways to what can be done to a service, with what is being
// done to it; none without AllowActions.
func (s *Server) actLinks(k serviceKey, stopped bool) templ.Component {
	if !s.acts() {
		return templ.NopComponent
	}
	return actions.Links(actions.Service{Place: k.Place, Cluster: k.Cluster, Name: k.Service}, stopped, s.bridge.runs.Busy(k.Place, k.Cluster, k.Service))
}

// secret is the hidden field of a form that posts to the path.
func (s *Server) secret(path string) templ.Component {
	return guard.Field(s.options.Guard.FormToken(path))
}

// seconds is a span as a refresh has it.
func seconds(d time.Duration) int { return int(d / time.Second) }
