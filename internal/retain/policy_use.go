package retain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
)

// PolicyUse is an image of a repository that is in use.
type PolicyUse struct {
	Digest   string
	By       string // "prod/api"
	Since    time.Time
	Rollback bool // nothing runs it, but a rollback could go to it
}

// UsesOf are the uses of a repository's images in a fleet: what services and
// tasks run, what schedules would start, and the last so many releases of each
// service. A digest counts wherever it was pulled from: equal bytes are one
// image.
func UsesOf(fleet audit.Fleet, repo audit.Repository, rollbacks int) []PolicyUse {
	b := newBook(repo)
	for _, s := range fleet.Services {
		by := s.Cluster + "/" + s.Name
		for _, r := range s.Runs {
			b.note(r.Containers, PolicyUse{By: by, Since: r.At})
		}
		for _, r := range s.Before[:min(len(s.Before), rollbacks)] {
			b.note(r.Containers, PolicyUse{By: by, Since: r.At, Rollback: true})
		}
	}
	for _, t := range fleet.Tasks {
		_, group, _ := strings.Cut(t.Group, ":")
		b.note(t.Containers, PolicyUse{By: t.Cluster + "/" + group, Since: t.StartedAt})
	}
	for _, s := range fleet.Schedules {
		if revision, ok := fleet.Definitions[s.TaskDefinition]; ok && s.Enabled {
			b.note(revision.Containers, PolicyUse{By: s.Kind + " " + s.Name})
		}
	}
	return b.uses
}

// book collects the uses of one repository.
type book struct {
	name  string
	there map[string]bool   // digests
	tags  map[string]string // digest of each tag
	uses  []PolicyUse
	at    map[PolicyUse]int // where in uses, by all but the time
}

func newBook(repo audit.Repository) *book {
	b := &book{name: repo.Name, there: map[string]bool{}, tags: map[string]string{}, at: map[PolicyUse]int{}}
	for i := range repo.Images {
		b.there[repo.Images[i].Digest] = true
		for _, tag := range repo.Images[i].Tags {
			b.tags[tag] = repo.Images[i].Digest
		}
	}
	return b
}

func (b *book) note(containers []audit.Container, u PolicyUse) {
	for _, c := range containers {
		ref, err := image.Parse(c.Image)
		here := err == nil && ref.Repository == b.name
		u.Digest = c.Digest
		switch {
		case u.Digest == "" && here && ref.Digest != "":
			u.Digest = ref.Digest
		case u.Digest == "" && here: // nothing pins it: a start resolves the tag
			u.Digest = b.tags[ref.Tag]
		}
		if u.Digest != "" && (here || b.there[u.Digest]) {
			b.add(u)
		}
	}
}

// add notes each user of an image once, with the longest use.
func (b *book) add(u PolicyUse) {
	key := PolicyUse{Digest: u.Digest, By: u.By, Rollback: u.Rollback}
	at, known := b.at[key]
	switch {
	case !known:
		b.at[key] = len(b.uses)
		b.uses = append(b.uses, u)
	case !u.Since.IsZero() && (b.uses[at].Since.IsZero() || u.Since.Before(b.uses[at].Since)):
		b.uses[at].Since = u.Since
	}
}

// FleetReader reads services one by one.
type FleetReader interface {
	deploy.Clusters
	deploy.Services
	deploy.ServiceDeployments
	// TaskDefinition is as in [deploy.TaskDefinitions].
	TaskDefinition(ctx context.Context, name string) ([]byte, error)
	// RunningTasks are all tasks of a cluster that run.
	RunningTasks(ctx context.Context, cluster string) ([]audit.Task, error)
}

// ReadFleet reads the tasks and services of all clusters, with what a restart of
// each service would pull, also of one that is scaled to zero, and its last
// releases.
func ReadFleet(ctx context.Context, ecs FleetReader, rollbacks int) (audit.Fleet, error) {
	var fleet audit.Fleet
	clusters, err := ecs.ClusterNames(ctx)
	if err != nil {
		return fleet, err
	}
	for _, cluster := range clusters {
		tasks, err := ecs.RunningTasks(ctx, cluster)
		if err != nil {
			return fleet, err
		}
		fleet.Tasks = append(fleet.Tasks, tasks...)
		services, err := ecs.ServiceNames(ctx, cluster)
		if err != nil {
			return fleet, err
		}
		for _, name := range services {
			s, err := readService(ctx, ecs, cluster, name, rollbacks)
			if err != nil {
				return fleet, err
			}
			fleet.Services = append(fleet.Services, s)
		}
	}
	return fleet, nil
}

func readService(ctx context.Context, ecs FleetReader, cluster, name string, rollbacks int) (audit.Service, error) {
	s := audit.Service{Cluster: cluster, Name: name}
	briefs, err := ecs.ServiceDeployments(ctx, cluster, name, lookedBack)
	if err != nil && !errors.Is(err, deploy.Unsupported) {
		return s, err
	}
	var arns []string
	for _, b := range briefs {
		if underWay(b.Status) || b.Status == succeeded && len(arns) <= rollbacks {
			arns = append(arns, b.ARN)
		}
	}
	details, err := ecs.DescribeServiceDeployments(ctx, arns)
	if err != nil {
		return s, err
	}
	slices.SortFunc(details, func(a, b rollout.ServiceDeployment) int { return b.CreatedAt.Compare(a.CreatedAt) })
	current := false
	for _, d := range details {
		if underWay(d.Status) || !current { // the last that succeeded is what a restart pulls, tasks or none
			s.Runs = append(s.Runs, releaseOf(d))
			current = current || d.Status == succeeded
			continue
		}
		s.Before = append(s.Before, releaseOf(d))
	}
	if slices.ContainsFunc(s.Runs, func(r audit.Release) bool { return len(r.Containers) > 0 }) {
		return s, nil
	}
	written, err := asWritten(ctx, ecs, cluster, name)
	s.Runs = append(s.Runs, written)
	return s, err
}

// lookedBack is how many rollouts are looked back at.
const lookedBack = 20

const succeeded = "SUCCESSFUL" // the status of a service deployment

// underWay tells a rollout that goes on.
func underWay(status string) bool {
	return strings.HasSuffix(status, "PENDING") || strings.HasSuffix(status, "IN_PROGRESS")
}

func releaseOf(d rollout.ServiceDeployment) audit.Release {
	r := audit.Release{TaskDefinition: d.TaskDefinition, At: d.CreatedAt}
	for name, digest := range d.Digests {
		r.Containers = append(r.Containers, audit.Container{Name: name, Digest: digest})
	}
	return r
}

// asWritten is what a service would start where no digest was ever fixed: the
// images as its task definition writes them.
func asWritten(ctx context.Context, ecs FleetReader, cluster, name string) (audit.Release, error) {
	s, err := ecs.Service(ctx, cluster, name)
	if err != nil || s.TaskDefinition == "" {
		return audit.Release{}, err
	}
	r := audit.Release{TaskDefinition: s.TaskDefinition}
	text, err := ecs.TaskDefinition(ctx, s.TaskDefinition)
	if err != nil {
		return r, err
	}
	var answer struct {
		TaskDefinition struct {
			ContainerDefinitions []struct{ Name, Image string }
		}
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return r, fmt.Errorf("read task definition %s: %w", s.TaskDefinition, err)
	}
	for _, c := range answer.TaskDefinition.ContainerDefinitions {
		r.Containers = append(r.Containers, audit.Container{Name: c.Name, Image: c.Image})
	}
	return r, nil
}
