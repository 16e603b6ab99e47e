package events

import (
	"net/http"
	"strconv"
)

// ServeHTTP answers with the events that are kept, the oldest first, one JSON
// object a line. since=ID leaves out everything up to that event, and is 410
// Gone when the stream has dropped it; follow=true goes on with what comes,
// until the client or the stream ends. A client that falls behind by more than
// the stream keeps is cut off rather than left with a gap.
func (s *Stream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	follow := false
	if text := query.Get("follow"); text != "" {
		var err error
		if follow, err = strconv.ParseBool(text); err != nil {
			http.Error(w, "follow is true or false", http.StatusBadRequest)
			return
		}
	}
	n, ok := s.after(query.Get("since"))
	if !ok {
		http.Error(w, "the event "+strconv.Quote(query.Get("since"))+" is not kept (any more)", http.StatusGone)
		return
	}
	w.Header().Set("Content-Type", "application/jsonl")
	for {
		docs, news, lost, closed := s.read(n)
		if lost {
			panic(http.ErrAbortHandler)
		}
		for _, doc := range docs {
			if _, err := w.Write(doc); err != nil {
				return // the client hung up
			}
		}
		n += uint64(len(docs))
		if len(docs) > 0 {
			continue
		}
		if !follow || closed {
			return
		}
		if http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-news:
		}
	}
}
