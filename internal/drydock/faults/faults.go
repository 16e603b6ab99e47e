// Package faults makes drydock fail on demand: throttling, errors, delays and
// connections that end, by operation, for so many calls or a share of them.
//
// A [Set] holds the rules and wraps the handler that they are to strike;
// without rules it passes everything on untouched. What a rule does to the
// n-th call of an operation depends on its seed and n alone, so that a run
// with the same calls meets the same faults, however the calls of different
// operations interleave.
package faults

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Kind is what a rule does to a call.
type Kind string

// The kinds of faults.
const (
	Buckets  Kind = "buckets"  // throttle by ECS's documented token buckets
	Throttle Kind = "throttle" // refuse with "Rate exceeded"
	Error    Kind = "error"    // refuse with a status, an error code and a message
	Latency  Kind = "latency"  // make it wait
	Drop     Kind = "drop"     // end the connection before the call is made
	Lose     Kind = "lose"     // make the call, then end the connection without the answer
)

// Kinds lists every kind.
func Kinds() []Kind { return []Kind{Buckets, Throttle, Error, Latency, Drop, Lose} }

// Rule says which calls are struck, and how. The zero values of Skip, Count
// and Rate strike every call that matches.
type Rule struct {
	Kind  Kind    `json:"kind"`
	Match string  `json:"match"`           // "ecs:UpdateService", "ecs:Describe*", "registry:*", "*"
	Skip  int     `json:"skip,omitempty"`  // lets so many matching calls pass first
	Count int     `json:"count,omitempty"` // strikes so many calls at most
	Rate  float64 `json:"rate,omitempty"`  // strikes this share of the calls, above 0 and up to 1
	Seed  uint64  `json:"seed,omitempty"`  // of the choice that Rate makes

	Status       int     `json:"status,omitempty"`       // error: 500 when zero
	Code         string  `json:"code,omitempty"`         // error: the service's own for the status when empty
	Message      string  `json:"message,omitempty"`      // error
	DelaySeconds float64 `json:"delaySeconds,omitempty"` // latency
}

// Report is a rule and what has become of it.
type Report struct {
	ID int `json:"id"`
	Rule
	Matched int `json:"matched"` // calls that the rule was for
	Struck  int `json:"struck"`  // calls that it struck
}

// Call is what rules match: a service as IAM calls it ("ecs", "ecr", "logs",
// "sts") and the name of its operation; the OCI API is the service "registry".
type Call struct{ Service, Operation string }

func (c Call) String() string { return c.Service + ":" + c.Operation }

// Set is the rules in force. It is safe for concurrent use.
type Set struct {
	now func() time.Time

	mu    sync.Mutex
	rules []*rule
	last  int // id given out
}

// New makes a set without rules; now is the time by which buckets fill.
func New(now func() time.Time) *Set { return &Set{now: now} }

// rule is a rule in force.
type rule struct {
	Report
	nth     [256]uint64 // calls so far, by a hash of the operation: names come from outside, memory does not grow with them
	buckets map[string]*bucket
}

// maxRules bounds what a runaway script can pile up.
const maxRules = 100

// Add puts a rule into force, behind those that are. A rule that cannot be
// meant is an [InvalidError].
func (s *Set) Add(r Rule) (Report, error) {
	if err := r.check(); err != nil {
		return Report{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.rules) >= maxRules {
		return Report{}, &InvalidError{fmt.Sprintf("there are %d rules already", maxRules)}
	}
	s.last++
	added := &rule{Report: Report{ID: s.last, Rule: r}}
	if r.Kind == Buckets {
		added.buckets = map[string]*bucket{}
	}
	s.rules = append(s.rules, added)
	return added.Report, nil
}

// Remove takes a rule out of force, and tells whether there was one.
func (s *Set) Remove(id int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.rules)
	s.rules = slices.DeleteFunc(s.rules, func(r *rule) bool { return r.ID == id })
	return len(s.rules) < before
}

// Clear takes every rule out of force.
func (s *Set) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = nil
}

// Reports lists the rules in the order in which they were added.
func (s *Set) Reports() []Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Report, 0, len(s.rules))
	for _, r := range s.rules {
		out = append(out, r.Report)
	}
	return out
}

// stroke is what comes of the rules for one call: a wait, and the rule, if
// any, that decides how the call ends.
type stroke struct {
	delay time.Duration
	rule  *Rule
}

// strike asks the rules in order. Delays add up; the first rule that ends the
// call is the last that hears of it, as a call that one gate has turned away
// never reaches the next.
func (s *Set) strike(c Call) stroke {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out stroke
	for _, r := range s.rules {
		if !matches(r.Match, c) || !r.strikes(c, s.now) {
			continue
		}
		r.Struck++
		if r.Kind != Latency {
			ends := r.Rule
			out.rule = &ends
			return out
		}
		out.delay += seconds(r.DelaySeconds)
	}
	out.delay = min(out.delay, maxDelay)
	return out
}

// strikes counts a matching call and decides on it.
func (r *rule) strikes(c Call, now func() time.Time) bool {
	r.Matched++
	key := hash(c)
	n := r.nth[key%uint64(len(r.nth))]
	r.nth[key%uint64(len(r.nth))]++
	switch {
	case r.Kind == Buckets:
		return !r.take(c, now())
	case r.Matched <= r.Skip, r.Count > 0 && r.Struck >= r.Count:
		return false
	}
	return r.Rate == 0 || rand.New(rand.NewPCG(r.Seed^key, n)).Float64() < r.Rate
}

func hash(c Call) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(c.String())) // never fails, by its own documentation
	return h.Sum64()
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
