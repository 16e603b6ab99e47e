package drydock

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/faults"
)

// control is the API under /_drydock/ that real AWS has no counterpart of.
// It takes JSON and answers JSON; what it is sent must say that it is JSON,
// which a web page of another origin cannot say without being asked first.
//
//	GET    status            what kind of drydock this is
//	POST   advance           {"seconds": 3600} moves the calendar
//	GET    clock             the calendar and the pace
//	POST   clock             {"advanceSeconds": 3600, "timeScale": 1}
//	GET    state             everything that it holds, as package state writes it
//	GET    requests          ?after=N&limit=N, the last ones; {"requests": […]}
//	POST   oidc              {"issuer": "https://gitlab.com", "jwks": {"keys": […]}}; answers {"issuer": …}
//	GET    faults            {"faults": [faults.Report…]}
//	POST   faults            a faults.Rule; answers its faults.Report
//	DELETE faults            all of them
//	DELETE faults/{id}       one of them
//	…      behaviours        see controlBehaviours
//	POST   import            ImportRequest; answers Imported, or ImportFaults
func (s *Server) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_drydock/status", func(w http.ResponseWriter, _ *http.Request) { s.answer(w) })
	mux.HandleFunc("POST /_drydock/advance", s.postAdvance)
	mux.HandleFunc("GET /_drydock/clock", func(w http.ResponseWriter, _ *http.Request) { s.answerClock(w) })
	mux.HandleFunc("POST /_drydock/clock", s.postClock)
	mux.HandleFunc("GET /_drydock/requests", s.getRequests)
	mux.HandleFunc("GET /_drydock/faults", func(w http.ResponseWriter, _ *http.Request) { s.answerFaults(w) })
	mux.HandleFunc("POST /_drydock/faults", s.postFault)
	mux.HandleFunc("DELETE /_drydock/faults", func(w http.ResponseWriter, _ *http.Request) {
		s.faults.Clear()
		s.changed.Ring()
		s.answerFaults(w)
	})
	mux.HandleFunc("DELETE /_drydock/faults/{id}", s.deleteFault)
	s.controlBehaviours(mux)
	mux.HandleFunc("POST /_drydock/import", s.postImport)
	s.controlRehearsal(mux)
	return sameOrigin(mux)
}

// Bounds of the control API.
const (
	maxAdvance = 10 * 365 * 24 * time.Hour // one jump: every wake-up on the way is run
	maxScale   = 1e6
	maxControl = 16 << 10 // bytes of a body
)

// readJSON reads the body of a request, or answers why it cannot.
func readJSON(w http.ResponseWriter, r *http.Request, into any, want string) bool {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		http.Error(w, "the content type must be application/json", http.StatusUnsupportedMediaType)
		return false
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControl))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		http.Error(w, fmt.Sprintf("the body is larger than %d bytes", maxControl), http.StatusRequestEntityTooLarge)
		return false
	}
	if err != nil {
		http.Error(w, fmt.Sprintf("%v: want %s", err, want), http.StatusBadRequest)
		return false
	}
	return true
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client hung up: nobody is left to tell
}

// Status is what GET status and POST advance answer.
type Status struct {
	Now       time.Time `json:"now"`
	Runtime   Runtime   `json:"runtime"`
	TimeScale float64   `json:"timeScale"`
}

func (s *Server) answer(w http.ResponseWriter) {
	writeJSON(w, Status{Now: s.clock.Now(), Runtime: s.Runtime, TimeScale: s.clock.TimeScale()})
}

func (s *Server) postAdvance(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Seconds float64 `json:"seconds"`
	}
	const want = `{"seconds": N}, N between 0 and ten years`
	if !readJSON(w, r, &in, want) {
		return
	}
	if !(in.Seconds >= 0 && in.Seconds <= maxAdvance.Seconds()) {
		http.Error(w, "want "+want, http.StatusBadRequest)
		return
	}
	if s.advance(w, in.Seconds) {
		s.answer(w)
	}
}

// advance moves the calendar, or answers why it cannot.
func (s *Server) advance(w http.ResponseWriter, seconds float64) bool {
	if err := s.Advance(time.Duration(seconds * float64(time.Second))); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return false
	}
	return true
}

// Clock is the time of a drydock.
type Clock struct {
	Now          time.Time `json:"now"`
	AheadSeconds float64   `json:"aheadSeconds"` // how far the calendar was moved
	TimeScale    float64   `json:"timeScale"`    // what the scheduler's own durations are divided by
}

// ClockChange is what POST clock takes; what is zero stays as it is. The pace
// is changed first. It holds for what begins from then on, and until drydock
// ends.
type ClockChange struct {
	AdvanceSeconds float64 `json:"advanceSeconds,omitempty"`
	TimeScale      float64 `json:"timeScale,omitempty"`
}

func (s *Server) answerClock(w http.ResponseWriter) {
	writeJSON(w, Clock{Now: s.clock.Now(), AheadSeconds: s.ahead().Seconds(), TimeScale: s.clock.TimeScale()})
}

func (s *Server) postClock(w http.ResponseWriter, r *http.Request) {
	var in ClockChange
	const want = `{"advanceSeconds": N, "timeScale": N}, up to ten years and a million`
	if !readJSON(w, r, &in, want) {
		return
	}
	if in.AdvanceSeconds < 0 || in.AdvanceSeconds > maxAdvance.Seconds() || in.TimeScale < 0 || in.TimeScale > maxScale {
		http.Error(w, "want "+want, http.StatusBadRequest)
		return
	}
	if in.TimeScale > 0 {
		s.clock.SetTimeScale(in.TimeScale)
		s.changed.Ring()
	}
	if in.AdvanceSeconds > 0 && !s.advance(w, in.AdvanceSeconds) {
		return
	}
	s.answerClock(w)
}

// Requests is what GET requests answers.
type Requests struct {
	Requests []Request `json:"requests"`
}

func (s *Server) getRequests(w http.ResponseWriter, r *http.Request) {
	after, limit := int64(0), int64(keptRequests)
	for name, into := range map[string]*int64{"after": &after, "limit": &limit} {
		text := r.URL.Query().Get(name)
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			http.Error(w, fmt.Sprintf("%s=%q is not a number from 0 on", name, text), http.StatusBadRequest)
			return
		}
		*into = n
	}
	writeJSON(w, Requests{s.requests.since(after, int(min(limit, keptRequests)))})
}

// Faults is what GET and DELETE faults answer.
type Faults struct {
	Faults []faults.Report `json:"faults"`
}

func (s *Server) answerFaults(w http.ResponseWriter) { writeJSON(w, Faults{s.faults.Reports()}) }

func (s *Server) postFault(w http.ResponseWriter, r *http.Request) {
	var rule faults.Rule
	if !readJSON(w, r, &rule, `{"kind": "throttle", "match": "ecs:UpdateService", "count": 3}`) {
		return
	}
	added, err := s.faults.Add(rule)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.changed.Ring()
	writeJSON(w, added)
}

func (s *Server) deleteFault(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil || !s.faults.Remove(id) {
		http.Error(w, fmt.Sprintf("there is no fault %q", r.PathValue("id")), http.StatusNotFound)
		return
	}
	s.changed.Ring()
	s.answerFaults(w)
}
