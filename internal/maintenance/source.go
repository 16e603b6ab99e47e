package maintenance

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
)

// maxEventARNs is how many events one DescribeAffectedEntities may be about.
const maxEventARNs = 10

// FromHealth asks AWS Health for the retirements that are not over. With an
// error come those that could be read.
func FromHealth(ctx context.Context, h Health) ([]Notice, error) {
	events, err := h.RetirementEvents(ctx, retirementCode)
	if err != nil {
		return nil, err
	}
	byARN := map[string]HealthEvent{}
	var arns []string
	for _, e := range events {
		if _, known := byARN[e.ARN]; !known {
			arns = append(arns, e.ARN)
		}
		byARN[e.ARN] = e
	}
	var notices []Notice
	for part := range slices.Chunk(arns, maxEventARNs) {
		entities, err := h.AffectedEntities(ctx, part)
		for _, entity := range entities {
			if n, ok := noticeOf(byARN[entity.Event], entity); ok {
				notices = append(notices, n)
			}
		}
		if err != nil {
			return Merge(notices), err
		}
	}
	return Merge(notices), nil
}

// Retirements are what the notices announce that is not over: of each event one
// for each service, and one for the tasks of their own of each cluster.
func Retirements(notices []Notice) []audit.Retirement {
	var list []audit.Retirement
	for _, n := range notices {
		if n.Over {
			continue
		}
		i := slices.IndexFunc(list, func(r audit.Retirement) bool {
			return r.Event == n.Event && r.Place == n.Place && r.Cluster == n.Cluster && r.Service == n.Service
		})
		if i < 0 {
			r := n.Retirement
			r.At, r.Tasks = r.At.UTC(), nil
			i, list = len(list), append(list, r)
		}
		list[i].Tasks = append(list[i].Tasks, n.Tasks...)
	}
	return list
}

func noticeOf(e HealthEvent, about HealthEntity) (Notice, bool) {
	found, ok := parseEntity(about.Value)
	if !ok {
		return Notice{}, false
	}
	n := Notice{
		Retirement: audit.Retirement{
			Place: audit.Place{Account: about.Account, Region: e.Region}, Event: e.ARN, At: e.Start, Cluster: found.cluster, Service: found.service,
		},
		// What is open was announced before it began, whenever its last word came.
		Announced: earlier(e.Updated, e.Start), Updated: e.Updated, Over: isOver(e.Status) || isOver(about.Status),
	}
	if found.place.Region != "" {
		n.Place = found.place
	}
	if found.task != "" {
		n.Tasks = []string{found.task}
	}
	return n, true
}

// Delivery is a message and what it announces.
type Delivery struct {
	Message
	Notices []Notice
	Err     error // it is no event
}

// events are the identities of what a message announces.
func (d Delivery) events() []string {
	var events []string
	for _, n := range d.Notices {
		if !slices.Contains(events, n.Event) {
			events = append(events, n.Event)
		}
	}
	return events
}

// maxReceives bounds how often a queue is asked: one that many write to must not
// keep the work from beginning.
const maxReceives = 20

// FromQueue takes what a queue has. Nothing is deleted: see [Finish].
func FromQueue(ctx context.Context, q Queue, url string) ([]Delivery, error) {
	var deliveries []Delivery
	for range maxReceives {
		messages, err := q.Receive(ctx, url)
		if err != nil {
			return nil, err
		}
		if len(messages) == 0 {
			break
		}
		for _, m := range messages {
			notices, err := ParseEvents([]byte(m.Body))
			d := Delivery{m, notices, err}
			// One that comes again has a new receipt, and the old one is void.
			if i := slices.IndexFunc(deliveries, func(o Delivery) bool { return o.ID == m.ID }); i >= 0 {
				deliveries[i] = d
				continue
			}
			deliveries = append(deliveries, d)
		}
	}
	return deliveries, nil
}

// Announced are the notices of several messages.
func Announced(deliveries []Delivery) []Notice {
	var notices []Notice
	for _, d := range deliveries {
		notices = append(notices, d.Notices...)
	}
	return Merge(notices)
}

// Finish deletes the messages with which there is nothing left to do. The others
// come again when their visibility timeout is over; those that are no event go
// to the dead-letter queue in the end.
func Finish(ctx context.Context, q Queue, url string, deliveries []Delivery, done Outcome) error {
	ctx = context.WithoutCancel(ctx) // what is done is done
	var failed []string
	var first error
	for _, d := range deliveries {
		if d.Err != nil || !done.Settled(d.events()) {
			continue
		}
		if err := q.Delete(ctx, url, d.Message); err != nil {
			failed = append(failed, d.ID)
			first = cmp.Or(first, err)
		}
	}
	if first != nil {
		return fmt.Errorf("delete %s from the queue: %w", strings.Join(failed, ", "), first)
	}
	return nil
}
