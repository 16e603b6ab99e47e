// Package scheduler is drydock's EventBridge Scheduler: schedules in groups, at(…),
// rate(…) and cron(…) with time zones, that act on drydock's calendar.
//
// [Schedules.Service] is the API. Targets are reached by package delivery: tasks of
// ECS, SQS queues and SNS topics; others are kept and reported as not delivered. A
// flexible time window is used at its beginning. Refusals are in AWS's words where an
// answer of AWS could be found.
package scheduler

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/delivery"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/identifier"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/schedule"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Options are the surroundings of a [Schedules].
type Options struct {
	Account, Region string
	Clock           *clock.Clock
	Store           *store.Store
	Log             *slog.Logger
	Seed            uint64 // of the invocations' ids
	// Deliver brings a parcel to its target. It is called from the clock with nothing locked.
	Deliver func(delivery.Parcel)
}

// Schedules are those of one account and region. Their state is behind one mutex, and
// every change is stored before the call or the wake-up that made it returns.
type Schedules struct {
	Options

	mu        sync.Mutex
	rand      *rand.Rand
	groups    map[string]*group   // by name
	schedules map[string]*planned // by group/name
	dirty     store.Pending       // what changed and is not stored yet
}

// group is the record of a schedule group.
type group struct {
	Name     string
	Tags     map[string]string
	Created  time.Time
	Modified time.Time
	Token    string // of the request that made it
}

// planned is the record of a schedule.
type planned struct {
	Group    string
	Name     string
	Asked    settings
	Created  time.Time
	Modified time.Time
	Since    time.Time // rates count from it
	Due      time.Time // of its next run; zero when there is none
	Token    string    // of the request that made it
}

func (p *planned) key() string { return p.Group + "/" + p.Name }

// Buckets of the store.
const (
	bucketGroups    = "scheduler-groups"
	bucketSchedules = "scheduler-schedules"
)

const defaultGroup = "default"

// stream makes the ids other ones than those of drydock's other services, which have the
// same seed.
const stream = 4

// New loads what the store holds. A run that fell into the time without a drydock is
// left out.
func New(o Options) (*Schedules, error) {
	s := &Schedules{Options: o, rand: rand.New(rand.NewPCG(o.Seed, stream)), groups: map[string]*group{}, schedules: map[string]*planned{}}
	for _, err := range []error{store.LoadAll(o.Store, bucketGroups, s.groups), store.LoadAll(o.Store, bucketSchedules, s.schedules)} {
		if err != nil {
			return nil, fmt.Errorf("load EventBridge Scheduler state: %w", err)
		}
	}
	now := o.Clock.Now()
	if s.groups[defaultGroup] == nil {
		s.groups[defaultGroup] = &group{Name: defaultGroup, Created: now, Modified: now}
	}
	for _, key := range slices.Sorted(maps.Keys(s.schedules)) {
		s.plan(s.schedules[key], now)
	}
	return s, nil
}

// Routes are how the operations are called.
func Routes() []wire.Route {
	list := map[string]string{"MaxResults": "MaxResults", "NamePrefix": "NamePrefix", "NextToken": "NextToken", "State": "State", "ScheduleGroup": "GroupName"}
	one := map[string]string{"groupName": "GroupName", "clientToken": "ClientToken"}
	return []wire.Route{
		{Operation: "CreateSchedule", Method: http.MethodPost, Path: "/schedules/{Name}"},
		{Operation: "CreateScheduleGroup", Method: http.MethodPost, Path: "/schedule-groups/{Name}"},
		{Operation: "DeleteSchedule", Method: http.MethodDelete, Path: "/schedules/{Name}", Query: one},
		{Operation: "DeleteScheduleGroup", Method: http.MethodDelete, Path: "/schedule-groups/{Name}", Query: one},
		{Operation: "GetSchedule", Method: http.MethodGet, Path: "/schedules/{Name}", Query: one},
		{Operation: "GetScheduleGroup", Method: http.MethodGet, Path: "/schedule-groups/{Name}"},
		{Operation: "ListScheduleGroups", Method: http.MethodGet, Path: "/schedule-groups", Query: list},
		{Operation: "ListSchedules", Method: http.MethodGet, Path: "/schedules", Query: list},
		{Operation: "ListTagsForResource", Method: http.MethodGet, Path: "/tags/{ResourceArn}"},
		{Operation: "TagResource", Method: http.MethodPost, Path: "/tags/{ResourceArn}"},
		{Operation: "UntagResource", Method: http.MethodDelete, Path: "/tags/{ResourceArn}", Query: map[string]string{"TagKeys": "TagKeys"}},
		{Operation: "UpdateSchedule", Method: http.MethodPut, Path: "/schedules/{Name}"},
	}
}

// Service is the API, for a [wire.Mux].
func (s *Schedules) Service() wire.Service {
	return wire.Service{
		Name:   "EventBridge Scheduler",
		Scope:  "scheduler",
		Routes: Routes(),
		Operations: map[string]wire.Operation{
			"CreateSchedule":      wire.REST(s.createSchedule),
			"CreateScheduleGroup": wire.REST(s.createScheduleGroup),
			"DeleteSchedule":      wire.REST(s.deleteSchedule),
			"DeleteScheduleGroup": wire.REST(s.deleteScheduleGroup),
			"GetSchedule":         wire.REST(s.getSchedule),
			"GetScheduleGroup":    wire.REST(s.getScheduleGroup),
			"ListScheduleGroups":  wire.REST(s.listScheduleGroups),
			"ListSchedules":       wire.REST(s.listSchedules),
			"ListTagsForResource": wire.REST(s.listTagsForResource),
			"TagResource":         wire.REST(s.tagResource),
			"UntagResource":       wire.REST(s.untagResource),
			"UpdateSchedule":      wire.REST(s.updateSchedule),
		},
	}
}

// change runs f under the lock and stores what it marked as changed. Operations validate
// before they change anything.
func (s *Schedules) change(f func(now time.Time) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := f(s.Clock.Now()); err != nil {
		return err
	}
	if err := s.dirty.Flush(s.Store); err != nil {
		return fmt.Errorf("store EventBridge Scheduler state: %w", err)
	}
	return nil
}

func (s *Schedules) mark(p *planned) { s.dirty.Put(bucketSchedules, p.key(), p) }

// next is the first run of a schedule after t, within its start and end dates.
func (p *planned) next(t time.Time) time.Time {
	a := p.Asked
	if a.State == stateDisabled {
		return time.Time{}
	}
	when, err := schedule.Parse(aws.ToString(a.ScheduleExpression), aws.ToString(a.ScheduleExpressionTimezone), p.Since)
	if err != nil {
		return time.Time{} // checked when it was put
	}
	if when.Once() { // "EventBridge Scheduler ignores StartDate for one-time schedules" (API reference), and EndDate
		return when.After(t)
	}
	if a.StartDate != nil && t.Before(*a.StartDate) {
		t = a.StartDate.Add(-1)
	}
	due := when.After(t)
	if a.EndDate != nil && due.After(*a.EndDate) {
		return time.Time{}
	}
	return due
}

// plan sets the wake-up of a schedule, for its first run after t.
func (s *Schedules) plan(p *planned, t time.Time) {
	p.Due = p.next(t)
	if p.Due.IsZero() {
		s.cancel(p)
		return
	}
	s.Clock.At(p.Due, "scheduler/"+p.key(), func(time.Time) { s.run(p) })
}

func (s *Schedules) cancel(p *planned) { s.Clock.Cancel("scheduler/" + p.key()) }

// run invokes the target of a schedule.
func (s *Schedules) run(p *planned) {
	var parcel delivery.Parcel
	due := false
	err := s.change(func(now time.Time) error {
		if s.schedules[p.key()] != p || p.Due.IsZero() || p.Due.After(now) {
			return nil
		}
		due, parcel = true, s.parcel(p)
		s.plan(p, p.Due)
		if p.Due.IsZero() && p.Asked.ActionAfterCompletion == afterDelete {
			s.drop(p)
		} else {
			s.mark(p)
		}
		return nil
	})
	if err != nil {
		s.Log.Error("a schedule", "schedule", p.key(), "error", err)
	}
	if due {
		s.Deliver(parcel)
	}
}

func (s *Schedules) drop(p *planned) {
	delete(s.schedules, p.key())
	s.dirty.Delete(bucketSchedules, p.key())
	s.cancel(p)
}

// service is what EventBridge Scheduler is called in policies.
const service = "scheduler.amazonaws.com"

// parcel is what the target of a schedule gets now: its input, with what is known of
// this run put in (user guide, Adding context attributes), or the event that AWS sends
// in the place of one.
func (s *Schedules) parcel(p *planned) delivery.Parcel {
	t := p.Asked.Target
	out := delivery.Parcel{
		Service: service, From: s.arn(p), StartedBy: "chronos-schedule/" + p.Name, Target: aws.ToString(t.Arn), Role: aws.ToString(t.RoleArn), Tasks: t.EcsParameters,
	}
	if t.DeadLetterConfig != nil {
		out.DeadLetters = aws.ToString(t.DeadLetterConfig.Arn)
	}
	at, id := p.Due.UTC().Format(time.RFC3339), identifier.UUID(s.rand)
	if t.Input != nil {
		out.Body = strings.NewReplacer(
			"<aws.scheduler.schedule-arn>", out.From, "<aws.scheduler.scheduled-time>", at,
			"<aws.scheduler.execution-id>", id, "<aws.scheduler.attempt-number>", "1",
		).Replace(*t.Input)
		out.Overrides = out.Body
		return out
	}
	doc, err := json.Marshal(map[string]any{
		"version": "0", "id": id, "detail-type": "Scheduled Event", "source": "aws.scheduler", "account": s.Account, "time": at, "region": s.Region,
		"resources": []string{out.From}, "detail": "{}",
	})
	if err == nil {
		out.Body = string(doc)
	}
	return out
}

func (s *Schedules) arn(p *planned) string {
	return "arn:aws:scheduler:" + s.Region + ":" + s.Account + ":schedule/" + p.key()
}

func (s *Schedules) groupARN(name string) string {
	return "arn:aws:scheduler:" + s.Region + ":" + s.Account + ":schedule-group/" + name
}

func notFound(format string, args ...any) error {
	e := wire.Errorf("ResourceNotFoundException", format, args...)
	e.Status = http.StatusNotFound
	return e
}

func conflict(format string, args ...any) error {
	e := wire.Errorf("ConflictException", format, args...)
	e.Status = http.StatusConflict
	return e
}

func invalid(format string, args ...any) error {
	return wire.Errorf("ValidationException", format, args...)
}

// schedule finds a schedule of a group, the default one for none.
func (s *Schedules) schedule(name, groupName *string) (*planned, error) {
	in := cmp.Or(aws.ToString(groupName), defaultGroup)
	p := s.schedules[in+"/"+aws.ToString(name)]
	if p == nil {
		return nil, notFound("Schedule %s does not exist.", aws.ToString(name))
	}
	return p, nil
}

func (s *Schedules) group(name *string) (*group, error) {
	g := s.groups[cmp.Or(aws.ToString(name), defaultGroup)]
	if g == nil {
		return nil, notFound("Schedule group %s does not exist.", aws.ToString(name))
	}
	return g, nil
}
