package drydock

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/behaviour"
)

// Behaviours is what GET, POST and DELETE behaviours answer: those in force.
type Behaviours struct {
	Behaviours []behaviour.Behaviour `json:"behaviours"`
}

// controlBehaviours serves /_drydock/behaviours:
//
//	GET    behaviours                what containers are made to do, by image
//	POST   behaviours                a behaviour.Behaviour
//	DELETE behaviours[?image=NAME]   all of them, or one
func (s *Server) controlBehaviours(mux *http.ServeMux) {
	mux.HandleFunc("GET /_drydock/behaviours", func(w http.ResponseWriter, _ *http.Request) { s.answerBehaviours(w) })
	mux.HandleFunc("POST /_drydock/behaviours", s.postBehaviour)
	mux.HandleFunc("DELETE /_drydock/behaviours", s.deleteBehaviours)
}

func (s *Server) answerBehaviours(w http.ResponseWriter) {
	writeJSON(w, Behaviours{s.behaviours.List()})
}

func (s *Server) postBehaviour(w http.ResponseWriter, r *http.Request) {
	var b behaviour.Behaviour
	if !readJSON(w, r, &b, `{"image": "app:v1.1.0", "labels": {"exit-after": "1m", "exit-code": "1"}}`) {
		return
	}
	if s.Runtime != Simulated {
		http.Error(w, "the containers of this drydock are real: what they do is what their images do", http.StatusConflict)
		return
	}
	err := s.behaviours.Put(b)
	if _, invalid := errors.AsType[*behaviour.InvalidError](err); invalid {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.answerBehaviours(w)
}

func (s *Server) deleteBehaviours(w http.ResponseWriter, r *http.Request) {
	pattern := r.URL.Query().Get("image")
	if pattern == "" {
		if err := s.behaviours.Clear(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		s.answerBehaviours(w)
		return
	}
	had, err := s.behaviours.Remove(pattern)
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	case !had:
		http.Error(w, fmt.Sprintf("no behaviour is set for %q", pattern), http.StatusNotFound)
	default:
		s.answerBehaviours(w)
	}
}
