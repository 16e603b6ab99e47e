// Package news tells that something has changed, and not what: whoever shows
// the state looks again. A [Bell] costs the one who rings it next to nothing
// while nobody listens.
package news

import "sync"

// Bell is rung after every change. The zero value is ready, and it is safe
// for concurrent use.
type Bell struct {
	mu    sync.Mutex
	count uint64
	next  chan struct{} // closed by the next ring; nil while nobody waits for it
}

// Ring says that something has changed.
func (b *Bell) Ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count++
	if b.next != nil {
		close(b.next)
		b.next = nil
	}
}

// Count is how often the bell has rung: two equal counts have no change
// between them.
func (b *Bell) Count() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.count
}

// Next is closed when the bell rings the next time. Who takes it before
// looking misses nothing.
func (b *Bell) Next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == nil {
		b.next = make(chan struct{})
	}
	return b.next
}
