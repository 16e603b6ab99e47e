package drydock

import (
	"net/http"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/console"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecr"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/state"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// views is what the page shows.
func (s *Server) views(images *ecr.Registry) console.Views {
	return console.Views{
		Title:       console.Title{Account: s.options.Account, Region: s.options.Region, Runtime: string(s.Runtime), Address: s.Addr},
		API:         wire.NewLocal(s.services...),
		Clock:       s.pageClock,
		Changed:     &s.changed,
		Fleet:       s.tasks.Fleet,
		Outlook:     images.Outlook,
		Events:      s.events.Last,
		Faults:      s.faults.Reports,
		Retirements: s.tasks.Retirements,
		Log:         s.options.Log,
	}
}

// pageClock asks the clock alone: the calendar's own record is locked while it
// is advanced, and that is what people want to see. A clock that is turned by
// hand is ahead of nothing.
func (s *Server) pageClock() console.Clock {
	c := console.Clock{Now: s.clock.Now(), Scale: s.clock.TimeScale()}
	if s.options.Clock == nil {
		c.Ahead = time.Until(c.Now).Round(time.Second)
	}
	return c
}

// stateTries is how often a dump that a change has overtaken is taken again.
// A drydock that never rests is dumped as it goes.
const stateTries = 5

func (s *Server) getState(w http.ResponseWriter, r *http.Request) {
	api := wire.NewLocal(s.services...)
	var doc []byte
	var err error
	for range stateTries {
		before := s.changed.Count()
		doc, err = state.Dump(r.Context(), api, state.Place{Now: s.clock.Now(), Account: s.options.Account, Region: s.options.Region})
		if s.changed.Count() == before {
			break
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(doc) // the client hung up: nobody is left to tell
}
