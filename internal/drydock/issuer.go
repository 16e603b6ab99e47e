package drydock

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Issuer is what POST oidc takes: the key set that ID tokens of an issuer are
// checked with from then on.
type Issuer struct {
	Issuer string          `json:"issuer"` // "https://gitlab.com", as its tokens have it
	JWKS   json.RawMessage `json:"jwks,omitempty"`
}

func (s *Server) postIssuer(w http.ResponseWriter, r *http.Request) {
	var in Issuer
	const want = `{"issuer": "https://gitlab.com", "jwks": {"keys": [...]}}`
	if !readJSON(w, r, &in, want) {
		return
	}
	if !strings.HasPrefix(in.Issuer, "https://") {
		http.Error(w, "the issuer must be an https:// address: want "+want, http.StatusBadRequest)
		return
	}
	if err := s.iam.SetKeys(in.Issuer, in.JWKS); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	writeJSON(w, Issuer{Issuer: in.Issuer})
}
