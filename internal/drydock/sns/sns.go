// Package sns is drydock's SNS: topics, and subscriptions of SQS queues that get
// what is published, with filter policies and raw delivery.
//
// [Topics.Service] is the API; [Topics.Deliver] is how EventBridge and EventBridge
// Scheduler publish. Other protocols can be subscribed to and get nothing: email and
// http wait for a confirmation that never comes, as they would on AWS. There are no
// FIFO topics, and messages are not signed.
package sns

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/sqs"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Queues are those of SQS, by ARN. They must not call back.
type Queues interface {
	Deliver(arn, sender, body string, attributes map[string]sqs.Attribute) error
	PolicyOf(arn string) string
}

// Options are the surroundings of a [Topics].
type Options struct {
	Account, Region string
	Host            func() string // of the address in a message at which its subscription ends
	Clock           *clock.Clock
	Store           *store.Store
	Queues          Queues
	Log             *slog.Logger
	Seed            uint64 // of ids
	// Report is told of a subscription that did not get a message; nil: nobody is.
	Report func(subscription, endpoint, reason string)
}

// Topics are those of one account and region. Their state is behind one mutex, and
// every change is stored before the call that made it returns.
type Topics struct {
	Options

	mu            sync.Mutex
	rand          *rand.Rand
	topics        map[string]*topic        // by ARN
	subscriptions map[string]*subscription // by ARN
	dirty         store.Pending            // what changed and is not stored yet
}

// topic is the record of a topic.
type topic struct {
	Name       string
	ARN        string
	Attributes map[string]string // that were set
	Tags       map[string]string
	Deleted    int // subscriptions that it had
}

// subscription is the record of a subscription.
type subscription struct {
	ARN        string
	Topic      string // ARN
	Protocol   string
	Endpoint   string
	Owner      string
	Confirmed  bool
	Attributes map[string]string // that were set
}

// Buckets of the store.
const (
	bucketTopics        = "sns-topics"
	bucketSubscriptions = "sns-subscriptions"
)

// stream makes the ids other ones than those of drydock's other services, which have the
// same seed.
const stream = 2

// New loads what the store holds.
func New(o Options) (*Topics, error) {
	t := &Topics{Options: o, rand: rand.New(rand.NewPCG(o.Seed, stream)), topics: map[string]*topic{}, subscriptions: map[string]*subscription{}}
	for _, err := range []error{store.LoadAll(o.Store, bucketTopics, t.topics), store.LoadAll(o.Store, bucketSubscriptions, t.subscriptions)} {
		if err != nil {
			return nil, fmt.Errorf("load SNS state: %w", err)
		}
	}
	return t, nil
}

// Service is the API, for a [wire.Mux].
func (t *Topics) Service() wire.Service {
	return wire.Service{
		Name:    "SNS",
		Scope:   "sns",
		Version: "2010-03-31",
		Operations: map[string]wire.Operation{
			"CreateTopic":               wire.TypedQuery(t.createTopic),
			"DeleteTopic":               wire.TypedQuery(t.deleteTopic),
			"GetSubscriptionAttributes": wire.TypedQuery(t.getSubscriptionAttributes),
			"GetTopicAttributes":        wire.TypedQuery(t.getTopicAttributes),
			"ListSubscriptions":         wire.TypedQuery(t.listSubscriptions),
			"ListSubscriptionsByTopic":  wire.TypedQuery(t.listSubscriptionsByTopic),
			"ListTagsForResource":       wire.TypedQuery(t.listTagsForResource),
			"ListTopics":                wire.TypedQuery(t.listTopics),
			"Publish":                   wire.TypedQuery(t.publish),
			"PublishBatch":              wire.TypedQuery(t.publishBatch),
			"SetSubscriptionAttributes": wire.TypedQuery(t.setSubscriptionAttributes),
			"SetTopicAttributes":        wire.TypedQuery(t.setTopicAttributes),
			"Subscribe":                 wire.TypedQuery(t.subscribe),
			"TagResource":               wire.TypedQuery(t.tagResource),
			"Unsubscribe":               wire.TypedQuery(t.unsubscribe),
			"UntagResource":             wire.TypedQuery(t.untagResource),
		},
	}
}

// PolicyOf is the policy of a topic, by ARN: "" when it is not there.
func (t *Topics) PolicyOf(arn string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if of := t.topics[arn]; of != nil {
		return t.policy(of)
	}
	return ""
}

// change runs f under the lock and stores what it marked as changed. Operations
// validate before they change anything.
func (t *Topics) change(f func() error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := f(); err != nil {
		return err
	}
	if err := t.dirty.Flush(t.Store); err != nil {
		return fmt.Errorf("store SNS state: %w", err)
	}
	return nil
}

func invalid(format string, args ...any) error {
	return wire.Errorf("InvalidParameter", "Invalid parameter: "+format, args...)
}

func notFound(what string) error {
	return &wire.Error{Code: "NotFound", Message: what + " does not exist", Status: 404}
}

// topic finds a topic by ARN.
func (t *Topics) topic(arn *string) (*topic, error) {
	if arn == nil || *arn == "" {
		return nil, invalid("TopicArn")
	}
	of := t.topics[*arn]
	if of == nil {
		return nil, notFound("Topic")
	}
	return of, nil
}

func (t *Topics) subscription(arn *string) (*subscription, error) {
	if arn == nil || *arn == "" {
		return nil, invalid("SubscriptionArn")
	}
	s := t.subscriptions[*arn]
	if s == nil {
		return nil, notFound("Subscription")
	}
	return s, nil
}

func (t *Topics) now() time.Time { return t.Clock.Now() }
