// Package elb is drydock's Elastic Load Balancing (version 2, 2015-12-01):
// load balancers, listeners and rules as records, and target groups whose
// targets are health-checked on drydock's clock.
//
// No traffic flows. What a load balancer is for here is its verdict: whether a
// target is healthy, and why not. [ELB.Register], [ELB.Deregister] and
// [ELB.Health] are ECS's way to it; everybody else has the API ([ELB.Service]).
// Targets of tasks are not stored: no task outlives its drydock. Their state
// is made of probes ([runtime.Runtime.Probe]).
package elb

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
)

// Prober asks a container what a load balancer asks it.
type Prober interface {
	Probe(p runtime.Probe, report func(runtime.Finding))
}

// Options are the surroundings of an [ELB].
type Options struct {
	Account string
	Region  string
	Clock   *clock.Clock
	Store   *store.Store
	Prober  Prober
	// Changed is told the task whose target changed its state. It is called
	// without any lock held; nil: nobody wants to know.
	Changed func(task string)
	Log     *slog.Logger
	Seed    uint64 // of the ids in ARNs
}

// ELB is the service. Its state is behind one mutex, and every change of what
// the API shows, but for the health of targets, is stored before its call
// returns.
type ELB struct {
	Options

	mu        sync.Mutex
	rand      *rand.Rand
	groups    map[string]*group // these four by ARN
	balancers map[string]*balancer
	listeners map[string]*listener
	rules     map[string]*rule
	dirty     store.Pending // what changed and is not stored yet
}

// Buckets of the store.
const (
	bucketGroups    = "elb-target-groups"
	bucketBalancers = "elb-load-balancers"
	bucketListeners = "elb-listeners"
	bucketRules     = "elb-rules"
)

// New loads what the store holds. Targets that were registered by hand are
// checked anew.
func New(o Options) (*ELB, error) {
	e := &ELB{
		Options:   o,
		rand:      rand.New(rand.NewPCG(o.Seed, o.Seed)),
		groups:    map[string]*group{},
		balancers: map[string]*balancer{},
		listeners: map[string]*listener{},
		rules:     map[string]*rule{},
	}
	if err := e.load(); err != nil {
		return nil, fmt.Errorf("load ELB state: %w", err)
	}
	return e, nil
}

func (e *ELB) load() error {
	for _, err := range []error{
		store.LoadAll(e.Store, bucketGroups, e.groups),
		store.LoadAll(e.Store, bucketBalancers, e.balancers),
		store.LoadAll(e.Store, bucketListeners, e.listeners),
		store.LoadAll(e.Store, bucketRules, e.rules),
	} {
		if err != nil {
			return err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	now, used := e.Clock.Now(), e.inUse()
	for _, g := range inOrder(e.groups) {
		g.used = used[*g.Info.TargetGroupArn]
		for _, d := range g.Static {
			e.add(g, &target{Address: *d.Id, Port: *d.Port, Zone: zoneOf(d)}, now)
		}
	}
	return nil
}

// change runs f under the lock and stores what it marked as changed.
// Operations validate before they change anything.
func (e *ELB) change(f func(now time.Time) error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.Clock.Now()
	if err := f(now); err != nil {
		return err
	}
	if e.dirty.Len() == 0 {
		return nil
	}
	e.reuse(now)
	if err := e.dirty.Flush(e.Store); err != nil {
		return fmt.Errorf("store ELB state: %w", err)
	}
	return nil
}

func (e *ELB) markGroup(g *group) { e.dirty.Put(bucketGroups, *g.Info.TargetGroupArn, g) }

func (e *ELB) markBalancer(b *balancer) {
	e.dirty.Put(bucketBalancers, *b.Info.LoadBalancerArn, b)
}

func (e *ELB) markListener(l *listener) { e.dirty.Put(bucketListeners, *l.Info.ListenerArn, l) }

func (e *ELB) markRule(r *rule) { e.dirty.Put(bucketRules, *r.Info.RuleArn, r) }

// id makes the last part of an ARN.
func (e *ELB) id() string { return fmt.Sprintf("%016x", e.rand.Uint64()) }

func (e *ELB) arn(resource string) string {
	return "arn:aws:elasticloadbalancing:" + e.Region + ":" + e.Account + ":" + resource
}
