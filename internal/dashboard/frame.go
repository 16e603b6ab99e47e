package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/drawn"
	"github.com/plimsoll-ecs/plimsoll/internal/listing"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
	"github.com/plimsoll-ecs/plimsoll/internal/panel"
)

// frame is what every page has around it.
type frame struct {
	Title  string
	Here   string // which part of the navigation it belongs to: a path of its links
	server *Server
	seen   *sight // nil before the fleet was read
	doing  reading
	back   string        // where the button leads back to
	reload time.Duration // without JavaScript; 0: it stays
}

// frame begins a page.
func (s *Server) frame(title, here string) frame {
	seen, doing, _ := s.fleet.look()
	return frame{Title: title, Here: here, server: s, seen: seen, doing: doing, back: here}
}

// parts are the parts of the navigation, with what needs attention in them.
func (f frame) parts() []listing.Tab {
	all := []listing.Tab{{Name: "Fleet", Link: "/"}, {Name: "Repositories", Link: "/repositories"}, {Name: "Maintenance", Link: "/maintenance"}, {Name: "Findings", Link: "/findings"}}
	if f.server.acts() {
		all = append(all, listing.Tab{Name: "Runs", Link: "/runs"})
	}
	for i := range all {
		all[i].Here = all[i].Link == f.Here
	}
	if f.seen == nil {
		return all
	}
	tally := f.seen.report.Tally()
	all[0].Count, all[0].Class = tally.Services-tally.Now, "bad"
	all[2].Count, all[2].Class = len(f.seen.fleet.Retirements), "off"
	all[3].Count, all[3].Class = tally.Errors, "bad"
	return all
}

// number tells the sight of a page from a newer one.
func (f frame) number() string {
	if f.seen == nil {
		return "0"
	}
	return strconv.Itoa(f.seen.number)
}

// far is how far a survey is, in words.
func (f frame) far() string {
	if e := f.doing.Step; e.Total > 0 {
		return noun.Digits(int(e.Done)) + " of " + noun.Digits(int(e.Total)) + " " + e.Unit
	}
	return ""
}

// foot says where what is shown comes from.
func (f frame) foot() string {
	var parts []string
	if f.seen != nil {
		const few = 3
		places := f.seen.fleet.Places
		for _, p := range places[:min(len(places), few)] {
			parts = append(parts, panel.Place(p))
		}
		if more := len(places) - few; more > 0 {
			parts = append(parts, fmt.Sprintf("%d places more", more))
		}
		parts = append(parts, "as of "+panel.Stamp(f.seen.report.At), "the next "+panel.Days(f.seen.report.Horizon))
	}
	if from := f.server.options.From; from != "" {
		parts = append(parts, "from "+filepath.Base(from))
	}
	return strings.Join(parts, " · ")
}

// key is what some keys do.
type key struct {
	keys []string
	does string
}

func keys() []key {
	return []key{
		{[]string{"/"}, "filter the list"},
		{[]string{"j", "k"}, "next and previous in the list"},
		{[]string{"Enter"}, "open"},
		{[]string{"n", "p"}, "next and previous page of the list"},
		{[]string{"g", "f"}, "fleet"},
		{[]string{"g", "r"}, "repositories"},
		{[]string{"g", "m"}, "maintenance"},
		{[]string{"g", "i"}, "findings"},
		{[]string{"←", "→"}, "through the images of a load line"},
		{[]string{"u"}, "up, to the list"},
		{[]string{"?"}, "these keys"},
	}
}

// draw writes a page with its frame.
func (s *Server) draw(w http.ResponseWriter, r *http.Request, status int, f frame, content templ.Component) {
	if r.Method == http.MethodGet {
		f.back = r.URL.RequestURI()
	}
	page, err := drawn.HTML(r.Context(), f.page(content))
	if err != nil {
		s.options.Log.Error("the page could not be drawn", "error", err)
		http.Error(w, "the page could not be drawn: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(page) // the client hung up: nobody is left to tell
}

// fail is a page that says what went wrong.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, status int, f frame, title string, err error) {
	what, do := said(err)
	s.draw(w, r, status, f, oops(title, what, do))
}

// missing is a page about something that is not there.
func (s *Server) missing(w http.ResponseWriter, r *http.Request, f frame, what string) {
	if f.seen == nil {
		s.draw(w, r, http.StatusOK, f, f.waiting())
		return
	}
	s.draw(w, r, http.StatusNotFound, f, oops(what, "It is not in the fleet as it was read last.", "Read again, or look for it in the lists."))
}

// refresh reads the fleet anew and goes back to where the button was.
func (s *Server) refresh(w http.ResponseWriter, r *http.Request) {
	s.Refresh()
	http.Redirect(w, r, within(r.PostFormValue("back")), http.StatusSeeOther)
}

// within is an address of this server, whatever a form says: its path and query
// alone.
func within(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") || strings.Contains(address, "\\") {
		return "/"
	}
	return u.RequestURI()
}

// place is the place that a path names.
func place(r *http.Request) audit.Place {
	return audit.Place{Account: r.PathValue("account"), Region: r.PathValue("region")}
}
