package events

import (
	"bytes"
	"encoding/json"
)

// Last is the newest n events that are kept, the newest first.
func (s *Stream) Last(n int) []json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []json.RawMessage
	for i := s.count; i > s.oldest() && len(out) < n; i-- {
		if doc := s.render(i - 1); len(doc) > 0 {
			out = append(out, bytes.Clone(doc))
		}
	}
	return out
}
