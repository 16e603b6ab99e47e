// Package listing cuts lists into pages whose tokens stay good while items come
// and go.
package listing

import (
	"cmp"
	"encoding/base64"
	"slices"
)

// Order is which of two keys comes first in a list.
type Order int

// The orders of a list.
const (
	Ascending  Order = 1
	Descending Order = -1
)

// Page sorts items by their keys, which differ, and answers with at most limit
// of them, those behind the token, and with the token of the next page, nil
// after the last one. ok is false for a token that no list gave out.
func Page[T any](items []T, key func(T) string, order Order, token *string, limit int) (page []T, next *string, ok bool) {
	compare := func(a, b string) int { return int(order) * cmp.Compare(a, b) }
	slices.SortFunc(items, func(a, b T) int { return compare(key(a), key(b)) })
	if token != nil {
		last, err := base64.RawURLEncoding.DecodeString(*token)
		if err != nil || len(last) == 0 {
			return nil, nil, false
		}
		start, found := slices.BinarySearchFunc(items, string(last), func(item T, last string) int { return compare(key(item), last) })
		if found {
			start++
		}
		items = items[start:]
	}
	if len(items) <= limit {
		return items, nil, true
	}
	t := base64.RawURLEncoding.EncodeToString([]byte(key(items[limit-1])))
	return items[:limit], &t, true
}
