package dashboard

import (
	"context"
	"net/http"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/livepage"
)

// live is a stream that keeps the frame of a page fresh, and tells by the event
// "seen" the number of the sight of the fleet whenever there is a new one.
func (s *Server) live(w http.ResponseWriter, r *http.Request) {
	back, told := within(r.FormValue("at")), ""
	pace := livepage.Pace{AtMost: 300 * time.Millisecond, AtLeast: 30 * time.Second}
	s.streamed(s.streams.Serve(w, r, pace, func(_ context.Context, p *livepage.Page) (<-chan struct{}, error) {
		_, _, changed := s.fleet.look() // before what is drawn: a change between the two is not missed
		f := s.frame("", "")
		f.back = back
		return changed, f.news(p, &told)
	}))
}

// streamed logs why a stream ended that should not have.
func (s *Server) streamed(err error) {
	if err != nil {
		s.options.Log.Error("the page could not be kept fresh", "error", err)
	}
}

// news sends what has changed; told is the number that was told last.
func (f frame) news(p *livepage.Page, told *string) error {
	if err := p.Part("freshness", f.freshness()); err != nil {
		return err
	}
	if f.seen == nil && f.doing.Busy {
		if err := p.Part("progress", f.progress()); err != nil {
			return err
		}
	}
	number := f.number()
	if *told == number && f.failed() == "" {
		return nil
	}
	*told = number
	return p.Event("seen", struct {
		Number string `json:"number"`
		Failed string `json:"failed"`
	}{number, f.failed()})
}

// failed says that there is nothing to see, and why.
func (f frame) failed() string {
	if f.seen == nil && f.doing.Err != nil {
		return f.doing.Err.Error()
	}
	return ""
}
