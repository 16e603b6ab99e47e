// Package lookout watches services for as long as somebody looks at them, and no
// longer. Everybody who looks at a service shares one watch of it, so what it
// costs in calls does not grow with the number of pages.
package lookout

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/tale"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// linger is how long a watch outlives the last one who looked: a page that is
// loaded again, or a stream that broke off, finds what was told.
const linger = 20 * time.Second

// Lookout is the watches of one server, of services by their key.
type Lookout[K comparable] struct {
	observe func(ctx context.Context, service K, tell story.Teller) error
	ctx     context.Context
	end     context.CancelFunc
	all     sync.WaitGroup

	mu    sync.Mutex
	posts map[K]*post
}

// New watches with observe, which tells what it sees until its context ends.
func New[K comparable](observe func(ctx context.Context, service K, tell story.Teller) error) *Lookout[K] {
	ctx, end := context.WithCancel(context.Background())
	return &Lookout[K]{observe: observe, ctx: ctx, end: end, posts: map[K]*post{}}
}

// post is one watch.
type post struct {
	tale    tale.Tale
	looking int
	leave   context.CancelFunc
	left    *time.Timer // runs once nobody looks any more
}

// Join begins to look at a service, or joins those who do. leave must be called
// once nobody reads the tale any more.
func (l *Lookout[K]) Join(service K) (seen *tale.Tale, leave func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.posts[service]
	if p == nil {
		p = l.man(service)
	}
	if p.left != nil {
		p.left.Stop()
		p.left = nil
	}
	p.looking++
	return &p.tale, sync.OnceFunc(func() { l.part(service, p) })
}

// Seen is what a watch has told so far; ok is false where there is none.
func (l *Lookout[K]) Seen(service K) (told tale.Told, ok bool) {
	l.mu.Lock()
	p := l.posts[service]
	l.mu.Unlock()
	if p == nil {
		return tale.Told{}, false
	}
	told, _ = p.tale.Told()
	return told, true
}

// man begins a watch.
func (l *Lookout[K]) man(service K) *post {
	ctx, cancel := context.WithCancel(l.ctx)
	p := &post{leave: cancel}
	l.posts[service] = p
	l.all.Go(func() {
		err := l.observe(ctx, service, p.tale.Tell)
		l.abandon(service, p)
		if err != nil && !errors.Is(err, context.Canceled) {
			p.tale.Tell(story.Event{Time: time.Now(), Kind: story.Warning, Step: story.Watch, Message: fmt.Sprintf("not watched any more: %v; reload the page to try again", err)})
		}
	})
	return p
}

// part ends a watch some time after the last one has left.
func (l *Lookout[K]) part(service K, p *post) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.looking--; p.looking > 0 {
		return
	}
	p.left = time.AfterFunc(linger, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if p.looking == 0 {
			p.leave()
			l.forget(service, p)
		}
	})
}

// abandon forgets a watch that has ended by itself: the next one who looks
// begins anew.
func (l *Lookout[K]) abandon(service K, p *post) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p.leave()
	l.forget(service, p)
}

func (l *Lookout[K]) forget(service K, p *post) {
	if l.posts[service] == p {
		delete(l.posts, service)
	}
}

// Close ends all watches.
func (l *Lookout[K]) Close() {
	l.end()
	l.all.Wait()
}
