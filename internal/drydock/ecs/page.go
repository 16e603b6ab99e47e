package ecs

import (
	"encoding/base64"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// page cuts one page out of a sorted list. The token is the last item of the
// page before, so that a list that changes between two calls neither repeats
// nor loses an item that was there all the time.
func page(sorted []string, maxResults *int32, token *string, most int) (items []string, next *string, err error) {
	size := most
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
		for start < len(sorted) && sorted[start] != string(after) {
			start++
		}
		start = min(start+1, len(sorted))
	}
	end := min(start+size, len(sorted))
	items = sorted[start:end:end]
	if end < len(sorted) {
		t := base64.RawURLEncoding.EncodeToString([]byte(items[len(items)-1]))
		next = &t
	}
	return items, next, nil
}
