// Package actions is what the dashboard can do to a service: deploy, roll back,
// scale, stop, start, pin and unpin, by the use cases of the command line and in
// its words.
//
// Everything is asked twice. A form makes a proposal: the use case runs dry, and
// a page shows its checks, the diff, and asks for the service's name. Confirmed,
// it runs in the background with a page of its own. A confirmation is good once,
// for a quarter of an hour, and for what was shown: when the service's revision,
// the newest one, the count or what the tag stands for have changed since,
// nothing is done and the proposal is shown anew.
//
// Who may send the forms is not judged here: package guard stands before it.
package actions

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/live"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/runs"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/tale"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

//go:generate go run github.com/a-h/templ/cmd/templ@v0.3.977 generate

//go:embed actions.css
var style []byte

// Style is how the pages look, on the colours of the dashboard's own style.
func Style() []byte { return bytes.Clone(style) }

// Options are what actions need.
type Options struct {
	// Reach is where a service is acted on, and how its settings want it.
	Reach func(ctx context.Context, s Service) (Berth, error)
	// Draw writes a page with the dashboard's frame around it.
	Draw func(w http.ResponseWriter, r *http.Request, status int, p Page)
	// ServicePath is the address of the service's own page.
	ServicePath func(Service) string
	// FormToken is the token of a form that posts to a path.
	FormToken func(path string) string
	Runs      *runs.Book
	// Follow keeps the board of a run fresh.
	Follow func(w http.ResponseWriter, r *http.Request, from live.Source, draw func(tale.Told) live.Board)
	Now    func() time.Time
	By     string // who acts, as far as this machine knows
}

// Page is what is inside the frame.
type Page struct {
	Title   string
	Content templ.Component
	// Reload is how often a browser without JavaScript loads the page again; 0:
	// it stays.
	Reload time.Duration
}

// Actions are those of one server.
type Actions struct {
	Options
	proposals *proposals
}

// New makes actions that are served by [Actions.Routes].
func New(o Options) *Actions {
	return &Actions{Options: o, proposals: &proposals{now: o.Now}}
}

// Routes adds everything that is asked and done.
func (a *Actions) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /act/{verb}/"+pattern, a.form)
	mux.HandleFunc("POST /act/{verb}/"+pattern, a.propose)
	mux.HandleFunc("GET /confirm/{id}", a.confirmation)
	mux.HandleFunc("POST /confirm/{id}", a.confirm)
	mux.HandleFunc("GET /runs", a.all)
	mux.HandleFunc("GET /runs/{id}", a.run)
	mux.HandleFunc("GET /runs/{id}/live", a.follow)
}

var errNoRun = errors.New("runs are kept as long as the server runs; history on the page of the service is kept by AWS")

// patience is how long AWS may take for the reads of a page.
const patience = time.Minute

// asked is a service and a verb of an address, within reach.
func (a *Actions) asked(w http.ResponseWriter, r *http.Request) (s Service, v verb, b Berth, ok bool) {
	s, named := serviceOf(r)
	for _, one := range verbs() {
		if string(one) == r.PathValue("verb") {
			v = one
		}
	}
	if !named || v == "" {
		a.sorry(w, r, http.StatusNotFound, "There is no such page", errors.New("no such action, or no such service"))
		return s, v, b, false
	}
	b, err := a.Reach(r.Context(), s)
	if err != nil {
		a.sorry(w, r, http.StatusBadGateway, s.Name+" cannot be reached", err)
		return s, v, b, false
	}
	return s, v, b, true
}

// form asks what is to be done.
func (a *Actions) form(w http.ResponseWriter, r *http.Request) {
	s, v, b, ok := a.asked(w, r)
	if !ok {
		return
	}
	a.ask(w, r, http.StatusOK, s, v, b, nil)
}

// ask draws the form, with what was wrong with it where it comes back.
func (a *Actions) ask(w http.ResponseWriter, r *http.Request, status int, s Service, v verb, b Berth, wrong *FormError) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	f := sheet{service: s, verb: v, wrong: wrong, back: a.ServicePath(s), action: actPath(v, s), busy: a.Runs.Busy(s.Place, s.Cluster, s.Name), given: r.PostForm}
	f.token = a.FormToken(f.action)
	if err := f.fill(ctx, b, a.Now()); err != nil {
		a.sorry(w, r, http.StatusBadGateway, v.label()+" "+s.Name, err)
		return
	}
	a.Draw(w, r, status, Page{Title: v.label() + " " + s.Name, Content: f.page()})
}

func actPath(v verb, s Service) string { return "/act/" + string(v) + "/" + s.Path() }

// propose runs the order dry and goes to the page that shows what came of it.
func (a *Actions) propose(w http.ResponseWriter, r *http.Request) {
	s, v, b, ok := a.asked(w, r)
	if !ok {
		return
	}
	o, err := read(v, r.PostForm)
	if wrong, ok := errors.AsType[*FormError](err); ok {
		a.ask(w, r, http.StatusUnprocessableEntity, s, v, b, wrong)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	e, err := a.examine(ctx, b, s, o)
	if err != nil {
		a.sorry(w, r, http.StatusBadGateway, o.title(s.Name), err)
		return
	}
	http.Redirect(w, r, "/confirm/"+a.proposals.add(s, e, "").id, http.StatusSeeOther)
}

// confirmation shows what would be done, and asks for the name.
func (a *Actions) confirmation(w http.ResponseWriter, r *http.Request) {
	p, ok := a.proposals.get(r.PathValue("id"))
	if !ok {
		a.gone(w, r)
		return
	}
	if p.run != "" {
		http.Redirect(w, r, "/runs/"+p.run, http.StatusSeeOther)
		return
	}
	a.show(w, r, http.StatusOK, p, "")
}

func (a *Actions) show(w http.ResponseWriter, r *http.Request, status int, p proposal, wrong string) {
	c := question{proposal: p, wrong: wrong, back: a.ServicePath(p.service), action: "/confirm/" + p.id, again: actPath(p.exam.order.verb, p.service)}
	c.token = a.FormToken(c.action)
	a.Draw(w, r, status, Page{Title: p.exam.order.title(p.service.Name), Content: c.page()})
}

func (a *Actions) gone(w http.ResponseWriter, r *http.Request) {
	a.sorry(w, r, http.StatusGone, "This confirmation is no longer good",
		errors.New("it is older than 15 minutes, or the server was started anew; nothing was changed: begin again on the page of the service"))
}

// confirm begins what was shown, if it is still so.
func (a *Actions) confirm(w http.ResponseWriter, r *http.Request) {
	p, ok := a.proposals.get(r.PathValue("id"))
	switch {
	case !ok:
		a.gone(w, r)
		return
	case p.run != "":
		http.Redirect(w, r, "/runs/"+p.run, http.StatusSeeOther)
		return
	case p.exam.refused != "":
		a.show(w, r, http.StatusConflict, p, "")
		return
	case strings.TrimSpace(r.PostForm.Get("name")) != p.service.Name:
		a.show(w, r, http.StatusUnprocessableEntity, p, "That is not the name of the service. Nothing was changed.")
		return
	}
	b, err := a.Reach(r.Context(), p.service)
	if err != nil {
		a.sorry(w, r, http.StatusBadGateway, p.service.Name+" cannot be reached", err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	now, err := b.look(ctx, p.service, p.exam.order)
	if err != nil {
		a.sorry(w, r, http.StatusBadGateway, p.exam.order.title(p.service.Name), err)
		return
	}
	if changed := p.exam.seen.changes(now); len(changed) > 0 {
		a.showAnew(ctx, w, r, b, p, changed)
		return
	}
	run, known, err := a.proposals.begin(p.id, func() (string, error) { return a.begin(b, p) })
	if busy, ok := errors.AsType[*runs.BusyError](err); ok {
		a.show(w, r, http.StatusConflict, p, "A "+busy.Run.Verb+" of this service is under way here. Nothing else was begun.")
		return
	}
	switch {
	case err != nil:
		a.sorry(w, r, http.StatusServiceUnavailable, p.exam.order.title(p.service.Name), err)
	case !known:
		a.gone(w, r)
	default:
		http.Redirect(w, r, "/runs/"+run, http.StatusSeeOther)
	}
}

// showAnew proposes the same for what is there now. What was shown is no longer
// good.
func (a *Actions) showAnew(ctx context.Context, w http.ResponseWriter, r *http.Request, b Berth, p proposal, changed []string) {
	a.proposals.drop(p.id)
	o := p.exam.order
	o.base = ""
	e, err := a.examine(ctx, b, p.service, o)
	if err != nil {
		a.sorry(w, r, http.StatusBadGateway, o.title(p.service.Name), err)
		return
	}
	note := "Nothing was done, for it is no longer as it was shown: " + strings.Join(changed, "; ") + ". This is what it would be now."
	http.Redirect(w, r, "/confirm/"+a.proposals.add(p.service, e, note).id, http.StatusSeeOther)
}

// begin carries out what was confirmed, in the background.
func (a *Actions) begin(b Berth, p proposal) (string, error) {
	o, s := p.exam.order, p.service
	run, err := a.Runs.Begin(runs.Order{
		Cluster: s.Cluster, Service: s.Name, Place: s.Place, Verb: string(o.verb), Title: o.title(s.Name), By: a.By,
		Code: exitCode,
		Do: func(ctx context.Context, tell story.Teller) (story.Verdict, error) {
			v, err := a.carry(ctx, b, s, o, false, tell)
			if b.Told != nil {
				b.Told(context.WithoutCancel(ctx), string(o.verb), v, err)
			}
			return v, err
		},
	})
	if err != nil {
		return "", err
	}
	return run.ID, nil
}

// exitCode is what the command would have ended with.
func exitCode(v story.Verdict, err error) int {
	if v.Outcome != "" {
		return v.ExitCode
	}
	return deploy.ExitCode(err, v)
}

// sorry says what went wrong, and what to do where that is known.
func (a *Actions) sorry(w http.ResponseWriter, r *http.Request, status int, title string, err error) {
	e := failure{title: title, what: err.Error()}
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		e.do = hinted.Hint()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		e.what = fmt.Sprintf("AWS did not answer within %s", patience)
	}
	a.Draw(w, r, status, Page{Title: title, Content: e.page()})
}
