package dashboard

import (
	"net/http"
	"strings"

	"github.com/a-h/templ"
)

// frame is what every page has around it.
type frame struct {
	Title  string
	Here   string // which part of the navigation it belongs to: a path of its links
	Live   string // the query of its stream; "" for a page that changes by nothing
	server *Server
	seen   *sight // nil before the fleet was read
	doing  reading
}

// frame begins a page.
func (s *Server) frame(title, here string) frame {
	seen, doing, _ := s.fleet.look()
	return frame{Title: title, Here: here, server: s, seen: seen, doing: doing}
}

// draw writes a page with its frame.
func (s *Server) draw(w http.ResponseWriter, r *http.Request, status int, f frame, content templ.Component) {
	var b strings.Builder
	if err := f.page(content).Render(r.Context(), &b); err != nil {
		s.options.Log.Error("the page could not be drawn", "error", err)
		http.Error(w, "the page could not be drawn: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(b.String())) // the client hung up: nobody is left to tell
}

// refresh reads the fleet anew and goes back to where the button was.
func (s *Server) refresh(w http.ResponseWriter, r *http.Request) {
	s.Refresh()
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
