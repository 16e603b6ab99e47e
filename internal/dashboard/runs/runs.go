// Package runs carries out, in the background, what people asked for in a page:
// one act at a time on each service, each with a page of its own. A [Book] has
// them all; [Book.Begin] begins one, and nothing that a browser does or fails to
// do ends it. [Book.Close] lets go of those that are under way, whose rollouts
// ECS goes on with, and says how each is taken up again.
package runs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/tale"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// maxKept is how many runs that are over can still be looked at.
const maxKept = 200

// Order is what is to be done.
type Order struct {
	audit.Place
	Cluster, Service string
	Verb             string // "deploy", "stop"
	Title            string // "Deploy v1.2.0 to web"
	By               string // who asked, as far as the machine knows
	// Do does it. Cancelled, it leaves what it began to ECS.
	Do func(ctx context.Context, tell story.Teller) (story.Verdict, error)
	// Code is the exit code of a verdict with its error, as the command line has it.
	Code func(story.Verdict, error) int
}

// Book is the runs of one server.
type Book struct {
	now func() time.Time
	ctx context.Context
	end context.CancelFunc
	all sync.WaitGroup

	mu     sync.Mutex
	runs   []*Run // the newest first
	closed bool
}

// New is an empty book.
func New(now func() time.Time) *Book {
	ctx, end := context.WithCancel(context.Background())
	return &Book{now: now, ctx: ctx, end: end}
}

// Run is one act on a service.
type Run struct {
	Order
	ID    string
	Began time.Time
	tale.Tale

	mu    sync.Mutex
	ended time.Time
	err   error
}

// Ended is when the run was over, zero while it goes on, and the error that it
// came to instead of a verdict.
func (r *Run) Ended() (time.Time, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended, r.err
}

// Over reports whether the run has come to its end.
func (r *Run) Over() bool {
	at, _ := r.Ended()
	return !at.IsZero()
}

// BusyError says that something is being done to the service already.
type BusyError struct{ Run *Run }

func (e *BusyError) Error() string {
	return fmt.Sprintf("a %s of %s/%s is under way", e.Run.Verb, e.Run.Cluster, e.Run.Service)
}

// ErrClosed says that the server is ending.
var ErrClosed = errors.New("the server is ending: nothing is begun any more")

// Begin begins an act, or refuses with a [*BusyError] while another one is at
// work on the same service.
func (b *Book) Begin(o Order) (*Run, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, ErrClosed
	}
	if busy := b.busy(o.Place, o.Cluster, o.Service); busy != nil {
		return nil, &BusyError{busy}
	}
	r := &Run{Order: o, ID: strings.ToLower(rand.Text()[:12]), Began: b.now()}
	b.runs = slices.Insert(b.runs, 0, r)
	b.forget()
	b.all.Go(func() { b.carryOut(r) })
	return r, nil
}

func (b *Book) carryOut(r *Run) {
	v, err := r.Do(b.ctx, r.Tell)
	at := b.now()
	last := story.Event{Time: at, Kind: story.Final, Service: r.Cluster + "/" + r.Service, Verdict: &v, Message: v.Summary}
	if v.Outcome == "" && err != nil { // an error is a last word too, with the code that the command would have ended with
		first, _, _ := strings.Cut(err.Error(), "\n")
		last.Verdict = &story.Verdict{Outcome: "error", Summary: first}
		last.Message = first
		var hinted interface{ Hint() string }
		if errors.As(err, &hinted) && hinted.Hint() != "" {
			last.Verdict.Next = []string{hinted.Hint()}
		}
	}
	last.Verdict.ExitCode = r.Code(v, err)
	if last.Verdict.Duration == 0 {
		last.Verdict.Duration = at.Sub(r.Began)
	}
	r.mu.Lock()
	r.ended, r.err = at, err
	r.mu.Unlock()
	r.Tell(last)
}

// busy is the run that is at work on a service, nil when none is.
func (b *Book) busy(at audit.Place, cluster, service string) *Run {
	for _, r := range b.runs {
		if r.Place == at && r.Cluster == cluster && r.Service == service && !r.Over() {
			return r
		}
	}
	return nil
}

// forget drops the oldest of those that are over.
func (b *Book) forget() {
	for i := len(b.runs) - 1; i >= 0 && len(b.runs) > maxKept; i-- {
		if b.runs[i].Over() {
			b.runs = slices.Delete(b.runs, i, i+1)
		}
	}
}

// Run is the run with the id, nil when there is none.
func (b *Book) Run(id string) *Run {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.runs {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// All are the runs, the newest first.
func (b *Book) All() []*Run {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.runs)
}

// Busy is the run that is at work on a service, nil when none is.
func (b *Book) Busy(at audit.Place, cluster, service string) *Run {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.busy(at, cluster, service)
}

// Close ends the runs that are under way, as an interrupt ends a command, and
// returns them once they have said how they are taken up again.
func (b *Book) Close() []*Run {
	b.mu.Lock()
	b.closed = true
	var cut []*Run
	for _, r := range slices.Backward(b.runs) {
		if !r.Over() {
			cut = append(cut, r)
		}
	}
	b.mu.Unlock()
	b.end()
	b.all.Wait()
	return cut
}
