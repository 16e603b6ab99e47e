package elb

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// Group is what ECS asks of a target group before a service may use it.
type Group struct {
	Type     types.TargetTypeEnum
	Balanced bool // a listener or rule forwards to it
}

// Member is a task in a target group.
type Member struct {
	Task      string // id
	Container string
	Address   string
	Port      int32
	Zone      string
}

// Health is what a load balancer makes of a member.
type Health struct {
	State       types.TargetHealthStateEnum // "" for one that is not registered
	Description string                      // of what is wrong
}

// Group tells of a target group; ok is false when there is none of that ARN.
func (e *ELB) Group(arn string) (g Group, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	found := e.groups[arn]
	if found == nil {
		return Group{}, false
	}
	return Group{Type: found.Info.TargetType, Balanced: e.inUse()[arn]}, true
}

// Register adds a task to a target group. ok is false when the group is gone.
func (e *ELB) Register(arn string, m Member) (ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g := e.groups[arn]
	if g == nil {
		return false
	}
	e.add(g, &target{Address: m.Address, Port: m.Port, Zone: m.Zone, Task: m.Task, Container: m.Container}, e.Clock.Now())
	return true
}

// Deregister takes a task out of a target group and says how long, at AWS's
// own pace, it goes on with the requests it has. One that is not there takes
// no time.
func (e *ELB) Deregister(arn string, m Member) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	g := e.groups[arn]
	if g == nil {
		return 0
	}
	t := g.find(m.Address, m.Port, m.Task)
	if t == nil {
		return 0
	}
	e.remove(g, t, e.Clock.Now())
	if t.state != types.TargetHealthStateEnumDraining {
		return 0
	}
	return g.delay()
}

// Health is the health of a task in a target group.
func (e *ELB) Health(arn string, m Member) Health {
	e.mu.Lock()
	defer e.mu.Unlock()
	if g := e.groups[arn]; g != nil {
		if t := g.find(m.Address, m.Port, m.Task); t != nil {
			return Health{State: t.state, Description: t.description}
		}
	}
	return Health{}
}
