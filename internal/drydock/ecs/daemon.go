package ecs

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// checkDaemon refuses what a daemon service cannot have. The first three
// messages were seen on AWS.
func checkDaemon(in *ecs.CreateServiceInput) error {
	invalid := func(format string, args ...any) error {
		return wire.Errorf("InvalidParameterException", format, args...)
	}
	if in.DesiredCount != nil {
		return noDesiredCount()
	}
	if len(in.PlacementStrategy) > 0 {
		return invalid("The daemon scheduling strategy does not support placement strategies.")
	}
	if c := in.DeploymentConfiguration; c != nil {
		if aws.ToInt32(c.MaximumPercent) > 100 {
			return invalid("The daemon scheduling strategy does not support values above 100 for maximumPercent.")
		}
		if staged(*c) {
			return invalid("The daemon scheduling strategy does not support the deployment strategy %s.", c.Strategy)
		}
	}
	if in.LaunchType == types.LaunchTypeFargate || onFargate("", in.CapacityProviderStrategy) {
		return invalid("The daemon scheduling strategy does not support the launch type FARGATE.")
	}
	return nil
}

func noDesiredCount() error {
	return wire.Errorf("InvalidParameterException", "The daemon scheduling strategy does not support a desired count for services. Remove the desired count value and try again.")
}

// checkDaemonUpdate is checkDaemon for a service that is there already.
func checkDaemonUpdate(in *ecs.UpdateServiceInput) error {
	return checkDaemon(&ecs.CreateServiceInput{
		DesiredCount: in.DesiredCount, PlacementStrategy: in.PlacementStrategy, DeploymentConfiguration: in.DeploymentConfiguration,
		CapacityProviderStrategy: in.CapacityProviderStrategy,
	})
}

// daemonDefaults are 0 and 100 percent where the request says nothing (API
// reference, DeploymentConfiguration).
func daemonDefaults(given *types.DeploymentConfiguration) *types.DeploymentConfiguration {
	c := types.DeploymentConfiguration{}
	if given != nil {
		c = *given
	}
	if c.MaximumPercent == nil {
		c.MaximumPercent = aws.Int32(100)
	}
	if c.MinimumHealthyPercent == nil {
		c.MinimumHealthyPercent = aws.Int32(0)
	}
	return &c
}

func (s *service) schedulingStrategy() types.SchedulingStrategy {
	if s.Daemon {
		return types.SchedulingStrategyDaemon
	}
	return types.SchedulingStrategyReplica
}

// post is what the daemon scheduler knows of one container instance.
type post struct {
	id      string
	active  bool     // meets the constraints and takes tasks
	others  bool     // has tasks that are not of a daemon service
	tasks   []member // of this service, none STOPPED
	current []bool   // whether each is of the PRIMARY deployment
}

// patrol decides one step of a daemon service: one task on every instance that
// is ACTIVE. A rolling update stops the old task of an instance, where
// minimumHealthyPercent of the instances leaves room, and starts the new one
// when it is gone, as maximumPercent is 100. The task of an instance that
// drains is the last to go (developer guide, "Draining Amazon ECS container
// instances").
func patrol(posts []post, minPercent int, halted, paused bool) (start, stop []string) {
	active, healthy := 0, 0
	for _, p := range posts {
		if p.active {
			active++
		}
		for _, t := range p.tasks {
			if t.wanted && t.healthy && p.active {
				healthy++
			}
		}
	}
	spare := healthy - (active*minPercent+99)/100
	for _, p := range posts {
		if p.active && len(p.tasks) == 0 && !halted && !paused {
			start = append(start, p.id)
		}
		for n, t := range p.tasks {
			switch {
			case !t.wanted, halted && p.active, t.protected && p.active && !t.replaceable():
			case !p.active:
				if !p.others {
					stop = append(stop, t.id)
				}
			case p.current[n] && !t.replaceable():
			case t.healthy && spare <= 0:
			default:
				if t.healthy {
					spare--
				}
				stop = append(stop, t.id)
			}
		}
	}
	return start, stop
}

// guard is the step of a daemon service: it starts tasks itself, on the
// instances where they belong, and says which to stop.
func (e *ECS) guard(s *service, now time.Time) moves {
	f := e.fleet(s, now)
	posts := e.posts(s, f)
	s.Desired = 0
	for _, p := range posts {
		if p.active {
			s.Desired++
		}
	}
	s.primary().Desired = s.Desired
	start, stop := patrol(posts, f.minPercent, f.halted, f.paused)
	e.startDaemons(s, start, now)
	m := moves{start: make([]int, len(f.groups)), stop: make([][]string, len(f.groups))}
	m.stuck = len(start)+len(stop) == 0 && !f.halted && stuckPosts(posts)
	for _, id := range stop {
		for n, g := range f.groups {
			if slices.ContainsFunc(g.tasks, func(t member) bool { return t.id == id }) {
				m.stop[n] = append(m.stop[n], id)
			}
		}
	}
	return m
}

// stuckPosts is whether an old task has to go and nothing is on its way that
// would let it.
func stuckPosts(posts []post) bool {
	old := false
	for _, p := range posts {
		for n, t := range p.tasks {
			if !t.wanted || !t.healthy {
				return false
			}
			old = old || p.active && !p.current[n]
		}
	}
	return old
}

// posts are the instances of the service's cluster, by id.
func (e *ECS) posts(s *service, f fleet) []post {
	var out []post
	for _, i := range e.instancesOf(s.Cluster) {
		p := post{id: i.ID, active: i.Status == statusActive && meets(i, s.Constraints)}
		for n, g := range f.groups {
			for _, t := range g.tasks {
				if e.tasks[t.id].Instance == i.ID {
					t.retiring = e.tasks[t.id].retiring()
					p.tasks, p.current = append(p.tasks, t), append(p.current, n == 0)
				}
			}
		}
		for _, t := range e.tasksOn(i) {
			if o := e.serviceOf(t); o == nil || !o.Daemon {
				p.others = true
			}
		}
		out = append(out, p)
	}
	return out
}

// startDaemons starts a task of the PRIMARY deployment on each of the
// instances that has room for it. AWS reserves the room of daemon tasks
// before it places others; drydock places in the order in which services look.
func (e *ECS) startDaemons(s *service, on []string, now time.Time) {
	if len(on) == 0 {
		return
	}
	d := s.primary()
	n, err := e.needOfDeployment(d)
	if err != nil {
		e.Log.Error("a task was not placed", "service", s.key(), "error", err)
		return
	}
	var ids []string
	for _, id := range on {
		i := e.instances[id]
		if m, _ := e.suits(i, request{s.Cluster, "service:" + s.Name, n, s.Constraints, nil}); m.event != "" {
			if e.tell(s, now, "%s", m.text()) {
				e.tellAction(s, "ERROR", "SERVICE_TASK_PLACEMENT_FAILURE", m.reason(), now)
			}
			continue
		}
		t := e.startTask(s, d, now)
		e.settleOn(t, i, n)
		ids = append(ids, t.ID)
	}
	e.sayStarted(s, d, ids, now)
}
