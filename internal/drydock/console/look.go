package console

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecs"
)

// asked is which part of a large drydock a page shows.
type asked struct {
	Filter     string // part of the name of a service or its cluster
	Show       string // "", "rolling", "short" or "failed": the services in that state
	Page       int    // of the services, from 1
	Repository string // shown with all of its images; "" for all, with the newest
	Shelf      int    // page of the repositories, from 1
}

// askedBy reads a query. What makes no sense in it is left out: it is a page,
// and not an API.
func askedBy(q url.Values) asked {
	number := func(name string) int {
		n, err := strconv.Atoi(q.Get(name))
		if err != nil {
			return 1
		}
		return min(max(n, 1), 1_000_000)
	}
	return asked{
		Filter: strings.TrimSpace(q.Get("q")), Show: q.Get("show"), Page: number("page"),
		Repository: q.Get("repository"), Shelf: number("shelf"),
	}
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
	set("page", strconv.Itoa(a.Page), "1")
	set("repository", a.Repository, "")
	set("shelf", strconv.Itoa(a.Shelf), "1")
	if len(q) == 0 {
		return Base
	}
	return Base + "?" + q.Encode()
}

// view is everything that the page says.
type view struct {
	Title        Title
	Clock        Clock
	Asked        asked
	Fleet        fleet
	Repositories shelf
	Weather      weather
	Events       []happening
}

// look draws everything up at one time. Each part is one moment's state.
func (c *Console) look(ctx context.Context, a asked) (view, error) {
	v := view{Title: c.views.Title, Clock: c.views.Clock(), Asked: a}
	seen := c.views.Fleet()
	var err error
	if v.Fleet, err = c.fleet(ctx, seen, a, v.Clock.Now); err != nil {
		return v, err
	}
	if v.Repositories, err = c.shelf(ctx, seen, a, v.Clock.Now); err != nil {
		return v, err
	}
	v.Weather = c.weather(v.Clock.Now)
	v.Events = c.happenings(v.Clock.Now)
	return v, nil
}

// pager is where in a long list a page is.
type pager struct {
	Page, Pages int
	Before      string // link; "" on the first page
	After       string // link; "" on the last page
}

// paged cuts the page out of a list that a page of the asked number shows.
func paged[T any](all []T, page, size int, link func(page int) string) ([]T, pager) {
	pages := max(1, (len(all)+size-1)/size)
	page = min(page, pages)
	p := pager{Page: page, Pages: pages}
	if page > 1 {
		p.Before = link(page - 1)
	}
	if page < pages {
		p.After = link(page + 1)
	}
	return all[(page-1)*size : min(page*size, len(all))], p
}

// moment is a time as AWS's JSON has it, in epoch seconds.
type moment float64

func (m moment) time() time.Time { return time.UnixMilli(int64(float64(m)*1000 + 0.5)).UTC() }

// state is how a service is doing, by its glance.
func state(g ecs.Glance) string {
	switch {
	case g.RolloutState == "FAILED":
		return "failed"
	case g.RolloutState == "IN_PROGRESS":
		return "rolling"
	case g.Running < g.Desired:
		return "short"
	case g.Desired == 0:
		return "off"
	}
	return "steady"
}

// lastPart is what an ARN names.
func lastPart(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
