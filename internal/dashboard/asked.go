package dashboard

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/listing"
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
	const longest = 200
	filter := strings.TrimSpace(q.Get("q"))
	return asked{path: path, Filter: filter[:min(len(filter), longest)], Show: q.Get("show"), Code: strings.ToUpper(q.Get("code")), Page: listing.Number(q.Get("page"))}
}

// link is the address of the page that shows something else.
func (a asked) link() string {
	return listing.Address(a.path, listing.Field{Name: "q", Value: a.Filter}, listing.Field{Name: "show", Value: a.Show},
		listing.Field{Name: "code", Value: a.Code}, listing.Field{Name: "page", Value: strconv.Itoa(a.Page), Usual: "1"})
}

// tab is the choice of those that are so.
func (a asked) tab(name, shows, class string, count int) listing.Tab {
	return listing.Tab{Name: name, Link: a.showing(shows), Class: class, Count: count, Here: a.Show == shows}
}

// page is the link of another part of the list.
func (a asked) page(page int) string {
	a.Page = page
	return a.link()
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
