package dashboard

import (
	"net/url"
	"strconv"
	"strings"
)

// asked is which part of a long list a page shows.
type asked struct {
	path   string
	Filter string // words that all must occur
	Show   string // one of the list's tabs; "" is all
	Code   string // of findings; "" is all
	Page   int    // from 1
}

// askedBy reads a query. What makes no sense in it is left out: it is a page,
// and not an API.
func askedBy(path string, q url.Values) asked {
	page, err := strconv.Atoi(q.Get("page"))
	if err != nil {
		page = 1
	}
	const longest = 200
	filter := strings.TrimSpace(q.Get("q"))
	return asked{path: path, Filter: filter[:min(len(filter), longest)], Show: q.Get("show"), Code: strings.ToUpper(q.Get("code")), Page: min(max(page, 1), 1_000_000)}
}

// link is the address of the page that shows something else.
func (a asked) link() string {
	q := url.Values{}
	set := func(name, value, usual string) {
		if value != usual {
			q.Set(name, value)
		}
	}
	set("q", a.Filter, "")
	set("show", a.Show, "")
	set("code", a.Code, "")
	set("page", strconv.Itoa(a.Page), "1")
	if len(q) == 0 {
		return a.path
	}
	return a.path + "?" + q.Encode()
}

// showing is the link of a tab.
func (a asked) showing(tab string) string {
	a.Show, a.Page = tab, 1
	return a.link()
}

// matches reports whether all words of the filter occur in one of the texts.
func (a asked) matches(texts ...string) bool {
	for word := range strings.FieldsSeq(strings.ToLower(a.Filter)) {
		found := false
		for _, t := range texts {
			if found = strings.Contains(strings.ToLower(t), word); found {
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// tab is one choice above a list.
type tab struct {
	Name, Link, Class string
	Count             int
	Here              bool
}

// pager is where in a long list a page is.
type pager struct {
	From, To, Of  int
	Before, After string // links; "" at the ends
}

// paged cuts the page out of a list that was asked for.
func paged[T any](all []T, a asked, size int) ([]T, pager) {
	pages := max(1, (len(all)+size-1)/size)
	page := min(a.Page, pages)
	from, to := (page-1)*size, min(page*size, len(all))
	p := pager{From: from + 1, To: to, Of: len(all)}
	at := func(page int) string {
		a.Page = page
		return a.link()
	}
	if page > 1 {
		p.Before = at(page - 1)
	}
	if page < pages {
		p.After = at(page + 1)
	}
	return all[from:to], p
}
