package survey

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// place is one region of one account while it is read.
type place struct {
	audit.Place
	*survey
	aws       AWS
	revisions *gatherer[audit.Release]

	mu          sync.Mutex
	group       sync.WaitGroup // reads of task definitions
	definitions map[string]*definition
	services    []audit.Service
	tasks       []audit.Task
	schedules   []audit.Schedule
	retirements []audit.Retirement
	roles       map[string]audit.Role
	pipelines   []string
	limits      map[string]int
	shelf       *shelf // of its own registry
}

// definition is a task definition that is read, or was.
type definition struct {
	revision audit.Revision
	found    bool
}

func newPlace(s *survey, aws AWS, at audit.Place) *place {
	p := &place{Place: at, survey: s, aws: aws, definitions: map[string]*definition{}, roles: map[string]audit.Role{}}
	p.revisions = newGatherer(RevisionsPerCall, p.describeRevisions)
	return p
}

// blind notes what could not be read, unless it is because nobody wants it any
// more.
func (p *place) blind(ctx context.Context, action, about string, err error) {
	if ctx.Err() == nil {
		p.blinds.add(p.Place, action, about, err)
	}
}

// read reads all of ECS, and which repositories there are.
func (p *place) read(ctx context.Context) {
	var group sync.WaitGroup
	group.Go(func() { p.readClusters(ctx) })
	if len(p.Services) == 0 {
		group.Go(func() { p.readLimits(ctx) })
		group.Go(func() { p.readSchedules(ctx) })
		group.Go(func() { p.readRetirements(ctx) })
	}
	group.Go(func() { p.shelf = p.list(ctx) })
	group.Wait()
	p.group.Wait()
	p.finish()
	if p.Roles {
		p.readRoles(ctx)
	}
}

func (p *place) readClusters(ctx context.Context) {
	if len(p.Services) > 0 {
		p.readNamed(ctx)
		return
	}
	names := p.Clusters
	if len(names) == 0 {
		var err error
		if names, err = p.aws.ClusterNames(ctx); err != nil {
			p.blind(ctx, "ecs:ListClusters", "all clusters", err)
			return
		}
	}
	p.revisions.join(len(names))
	var group sync.WaitGroup
	for _, cluster := range names {
		group.Go(func() { p.readServices(ctx, cluster) })
		group.Go(func() { p.readTasks(ctx, cluster) })
	}
	group.Wait()
}

// readNamed reads the services that were asked for, and no others.
func (p *place) readNamed(ctx context.Context) {
	named := map[string][]string{}
	for _, s := range p.Services {
		cluster, service, _ := strings.Cut(s, "/")
		named[cluster] = append(named[cluster], service)
	}
	p.revisions.join(len(named))
	var group sync.WaitGroup
	for cluster, names := range named {
		group.Go(func() {
			defer p.revisions.leave(ctx)
			p.readAll(ctx, cluster, names, &group)
		})
	}
	group.Wait()
}

func (p *place) readTasks(ctx context.Context, cluster string) {
	arns, err := p.aws.TaskARNs(ctx, cluster)
	if err != nil {
		if !errors.Is(err, deploy.NotFound) { // the cluster's services say that
			p.blind(ctx, "ecs:ListTasks", "tasks of cluster "+cluster, err)
		}
		return
	}
	var group sync.WaitGroup
	for part := range slices.Chunk(arns, TasksPerCall) {
		group.Go(func() {
			tasks, err := p.aws.DescribeTasks(ctx, cluster, part)
			if err != nil {
				p.blind(ctx, "ecs:DescribeTasks", "tasks of cluster "+cluster, err)
				return
			}
			for i := range tasks {
				tasks[i].Place, tasks[i].Cluster = p.Place, cluster
				p.define(ctx, tasks[i].TaskDefinition)
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			p.tasks = append(p.tasks, tasks...)
		})
	}
	group.Wait()
}

func (p *place) readLimits(ctx context.Context) {
	limits, err := p.aws.ScalingLimits(ctx)
	if err != nil {
		p.blind(ctx, "application-autoscaling:DescribeScalableTargets", "autoscaling of all services", err)
	}
	p.limits = limits
}

func (p *place) readSchedules(ctx context.Context) {
	for _, of := range []struct {
		action, about string
		read          func(context.Context) ([]audit.Schedule, error)
	}{
		{"events:ListRules", "EventBridge rules that run tasks", p.aws.Rules},
		{"scheduler:ListSchedules", "EventBridge schedules that run tasks", p.aws.Schedules},
	} {
		p.group.Go(func() {
			list, err := of.read(ctx)
			if err != nil {
				p.blind(ctx, of.action, of.about, err)
			}
			for i := range list {
				list[i].Place = p.Place
				p.define(ctx, list[i].TaskDefinition)
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			p.schedules = append(p.schedules, list...)
		})
	}
}

func (p *place) readRetirements(ctx context.Context) {
	list, err := p.aws.Retirements(ctx)
	if err != nil {
		p.blind(ctx, "health:DescribeEvents", "task retirements that AWS has announced", err)
	}
	for i := range list {
		list[i].Place = p.Place
	}
	p.retirements = list
}

// define reads a task definition, the first time that it is asked for.
func (p *place) define(ctx context.Context, name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if name == "" || p.definitions[name] != nil {
		return
	}
	d := &definition{}
	p.definitions[name] = d
	p.group.Go(func() {
		revision, err := p.readDefinition(ctx, name)
		if err != nil {
			p.blind(ctx, "ecs:DescribeTaskDefinition", "task definition "+baseName(name), err)
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		d.revision, d.found = revision, true
	})
}

func (p *place) readDefinition(ctx context.Context, name string) (audit.Revision, error) {
	raw, err := p.aws.TaskDefinition(ctx, name)
	if err != nil {
		return audit.Revision{}, err
	}
	document, err := taskdef.Parse(raw)
	if err != nil {
		return audit.Revision{}, fmt.Errorf("the answer is no task definition: %w", err)
	}
	return revisionOf(document), nil
}

// revisionOf is as much of a task definition as a restart depends on. The
// values of its environment stay behind.
func revisionOf(d *taskdef.Document) audit.Revision {
	r := audit.Revision{
		ARN: d.ARN(), Family: d.Family(), Number: d.Revision(), Active: d.Status() == "ACTIVE", RegisteredAt: d.RegisteredAt(),
		ExecutionRole: d.ExecutionRoleARN(), TaskRole: d.TaskRoleARN(),
	}
	for _, c := range d.Containers() {
		r.Containers = append(r.Containers, audit.Container{
			Name: c.Name, Image: c.Image, Digest: writtenDigest(c.Image), Unpinned: c.VersionConsistency == "disabled",
		})
	}
	return r
}

func (p *place) readRoles(ctx context.Context) {
	wanted := map[string]bool{}
	for _, d := range p.definitions {
		wanted[d.revision.ExecutionRole], wanted[d.revision.TaskRole] = true, true
	}
	delete(wanted, "")
	if p.Pipelines {
		var err error
		if p.pipelines, err = p.aws.PipelineRoles(ctx); err != nil {
			p.blind(ctx, "iam:ListRoles", "the roles of pipelines", err)
		}
		for _, arn := range p.pipelines {
			wanted[arn] = true
		}
	}
	var group sync.WaitGroup
	for arn := range wanted {
		group.Go(func() {
			role, err := p.aws.Role(ctx, arn)
			if err != nil {
				p.blind(ctx, "iam:GetRole", "role "+baseName(arn), err)
			}
			if role.Trust == "" { // nothing of it was read, which Blind says
				return
			}
			role.ARN = arn
			p.mu.Lock()
			defer p.mu.Unlock()
			p.roles[arn] = role
		})
	}
	group.Wait()
}
