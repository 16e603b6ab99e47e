package drydock

import (
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/delivery"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/eventbridge"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/events"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/scheduler"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/sns"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/sqs"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// messaging is the parts of AWS through which events travel: EventBridge with its
// Scheduler, SQS and SNS.
type messaging struct {
	queues    *sqs.Queues
	topics    *sns.Topics
	buses     *eventbridge.Buses
	schedules *scheduler.Schedules
	courier   *delivery.Courier // set when ECS, which it runs tasks on, has loaded
}

// openMessaging brings the four up, and the stream of events whose events go over the
// default bus. Nothing is delivered before the courier is there: parcels come from the
// clock, which does not run yet.
func (s *Server) openMessaging() error {
	o, m := s.options, &s.messaging
	host := func() string { return s.Addr }
	deliver := func(p delivery.Parcel) { m.courier.Deliver(p) }
	s.events = events.New(events.Options{
		Account: o.Account, Region: o.Region, Seed: o.Seed, Log: o.Log, Changed: s.changed.Ring,
		Route: func(e events.Event) { m.buses.Take(e) },
	})
	var err error
	if m.queues, err = sqs.New(sqs.Options{Account: o.Account, Region: o.Region, Host: host, Clock: s.clock, Store: s.store, Log: o.Log, Seed: o.Seed}); err != nil {
		return err
	}
	m.topics, err = sns.New(sns.Options{
		Account: o.Account, Region: o.Region, Host: host, Clock: s.clock, Store: s.store, Queues: m.queues, Log: o.Log, Seed: o.Seed,
		Report: s.notDelivered,
	})
	if err != nil {
		return err
	}
	m.buses, err = eventbridge.New(eventbridge.Options{
		Account: o.Account, Region: o.Region, Clock: s.clock, Store: s.store, Log: o.Log, Seed: o.Seed, Put: s.events.Put, Deliver: deliver,
	})
	if err != nil {
		return err
	}
	m.schedules, err = scheduler.New(scheduler.Options{Account: o.Account, Region: o.Region, Clock: s.clock, Store: s.store, Log: o.Log, Seed: o.Seed, Deliver: deliver})
	return err
}

// openCourier gives the rules and schedules what they deliver to.
func (s *Server) openCourier() {
	s.messaging.courier = delivery.New(delivery.Options{
		Account: s.options.Account, Region: s.options.Region, Clock: s.clock,
		ECS: wire.NewLocal(s.tasks.Service()), TaskDefinition: s.tasks.TaskDefinition,
		Queues: s.messaging.queues, Topics: s.messaging.topics, Logs: s.logs, Roles: s.iam,
		Report: func(p delivery.Parcel, err *delivery.FailedError) { s.notDelivered(p.From, p.Target, err.Error()) },
	})
}

// notDelivered tells, on the stream of events, what AWS tells in metrics only.
func (s *Server) notDelivered(from, to, reason string) {
	s.options.Log.Warn("not delivered", "from", from, "to", to, "reason", reason)
	s.events.Note(s.clock.Now(), "Not Delivered", []string{from, to}, struct {
		Reason string `json:"reason"`
	}{reason})
}

// services are those of the four.
func (m *messaging) services() []wire.Service {
	return []wire.Service{m.buses.Service(), m.schedules.Service(), m.queues.Service(), m.topics.Service()}
}
