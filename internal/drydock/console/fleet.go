package console

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecs"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/listing"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
)

// What of a large fleet is on one page.
const (
	servicesShown = 20
	cellsShown    = 60 // of a deployment
	stoppedShown  = 8  // stopped tasks of a service
	newsShown     = 4  // events of a service
	describeMost  = 10 // services that one call describes
)

// fleet is the services.
type fleet struct {
	Services, Rolling, Short, Failed int // of all
	Desired, Running, Pending        int // tasks of all services
	Clusters                         []clusterView
	Found                            int // that the filter leaves
	Pager                            listing.Pager
	Tabs                             []listing.Tab
	NoCluster                        bool
}

// clusterView is a cluster with those of its services that are shown.
type clusterView struct {
	Name     string
	Services []serviceView
	Alone    []cell // tasks without a service
	More     int    // of those, not shown
}

// serviceView is a service.
type serviceView struct {
	ID                        string // of its element
	Name                      string
	State                     string // a class: steady, rolling, short, failed, off or draining
	Says                      string // the same in words
	Desired, Running, Pending int
	Deployments               []deploymentView
	Events                    []line
	Stopped                   []stoppedTask
	MoreStopped               int
}

// stoppedTasks says how many there are.
func (s serviceView) stoppedTasks() string {
	text := noun.Count(len(s.Stopped), "stopped task")
	if s.MoreStopped > 0 {
		text += " and " + strconv.Itoa(s.MoreStopped) + " more"
	}
	return text
}

// deploymentView is a deployment with the tasks that it has.
type deploymentView struct {
	Role     string // "new", "old" or, when it is the only one, ""
	Revision string // family:number
	Version  string
	State    string // ECS's rolloutState
	Says     string // the same in words
	Reason   string
	Failed   int // tasks
	Desired  int
	Running  int
	Cells    []cell
	More     int  // tasks that are not shown
	Dense    bool // cells without their version
}

// cell is a task.
type cell struct {
	ID      string
	Class   string // starting, healthy, running, unhealthy, stopping
	Mark    string // the same as a sign, for eyes that tell no colours apart
	Version string
	Says    string
}

// line is something that was said at a time.
type line struct {
	At   time.Time
	When string
	Text string
}

// stoppedTask is a task that is there to be asked why.
type stoppedTask struct {
	ID, Version, Reason, Exit string
	At                        time.Time
	When                      string
}

// The parts of AWS's answers that the page shows.
type (
	serviceDoc struct {
		ServiceName, Status                      string
		DesiredCount, RunningCount, PendingCount int
		Deployments                              []deploymentDoc
		Events                                   []struct {
			CreatedAt moment
			Message   string
		}
	}
	deploymentDoc struct {
		ID, Status, TaskDefinition, RolloutState, RolloutStateReason string
		DesiredCount, RunningCount, PendingCount, FailedTasks        int
	}
	taskDoc struct {
		TaskArn, TaskDefinitionArn, LastStatus, DesiredStatus, HealthStatus, StartedBy, Group, StoppedReason string
		CreatedAt, StoppedAt                                                                                 moment
		Containers                                                                                           []containerDoc
	}
	containerDoc struct {
		Name, Image, ImageDigest, Reason string
		ExitCode                         *int
	}
)

func (c *Console) fleet(ctx context.Context, seen ecs.Fleet, a asked, now time.Time) (fleet, error) {
	f := fleet{Services: len(seen.Services), NoCluster: len(seen.Clusters) == 0}
	var found []ecs.Glance
	for _, g := range seen.Services {
		f.Desired, f.Running, f.Pending = f.Desired+g.Desired, f.Running+g.Running, f.Pending+g.Pending
		switch state(g) {
		case "rolling":
			f.Rolling++
		case "short":
			f.Short++
		case "failed":
			f.Failed++
		}
		if (a.Show == "" || a.Show == state(g)) && strings.Contains(g.Cluster+"/"+g.Service, a.Filter) {
			found = append(found, g)
		}
	}
	f.Found = len(found)
	for _, t := range []listing.Tab{{Name: "All", Count: f.Services}, {Name: "Rolling out", Count: f.Rolling, Link: "rolling"}, {Name: "Short of tasks", Count: f.Short, Link: "short"}, {Name: "Failed", Count: f.Failed, Link: "failed"}} {
		to := a
		to.Show, to.Page = t.Link, 1
		f.Tabs = append(f.Tabs, listing.Tab{Name: t.Name, Count: t.Count, Link: to.link(), Here: a.Show == t.Link})
	}
	shown, p := listing.Cut(found, a.Page, servicesShown, func(page int) string {
		to := a
		to.Page = page
		return to.link()
	})
	f.Pager = p
	var err error
	f.Clusters, err = c.clusters(ctx, seen, shown, a, now)
	return f, err
}

// clusters describes the services that are shown, and what runs beside them.
func (c *Console) clusters(ctx context.Context, seen ecs.Fleet, shown []ecs.Glance, a asked, now time.Time) ([]clusterView, error) {
	var out []clusterView
	for _, name := range seen.Clusters {
		cluster := clusterView{Name: name}
		var names []string
		for _, g := range shown {
			if g.Cluster == name {
				names = append(names, g.Service)
			}
		}
		var err error
		if cluster.Services, err = c.services(ctx, name, names, now); err != nil {
			return nil, err
		}
		alone := seen.Alone[name]
		if a.Filter+a.Show == "" && len(alone) > 0 {
			if cluster.Alone, err = c.alone(ctx, name, alone[:min(len(alone), cellsShown)]); err != nil {
				return nil, err
			}
			cluster.More = len(alone) - min(len(alone), cellsShown)
		}
		if len(cluster.Services)+len(cluster.Alone) > 0 || len(seen.Services) == 0 {
			out = append(out, cluster)
		}
	}
	return out, nil
}

func (c *Console) services(ctx context.Context, cluster string, names []string, now time.Time) ([]serviceView, error) {
	var out []serviceView
	for some := range slices.Chunk(names, describeMost) {
		var answer struct{ Services []serviceDoc }
		err := c.views.API.Call(ctx, "ECS.DescribeServices", map[string]any{"cluster": cluster, "services": some}, &answer)
		if gone(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, s := range answer.Services {
			if s.Status == "INACTIVE" { // deleted since the glance
				continue
			}
			one, err := c.service(ctx, cluster, s, now)
			if gone(err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			out = append(out, one)
		}
	}
	return out, nil
}

// gone is for what was there a moment ago: the page shows one less.
func gone(err error) bool {
	refused, ok := errors.AsType[*wire.Error](err)
	return ok && strings.Contains(refused.Code, "NotFound")
}

func (c *Console) service(ctx context.Context, cluster string, doc serviceDoc, now time.Time) (serviceView, error) {
	s := serviceView{
		ID: "service-" + cluster + "-" + doc.ServiceName, Name: doc.ServiceName,
		Desired: doc.DesiredCount, Running: doc.RunningCount, Pending: doc.PendingCount,
	}
	g := ecs.Glance{Desired: doc.DesiredCount, Running: doc.RunningCount}
	if len(doc.Deployments) > 0 {
		g.RolloutState = doc.Deployments[0].RolloutState
	}
	s.State = state(g)
	if doc.Status == "DRAINING" {
		s.State = "draining"
	}
	s.Says = saysState(s.State)
	for _, e := range doc.Events[:min(len(doc.Events), newsShown)] {
		s.Events = append(s.Events, line{e.CreatedAt.time(), when(now, e.CreatedAt.time()), briefly(doc.ServiceName, e.Message)})
	}
	alive, err := c.tasksOf(ctx, cluster, doc.ServiceName, "RUNNING")
	if err != nil {
		return s, err
	}
	ending, err := c.tasksOf(ctx, cluster, doc.ServiceName, "STOPPED")
	if err != nil {
		return s, err
	}
	byDeployment := map[string][]taskDoc{}
	for _, t := range slices.Concat(alive, ending) {
		if t.LastStatus != "STOPPED" {
			byDeployment[t.StartedBy] = append(byDeployment[t.StartedBy], t)
		}
	}
	for i, d := range doc.Deployments {
		one := c.deployment(ctx, d, byDeployment[d.ID])
		if len(doc.Deployments) > 1 {
			one.Role = "old"
			if i == 0 {
				one.Role = "new"
			}
		}
		s.Deployments = append(s.Deployments, one)
	}
	s.Stopped, s.MoreStopped = stopped(ending, now)
	return s, nil
}

// briefly is the message of a service event without the name of the service
// that it stands under, and with ids of tasks as short as their cells have
// them.
func briefly(service, message string) string {
	out := strings.TrimPrefix(message, "(service "+service+") ")
	for {
		before, rest, found := strings.Cut(out, "(task ")
		id, after, ended := strings.Cut(rest, ")")
		if !found || !ended {
			return out
		}
		if strings.HasPrefix(after, " (task ") {
			after = "," + after
		}
		out = before + shortID(id) + after
	}
}

// shortID is enough of an id to tell tasks apart.
func shortID(id string) string { return id[:min(8, len(id))] }

func saysState(state string) string {
	switch state {
	case "rolling":
		return "Rolling out"
	case "failed":
		return "Rollout failed"
	case "short":
		return "Short of tasks"
	case "off":
		return "Scaled to 0"
	case "draining":
		return "Draining"
	}
	return "Steady"
}

// tasksOf are the tasks of a service, up to a page of AWS's, oldest first.
func (c *Console) tasksOf(ctx context.Context, cluster, service, desired string) ([]taskDoc, error) {
	var list struct{ TaskArns []string }
	err := c.views.API.Call(ctx, "ECS.ListTasks", map[string]any{"cluster": cluster, "serviceName": service, "desiredStatus": desired}, &list)
	if err != nil || len(list.TaskArns) == 0 {
		return nil, err
	}
	return c.tasks(ctx, cluster, list.TaskArns)
}

func (c *Console) tasks(ctx context.Context, cluster string, arns []string) ([]taskDoc, error) {
	var answer struct{ Tasks []taskDoc }
	if err := c.views.API.Call(ctx, "ECS.DescribeTasks", map[string]any{"cluster": cluster, "tasks": arns}, &answer); err != nil {
		return nil, err
	}
	slices.SortFunc(answer.Tasks, func(a, b taskDoc) int {
		return cmp.Or(cmp.Compare(a.CreatedAt, b.CreatedAt), strings.Compare(a.TaskArn, b.TaskArn))
	})
	return answer.Tasks, nil
}

func (c *Console) deployment(ctx context.Context, doc deploymentDoc, tasks []taskDoc) deploymentView {
	d := deploymentView{
		Revision: lastPart(doc.TaskDefinition), Version: c.version(ctx, doc.TaskDefinition), State: doc.RolloutState,
		Failed: doc.FailedTasks, Desired: doc.DesiredCount, Running: doc.RunningCount,
	}
	switch doc.RolloutState {
	case "IN_PROGRESS":
		d.Says = "in progress"
	case "FAILED":
		d.Says, d.Reason = "failed", strings.TrimPrefix(doc.RolloutStateReason, "ECS deployment "+doc.ID+" ")
	case "COMPLETED":
		d.Says = "completed"
	}
	if doc.Status == "ACTIVE" {
		d.Says = strings.TrimPrefix(d.Says+", draining", "completed, ")
	}
	for _, t := range tasks[:min(len(tasks), cellsShown)] {
		d.Cells = append(d.Cells, cellOf(t))
	}
	d.Dense = len(d.Cells) > 12
	d.More = max(0, doc.RunningCount+doc.PendingCount-len(d.Cells))
	return d
}

func (c *Console) alone(ctx context.Context, cluster string, arns []string) ([]cell, error) {
	tasks, err := c.tasks(ctx, cluster, arns)
	if gone(err) {
		return nil, nil
	}
	var out []cell
	for _, t := range tasks {
		one := cellOf(t)
		one.Says = lastPart(t.TaskDefinitionArn) + ", " + one.Says
		out = append(out, one)
	}
	return out, err
}

// cellOf is a task as a cell: its state is a colour, a sign and words.
func cellOf(t taskDoc) cell {
	id := lastPart(t.TaskArn)
	out := cell{ID: id, Version: versionOf(t)}
	word := strings.ToLower(t.LastStatus)
	switch {
	case t.LastStatus == "STOPPED":
		out.Class, out.Mark = "stopping", "×"
	case t.DesiredStatus == "STOPPED":
		out.Class, out.Mark = "stopping", "↓"
		if t.LastStatus == "RUNNING" {
			word = "about to stop"
		}
	case t.LastStatus != "RUNNING":
		out.Class, out.Mark = "starting", "…"
	case t.HealthStatus == "HEALTHY":
		out.Class, out.Mark, word = "healthy", "✓", "running, healthy"
	case t.HealthStatus == "UNHEALTHY":
		out.Class, out.Mark, word = "unhealthy", "!", "running, unhealthy"
	default:
		out.Class, out.Mark, word = "running", "●", "running, health unknown"
	}
	out.Says = strings.TrimSuffix("task "+shortID(id)+", "+word+", "+out.Version, ", ")
	return out
}

// versionOf is the tag, or else the digest, of the image of a task's first
// container.
func versionOf(t taskDoc) string {
	if len(t.Containers) == 0 {
		return ""
	}
	return versionOfImage(t.Containers[0].Image)
}

func versionOfImage(name string) string {
	ref, err := image.Parse(name)
	switch {
	case err != nil:
		return name
	case ref.Tag != "":
		return ref.Tag
	case ref.Digest != "":
		return image.ShortDigest(ref.Digest)
	}
	return "latest"
}

// manyVersions bounds what is remembered of task definitions, which never
// change.
const manyVersions = 10_000

// version is the version of the first container of a task definition.
func (c *Console) version(ctx context.Context, arn string) string {
	c.mu.Lock()
	known, ok := c.versions[arn]
	c.mu.Unlock()
	if ok {
		return known
	}
	var answer struct {
		TaskDefinition struct{ ContainerDefinitions []containerDoc }
	}
	err := c.views.API.Call(ctx, "ECS.DescribeTaskDefinition", map[string]any{"taskDefinition": arn}, &answer)
	if err != nil || len(answer.TaskDefinition.ContainerDefinitions) == 0 {
		return ""
	}
	found := versionOfImage(answer.TaskDefinition.ContainerDefinitions[0].Image)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.versions) >= manyVersions {
		clear(c.versions)
	}
	c.versions[arn] = found
	return found
}

// stopped are the tasks that have stopped, the newest first.
func stopped(ending []taskDoc, now time.Time) (out []stoppedTask, more int) {
	var all []taskDoc
	for _, t := range ending {
		if t.LastStatus == "STOPPED" {
			all = append(all, t)
		}
	}
	slices.SortStableFunc(all, func(a, b taskDoc) int { return cmp.Compare(b.StoppedAt, a.StoppedAt) })
	for _, t := range all[:min(len(all), stoppedShown)] {
		id := lastPart(t.TaskArn)
		one := stoppedTask{ID: shortID(id), Version: versionOf(t), Reason: t.StoppedReason, At: t.StoppedAt.time(), When: when(now, t.StoppedAt.time()), Exit: "–"}
		for _, k := range t.Containers {
			if k.Reason != "" && !strings.Contains(one.Reason, k.Reason) {
				one.Reason += " · " + k.Reason
			}
			if k.ExitCode != nil && one.Exit == "–" {
				one.Exit = noun.Digits(*k.ExitCode)
			}
		}
		out = append(out, one)
	}
	return out, len(all) - len(out)
}
