package console

import (
	"context"
	"net/http"
	"time"

	"github.com/a-h/templ"

	"github.com/plimsoll-ecs/plimsoll/internal/livepage"
)

// part is an element of the page that is sent anew when what it says has changed.
type part struct {
	id   string
	html templ.Component
}

func (v view) parts() []part {
	return []part{
		{"summary", v.summary()}, {"fleet", v.fleet()}, {"weather", v.weather()},
		{"events", v.events()}, {"repositories", v.repositories()},
	}
}

// clockNews is the data of a "clock" event: the time and the pace.
type clockNews struct {
	Now   int64   `json:"now"` // milliseconds since the epoch
	Ahead string  `json:"ahead"`
	Scale float64 `json:"scale"`
}

// live is a stream that keeps the page fresh.
func (c *Console) live(w http.ResponseWriter, r *http.Request) {
	asked := askedBy(r.URL.Query())
	pace := livepage.Pace{AtMost: 250 * time.Millisecond, AtLeast: 15 * time.Second}
	err := c.streams.Serve(w, r, pace, func(ctx context.Context, p *livepage.Page) (<-chan struct{}, error) {
		next := c.views.Changed.Next() // before what is drawn: a change between the two is not missed
		v, err := c.look(ctx, asked)
		if err != nil {
			return nil, err
		}
		if err := p.Event("clock", clockNews{v.Clock.Now.UnixMilli(), ahead(v.Clock.Ahead), v.Clock.Scale}); err != nil {
			return nil, err
		}
		for _, part := range v.parts() {
			if err := p.Part(part.id, part.html); err != nil {
				return nil, err
			}
		}
		return next, nil
	})
	if err != nil {
		c.views.Log.Error("the page could not be drawn", "error", err)
	}
}
