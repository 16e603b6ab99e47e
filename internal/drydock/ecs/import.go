package ecs

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Import is what another account holds, as its descriptions tell.
type Import struct {
	Clusters    []ImportCluster
	Definitions []ImportDefinition
	Services    []ImportService
}

// ImportCluster is a cluster.
type ImportCluster struct {
	Name     string
	Settings []types.ClusterSetting
	Tags     map[string]string
}

// ImportDefinition is a revision of a task definition; it keeps its number.
type ImportDefinition struct {
	Family       string
	Revision     int
	Inactive     bool
	Registered   time.Time // zero: now
	Deregistered time.Time
	Document     json.RawMessage // as RegisterTaskDefinition takes it
	Tags         map[string]string
}

// ImportService is a service. Its tasks are not those of the other account: it
// starts new ones, pinned to the same digests. As many as ran there start even
// when their image is gone from the repository, as tasks that run do not need
// it; every later one has to pull.
type ImportService struct {
	Cluster        string
	Name           string
	TaskDefinition string // family:revision
	Desired        int
	Running        int
	Images         []ImportPin
	Settings       ecs.CreateServiceInput // the rest of it, as CreateService takes it
	Tags           map[string]string
}

// ImportPin is the digest that a container of a service is pinned to.
type ImportPin struct{ Container, Image, Digest string }

// CheckImport lists what is wrong with an import.
func (e *ECS) CheckImport(in Import) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.checkImport(in)
}

func (e *ECS) checkImport(in Import) []string {
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	clusters := map[string]bool{}
	for name, c := range e.clusters {
		clusters[name] = c.Status == statusActive
	}
	for _, c := range in.Clusters {
		if err := checkName("cluster name", c.Name); err != nil {
			fault("cluster %q: %v", c.Name, err)
		}
		clusters[c.Name] = true
	}
	known := map[string]bool{}
	for _, d := range in.Definitions {
		id := d.Family + ":" + strconv.Itoa(d.Revision)
		switch {
		case d.Revision < 1:
			fault("task definition %s: revisions count from 1", id)
		case known[id]:
			fault("task definition %s is there twice", id)
		case e.families[d.Family] != nil:
			fault("task definition %s: there is a family of that name already", id)
		}
		known[id] = true
		spec := new(ecs.RegisterTaskDefinitionInput)
		err := wire.Decode(d.Document, spec)
		if err == nil {
			err = checkDefinition(spec)
		}
		if err != nil {
			fault("task definition %s: %v", id, err)
		}
	}
	services := map[string]bool{}
	for _, s := range in.Services {
		key := s.Cluster + "/" + s.Name
		old := e.services[key]
		switch {
		case checkName("service name", s.Name) != nil:
			fault("service %q: that is no name of a service", s.Name)
		case services[key]:
			fault("service %s is there twice", key)
		case old != nil && old.Status != statusInactive:
			fault("service %s: there is one of that name already", key)
		case !clusters[s.Cluster]:
			fault("service %s: its cluster is not there", key)
		case !known[s.TaskDefinition]:
			fault("service %s runs the task definition %s, which is not there", key, s.TaskDefinition)
		case s.Desired < 0 || s.Desired > maxTasks || s.Running < 0 || s.Running > maxTasks:
			fault("service %s: a count of tasks is from 0 to %d", key, maxTasks)
		}
		services[key] = true
		if err := checkServiceParts(servicePartsOfCreate(&s.Settings)); err != nil {
			fault("service %s: %v", key, err)
		}
	}
	return faults
}

// ImportError is everything for which an import is refused.
type ImportError struct{ Faults []string }

func (e *ImportError) Error() string {
	return fmt.Sprintf("%d faults, the first one: %s", len(e.Faults), e.Faults[0])
}

// Import adds what another account holds, all of it or nothing. store is
// called with what writes ECS's part into a transaction, and stores that
// together with whatever belongs to it. What is refused is an [*ImportError].
func (e *ECS) Import(in Import, store func(put func(*store.Tx) error) error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if faults := e.checkImport(in); len(faults) > 0 {
		return &ImportError{faults}
	}
	if err := e.commit(); err != nil { // so that what is stored below is the import alone
		return err
	}
	now := e.Clock.Now()
	before := imported{maps.Clone(e.clusters), maps.Clone(e.families), maps.Clone(e.services)}
	err := e.addImport(in, now)
	if err == nil {
		err = store(e.dirty.Add)
	}
	if err != nil {
		e.undoImport(before, in)
		return err
	}
	e.dirty.Clear()
	e.flush(now)
	return nil
}

// imported are the records that an import adds to.
type imported struct {
	clusters map[string]*cluster
	families map[string]*family
	services map[string]*service
}

func (e *ECS) undoImport(before imported, in Import) {
	e.clusters, e.families, e.services = before.clusters, before.families, before.services
	for _, s := range in.Services {
		e.Clock.Cancel("service/" + s.Cluster + "/" + s.Name)
	}
	e.dirty.Clear()
	clear(e.outbox)
	e.outbox = e.outbox[:0]
}

func (e *ECS) addImport(in Import, now time.Time) error {
	for _, c := range in.Clusters {
		if old := e.clusters[c.Name]; old != nil && old.Status == statusActive {
			continue
		}
		n := &cluster{Name: c.Name, ARN: e.arn("cluster", c.Name), Status: statusActive, Settings: c.Settings, Tags: tags(c.Tags)}
		e.clusters[n.Name] = n
		e.markCluster(n)
	}
	for _, d := range in.Definitions {
		if err := e.addDefinition(d, now); err != nil {
			return err
		}
	}
	for _, s := range in.Services {
		if err := e.addService(s, now); err != nil {
			return err
		}
	}
	return nil
}

func (e *ECS) addDefinition(d ImportDefinition, now time.Time) error {
	doc, err := membersOf(d.Document)
	if err != nil {
		return fmt.Errorf("task definition %s:%d: %w", d.Family, d.Revision, err)
	}
	fillDefaults(doc)
	raw, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("task definition %s:%d: %w", d.Family, d.Revision, err)
	}
	f := e.families[d.Family]
	if f == nil {
		f = &family{Name: d.Family}
		e.families[f.Name] = f
	}
	n := &definition{
		ARN: e.arn("task-definition", f.Name+":"+strconv.Itoa(d.Revision)), Family: f.Name, Revision: d.Revision,
		Status: statusActive, Registered: d.Registered, Document: raw, Tags: tags(d.Tags),
	}
	if n.Registered.IsZero() {
		n.Registered = now
	}
	if n.Tags == nil {
		n.Tags = tags{}
	}
	if d.Inactive {
		n.Status, n.Deregistered = statusInactive, d.Deregistered
		if n.Deregistered.IsZero() {
			n.Deregistered = now
		}
	}
	f.Revisions = append(f.Revisions, n)
	slices.SortFunc(f.Revisions, func(a, b *definition) int { return cmp.Compare(a.Revision, b.Revision) })
	f.Last = max(f.Last, d.Revision)
	e.markFamily(f)
	return nil
}

func (e *ECS) addService(in ImportService, now time.Time) error {
	_, d := e.definition(in.TaskDefinition)
	if d == nil {
		return errors.New("task definition " + in.TaskDefinition + " is not there")
	}
	c := in.Settings
	s := &service{
		Name: in.Name, Cluster: in.Cluster, ARN: e.arn("service", in.Cluster, in.Name), Status: statusActive, Created: now,
		Desired: in.Desired, Tags: tags(in.Tags), Adopt: min(in.Running, in.Desired),
		LaunchType: c.LaunchType, CapacityProviders: c.CapacityProviderStrategy, PlatformVersion: aws.ToString(c.PlatformVersion),
		Network: withNetworkDefaults(c.NetworkConfiguration), Configuration: withDefaults(c.DeploymentConfiguration), GracePeriod: c.HealthCheckGracePeriodSeconds,
		Constraints: c.PlacementConstraints, Placement: c.PlacementStrategy,
		AZRebalancing: cmp.Or(c.AvailabilityZoneRebalancing, types.AvailabilityZoneRebalancingEnabled),
		PropagateTags: cmp.Or(c.PropagateTags, types.PropagateTagsNone), ManagedTags: c.EnableECSManagedTags, ExecuteCommand: c.EnableExecuteCommand,
	}
	if s.Tags == nil {
		s.Tags = tags{}
	}
	if s.LaunchType == "" && len(s.CapacityProviders) == 0 {
		s.LaunchType = types.LaunchTypeEc2
	}
	e.services[s.key()] = s
	e.markService(s)
	e.deploy(s, d, now)
	revision := s.revision(s.primary().Revision)
	for _, i := range in.Images {
		revision.Images = append(revision.Images, containerImage(i))
	}
	return nil
}
