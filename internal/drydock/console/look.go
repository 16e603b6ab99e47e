package console

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecs"
	"github.com/plimsoll-ecs/plimsoll/internal/listing"
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
	return asked{
		Filter: strings.TrimSpace(q.Get("q")), Show: q.Get("show"), Page: listing.Number(q.Get("page")),
		Repository: q.Get("repository"), Shelf: listing.Number(q.Get("shelf")),
	}
}

// link is the address of the page that shows something else.
func (a asked) link() string {
	return listing.Address(Base, listing.Field{Name: "q", Value: a.Filter}, listing.Field{Name: "show", Value: a.Show},
		listing.Field{Name: "page", Value: strconv.Itoa(a.Page), Usual: "1"}, listing.Field{Name: "repository", Value: a.Repository},
		listing.Field{Name: "shelf", Value: strconv.Itoa(a.Shelf), Usual: "1"})
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
