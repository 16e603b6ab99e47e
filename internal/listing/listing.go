// Package listing is which part of a long list a page shows, and the addresses
// of the other parts: [Cut] cuts it out, [Address] names another.
package listing

import (
	"net/url"
	"strconv"
)

// Tab is one choice above a list.
type Tab struct {
	Name, Link, Class string
	Count             int
	Here              bool
}

// Pager is where in a long list a page is.
type Pager struct {
	Page, Pages   int    // from 1
	From, To, Of  int    // entries, from 1
	Before, After string // links; "" at the ends
}

// Cut is the part of a list that a page shows, size entries of it; a page beyond
// the last is the last. Link is the address of another page.
func Cut[T any](all []T, page, size int, link func(page int) string) ([]T, Pager) {
	pages := max(1, (len(all)+size-1)/size)
	page = min(max(page, 1), pages)
	from, to := (page-1)*size, min(page*size, len(all))
	p := Pager{Page: page, Pages: pages, From: from + 1, To: to, Of: len(all)}
	if page > 1 {
		p.Before = link(page - 1)
	}
	if page < pages {
		p.After = link(page + 1)
	}
	return all[from:to], p
}

// Number is the page that a query asks for. What makes no sense is the first: it
// is an address of a page, and not an API.
func Number(text string) int {
	const most = 1_000_000
	n, err := strconv.Atoi(text)
	if err != nil {
		return 1
	}
	return min(max(n, 1), most)
}

// Field is a part of a query.
type Field struct{ Name, Value, Usual string }

// Address is a path with those fields that are not as usual.
func Address(path string, fields ...Field) string {
	q := url.Values{}
	for _, f := range fields {
		if f.Value != f.Usual {
			q.Set(f.Name, f.Value)
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}
