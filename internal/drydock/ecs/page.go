package ecs

import (
	"encoding/base64"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// page cuts one page of at most 100 items out of a list in the order of
// compare; usual is how many it has when the client does not say. The token is
// the last item of the page before, so that a list that changes between two
// calls neither repeats nor loses an item that was there all the time: a
// cleanup that deregisters page by page sees every revision.
func page(sorted []string, maxResults *int32, token *string, usual int, compare func(a, b string) int) (items []string, next *string, err error) {
	const most = 100
	size := usual
	if maxResults != nil {
		if *maxResults < 1 || int(*maxResults) > most {
			return nil, nil, wire.Errorf("InvalidParameterException", "maxResults must be between 1 and %d.", most)
		}
		size = int(*maxResults)
	}
	start := 0
	if token != nil && *token != "" {
		after, err := base64.RawURLEncoding.DecodeString(*token)
		if err != nil {
			return nil, nil, wire.Errorf("InvalidParameterException", "Invalid token in request.")
		}
		for start < len(sorted) && compare(sorted[start], string(after)) <= 0 {
			start++
		}
	}
	end := min(start+size, len(sorted))
	items = sorted[start:end:end]
	if items == nil {
		items = []string{} // AWS has empty lists in its answers
	}
	if end < len(sorted) {
		t := base64.RawURLEncoding.EncodeToString([]byte(items[len(items)-1]))
		next = &t
	}
	return items, next, nil
}
