package sqs

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/identifier"
)

// handle is what a receipt of a message says: each time that it is received it has
// another one, and only the newest one counts.
func (m *message) handle() string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s %s %d", m.Queue, m.ID, m.Receives))
}

// find is the message of a receipt handle; nil when it is gone or was received
// again since.
func (of *queue) find(handle *string) (*message, error) {
	if aws.ToString(handle) == "" {
		return nil, missing("ReceiptHandle")
	}
	text, err := base64.StdEncoding.DecodeString(*handle)
	part := strings.Fields(string(text))
	if err != nil || len(part) != 3 || part[0] != of.Name {
		return nil, refusal("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", "The input receipt handle \"%s\" is not a valid receipt handle.", *handle)
	}
	for _, m := range of.messages {
		if m.ID == part[1] && strconv.Itoa(m.Receives) == part[2] {
			return m, nil
		}
	}
	return nil, nil
}

// receiveMessage answers with what is ready, or waits for it on drydock's clock.
func (q *Queues) receiveMessage(ctx context.Context, in *receiveMessageInput) (*receiveMessageOutput, error) {
	if err := checkReceive(in); err != nil {
		return nil, err
	}
	var until time.Time
	for {
		out := &receiveMessageOutput{}
		var wait time.Duration
		var news <-chan struct{}
		err := q.change(func(now time.Time) error {
			of, err := q.queue(in.QueueUrl)
			if err != nil {
				return err
			}
			if until.IsZero() {
				until = now.Add(seconds(in.WaitTimeSeconds, of.duration("ReceiveMessageWaitTimeSeconds")))
			}
			for _, m := range q.take(of, in, now) {
				out.Messages = append(out.Messages, q.show(of, m, in))
			}
			if len(out.Messages) == 0 && now.Before(until) && !q.closed {
				wait, news = of.soonest(until).Sub(now), q.listen(of)
			}
			return nil
		})
		if err != nil || news == nil {
			return out, err
		}
		if !q.await(ctx, wait, news) {
			return out, nil // the client hung up
		}
	}
}

// await waits for news of a queue, or on the clock; false when the client has gone.
func (q *Queues) await(ctx context.Context, wait time.Duration, news <-chan struct{}) bool {
	q.mu.Lock()
	key := "sqs/wait/" + identifier.UUID(q.rand)
	q.mu.Unlock()
	due := make(chan struct{})
	q.Clock.At(q.Clock.Now().Add(wait), key, func(time.Time) { close(due) })
	defer q.Clock.Cancel(key)
	select {
	case <-ctx.Done():
		return false
	case <-news:
	case <-due:
	}
	return true
}

// listen is closed when something may be ready sooner than is known now.
func (q *Queues) listen(of *queue) <-chan struct{} {
	if of.news == nil {
		of.news = make(chan struct{})
	}
	return of.news
}

// soonest is when the first message will be ready, or the end of the wait.
func (of *queue) soonest(until time.Time) time.Time {
	for _, m := range of.messages {
		if m.Visible.Before(until) {
			until = m.Visible
		}
	}
	return until
}

func checkReceive(in *receiveMessageInput) error {
	if n := in.MaxNumberOfMessages; n != nil && (*n < 1 || *n > 10) {
		return invalid(*n, "MaxNumberOfMessages", "Must be between 1 and 10, if provided.")
	}
	if n := in.WaitTimeSeconds; n != nil && (*n < 0 || *n > 20) {
		return invalid(*n, "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided.")
	}
	return checkVisibility(in.VisibilityTimeout)
}

func checkVisibility(n *int32) error {
	if n != nil && (*n < 0 || *n > 43200) {
		return invalid(*n, "VisibilityTimeout", "VisibilityTimeout must be >= 0 and <= 43200.")
	}
	return nil
}

func seconds(given *int32, otherwise time.Duration) time.Duration {
	if given == nil {
		return otherwise
	}
	return time.Duration(*given) * time.Second
}

// take receives messages. One that was received as often as the redrive policy
// allows becomes a dead letter instead, and keeps the time at which it was first
// sent (developer guide, Using dead-letter queues).
func (q *Queues) take(of *queue, in *receiveMessageInput, now time.Time) []*message {
	q.expire(of, now)
	most := int(aws.ToInt32(in.MaxNumberOfMessages))
	if most == 0 {
		most = 1
	}
	policy, receives := of.redrive()
	letters := q.byARN(policy.DeadLetterTargetArn)
	var taken, dead []*message
	for _, m := range of.messages {
		switch {
		case m.Visible.After(now):
		case letters != nil && m.Receives >= receives:
			dead = append(dead, m)
		case len(taken) < most:
			m.Receives++
			if m.First.IsZero() {
				m.First = now
			}
			m.Visible = now.Add(seconds(in.VisibilityTimeout, of.duration("VisibilityTimeout")))
			q.markMessage(m)
			taken = append(taken, m)
		}
	}
	if dead != nil {
		q.drop(of, func(m *message) bool { return slices.Contains(dead, m) })
		for _, m := range dead {
			sent := m.Sent
			moved := *m
			moved.Source = q.arn(of.Name)
			q.enqueue(letters, &moved, 0, now)
			moved.Sent = sent
		}
	}
	return taken
}

// show is a message with the attributes that were asked for.
func (q *Queues) show(of *queue, m *message, in *receiveMessageInput) shownMessage {
	out := shownMessage{MessageId: aws.String(m.ID), ReceiptHandle: aws.String(m.handle()), MD5OfBody: sum(m.Body), Body: aws.String(m.Body)}
	millis := func(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
	system := map[string]string{
		"SenderId": m.Sender, "SentTimestamp": millis(m.Sent), "ApproximateReceiveCount": strconv.Itoa(m.Receives),
		"ApproximateFirstReceiveTimestamp": millis(m.First), "DeadLetterQueueSourceArn": m.Source, "AWSTraceHeader": m.Trace,
	}
	asked := slices.Concat(in.AttributeNames, in.MessageSystemAttributeNames)
	maps.DeleteFunc(system, func(name, value string) bool {
		return value == "" || !slices.Contains(asked, "All") && !slices.Contains(asked, name)
	})
	if len(system) > 0 {
		out.Attributes = system
	}
	chosen := map[string]Attribute{}
	for name, a := range m.Attributes {
		if slices.ContainsFunc(in.MessageAttributeNames, func(want string) bool { return chooses(want, name) }) {
			chosen[name] = a
		}
	}
	if len(chosen) > 0 {
		out.MessageAttributes, out.MD5OfMessageAttributes = chosen, sumAttributes(chosen)
	}
	return out
}

// chooses tells whether a name of a request is that of an attribute: All and .*
// are every one, and foo.* those that begin with foo.
func chooses(want, name string) bool {
	prefix, isPrefix := strings.CutSuffix(want, ".*")
	return want == "All" || want == name || isPrefix && strings.HasPrefix(name, prefix)
}

func (q *Queues) deleteMessage(_ context.Context, in *deleteMessageInput) (*struct{}, error) {
	return &struct{}{}, q.change(func(time.Time) error {
		of, err := q.queue(in.QueueUrl)
		if err != nil {
			return err
		}
		return q.remove(of, in.ReceiptHandle)
	})
}

// remove deletes the message of a receipt. One that is gone is no error.
func (q *Queues) remove(of *queue, handle *string) error {
	m, err := of.find(handle)
	if err != nil {
		return err
	}
	q.drop(of, func(one *message) bool { return one == m })
	return nil
}

func (q *Queues) deleteMessageBatch(_ context.Context, in *deleteMessageBatchInput) (*batchOutput, error) {
	return q.batch(in.QueueUrl, ids(in.Entries, func(e deleteEntry) *string { return e.Id }), "DeleteMessageBatchRequestEntry", func(of *queue, i int, _ time.Time) error {
		return q.remove(of, in.Entries[i].ReceiptHandle)
	})
}

// batch does the same for each entry of a batch, and answers how it went.
func (q *Queues) batch(url *string, entries []*string, what string, do func(of *queue, i int, now time.Time) error) (*batchOutput, error) {
	out := &batchOutput{Successful: []batchResult{}, Failed: []batchError{}}
	return out, q.change(func(now time.Time) error {
		of, err := q.queue(url)
		if err != nil {
			return err
		}
		if err := checkBatch(entries, what); err != nil {
			return err
		}
		for i, id := range entries {
			if err := do(of, i, now); err == nil {
				out.Successful = append(out.Successful, batchResult{Id: id})
			} else if err := out.failed(id, err); err != nil {
				return err
			}
		}
		return nil
	})
}

func (q *Queues) changeMessageVisibility(_ context.Context, in *changeMessageVisibilityInput) (*struct{}, error) {
	return &struct{}{}, q.change(func(now time.Time) error {
		of, err := q.queue(in.QueueUrl)
		if err != nil {
			return err
		}
		return q.setVisibility(of, in.ReceiptHandle, in.VisibilityTimeout, now)
	})
}

// setVisibility hides a received message for so long from now on.
func (q *Queues) setVisibility(of *queue, handle *string, timeout *int32, now time.Time) error {
	if timeout == nil {
		return missing("VisibilityTimeout")
	}
	if err := checkVisibility(timeout); err != nil {
		return err
	}
	m, err := of.find(handle)
	if err != nil {
		return err
	}
	if m == nil || !m.Visible.After(now) {
		return refusal("InvalidParameterValueException", "InvalidParameterValue",
			"Value %s for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.", *handle)
	}
	m.Visible = now.Add(time.Duration(*timeout) * time.Second)
	q.markMessage(m)
	of.tell()
	return nil
}

func (q *Queues) changeMessageVisibilityBatch(_ context.Context, in *changeMessageVisibilityBatchInput) (*batchOutput, error) {
	return q.batch(in.QueueUrl, ids(in.Entries, func(e visibilityEntry) *string { return e.Id }), "ChangeMessageVisibilityBatchRequestEntry", func(of *queue, i int, now time.Time) error {
		return q.setVisibility(of, in.Entries[i].ReceiptHandle, in.Entries[i].VisibilityTimeout, now)
	})
}
