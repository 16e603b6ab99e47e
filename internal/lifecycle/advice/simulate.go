package advice

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// proof is what a simulation of a policy came to.
type proof struct {
	broken      string // why it is not safe; "" is safe
	first, then Size
	days        int
}

// prove simulates the policy twice, for AWS's text can be read in more than one
// way. In one run everything goes that could go in some reading, in the other
// what must go in all: the repository of any reading lies between the two. In
// neither may a used image be touched in any reading.
func prove(r *Request, p lifecycle.Policy) proof {
	var all proof
	for _, greedy := range []bool{true, false} {
		s := newSimulation(r, p, greedy)
		found := s.run()
		if found.broken != "" {
			return found
		}
		all = found // sizes: those of what is certain
	}
	return all
}

// without is the repository at the horizon when nothing tidies it.
func (r *Request) without() Size {
	size := sizeOf(r.Images)
	for _, s := range r.Streams {
		n := s.due(daysIn(r.Horizon))
		size.Images += n * (1 + s.Parts)
		size.Bytes += int64(n) * s.Bytes
	}
	return size
}

// due is how many pushes a number of days has.
func (s Stream) due(days int) int { return int(s.PerDay * float64(days)) }

// simulation is a repository as the days go by.
type simulation struct {
	request *Request
	policy  lifecycle.Policy
	takers  []func(*lifecycle.Image) bool // what the rules that take anything are about
	greedy  bool
	used    map[string]Use
	images  []lifecycle.Image
	bytes   map[string]int64
	pushed  int
	aside   Size // images that no rule can reach, and that count in none
}

func newSimulation(r *Request, p lifecycle.Policy, greedy bool) *simulation {
	s := &simulation{request: r, policy: p, greedy: greedy, used: map[string]Use{}, bytes: map[string]int64{}}
	index := make(map[string]int, len(r.Images))
	for i := range r.Images {
		m := &r.Images[i]
		index[m.Digest] = i
		s.bytes[m.Digest] = m.Bytes
		s.images = append(s.images, m.Image)
		if m.Status == lifecycle.Activating { // for minutes only, and then rules are about it
			s.images[i].Status = lifecycle.Active
		}
	}
	for _, u := range r.Used {
		if at, there := index[u.Digest]; there && r.Images[at].Status != lifecycle.Archived {
			s.used[u.Digest] = u
			for _, child := range r.Images[at].Children { // the task pulls one of them
				s.used[child] = u
			}
		}
	}
	for _, rule := range p.Rules() {
		if rule.CountType != lifecycle.CountMoreThan || rule.CountNumber < r.most() {
			s.takers = append(s.takers, rule.Identifies())
		}
	}
	s.setAside()
	return s
}

// setAside drops what can neither go nor matter to others, so that the days
// cost no more than the images that move: most of a repository are releases.
func (s *simulation) setAside() {
	parts := map[string]bool{}
	for i := range s.images {
		for _, child := range s.images[i].Children {
			parts[child] = true
		}
		if s.images[i].Subject != "" {
			parts[s.images[i].Subject] = true
		}
	}
	s.images = slices.DeleteFunc(s.images, func(m lifecycle.Image) bool {
		if len(m.Children) > 0 || m.Subject != "" || parts[m.Digest] || slices.ContainsFunc(m.Tags, s.request.moves) {
			return false
		}
		if _, used := s.used[m.Digest]; used || s.reached(&m) {
			return false
		}
		s.aside.Images++
		s.aside.Bytes += s.bytes[m.Digest]
		return true
	})
}

// reached reports whether a rule that takes anything is about the image.
func (s *simulation) reached(m *lifecycle.Image) bool {
	return slices.ContainsFunc(s.takers, func(identifies func(*lifecycle.Image) bool) bool { return identifies(m) })
}

func (s *simulation) run() proof {
	p := proof{days: daysIn(s.request.Horizon)}
	for d := range p.days + 1 {
		at := s.request.Now.Add(min(time.Duration(d)*day, s.request.Horizon))
		if d > 0 {
			s.push(d, at)
		}
		result := lifecycle.Evaluate(s.policy, s.images, at, lifecycle.Options{})
		if p.broken = s.touched(result, d); p.broken != "" {
			return p
		}
		s.apply(result)
		if d == 0 {
			p.first = s.size()
		}
	}
	p.then = s.size()
	return p
}

// touched says which used image a run takes, in some reading.
func (s *simulation) touched(result lifecycle.Result, days int) string {
	for _, d := range result.Decisions {
		if u, used := s.used[d.Digest]; used && d.Action != "" {
			return fmt.Sprintf("after %d days rule %d could take %s, which %s needs", days, d.Rule, short(d.Digest), u.By)
		}
	}
	return ""
}

// apply is what the run leaves.
func (s *simulation) apply(result lifecycle.Result) {
	if !s.greedy {
		s.images = result.Apply(s.images)
		return
	}
	at := 0
	s.images = slices.DeleteFunc(s.images, func(lifecycle.Image) bool {
		at++
		return result.Decisions[at-1].Action != ""
	})
}

// push makes the pushes of a day. Every tag that can move moves on the first
// day, however seldom it did so far: age counts from the push, so later is no
// worse.
func (s *simulation) push(d int, at time.Time) {
	if d == 1 {
		for i := range s.images {
			s.images[i].Tags = slices.DeleteFunc(slices.Clone(s.images[i].Tags), s.request.moves)
		}
	}
	for _, stream := range s.request.Streams {
		for n := stream.due(d) - stream.due(d-1); n > 0; n-- {
			s.pushOne(stream, at.Add(-time.Duration(n)*time.Second))
		}
	}
}

func (s *simulation) pushOne(stream Stream, at time.Time) {
	s.pushed++
	m := lifecycle.Image{Digest: fmt.Sprintf("pushed:%d", s.pushed), PushedAt: at}
	m.Tags = []string{strings.ReplaceAll(stream.Tag, "*", fmt.Sprint(s.pushed))}
	if !stream.isPattern() {
		s.takeTag(stream.Tag)
	} else if stream.Parts == 0 && !s.reached(&m) {
		s.aside.Images++
		s.aside.Bytes += stream.Bytes
		return
	}
	for part := range stream.Parts {
		child := lifecycle.Image{Digest: fmt.Sprintf("%s.%d", m.Digest, part), PushedAt: at}
		m.Children = append(m.Children, child.Digest)
		s.images = append(s.images, child)
	}
	s.bytes[m.Digest] = stream.Bytes
	s.images = append(s.images, m)
}

// takeTag takes a tag from the image that has it.
func (s *simulation) takeTag(tag string) {
	for i := range s.images {
		if at := slices.Index(s.images[i].Tags, tag); at >= 0 {
			s.images[i].Tags = slices.Delete(slices.Clone(s.images[i].Tags), at, at+1)
			return
		}
	}
}

func (s *simulation) size() Size {
	size := s.aside
	for i := range s.images {
		size.Images++
		size.Bytes += s.bytes[s.images[i].Digest]
	}
	return size
}
