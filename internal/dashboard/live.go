package dashboard

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/live"
)

// How often a stream is written to: not more often than people can see, and now
// and then without news, for ages ("2 min ago") are news too.
const (
	atMostEvery  = 300 * time.Millisecond
	atLeastEvery = 30 * time.Second
)

// live is a stream of server-sent events: "part" with an element to put in the
// place of the one with its id, "seen" with the number of the sight of the
// fleet whenever there is a new one.
func (s *Server) live(w http.ResponseWriter, r *http.Request) {
	select {
	case s.seats <- struct{}{}:
		defer func() { <-s.seats }()
	default:
		http.Error(w, fmt.Sprintf("%d pages are listening already", maxListening), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	timer := time.NewTimer(0)
	defer timer.Stop()
	sent := map[string]string{}
	for {
		f := s.frame("", "")
		_, _, changed := s.fleet.look()
		if s.news(w, r, f, sent) != nil {
			return
		}
		if !live.Pause(r.Context(), s.closed, timer, atMostEvery, nil) || !live.Pause(r.Context(), s.closed, timer, atLeastEvery, changed) {
			return
		}
	}
}

// news sends what has changed.
func (s *Server) news(w http.ResponseWriter, r *http.Request, f frame, sent map[string]string) error {
	f.back = within(r.FormValue("at"))
	var b strings.Builder
	if err := f.freshness().Render(r.Context(), &b); err != nil {
		return err
	}
	list := [][2]string{{"freshness", b.String()}}
	if f.seen == nil && f.doing.Busy {
		b.Reset()
		if err := f.progress().Render(r.Context(), &b); err != nil {
			return err
		}
		list = append(list, [2]string{"progress", b.String()})
	}
	for _, part := range list {
		if sent[part[0]] == part[1] {
			continue
		}
		sent[part[0]] = part[1]
		if err := tell(w, "part", map[string]string{"id": part[0], "html": part[1]}); err != nil {
			return err
		}
	}
	if number := f.number(); sent["seen"] != number || f.doing.Err != nil && f.seen == nil {
		sent["seen"] = number
		if err := tell(w, "seen", map[string]string{"number": number, "failed": failed(f)}); err != nil {
			return err
		}
	}
	return http.NewResponseController(w).Flush()
}

// failed says that there is nothing to see, and why.
func failed(f frame) string {
	if f.seen == nil && f.doing.Err != nil {
		return f.doing.Err.Error()
	}
	return ""
}

// tell writes one event.
func tell(w http.ResponseWriter, event string, data any) error {
	doc, err := json.Marshal(data)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "event: %s\ndata: %s\n\n", event, doc)
	return err
}
