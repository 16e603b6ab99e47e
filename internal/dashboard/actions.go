package dashboard

import "net/http"

// actionRoutes are those that change something. There are none without
// AllowActions.
func (s *Server) actionRoutes(*http.ServeMux) {}
