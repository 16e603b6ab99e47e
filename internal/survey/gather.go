package survey

import (
	"context"
	"sync"
)

// gatherer reads things by ARN for many askers, each thing once and with the
// fewest calls: a call goes when it is full, or when everybody who could still
// add to it waits for an answer.
type gatherer[V any] struct {
	size int
	read func(ctx context.Context, arns []string) (map[string]V, error)

	mu      sync.Mutex
	askers  int // who have not left
	waiting int // for an answer
	calls   int // under way
	pending []string
	known   map[string]*gathered[V]
}

// gathered is one thing. It is there when ready.
type gathered[V any] struct {
	ready   bool
	value   V
	found   bool
	err     error
	wanting []*question
}

// question is what one asker waits for.
type question struct {
	left     int // things
	answered chan struct{}
}

func newGatherer[V any](size int, read func(context.Context, []string) (map[string]V, error)) *gatherer[V] {
	return &gatherer[V]{size: size, read: read, known: map[string]*gathered[V]{}}
}

// join announces askers. Each must leave.
func (g *gatherer[V]) join(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.askers += n
}

// leave says that an asker will ask no more.
func (g *gatherer[V]) leave(ctx context.Context) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.askers--
	g.sendRest(ctx)
}

// ask waits for things. Those that do not exist are left out.
func (g *gatherer[V]) ask(ctx context.Context, arns []string) (map[string]V, error) {
	g.mu.Lock()
	q := &question{answered: make(chan struct{})}
	for _, arn := range arns {
		thing := g.known[arn]
		if thing == nil {
			thing = &gathered[V]{}
			g.known[arn] = thing
			g.pending = append(g.pending, arn)
		}
		if !thing.ready {
			thing.wanting = append(thing.wanting, q)
			q.left++
		}
	}
	for len(g.pending) >= g.size {
		g.send(ctx, g.size)
	}
	if q.left == 0 {
		close(q.answered)
	} else {
		g.waiting++
		g.sendRest(ctx)
	}
	g.mu.Unlock()
	<-q.answered // every call ends, if only with its context

	g.mu.Lock()
	defer g.mu.Unlock()
	found := map[string]V{}
	for _, arn := range arns {
		thing := g.known[arn]
		if thing.err != nil {
			return nil, thing.err
		}
		if thing.found {
			found[arn] = thing.value
		}
	}
	return found, nil
}

// sendRest makes a call that is not full, when nothing can be added to it.
func (g *gatherer[V]) sendRest(ctx context.Context) {
	if g.calls == 0 && g.waiting == g.askers && len(g.pending) > 0 {
		g.send(ctx, len(g.pending))
	}
}

// send makes a call for the first n that are pending.
func (g *gatherer[V]) send(ctx context.Context, n int) {
	arns := g.pending[:n:n]
	g.pending = g.pending[n:]
	g.calls++
	go func() {
		values, err := g.read(ctx, arns)
		g.mu.Lock()
		defer g.mu.Unlock()
		g.calls--
		for _, arn := range arns {
			thing := g.known[arn]
			thing.value, thing.found = values[arn]
			thing.err, thing.ready = err, true
			for _, q := range thing.wanting {
				if q.left--; q.left == 0 {
					g.waiting--
					close(q.answered)
				}
			}
			thing.wanting = nil
		}
		g.sendRest(ctx)
	}()
}
