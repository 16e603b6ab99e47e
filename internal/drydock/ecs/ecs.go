// Package ecs is the ECS of drydock: the API of one account and region, and
// the scheduler behind it.
//
// The scheduler is a state machine over a virtual clock. Every service and
// every task has at most one wake-up ([clock.Clock.At]); a wake-up looks at the
// state, decides ([roll] is the pure part of that), changes it and says when to
// look again. Nothing runs between wake-ups and nothing has a goroutine of its
// own, so real time, scaled time and a jump of two weeks are the same machine.
//
// Where AWS's behaviour is documented or was observed, comments say so; the
// durations in [pace] come from event stamps of a real service.
package ecs

import (
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// Images is where tasks pull from.
type Images interface {
	// Resolve finds the digest that a reference stands for now. The error is a
	// [*PullError] when the image is not to be had.
	Resolve(ref image.Reference) (digest string, err error)
	// Pull gets the image that a task of that platform ("linux/amd64") would
	// start. digest "" pulls by the reference alone. The error is a
	// [*PullError] when the image is not to be had.
	Pull(ref image.Reference, digest, platform string) (Image, error)
}

// Image is what a pull brought.
type Image struct {
	Digest string // of the manifest that was asked for; "" for an image from elsewhere
	Labels map[string]string
}

// PullError says why an image cannot be pulled, the way ECS words it behind
// "CannotPullContainerError: ". Retried is how often ECS tries before it gives
// up on this kind of failure.
type PullError struct {
	Text    string
	Retried int
}

func (e *PullError) Error() string { return e.Text }

// Logs takes the output of containers.
type Logs interface {
	// Append adds a line; a group that is missing is an error.
	Append(group, stream string, at time.Time, line string) error
	// EnsureGroup creates a group unless it exists.
	EnsureGroup(group string) error
	// EnsureStream creates a stream unless it exists; a group that is missing
	// is an error, worded as CloudWatch Logs words it.
	EnsureStream(group, stream string) error
}

// Options are the surroundings of an [ECS].
type Options struct {
	Account  string
	Region   string
	Clock    *clock.Clock
	Store    *store.Store
	Runtime  runtime.Runtime
	Images   Images
	Logs     Logs
	Balancer Balancer // nil: there are no target groups
	Secrets  Secrets  // nil: there are none
	Roles    Roles    // nil: every role may do anything
	Events   Emitter  // nil: nobody listens
	Notices  Notifier // nil: nobody is told of retirements
	Log      *slog.Logger
	Seed     uint64 // of the ids that are made up; the same seed gives the same ids
}

// ECS is the service. All of its state is behind one mutex; every change is in
// the store before the call that made it returns, and before the wake-up that
// made it does, unless in a [ECS.Batch].
type ECS struct {
	Options

	mu       sync.Mutex
	rand     *rand.Rand
	clusters map[string]*cluster
	families map[string]*family
	services map[string]*service // by cluster/name
	tasks    map[string]*task    // by id
	byOwner  map[string][]*task  // tasks of a service, by cluster/name, oldest first
	dirty    store.Pending       // what changed and is not stored yet
	batches  int                 // calls of Batch under way

	settings    map[string]*setting    // of the account, by principal and name
	retirements map[string]*Retirement // by id
	alarms      map[string]*Alarm      // by name
	hooks       map[string]*HookAnswer // of Lambda functions, by ARN
	instances   map[string]*instance   // by id
	placed      map[string][]*task     // tasks that are not STOPPED, by their instance
	touched     []*task                // tasks changed since the last flush
	outbox      []func()               // what to tell once the change is stored
}

// Buckets of the store.
const (
	bucketClusters = "ecs-clusters"
	bucketFamilies = "ecs-families"
	bucketServices = "ecs-services"
	bucketTasks    = "ecs-tasks"

	bucketSettings    = "ecs-settings"
	bucketRetirements = "ecs-retirements"
	bucketAlarms      = "ecs-alarms"
	bucketHooks       = "ecs-hooks"
	bucketInstances   = "ecs-instances"
)

// New loads what the store holds and goes on from there. Tasks that were alive
// when the last drydock ended are gone with it: they are stopped as a
// maintenance of the infrastructure would stop them, and their services start
// new ones.
func New(o Options) (*ECS, error) {
	e := &ECS{
		Options:  o,
		rand:     rand.New(rand.NewPCG(o.Seed, o.Seed)),
		clusters: map[string]*cluster{},
		families: map[string]*family{},
		services: map[string]*service{},
		tasks:    map[string]*task{},
		byOwner:  map[string][]*task{},

		settings:    map[string]*setting{},
		retirements: map[string]*Retirement{},
		alarms:      map[string]*Alarm{},
		hooks:       map[string]*HookAnswer{},
		instances:   map[string]*instance{},
		placed:      map[string][]*task{},
	}
	if e.Secrets == nil {
		e.Secrets = noSecrets{}
	}
	if err := e.load(); err != nil {
		return nil, fmt.Errorf("load ECS state: %w", err)
	}
	return e, nil
}

func (e *ECS) load() error {
	if err := store.LoadAll(e.Store, bucketClusters, e.clusters); err != nil {
		return err
	}
	if err := store.LoadAll(e.Store, bucketFamilies, e.families); err != nil {
		return err
	}
	if err := store.LoadAll(e.Store, bucketServices, e.services); err != nil {
		return err
	}
	if err := store.LoadAll(e.Store, bucketTasks, e.tasks); err != nil {
		return err
	}
	if err := store.LoadAll(e.Store, bucketSettings, e.settings); err != nil {
		return err
	}
	if err := store.LoadAll(e.Store, bucketRetirements, e.retirements); err != nil {
		return err
	}
	if err := store.LoadAll(e.Store, bucketAlarms, e.alarms); err != nil {
		return err
	}
	if err := store.LoadAll(e.Store, bucketHooks, e.hooks); err != nil {
		return err
	}
	if err := store.LoadAll(e.Store, bucketInstances, e.instances); err != nil {
		return err
	}
	return e.change(func(now time.Time) error {
		ids := slices.Sorted(maps.Keys(e.tasks)) // in one order, so that a run repeats
		for _, id := range ids {
			e.own(e.tasks[id])
		}
		for _, id := range ids {
			t := e.tasks[id]
			if t.LastStatus == statusStopped {
				e.forgetLater(t)
				continue
			}
			if t.DesiredStatus == statusRunning { // one that was on its way out keeps its reason
				t.DesiredStatus = statusStopped
				t.StopCode, t.StoppedReason = maintenanceCode, maintenanceReason
				t.Stopping = now
			}
			e.taskStopped(t, now)
		}
		for _, key := range slices.Sorted(maps.Keys(e.services)) {
			if s := e.services[key]; s.Status == statusInactive {
				e.forgetService(s)
			} else {
				e.look(s, now)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(e.clusters)) {
			if c := e.clusters[name]; c.Status == statusInactive {
				e.forgetCluster(c)
			}
		}
		e.resumeDeletions()
		for _, id := range slices.Sorted(maps.Keys(e.instances)) {
			if i := e.instances[id]; i.Status == statusInactive {
				e.forgetInstance(i)
			}
		}
		for _, id := range slices.Sorted(maps.Keys(e.retirements)) { // all closed: no task has lived on
			e.forgetRetirement(e.retirements[id])
		}
		return nil
	})
}

// change runs f under the lock and stores what it marked as changed. When f
// fails nothing is marked: operations validate before they change anything.
func (e *ECS) change(f func(now time.Time) error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.Clock.Now()
	if err := f(now); err != nil {
		return err
	}
	err := e.commit()
	e.flush(now)
	return err
}

func (e *ECS) commit() error {
	if err := e.dirty.Flush(e.Store); err != nil {
		return fmt.Errorf("store ECS state: %w", err)
	}
	return nil
}

// batchMost bounds what a batch leaves unstored.
const batchMost = 100_000

// Batch runs f, and meanwhile stores what wake-ups change together instead of
// one by one: a jump of two weeks is tens of thousands of wake-ups, and a
// disk syncs a few hundred times a second. Calls of the API are stored before
// they return all the same, with everything before them, so what is stored is
// always one moment's state.
func (e *ECS) Batch(f func()) error {
	e.mu.Lock()
	e.batches++
	e.mu.Unlock()
	f()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.batches--
	return e.commit()
}

// wake is change for a wake-up or a runtime's report, where nobody is there to
// take an error.
func (e *ECS) wake(f func(now time.Time)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.Clock.Now()
	f(now)
	defer e.flush(now)
	if e.batches > 0 && e.dirty.Len() < batchMost {
		return
	}
	if err := e.commit(); err != nil {
		e.Log.Error("a change was not stored", "error", err)
	}
}

func (e *ECS) markCluster(c *cluster) { e.dirty.Put(bucketClusters, c.Name, c) }
func (e *ECS) markFamily(f *family)   { e.dirty.Put(bucketFamilies, f.Name, f) }
func (e *ECS) markService(s *service) { e.dirty.Put(bucketServices, s.key(), s) }

func (e *ECS) markTask(t *task) {
	t.Version++
	e.dirty.Put(bucketTasks, t.ID, t)
	if len(e.touched) == 0 || e.touched[len(e.touched)-1] != t {
		e.touched = append(e.touched, t)
	}
}

// digits makes an id of n decimal digits, as in "ecs-svc/1234567890123456789".
func (e *ECS) digits(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + e.rand.IntN(10))
	}
	if b[0] == '0' {
		b[0] = '1'
	}
	return string(b)
}
