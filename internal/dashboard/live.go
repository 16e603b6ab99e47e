package dashboard

import "net/http"

// live is the stream that keeps a page fresh.
func (s *Server) live(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "not yet", http.StatusNotImplemented)
}
