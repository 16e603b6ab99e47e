package deploy

import (
	"context"
	"sync"
)

// Shared has the use cases of several services ask once for what they have in
// common: who is asking, and what the cluster is. What fails is asked again.
func Shared(p Ports) Ports {
	p.AWS = &shared{AWS: p.AWS, clusters: map[string]Cluster{}}
	return p
}

type shared struct {
	AWS
	mu       sync.Mutex // held over a call: the others wait for its answer
	caller   *Caller
	clusters map[string]Cluster
}

// Caller implements [Identity].
func (s *shared) Caller(ctx context.Context) (Caller, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.caller != nil {
		return *s.caller, nil
	}
	caller, err := s.AWS.Caller(ctx)
	if err == nil {
		s.caller = &caller
	}
	return caller, err
}

// Cluster implements [Clusters].
func (s *shared) Cluster(ctx context.Context, name string) (Cluster, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.clusters[name]; ok {
		return known, nil
	}
	cluster, err := s.AWS.Cluster(ctx, name)
	if err == nil {
		s.clusters[name] = cluster
	}
	return cluster, err
}
