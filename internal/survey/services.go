package survey

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// readServices reads all services of a cluster. Its caller has joined those who
// may ask for revisions, so that no call goes half full before all services are
// known.
func (p *place) readServices(ctx context.Context, cluster string) {
	var group sync.WaitGroup
	defer group.Wait()
	defer p.revisions.leave(ctx)
	names, err := p.aws.ServiceNames(ctx, cluster)
	if errors.Is(err, deploy.NotFound) { // it may be another place's
		return
	}
	p.survey.mu.Lock()
	p.clusters[cluster] = true
	p.survey.mu.Unlock()
	if err != nil {
		p.blind(ctx, "ecs:ListServices", "services of cluster "+cluster, err)
		return
	}
	p.readAll(ctx, cluster, names, &group)
}

// readAll begins to read services of a cluster.
func (p *place) readAll(ctx context.Context, cluster string, names []string, group *sync.WaitGroup) {
	p.progress(func(t *progress) { t.services += len(names) })
	for part := range slices.Chunk(names, ServicesPerCall) {
		p.revisions.join(1)
		group.Go(func() {
			defer p.revisions.leave(ctx)
			for _, service := range p.describe(ctx, cluster, part) {
				service.Place, service.Cluster = p.Place, cluster
				p.revisions.join(1)
				group.Go(func() {
					defer p.revisions.leave(ctx)
					p.readService(ctx, service)
				})
			}
		})
	}
}

// describe reads services. A refusal may be of one of them only, as a policy can
// name services: then each is asked for by itself.
func (p *place) describe(ctx context.Context, cluster string, names []string) []Service {
	services, err := p.aws.DescribeServices(ctx, cluster, names)
	if err == nil {
		p.progress(func(t *progress) { t.done += len(names) - len(services) })
		return services
	}
	if len(names) > 1 && errors.Is(err, deploy.Denied) {
		for _, name := range names {
			services = append(services, p.describe(ctx, cluster, []string{name})...)
		}
		return services
	}
	for _, name := range names {
		p.blind(ctx, "ecs:DescribeServices", "service "+cluster+"/"+name, err)
	}
	p.progress(func(t *progress) { t.done += len(names) })
	return nil
}

// readService reads what a service runs and what it ran before.
func (p *place) readService(ctx context.Context, seen Service) {
	for _, r := range seen.Rollouts {
		p.define(ctx, r.TaskDefinition)
	}
	service := seen.Service
	earlier := p.earlier(ctx, seen)
	// The first that it could go back to are asked for with those that run: they
	// will be wanted, and calls get fuller.
	first := earlier[:min(p.RollbackTargets, len(earlier))]
	runs, err := p.revisions.ask(ctx, slices.Concat(seen.Revisions, first))
	if err != nil {
		p.blind(ctx, "ecs:DescribeServiceRevisions", "service "+service.Cluster+"/"+service.Name, err)
	}
	for _, arn := range seen.Revisions {
		if r, found := runs[arn]; found {
			service.Runs = append(service.Runs, r)
		}
	}
	if len(service.Runs) == 0 { // ECS keeps revisions since October 2024, and none of task sets
		service.Runs = seen.Rollouts
	}
	if err == nil {
		service.Before = p.before(ctx, service.Runs, earlier)
	}
	p.mu.Lock()
	p.services = append(p.services, service)
	p.mu.Unlock()
	p.progress(func(t *progress) { t.done++ })
}

// earlier are the revisions that the service was deployed to before. The first
// deployment has none before it; it is as old as the service.
func (p *place) earlier(ctx context.Context, s Service) []string {
	first := len(s.Rollouts) == 1 && s.Rollouts[0].At.Equal(s.CreatedAt)
	if p.RollbackTargets == 0 || first || s.Controller != "ECS" {
		return nil
	}
	arns, err := p.aws.SuccessfulRevisions(ctx, s.Cluster, s.Name)
	if err != nil {
		p.blind(ctx, "ecs:ListServiceDeployments", "earlier deployments of service "+s.Cluster+"/"+s.Name, err)
	}
	arns = slices.DeleteFunc(arns, func(arn string) bool { return arn == "" || slices.Contains(s.Revisions, arn) })
	seen := map[string]bool{}
	return slices.DeleteFunc(arns, func(arn string) bool {
		double := seen[arn]
		seen[arn] = true
		return double
	})
}

// before are the newest releases that are others than those that run: a forced
// deployment makes a new revision of the same.
func (p *place) before(ctx context.Context, runs []audit.Release, arns []string) []audit.Release {
	var before []audit.Release
	same := map[string]bool{}
	for _, r := range runs {
		same[content(r)] = true
	}
	for len(arns) > 0 && len(before) < p.RollbackTargets {
		n := min(p.RollbackTargets-len(before), len(arns))
		found, err := p.revisions.ask(ctx, arns[:n])
		if err != nil {
			p.blind(ctx, "ecs:DescribeServiceRevisions", "earlier deployments", err)
			break
		}
		for _, arn := range arns[:n] {
			r, there := found[arn]
			if there && !same[content(r)] {
				same[content(r)] = true
				before = append(before, r)
				p.define(ctx, r.TaskDefinition)
			}
		}
		arns = arns[n:]
	}
	return before
}

// content is what a release starts, as a key.
func content(r audit.Release) string {
	parts := []string{}
	for _, c := range r.Containers {
		parts = append(parts, c.Name+"="+c.Digest)
	}
	slices.Sort(parts)
	return r.TaskDefinition + " " + strings.Join(parts, " ")
}

// describeRevisions is the read of the gatherer.
func (p *place) describeRevisions(ctx context.Context, arns []string) (map[string]audit.Release, error) {
	list, err := p.aws.DescribeServiceRevisions(ctx, arns)
	if err != nil {
		return nil, err
	}
	found := map[string]audit.Release{}
	for _, r := range list {
		found[r.ARN] = r
	}
	return found, nil
}

// finish joins what was read by now: what the containers of a release are
// called in its task definition, and how far a service may scale.
func (p *place) finish() {
	for i := range p.services {
		s := &p.services[i]
		s.MostTasks = p.limits["service/"+s.Cluster+"/"+s.Name]
		for _, list := range [][]audit.Release{s.Runs, s.Before} {
			for j := range list {
				list[j].Containers = p.containers(list[j].TaskDefinition, list[j].Containers)
			}
		}
	}
	for i := range p.tasks {
		p.tasks[i].Containers = p.containers(p.tasks[i].TaskDefinition, p.tasks[i].Containers)
	}
	for i := range p.schedules {
		p.schedules[i].TaskDefinition = p.fullName(p.schedules[i].TaskDefinition)
	}
}

// fullName is the ARN of the revision or the family that a task definition's
// name means.
func (p *place) fullName(name string) string {
	d := p.definitions[name]
	if d == nil || !d.found || strings.HasPrefix(name, "arn:") {
		return name
	}
	if !strings.Contains(name, ":") {
		return strings.TrimSuffix(d.revision.ARN, ":"+strconv.Itoa(d.revision.Number))
	}
	return d.revision.ARN
}

// containers are those of a task definition with the digests that are pinned. A
// container that only the pins know is one that ECS adds by itself.
func (p *place) containers(definition string, pinned []audit.Container) []audit.Container {
	d := p.definitions[definition]
	if d == nil || !d.found {
		return pinned
	}
	list := slices.Clone(d.revision.Containers)
	for i, c := range list {
		at := slices.IndexFunc(pinned, func(p audit.Container) bool { return p.Name == c.Name })
		if at >= 0 {
			list[i].Digest = cmp.Or(pinned[at].Digest, c.Digest)
		}
	}
	return list
}

// writtenDigest is the digest in an image as a task definition writes it.
func writtenDigest(written string) string {
	ref, err := image.Parse(written)
	if err != nil {
		return ""
	}
	return ref.Digest
}

// baseName is the last part of an ARN.
func baseName(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }
