// Package eventbridge is drydock's EventBridge: event buses, rules with event patterns
// or schedules on drydock's calendar, and what they send to their targets.
//
// [Buses.Service] is the API. What the services of drydock tell ([Buses.Take]) goes
// over the default bus, as does what PutEvents puts there. A target gets what is for it
// a moment later, by package delivery, from a wake-up of the clock: the service that
// tells is never called back while it does.
//
// Archives, replays, pipes, API destinations, global endpoints, partner sources and the
// policies of buses are not here. Refusals are in AWS's words where an answer of AWS
// could be found.
package eventbridge

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

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/delivery"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/eventpattern"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/events"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/identifier"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/schedule"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Options are the surroundings of a [Buses].
type Options struct {
	Account, Region string
	Clock           *clock.Clock
	Store           *store.Store
	Log             *slog.Logger
	Seed            uint64 // of the events' ids
	// Put adds an event to the default bus, with those of the services, and gives its id.
	Put func(events.Event) (id string)
	// Deliver brings a parcel to its target. It is called from the clock with nothing locked.
	Deliver func(delivery.Parcel)
}

// Buses are the event buses of one account and region with their rules. Their state is
// behind one mutex, and every change is stored before the call or the wake-up that made
// it returns.
type Buses struct {
	Options

	mu     sync.Mutex
	rand   *rand.Rand
	buses  map[string]*bus  // by name
	rules  map[string]*rule // by bus/name
	ears   []*rule          // the enabled ones with a pattern, in the order of their keys
	posted uint64           // number of the newest parcel
	dirty  store.Pending    // what changed and is not stored yet
}

// bus is the record of an event bus.
type bus struct {
	Name        string
	Description string
	Tags        map[string]string
	Created     time.Time
	Modified    time.Time
}

// rule is the record of a rule.
type rule struct {
	Name        string
	Bus         string
	Pattern     string // "" for a rule with a schedule only
	Schedule    string // "" for a rule with a pattern only
	State       ruleState
	Description string
	Role        string
	Tags        map[string]string
	Targets     []target
	Since       time.Time // when it was put or enabled: rates count from it
	Due         time.Time // of its next run by schedule; zero when there is none

	pattern eventpattern.Pattern // of Pattern
}

func (r *rule) key() string { return r.Bus + "/" + r.Name }

// Buckets of the store.
const (
	bucketBuses = "events-buses"
	bucketRules = "events-rules"
)

const defaultBus = "default"

// stream makes the ids other ones than those of drydock's other services, which have the
// same seed.
const stream = 3

// New loads what the store holds. A run of a schedule that fell into the time without a
// drydock is left out.
func New(o Options) (*Buses, error) {
	b := &Buses{Options: o, rand: rand.New(rand.NewPCG(o.Seed, stream)), buses: map[string]*bus{}, rules: map[string]*rule{}}
	for _, err := range []error{store.LoadAll(o.Store, bucketBuses, b.buses), store.LoadAll(o.Store, bucketRules, b.rules)} {
		if err != nil {
			return nil, fmt.Errorf("load EventBridge state: %w", err)
		}
	}
	now := o.Clock.Now()
	if b.buses[defaultBus] == nil {
		b.buses[defaultBus] = &bus{Name: defaultBus, Created: now, Modified: now}
	}
	for _, key := range slices.Sorted(maps.Keys(b.rules)) {
		r := b.rules[key]
		if r.Pattern != "" {
			pattern, err := eventpattern.Parse(r.Pattern)
			if err != nil {
				return nil, fmt.Errorf("load EventBridge state: rule %s: %w", key, err)
			}
			r.pattern = pattern
		}
		b.plan(r, now)
	}
	b.listen()
	return b, nil
}

// Service is the API, for a [wire.Mux].
func (b *Buses) Service() wire.Service {
	return wire.Service{
		Name:   "EventBridge",
		Target: "AWSEvents",
		Operations: map[string]wire.Operation{
			"CreateEventBus":        wire.Capitalized(b.createEventBus),
			"DeleteEventBus":        wire.Capitalized(b.deleteEventBus),
			"DeleteRule":            wire.Capitalized(b.deleteRule),
			"DescribeEventBus":      wire.Capitalized(b.describeEventBus),
			"DescribeRule":          wire.Capitalized(b.describeRule),
			"DisableRule":           wire.Capitalized(b.disableRule),
			"EnableRule":            wire.Capitalized(b.enableRule),
			"ListEventBuses":        wire.Capitalized(b.listEventBuses),
			"ListRuleNamesByTarget": wire.Capitalized(b.listRuleNamesByTarget),
			"ListRules":             wire.Capitalized(b.listRules),
			"ListTagsForResource":   wire.Capitalized(b.listTagsForResource),
			"ListTargetsByRule":     wire.Capitalized(b.listTargetsByRule),
			"PutEvents":             wire.Capitalized(b.putEvents),
			"PutRule":               wire.Capitalized(b.putRule),
			"PutTargets":            wire.Capitalized(b.putTargets),
			"RemoveTargets":         wire.Capitalized(b.removeTargets),
			"TagResource":           wire.Capitalized(b.tagResource),
			"TestEventPattern":      wire.Capitalized(b.testEventPattern),
			"UntagResource":         wire.Capitalized(b.untagResource),
		},
	}
}

// change runs f under the lock and stores what it marked as changed. Operations validate
// before they change anything.
func (b *Buses) change(f func(now time.Time) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := f(b.Clock.Now()); err != nil {
		return err
	}
	if err := b.dirty.Flush(b.Store); err != nil {
		return fmt.Errorf("store EventBridge state: %w", err)
	}
	return nil
}

func (b *Buses) mark(r *rule) { b.dirty.Put(bucketRules, r.key(), r) }

// listen notes the rules that events are held against.
func (b *Buses) listen() {
	b.ears = b.ears[:0]
	for _, key := range slices.Sorted(maps.Keys(b.rules)) {
		if r := b.rules[key]; r.Pattern != "" && r.State != stateDisabled {
			b.ears = append(b.ears, r)
		}
	}
}

// Take holds an event of the default bus against its rules.
func (b *Buses) Take(e events.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.route(defaultBus, e)
}

// route posts an event to the targets of the rules that it matches. It is rendered for
// the first one that could: most events are nobody's.
func (b *Buses) route(bus string, e events.Event) {
	var m matter
	for _, r := range b.ears {
		if r.Bus != bus || len(r.Targets) == 0 || !r.pattern.Takes("source", e.Source) || !r.pattern.Takes("detail-type", e.DetailType) {
			continue
		}
		if m.doc == "" {
			var err error
			if m, err = render(e); err != nil {
				b.Log.Error("an event was dropped", "type", e.DetailType, "error", err)
				return
			}
		}
		if r.pattern.Matches(m.value) {
			b.post(r, m)
		}
	}
}

// latency is how long an event takes to its targets: about half a second (AWS's blog,
// "Amazon EventBridge announces improvements in end-to-end latency"). There has to be
// some: a rule whose target causes the event that it waits for would never let go of a
// moment.
const latency = 500 * time.Millisecond

// post sends what a rule has for its targets on its way.
func (b *Buses) post(r *rule, m matter) {
	for _, t := range r.Targets {
		p := b.parcel(r, t, m)
		b.posted++
		b.Clock.At(b.Clock.Now().Add(b.Clock.Scale(latency)), fmt.Sprintf("events/parcel/%d", b.posted), func(time.Time) { b.Deliver(p) })
	}
}

// service is what EventBridge is called in policies.
const service = "events.amazonaws.com"

// parcel is what a target gets for an event. A task gets it as its overrides, and only
// when the target has an input of its own: an event itself is none.
func (b *Buses) parcel(r *rule, t target, m matter) delivery.Parcel {
	p := delivery.Parcel{
		Service: service, From: b.ruleARN(r), StartedBy: "events-rule/" + r.Name, Target: aws.ToString(t.Arn),
		Role: cmp.Or(aws.ToString(t.RoleArn), r.Role), Tasks: t.EcsParameters,
	}
	if t.DeadLetterConfig != nil {
		p.DeadLetters = aws.ToString(t.DeadLetterConfig.Arn)
	}
	var hasInput bool
	p.Body, hasInput = t.input(m, b.ruleARN(r), r.Name)
	if hasInput {
		p.Overrides = p.Body
	}
	return p
}

// plan sets the wake-up of a rule with a schedule.
func (b *Buses) plan(r *rule, now time.Time) {
	key := "events/rule/" + r.key()
	r.Due = time.Time{}
	if r.Schedule != "" && r.State != stateDisabled {
		if when, err := schedule.Parse(r.Schedule, "", r.Since); err == nil { // checked when it was put
			r.Due = when.After(now)
		}
	}
	if r.Due.IsZero() {
		b.Clock.Cancel(key)
		return
	}
	b.Clock.At(r.Due, key, func(time.Time) { b.run(r) })
}

// run sends a scheduled event to the targets of a rule. It goes over no bus (user guide,
// Creating a rule that runs on a schedule).
func (b *Buses) run(r *rule) {
	err := b.change(func(now time.Time) error {
		if b.rules[r.key()] != r || r.Due.IsZero() || r.Due.After(now) {
			return nil
		}
		due := r.Due
		b.plan(r, now)
		b.mark(r)
		m, err := render(events.Event{
			Version: "0", ID: identifier.UUID(b.rand), DetailType: "Scheduled Event", Source: "aws.events", Account: b.Account, Region: b.Region,
			Time: due.UTC().Format(time.RFC3339), Resources: []string{b.ruleARN(r)}, Detail: struct{}{},
		})
		if err != nil {
			return err
		}
		b.post(r, m)
		return nil
	})
	if err != nil {
		b.Log.Error("a scheduled rule", "rule", r.key(), "error", err)
	}
}

func (b *Buses) arn(resource string) string {
	return "arn:aws:events:" + b.Region + ":" + b.Account + ":" + resource
}

// ruleARN leaves out the default bus, as AWS does.
func (b *Buses) ruleARN(r *rule) string {
	if r.Bus == defaultBus {
		return b.arn("rule/" + r.Name)
	}
	return b.arn("rule/" + r.key())
}

// bus finds a bus by name or ARN, the default one for none.
func (b *Buses) bus(id *string) (*bus, error) {
	name := cmp.Or(strings.TrimPrefix(aws.ToString(id), b.arn("event-bus/")), defaultBus)
	found := b.buses[name]
	if found == nil {
		return nil, notFound("Event bus %s does not exist.", name)
	}
	return found, nil
}

// rule finds a rule of a bus.
func (b *Buses) rule(name, id *string) (*rule, error) {
	of, err := b.bus(id)
	if err != nil {
		return nil, err
	}
	r := b.rules[of.Name+"/"+aws.ToString(name)]
	if r == nil {
		return nil, notFound("Rule %s does not exist on EventBus %s.", aws.ToString(name), of.Name)
	}
	return r, nil
}

func notFound(format string, args ...any) error {
	return wire.Errorf("ResourceNotFoundException", format, args...)
}

func invalid(format string, args ...any) error {
	return wire.Errorf("ValidationException", format, args...)
}
