package drydock

import (
	"encoding/json"
	"net/http"
	"time"
)

// control is the API under /_drydock/ that real AWS has no counterpart of.
// It takes JSON and answers JSON; only a JSON content type is accepted, so
// that a web page in some browser cannot post to it.
func (s *Server) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_drydock/status", func(w http.ResponseWriter, _ *http.Request) {
		s.answer(w)
	})
	mux.HandleFunc("POST /_drydock/advance", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Seconds float64 `json:"seconds"`
		}
		if r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, "the content type must be application/json", http.StatusUnsupportedMediaType)
			return
		}
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&in); err != nil || in.Seconds < 0 || in.Seconds > maxAdvance.Seconds() {
			http.Error(w, `want {"seconds": N}, N between 0 and ten years`, http.StatusBadRequest)
			return
		}
		if err := s.Advance(time.Duration(in.Seconds * float64(time.Second))); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		s.answer(w)
	})
	return mux
}

// maxAdvance bounds one jump: every wake-up on the way is run.
const maxAdvance = 10 * 365 * 24 * time.Hour

// Status is the answer of the control API.
type Status struct {
	Now       time.Time `json:"now"`
	Runtime   Runtime   `json:"runtime"`
	TimeScale float64   `json:"timeScale"`
}

func (s *Server) answer(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(Status{Now: s.clock.Now(), Runtime: s.Runtime, TimeScale: s.options.TimeScale})
}
