package actions

import (
	"crypto/rand"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// A confirmation is good for so long: what was shown is stale by then.
	goodFor = 15 * time.Minute
	// So many can wait at once: each is a page that somebody has open.
	maxProposals = 64
)

// proposal is an order that was shown and waits to be confirmed.
type proposal struct {
	id      string
	service Service
	exam    exam
	note    string // why it is shown anew; "" when it is not
	made    time.Time
	run     string // id of the run that it began; "" until it did
}

// proposals are those of one server.
type proposals struct {
	now  func() time.Time
	mu   sync.Mutex
	list []*proposal // the oldest first
}

// add keeps a proposal, and drops those that nobody will confirm any more.
func (p *proposals) add(s Service, e exam, note string) proposal {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := &proposal{id: strings.ToLower(rand.Text()), service: s, exam: e, note: note, made: p.now()}
	p.list = append(slices.DeleteFunc(p.list, p.old), one)
	if over := len(p.list) - maxProposals; over > 0 {
		p.list = slices.Delete(p.list, 0, over)
	}
	return *one
}

func (p *proposals) old(one *proposal) bool { return p.now().Sub(one.made) > goodFor }

// get is the proposal with the id.
func (p *proposals) get(id string) (proposal, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if one := p.find(id); one != nil {
		return *one, true
	}
	return proposal{}, false
}

func (p *proposals) find(id string) *proposal {
	i := slices.IndexFunc(p.list, func(o *proposal) bool { return o.id == id && !p.old(o) })
	if i < 0 {
		return nil
	}
	return p.list[i]
}

// drop takes one away that is no longer good.
func (p *proposals) drop(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = slices.DeleteFunc(p.list, func(o *proposal) bool { return o.id == id })
}

// begin begins what was proposed, once: who confirms again is told the run that
// there is. An error leaves it as it was.
func (p *proposals) begin(id string, do func() (run string, err error)) (run string, known bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.find(id)
	if one == nil {
		return "", false, nil
	}
	if one.run == "" {
		if run, err = do(); err != nil {
			return "", true, err
		}
		one.run = run
	}
	return one.run, true, nil
}
