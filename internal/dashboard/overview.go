package dashboard

import "net/http"

func (s *Server) overview(w http.ResponseWriter, r *http.Request) {
	f := s.frame("Fleet", "/")
	s.draw(w, r, http.StatusOK, f, f.overview())
}
