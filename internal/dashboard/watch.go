package dashboard

import (
	"context"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/maintenance"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// sight is a fleet as it was read once, and what it was judged to be. Nothing
// of it is changed any more.
type sight struct {
	fleet     audit.Fleet
	report    audit.Report
	standings []audit.Standing // by service of the fleet
	uses      [][]audit.Use    // by repository of the fleet
	byService map[serviceKey]int
	worst     []int // services, the worst first
	number    int   // of the reading, from 1

	byRepository map[repositoryKey]int
	shelves      []shelf // by repository of the fleet
	catalogue    []audit.Explanation
	plan         maintenance.Plan
	planErr      error
}

// serviceKey is what tells services apart.
type serviceKey struct {
	audit.Place
	Cluster, Service string
}

// reading is how far a survey is.
type reading struct {
	Busy  bool
	Since time.Time
	Step  story.Event // the last one told
	Err   error       // of the last one, where it failed
}

// watch keeps the newest sight of the fleet.
type watch struct {
	options Options
	ctx     context.Context
	stop    context.CancelFunc
	done    sync.WaitGroup

	mu      sync.Mutex
	seen    *sight // nil before the first one
	reading reading
	changed chan struct{} // closed and replaced when any of these is
}

func newWatch(o Options) *watch {
	ctx, stop := context.WithCancel(context.Background())
	return &watch{options: o, ctx: ctx, stop: stop, changed: make(chan struct{})}
}

func (w *watch) close() {
	w.stop()
	w.done.Wait()
}

// look is what is known now, and what is closed when that changes.
func (w *watch) look() (*sight, reading, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen, w.reading, w.changed
}

func (w *watch) change(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
	close(w.changed)
	w.changed = make(chan struct{})
}

// refresh begins to read, unless that is under way.
func (w *watch) refresh() {
	begun := false
	w.change(func() {
		if !w.reading.Busy && w.ctx.Err() == nil {
			w.reading = reading{Busy: true, Since: w.options.Now()}
			begun = true
			w.done.Add(1)
		}
	})
	if begun {
		go w.read()
	}
}

func (w *watch) read() {
	defer w.done.Done()
	fleet, err := w.options.Survey(w.ctx, func(e story.Event) {
		w.change(func() { w.reading.Step = e })
	})
	var seen *sight
	if err == nil {
		seen, err = w.judge(fleet)
	}
	if err == nil {
		seen.plan = seen.planOf()
		if w.options.Plan != nil {
			var plan maintenance.Plan
			if plan, seen.planErr = w.options.Plan(w.ctx, fleet); seen.planErr == nil {
				seen.plan = plan
			}
		}
	}
	w.change(func() {
		w.reading = reading{Err: err}
		if err == nil {
			if w.seen != nil {
				seen.number = w.seen.number
			}
			seen.number++
			w.seen = seen
		}
	})
}

// judge is what there is to say of a fleet.
func (w *watch) judge(fleet audit.Fleet) (*sight, error) {
	o := w.options.Judge
	o.Now = fleet.TakenAt
	catalogue, err := audit.Catalogue()
	if err != nil {
		return nil, err
	}
	s := &sight{fleet: fleet, report: audit.Judge(fleet, o), uses: audit.UsesOf(fleet), byService: map[serviceKey]int{}, catalogue: catalogue}
	s.standings = audit.Standings(fleet, s.report)
	for i := range fleet.Services {
		one := &fleet.Services[i]
		s.byService[serviceKey{one.Place, one.Cluster, one.Name}] = i
	}
	s.worst = s.worstFirst()
	s.shelve()
	return s, nil
}
