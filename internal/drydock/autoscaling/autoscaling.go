// Package autoscaling is drydock's Application Auto Scaling for the desired
// count of ECS services: scalable targets, scheduled actions that act on
// drydock's calendar, and scaling policies that are kept and, for want of
// metrics, never invoked.
//
// A desired count that somebody sets outside of a target's range stays there:
// Application Auto Scaling "doesn't know about" it until the target is
// registered again, a scheduled action runs or a policy is invoked, and brings
// it into the range then (user guide, Application Auto Scaling concepts).
package autoscaling

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/identifier"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
)

// Services are what is scaled. They are called with the state of this package
// locked and must not call back.
type Services interface {
	// Capacity is the desired count of a service, and whether a deployment of
	// it is under way; ok is false when it is not there or not ACTIVE.
	Capacity(cluster, service string) (desired int, deploying, ok bool)
	// SetCapacity changes the desired count.
	SetCapacity(cluster, service string, desired int) error
}

// Options are the surroundings of a [Scaler].
type Options struct {
	Account  string
	Region   string
	Clock    *clock.Clock
	Store    *store.Store
	Services Services
	Log      *slog.Logger
	Seed     uint64 // of the ids in ARNs
}

// Scaler is the service. Its state is behind one mutex, and every change is
// stored before the call or the wake-up that made it returns.
type Scaler struct {
	Options

	mu         sync.Mutex
	rand       *rand.Rand
	targets    map[string]*target   // by resource id
	policies   map[string]*policy   // by resource id and name
	actions    map[string]*action   // by resource id and name
	activities map[string]*activity // by start and id
	dirty      store.Pending        // what changed and is not stored yet
}

// target is a scalable target.
type target struct {
	Info types.ScalableTarget
	Tags map[string]string
	// Waiting is why the target is to be brought into its range as soon as no
	// deployment forbids it; "" when it need not.
	Waiting string
}

type policy struct{ Info types.ScalingPolicy }

// action is a scheduled action.
type action struct {
	Info types.ScheduledAction
	Due  time.Time // of its next run; zero when there is none
}

type activity struct{ Info types.ScalingActivity }

// Buckets of the store.
const (
	bucketTargets    = "autoscaling-targets"
	bucketPolicies   = "autoscaling-policies"
	bucketActions    = "autoscaling-actions"
	bucketActivities = "autoscaling-activities"
)

// New loads what the store holds. Of the runs of a scheduled action that fell
// into the time without a drydock, one is made up for.
func New(o Options) (*Scaler, error) {
	s := &Scaler{
		Options:    o,
		rand:       rand.New(rand.NewPCG(o.Seed, o.Seed)),
		targets:    map[string]*target{},
		policies:   map[string]*policy{},
		actions:    map[string]*action{},
		activities: map[string]*activity{},
	}
	for _, err := range []error{
		store.LoadAll(o.Store, bucketTargets, s.targets), store.LoadAll(o.Store, bucketPolicies, s.policies),
		store.LoadAll(o.Store, bucketActions, s.actions), store.LoadAll(o.Store, bucketActivities, s.activities),
	} {
		if err != nil {
			return nil, fmt.Errorf("load autoscaling state: %w", err)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.actions)) {
		s.schedule(key, s.actions[key])
	}
	for _, id := range slices.Sorted(maps.Keys(s.targets)) {
		if s.targets[id].Waiting != "" {
			s.retry(id, s.targets[id])
		}
	}
	return s, nil
}

// change runs f under the lock and stores what it marked as changed.
// Operations validate before they change anything.
func (s *Scaler) change(f func(now time.Time) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := f(s.Clock.Now()); err != nil {
		return err
	}
	if err := s.dirty.Flush(s.Store); err != nil {
		return fmt.Errorf("store autoscaling state: %w", err)
	}
	return nil
}

// wake is change for a wake-up, where nobody is there to take an error.
func (s *Scaler) wake(f func(now time.Time)) {
	err := s.change(func(now time.Time) error {
		f(now)
		return nil
	})
	if err != nil {
		s.Log.Error("a change was not stored", "error", err)
	}
}

// clamp brings the desired count of a target into its range. While a
// deployment is under way scale-in is off, and goes on when it is over;
// scale-out is not affected (developer guide, Automatically scale your Amazon
// ECS service).
func (s *Scaler) clamp(t *target, cause string, now time.Time) {
	id := *t.Info.ResourceId
	cluster, service, _ := parseResource(id)
	desired, deploying, ok := s.Services.Capacity(cluster, service)
	least, most := int(*t.Info.MinCapacity), int(*t.Info.MaxCapacity)
	wanted, bound := desired, ""
	switch {
	case desired < least:
		wanted, bound = least, fmt.Sprintf("minimum capacity was set to %d", least)
	case desired > most:
		wanted, bound = most, fmt.Sprintf("maximum capacity was set to %d", most)
	}
	if cause != "" {
		bound = cause
	}
	t.Waiting = ""
	s.markTarget(t)
	switch {
	case !ok || wanted == desired:
		return
	case wanted < desired && deploying:
		t.Waiting = bound
		s.retry(id, t)
		return
	}
	a := types.ScalingActivity{
		Description: aws.String(fmt.Sprintf("Setting desired count to %d.", wanted)), Cause: aws.String(bound),
		StatusCode: types.ScalingActivityStatusCodeSuccessful, StatusMessage: aws.String(fmt.Sprintf("Successfully set desired count to %d. Change successfully fulfilled by ecs.", wanted)),
	}
	if err := s.Services.SetCapacity(cluster, service, wanted); err != nil {
		a.StatusCode, a.StatusMessage = types.ScalingActivityStatusCodeFailed, aws.String(fmt.Sprintf("Failed to set desired count to %d. Reason: %v", wanted, err))
	}
	s.record(t, a, now)
}

// retryEvery is how often a scale-in that a deployment holds up is tried; AWS
// does not say how soon it follows.
const retryEvery = time.Minute

func (s *Scaler) retry(id string, t *target) {
	s.Clock.At(s.Clock.Now().Add(s.Clock.Scale(retryEvery)), "autoscaling/target/"+id, func(time.Time) {
		s.wake(func(now time.Time) {
			if s.targets[id] == t && t.Waiting != "" {
				s.clamp(t, t.Waiting, now)
			}
		})
	})
}

// kept is how long activities can be looked up (user guide, Scaling
// activities).
const kept = 6 * 7 * 24 * time.Hour

// record keeps an activity. AWS's are InProgress until ECS has the tasks;
// here each has ended when it is seen.
func (s *Scaler) record(t *target, a types.ScalingActivity, now time.Time) {
	a.ActivityId = aws.String(identifier.UUID(s.rand))
	a.ServiceNamespace, a.ResourceId, a.ScalableDimension = t.Info.ServiceNamespace, t.Info.ResourceId, t.Info.ScalableDimension
	a.StartTime, a.EndTime = &now, &now
	key := now.UTC().Format("20060102T150405.000000000") + "/" + *a.ActivityId
	s.activities[key] = &activity{a}
	s.dirty.Put(bucketActivities, key, s.activities[key])
	for old, was := range s.activities {
		if now.Sub(*was.Info.StartTime) > kept {
			delete(s.activities, old)
			s.dirty.Delete(bucketActivities, old)
		}
	}
}

// schedule plans the next run of a scheduled action.
func (s *Scaler) schedule(key string, a *action) {
	if a.Due.IsZero() {
		s.Clock.Cancel("autoscaling/action/" + key)
		return
	}
	s.Clock.At(a.Due, "autoscaling/action/"+key, func(time.Time) {
		s.wake(func(now time.Time) {
			if s.actions[key] == a && !a.Due.IsZero() && !a.Due.After(now) {
				s.run(key, a, now)
			}
		})
	})
}

// run carries a scheduled action out, unless scheduled scaling is suspended:
// the range of its target becomes the action's, and the desired count follows.
func (s *Scaler) run(key string, a *action, now time.Time) {
	a.Due = next(a.Info, now)
	s.dirty.Put(bucketActions, key, a)
	s.schedule(key, a)
	t := s.targets[*a.Info.ResourceId]
	if t == nil || aws.ToBool(t.Info.SuspendedState.ScheduledScalingSuspended) {
		return
	}
	least, most := cmp.Or(a.Info.ScalableTargetAction.MinCapacity, t.Info.MinCapacity), cmp.Or(a.Info.ScalableTargetAction.MaxCapacity, t.Info.MaxCapacity)
	what := fmt.Sprintf("min capacity to %d and max capacity to %d", *least, *most)
	done := types.ScalingActivity{
		Description: aws.String("Setting " + what), Cause: aws.String("scheduled action name " + *a.Info.ScheduledActionName + " was triggered"),
		StatusCode: types.ScalingActivityStatusCodeSuccessful, StatusMessage: aws.String("Successfully set " + what),
	}
	if *most < *least {
		done.StatusCode, done.StatusMessage = types.ScalingActivityStatusCodeFailed, aws.String("Failed to set "+what+". Reason: Maximum capacity cannot be less than minimum capacity")
		s.record(t, done, now)
		return
	}
	s.record(t, done, now)
	t.Info.MinCapacity, t.Info.MaxCapacity = least, most
	s.clamp(t, "", now)
}

// parseResource reads "service/CLUSTER/NAME".
func parseResource(id string) (cluster, service string, ok bool) {
	part := strings.Split(id, "/")
	if len(part) != 3 || part[0] != "service" || part[1] == "" || part[2] == "" {
		return "", "", false
	}
	return part[1], part[2], true
}

func (s *Scaler) markTarget(t *target) { s.dirty.Put(bucketTargets, *t.Info.ResourceId, t) }
