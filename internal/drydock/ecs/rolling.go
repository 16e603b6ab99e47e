package ecs

import "slices"

// fleet is what the rolling update decides on: numbers and tasks, nothing of
// how they came about.
type fleet struct {
	desired    int
	minPercent int // minimumHealthyPercent
	maxPercent int // maximumPercent
	halted     bool
	paused     bool    // starts are throttled at the moment
	groups     []group // the PRIMARY deployment, then the others, newest first
}

// group is the tasks of one deployment.
type group struct {
	desired int // of a deployment that is not PRIMARY: how many of its tasks are to stay for now
	tasks   []member
}

// member is one task that has not reached STOPPED.
type member struct {
	id      string
	wanted  bool // desiredStatus RUNNING
	running bool // lastStatus RUNNING
	healthy bool

	retiring  bool // it is to be replaced for maintenance
	failing   bool // it is to be replaced for its health
	protected bool // neither scale-in nor a deployment may stop it
}

// moves is what one look of the scheduler comes to.
type moves struct {
	start []int      // how many tasks to start, a number a group
	stop  [][]string // which tasks to stop, a list a group
	// stuck is set when the rollout can neither start nor stop anything and
	// nothing is on its way that would change that.
	stuck bool
}

// bounds are the numbers of tasks a rolling update keeps to:
// minimumHealthyPercent rounds up, maximumPercent rounds down (API reference,
// DeploymentConfiguration).
func bounds(desired, minPercent, maxPercent int) (lower, upper int) {
	return (desired*minPercent + 99) / 100, desired * maxPercent / 100
}

// roll decides one step of a rolling update. Every task that is not yet
// STOPPED counts towards the upper bound, so replacing a task at the bound
// waits until the one before is gone. Only healthy tasks count towards the
// lower bound, so one that is not healthy may be stopped at any time. Tasks of
// the PRIMARY deployment that retire are replaced; where maximumPercent leaves
// no room for the replacement, they stop first, below the lower bound if need
// be: maintenance does not wait. Those of the others go with the rollout.
//
// Tasks whose health checks fail are replaced in the same way: "the service
// scheduler starts a replacement task first" and stops the unhealthy one when
// the replacement is healthy, or one of both when that fails too; where
// maximumPercent leaves no room, it stops unhealthy tasks one at a time
// (developer guide, Amazon ECS services, replacement of unhealthy tasks).
func roll(f fleet) moves {
	m := moves{start: make([]int, len(f.groups)), stop: make([][]string, len(f.groups))}
	if f.halted {
		return m
	}
	lower, upper := bounds(f.desired, f.minPercent, f.maxPercent)
	live, healthy, moving, leaving := 0, 0, false, false
	for _, g := range f.groups {
		live += len(g.tasks)
		for _, t := range g.tasks {
			if t.wanted && t.healthy {
				healthy++
			}
			moving = moving || !t.wanted || !t.healthy && !t.failing
			leaving = leaving || !t.wanted
		}
	}
	room := max(0, upper-live)
	spare := max(0, healthy-lower)

	starts, stops := 0, 0
	for i, g := range f.groups {
		want, have := g.desired, g.wanted()
		if i == 0 {
			want, have = f.desired, g.staying()
		}
		if missing := want - have; missing > 0 && !f.paused {
			m.start[i] = min(missing, room)
			room -= m.start[i]
			starts += m.start[i]
		}
	}
	// Stop from the oldest deployment on, and the surplus of the PRIMARY one last.
	for i, g := range slices.Backward(f.groups) {
		surplus := g.wanted()
		if i == 0 {
			surplus = g.staying() - f.desired
		}
		for _, t := range g.leastUseful() {
			if surplus <= 0 {
				break
			}
			if i == 0 && t.replaceable() || t.protected && !t.failing {
				continue
			}
			if t.healthy {
				if spare == 0 {
					break
				}
				spare--
			}
			m.stop[i] = append(m.stop[i], t.id)
			surplus--
			stops++
		}
	}
	primary := f.groups[0]
	unmet := f.desired - primary.staying() - m.start[0]
	leave := primary.replaced(f.desired)
	crowded := unmet > 0 && starts == 0 && stops == 0 && !f.paused // no room for a replacement before one has gone
	switch failing := primary.failing(); {
	case crowded && failing > 0 && !leaving:
		leave = max(leave, 1)
	case crowded && failing == 0 && !moving:
		leave = max(leave, min(unmet, max(1, spare)))
		spare = max(spare, leave)
	}
	for _, t := range primary.leastUseful() {
		switch {
		case leave == 0 || !t.replaceable() || t.healthy && spare == 0:
			continue
		case t.healthy:
			spare--
		}
		m.stop[0] = append(m.stop[0], t.id)
		leave--
		stops++
	}
	m.stuck = primary.wanted() < f.desired && !f.paused && starts == 0 && stops == 0 && !moving
	return m
}

func (g group) wanted() int {
	n := 0
	for _, t := range g.tasks {
		if t.wanted {
			n++
		}
	}
	return n
}

// replaceable is whether another task is to take its place.
func (t member) replaceable() bool { return t.retiring || t.failing }

// failing are the wanted tasks whose health checks fail.
func (g group) failing() int {
	n := 0
	for _, t := range g.tasks {
		if t.wanted && t.failing {
			n++
		}
	}
	return n
}

// staying are the wanted tasks that nothing takes away.
func (g group) staying() int {
	n := 0
	for _, t := range g.tasks {
		if t.wanted && !t.replaceable() {
			n++
		}
	}
	return n
}

// replaced is how many retiring or failing tasks have a healthy one in their
// place, or are more than are wanted. AWS
// starts the new tasks first where maximumPercent allows (developer guide,
// Fargate task retirement).
func (g group) replaced(desired int) int {
	n := -desired
	for _, t := range g.tasks {
		if t.wanted && (t.healthy || t.replaceable()) {
			n++
		}
	}
	return max(0, n)
}

// leastUseful orders the wanted tasks of a group by who may go first: not
// running, running but not healthy, healthy; the newest first among equals.
func (g group) leastUseful() []member {
	var wanted []member
	for _, t := range slices.Backward(g.tasks) {
		if t.wanted {
			wanted = append(wanted, t)
		}
	}
	use := func(t member) int {
		switch {
		case t.healthy:
			return 2
		case t.running:
			return 1
		}
		return 0
	}
	slices.SortStableFunc(wanted, func(a, b member) int { return use(a) - use(b) })
	return wanted
}
