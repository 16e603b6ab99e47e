// Package sqs is drydock's SQS: standard queues with visibility timeouts, delays,
// retention, long polling and dead-letter queues, all on drydock's clock.
//
// [Queues.Service] is the API; [Queues.Deliver] is how EventBridge, EventBridge
// Scheduler and SNS send. Refusals are in AWS's words where an answer of AWS could
// be found. There are no FIFO queues and no encryption, and what is ready is handed
// out in the order in which it was sent: AWS only tries to.
package sqs

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/identifier"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Options are the surroundings of a [Queues].
type Options struct {
	Account string
	Region  string
	Host    func() string // of the queues' addresses, "127.0.0.1:4566"
	Clock   *clock.Clock
	Store   *store.Store
	Log     *slog.Logger
	Seed    uint64 // of ids
}

// Queues are those of one account and region. Their state is behind one mutex, and
// every change is stored before the call that made it returns.
type Queues struct {
	Options

	mu     sync.Mutex
	rand   *rand.Rand
	queues map[string]*queue // by name
	last   uint64            // number of the newest message
	dirty  store.Pending     // what changed and is not stored yet
	closed bool
}

// queue is the record of a queue.
type queue struct {
	Name       string
	Attributes map[string]string // that were set, and the defaults of the others
	Tags       map[string]string
	Created    time.Time
	Modified   time.Time
	Purged     time.Time

	messages []*message    // in the order in which they were sent
	news     chan struct{} // closed when something may be ready sooner than was known; nil while nobody waits
}

// message is the record of a message.
type message struct {
	Queue      string
	Number     uint64 // in the order in which they came
	ID         string
	Body       string
	Attributes map[string]Attribute
	Sender     string
	Trace      string // AWSTraceHeader
	Source     string // ARN of the queue that it is a dead letter of
	Sent       time.Time
	Visible    time.Time // when it can be received
	First      time.Time // when it was first received
	Receives   int
}

func (m *message) key() string { return fmt.Sprintf("%s/%020d", m.Queue, m.Number) }

// Attribute is an attribute of a message, MessageAttributeValue in the API reference.
type Attribute struct {
	DataType    string
	StringValue *string
	BinaryValue []byte
}

// Buckets of the store.
const (
	bucketQueues   = "sqs-queues"
	bucketMessages = "sqs-messages"
)

// stream makes the ids other ones than those of drydock's other services, which have the
// same seed.
const stream = 1

// New loads what the store holds.
func New(o Options) (*Queues, error) {
	q := &Queues{Options: o, rand: rand.New(rand.NewPCG(o.Seed, stream)), queues: map[string]*queue{}}
	messages := map[string]*message{}
	for _, err := range []error{store.LoadAll(o.Store, bucketQueues, q.queues), store.LoadAll(o.Store, bucketMessages, messages)} {
		if err != nil {
			return nil, fmt.Errorf("load SQS state: %w", err)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(messages)) {
		m := messages[key]
		q.last = max(q.last, m.Number)
		if of := q.queues[m.Queue]; of != nil {
			of.messages = append(of.messages, m)
		}
	}
	return q, nil
}

// Service is the API, for a [wire.Mux].
func (q *Queues) Service() wire.Service {
	return wire.Service{
		Name:   "SQS",
		Target: "AmazonSQS",
		Operations: map[string]wire.Operation{
			"ChangeMessageVisibility":      wire.Capitalized(q.changeMessageVisibility),
			"ChangeMessageVisibilityBatch": wire.Capitalized(q.changeMessageVisibilityBatch),
			"CreateQueue":                  wire.Capitalized(q.createQueue),
			"DeleteMessage":                wire.Capitalized(q.deleteMessage),
			"DeleteMessageBatch":           wire.Capitalized(q.deleteMessageBatch),
			"DeleteQueue":                  wire.Capitalized(q.deleteQueue),
			"GetQueueAttributes":           wire.Capitalized(q.getQueueAttributes),
			"GetQueueUrl":                  wire.Capitalized(q.getQueueURL),
			"ListDeadLetterSourceQueues":   wire.Capitalized(q.listDeadLetterSourceQueues),
			"ListQueueTags":                wire.Capitalized(q.listQueueTags),
			"ListQueues":                   wire.Capitalized(q.listQueues),
			"PurgeQueue":                   wire.Capitalized(q.purgeQueue),
			"ReceiveMessage":               wire.Capitalized(q.receiveMessage),
			"SendMessage":                  wire.Capitalized(q.sendMessage),
			"SendMessageBatch":             wire.Capitalized(q.sendMessageBatch),
			"SetQueueAttributes":           wire.Capitalized(q.setQueueAttributes),
			"TagQueue":                     wire.Capitalized(q.tagQueue),
			"UntagQueue":                   wire.Capitalized(q.untagQueue),
		},
	}
}

// Deliver sends what a service of AWS has for a queue, by the queue's ARN. Whether
// that service may is for the caller to have asked. The error says that the queue
// is not there.
func (q *Queues) Deliver(arn, sender, body string, attributes map[string]Attribute) error {
	return q.change(func(now time.Time) error {
		to := q.byARN(arn)
		if to == nil {
			return noQueue()
		}
		q.enqueue(to, &message{Body: body, Attributes: attributes, Sender: sender}, to.duration("DelaySeconds"), now)
		return nil
	})
}

// PolicyOf is the policy of a queue, by ARN: "" when it has none or is not there.
func (q *Queues) PolicyOf(arn string) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	if of := q.byARN(arn); of != nil {
		return of.Attributes["Policy"]
	}
	return ""
}

// Close ends every wait for messages.
func (q *Queues) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for _, of := range q.queues {
		of.tell()
	}
}

// change runs f under the lock and stores what it marked as changed. Operations
// validate before they change anything.
func (q *Queues) change(f func(now time.Time) error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := f(q.Clock.Now()); err != nil {
		return err
	}
	if err := q.dirty.Flush(q.Store); err != nil {
		return fmt.Errorf("store SQS state: %w", err)
	}
	return nil
}

func (q *Queues) mark(of *queue) { q.dirty.Put(bucketQueues, of.Name, of) }

func (q *Queues) markMessage(m *message) { q.dirty.Put(bucketMessages, m.key(), m) }

// enqueue adds a message, which is ready after a delay.
func (q *Queues) enqueue(to *queue, m *message, delay time.Duration, now time.Time) {
	q.last++
	m.Queue, m.Number, m.Sent, m.Visible = to.Name, q.last, now, now.Add(delay)
	m.ID = cmp.Or(m.ID, identifier.UUID(q.rand))
	to.messages = append(to.messages, m)
	q.markMessage(m)
	to.tell()
}

// drop takes messages out of a queue.
func (q *Queues) drop(of *queue, gone func(*message) bool) {
	of.messages = slices.DeleteFunc(of.messages, func(m *message) bool {
		if gone(m) {
			q.dirty.Delete(bucketMessages, m.key())
			return true
		}
		return false
	})
}

// expire drops what the queue has kept for long enough. Nothing sees a queue without it.
func (q *Queues) expire(of *queue, now time.Time) {
	kept := of.duration("MessageRetentionPeriod")
	q.drop(of, func(m *message) bool { return now.Sub(m.Sent) >= kept })
}

// tell has everybody who waits at a queue look again.
func (of *queue) tell() {
	if of.news != nil {
		close(of.news)
		of.news = nil
	}
}

// redrive is a queue's RedrivePolicy.
type redrive struct {
	DeadLetterTargetArn string      `json:"deadLetterTargetArn"`
	MaxReceiveCount     json.Number `json:"maxReceiveCount"`
}

func (of *queue) redrive() (redrive, int) {
	var r redrive
	if json.Unmarshal([]byte(of.Attributes["RedrivePolicy"]), &r) != nil { // none, or checked when it was set
		return redrive{}, 0
	}
	most, _ := r.MaxReceiveCount.Int64() // checked when it was set
	return r, int(most)
}
