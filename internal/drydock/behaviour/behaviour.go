// Package behaviour keeps what somebody who rehearses wants containers to do
// that the labels of their image do not say: labels by image, laid over the
// image's own whenever a task starts. The release that crashes in production
// crashes here without being built again.
//
// A [Set] is stored with the rest of a drydock's state.
package behaviour

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime/simulated"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// Behaviour is labels for the images that a pattern names.
type Behaviour struct {
	// Image is a repository, repository:tag, repository@digest or a digest,
	// with the registry's host for images from elsewhere; * stands for anything.
	Image string `json:"image"`
	// Labels are by their names behind "plimsoll.drydock.".
	Labels map[string]string `json:"labels"`
}

// InvalidError is a behaviour that cannot be meant.
type InvalidError struct{ Reason string }

func (e *InvalidError) Error() string { return e.Reason }

// Bounds of a set.
const (
	maxBehaviours = 1000
	maxPattern    = 512
)

const (
	bucket = "behaviours"
	key    = "all"
)

// Set is the behaviours in force. It is safe for concurrent use.
type Set struct {
	store *store.Store

	mu  sync.Mutex
	all []Behaviour // in the order in which they were set
}

// New loads the set that a store holds.
func New(s *store.Store) (*Set, error) {
	set := &Set{store: s}
	err := s.Load(bucket, func(_ string, doc []byte) error { return json.Unmarshal(doc, &set.all) })
	if err != nil {
		return nil, fmt.Errorf("load behaviours: %w", err)
	}
	return set, nil
}

// Put sets the behaviour of a pattern; the one it had is gone. It holds for
// tasks that start from now on, goes over those set before it, and is stored
// when Put returns. The error is an [*InvalidError] when it cannot be meant.
func (s *Set) Put(b Behaviour) error {
	if err := b.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	next := append(without(s.all, b.Image), b)
	if len(next) > maxBehaviours {
		return &InvalidError{fmt.Sprintf("there are %d behaviours already", maxBehaviours)}
	}
	return s.keep(next)
}

func without(all []Behaviour, pattern string) []Behaviour {
	return slices.DeleteFunc(slices.Clone(all), func(b Behaviour) bool { return b.Image == pattern })
}

func (s *Set) keep(next []Behaviour) error {
	if err := s.store.Update(func(tx *store.Tx) error { return tx.Put(bucket, key, next) }); err != nil {
		return fmt.Errorf("store behaviours: %w", err)
	}
	s.all = next
	return nil
}

// Remove takes the behaviour of a pattern away, and says whether it had one.
func (s *Set) Remove(pattern string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := without(s.all, pattern)
	if len(next) == len(s.all) {
		return false, nil
	}
	return true, s.keep(next)
}

// Clear takes all of them away.
func (s *Set) Clear() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keep([]Behaviour{})
}

// List is the behaviours in the order in which they were set.
func (s *Set) List() []Behaviour {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Behaviour{}, s.all...)
}

// Over lays the behaviours of an image over its own labels.
func (s *Set) Over(ref image.Reference, digest string, labels map[string]string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := labels
	for _, b := range s.all {
		if !b.matches(ref, digest) {
			continue
		}
		out = maps.Clone(out) // what was given is the image's
		if out == nil {
			out = map[string]string{}
		}
		for name, value := range b.Labels {
			out[simulated.Prefix+name] = value
		}
	}
	return out
}

// check holds a behaviour to the grammar of the labels, as a container is that
// starts with them.
func (b Behaviour) check() error {
	switch {
	case b.Image == "" || len(b.Image) > maxPattern || strings.ContainsAny(b.Image, " \t\n"):
		return &InvalidError{fmt.Sprintf("image %q is not a repository, repository:tag, digest or pattern", b.Image)}
	case len(b.Labels) == 0:
		return &InvalidError{"no label is given"}
	}
	labels := map[string]string{}
	for name, value := range b.Labels {
		labels[simulated.Prefix+name] = value
	}
	if err := simulated.Check(labels); err != nil {
		return &InvalidError{err.Error()}
	}
	return nil
}

// matches compares a pattern with every name that the image has.
func (b Behaviour) matches(ref image.Reference, digest string) bool {
	if digest == "" {
		digest = ref.Digest
	}
	bare := ref
	bare.Registry, bare.Digest = "", ""
	full := ref
	full.Digest = ""
	names := []string{ref.Repository, ref.Name(), bare.String(), full.String()}
	if digest != "" {
		names = append(names, digest, ref.Repository+"@"+digest, ref.Name()+"@"+digest)
	}
	return slices.ContainsFunc(names, func(name string) bool { return glob(b.Image, name) })
}

// glob matches * with anything, slashes included.
func glob(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	rest, ok := strings.CutPrefix(name, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, parts[last])
}
