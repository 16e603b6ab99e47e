package ecs

import (
	"maps"
	"slices"
)

// Glance is a service at a glance: what tells it from a thousand others.
type Glance struct {
	Cluster      string // name
	Service      string // name
	Desired      int
	Running      int
	Pending      int
	RolloutState string // of the PRIMARY deployment
}

// Fleet is every service that is not INACTIVE, by cluster and name, what runs
// without one, and who runs an image: services, and groups of RunTask, with a
// task that has not STOPPED.
type Fleet struct {
	Clusters []string // names of the ACTIVE ones, sorted
	Services []Glance
	Alone    map[string][]string // cluster → ARNs of the tasks of RunTask that have not STOPPED, sorted
	Users    map[string][]string // digest → "cluster/service", sorted
}

// Fleet looks at all services at once, at a fraction of what describing them
// would take.
func (e *ECS) Fleet() Fleet {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := Fleet{Alone: map[string][]string{}, Users: map[string][]string{}}
	for _, name := range slices.Sorted(maps.Keys(e.clusters)) {
		if e.clusters[name].Status == statusActive {
			out.Clusters = append(out.Clusters, name)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(e.services)) {
		s := e.services[key]
		if s.Status == statusInactive {
			continue
		}
		g := Glance{Cluster: s.Cluster, Service: s.Name, Desired: s.Desired}
		g.Running, g.Pending = e.count(s, "")
		if len(s.Deployments) > 0 {
			g.RolloutState = s.primary().RolloutState
		}
		out.Services = append(out.Services, g)
	}
	for _, t := range e.tasks {
		if t.LastStatus == statusStopped {
			continue
		}
		user := t.Cluster + "/" + t.Service
		if t.Service == "" {
			user = t.Cluster + "/" + t.Group
			out.Alone[t.Cluster] = append(out.Alone[t.Cluster], t.ARN)
		}
		for _, c := range t.Containers {
			if c.Digest != "" && !slices.Contains(out.Users[c.Digest], user) {
				out.Users[c.Digest] = append(out.Users[c.Digest], user)
			}
		}
	}
	for _, of := range []map[string][]string{out.Alone, out.Users} {
		for _, names := range of {
			slices.Sort(names)
		}
	}
	return out
}
