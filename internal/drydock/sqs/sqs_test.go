package sqs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

func start() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) }

func newQueues(c *clock.Clock, s *store.Store) *Queues {
	q, err := New(Options{
		Account: "123456789012", Region: "ap-northeast-1", Host: func() string { return "localhost:4566" },
		Clock: c, Store: s, Log: slog.New(slog.DiscardHandler), Seed: 1,
	})
	if err != nil {
		panic(err) // a store in memory always loads
	}
	return q
}

// call asks as a client does, with a document.
func call(q *Queues, operation string, in map[string]any, out any) error {
	return wire.NewLocal(q.Service()).Call(context.Background(), "SQS."+operation, in, out)
}

func must(t interface{ Fatal(...any) }, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

const address = "http://localhost:4566/123456789012/"

type received struct {
	Messages []struct{ Body, ReceiptHandle, MD5OfBody string }
}

func receive(t interface{ Fatal(...any) }, q *Queues, queue string) received {
	var out received
	must(t, call(q, "ReceiveMessage", map[string]any{"QueueUrl": address + queue, "MaxNumberOfMessages": 10}, &out))
	return out
}

func bodies(r received) []string {
	var out []string
	for _, m := range r.Messages {
		out = append(out, m.Body)
	}
	return out
}

func TestMessageOverTime(t *testing.T) {
	c := clock.Manual(start())
	q := newQueues(c, store.Memory())
	must(t, call(q, "CreateQueue", map[string]any{"QueueName": "dead"}, &struct{}{}))
	must(t, call(q, "CreateQueue", map[string]any{"QueueName": "work", "Attributes": map[string]string{
		"DelaySeconds": "10", "VisibilityTimeout": "60", "RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:ap-northeast-1:123456789012:dead","maxReceiveCount":"2"}`,
	}}, &struct{}{}))
	must(t, call(q, "SendMessage", map[string]any{"QueueUrl": address + "work", "MessageBody": "hello"}, &struct{}{}))
	for _, step := range []struct {
		after time.Duration
		queue string
		want  []string
	}{
		{0, "work", nil}, // delayed
		{10 * time.Second, "work", []string{"hello"}},
		{59 * time.Second, "work", nil}, // in flight
		{time.Second, "work", []string{"hello"}},
		{0, "dead", nil},
		{time.Minute, "work", nil}, // its third time: a dead letter
		{0, "dead", []string{"hello"}},
		{4*24*time.Hour - 130*time.Second, "dead", nil}, // four days after it was sent, not after it died
	} {
		c.Advance(step.after)
		if got := bodies(receive(t, q, step.queue)); !slices.Equal(got, step.want) {
			t.Fatalf("%v: %s has %q, want %q", c.Now().Sub(start()), step.queue, got, step.want)
		}
	}
}

func TestReceipts(t *testing.T) {
	c := clock.Manual(start())
	q := newQueues(c, store.Memory())
	must(t, call(q, "CreateQueue", map[string]any{"QueueName": "work"}, &struct{}{}))
	must(t, call(q, "SendMessage", map[string]any{"QueueUrl": address + "work", "MessageBody": "hello"}, &struct{}{}))
	old := receive(t, q, "work").Messages[0].ReceiptHandle
	must(t, call(q, "ChangeMessageVisibility", map[string]any{"QueueUrl": address + "work", "ReceiptHandle": old, "VisibilityTimeout": 0}, &struct{}{}))
	now := receive(t, q, "work").Messages[0].ReceiptHandle
	if old == now {
		t.Error("a message has one receipt for all times")
	}
	must(t, call(q, "DeleteMessage", map[string]any{"QueueUrl": address + "work", "ReceiptHandle": old}, &struct{}{})) // no error, and not deleted
	c.Advance(time.Minute)
	if got := receive(t, q, "work"); len(got.Messages) != 1 {
		t.Fatal("an old receipt deleted the message")
	} else {
		now = got.Messages[0].ReceiptHandle
	}
	must(t, call(q, "DeleteMessage", map[string]any{"QueueUrl": address + "work", "ReceiptHandle": now}, &struct{}{}))
	c.Advance(time.Hour)
	if got := receive(t, q, "work"); len(got.Messages) != 0 {
		t.Error("a deleted message came back")
	}
}

// The digests are those of the developer guide's algorithm, as botocore's tests and the
// SDKs compute them.
func TestDigests(t *testing.T) {
	if got := *sum("hello"); got != "5d41402abc4b2a76b9719d911017c592" {
		t.Error(got)
	}
	got := sumAttributes(map[string]Attribute{"timestamp": {DataType: "Number", StringValue: aws.String("1493147359900")}})
	if *got != "235c5c510d26fb653d073faed50ae77c" { // moto's test of the same attribute, which is from AWS
		t.Error(*got)
	}
}

func TestRefusals(t *testing.T) {
	q := newQueues(clock.Manual(start()), store.Memory())
	must(t, call(q, "CreateQueue", map[string]any{"QueueName": "work", "Attributes": map[string]string{"VisibilityTimeout": "45"}}, &struct{}{}))
	work := address + "work"
	for _, tt := range []struct {
		operation string
		in        map[string]any
		query     string
	}{
		{"CreateQueue", map[string]any{}, "MissingParameter"},
		{"CreateQueue", map[string]any{"QueueName": "a b"}, "InvalidParameterValue"},
		{"CreateQueue", map[string]any{"QueueName": "a.fifo"}, "AWS.SimpleQueueService.UnsupportedOperation"},
		{"CreateQueue", map[string]any{"QueueName": "work", "Attributes": map[string]string{"VisibilityTimeout": "46"}}, "QueueAlreadyExists"},
		{"CreateQueue", map[string]any{"QueueName": "b", "Attributes": map[string]string{"Colour": "red"}}, "InvalidAttributeName"},
		{"CreateQueue", map[string]any{"QueueName": "b", "Attributes": map[string]string{"DelaySeconds": "901"}}, "InvalidAttributeValue"},
		{"CreateQueue", map[string]any{"QueueName": "b", "Attributes": map[string]string{"Policy": "{"}}, "InvalidAttributeValue"},
		{"CreateQueue", map[string]any{"QueueName": "b", "Attributes": map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:ap-northeast-1:123456789012:none","maxReceiveCount":1}`}}, "InvalidParameterValue"},
		{"GetQueueUrl", map[string]any{"QueueName": "none"}, "AWS.SimpleQueueService.NonExistentQueue"},
		{"SendMessage", map[string]any{"QueueUrl": address + "none", "MessageBody": "x"}, "AWS.SimpleQueueService.NonExistentQueue"},
		{"SendMessage", map[string]any{"QueueUrl": work}, "MissingParameter"},
		{"SendMessage", map[string]any{"QueueUrl": work, "MessageBody": "\x01"}, "InvalidMessageContents"},
		{"SendMessage", map[string]any{"QueueUrl": work, "MessageBody": strings.Repeat("x", 1<<20+1)}, "InvalidParameterValue"},
		{"SendMessage", map[string]any{"QueueUrl": work, "MessageBody": "x", "MessageAttributes": map[string]any{"a": map[string]any{"DataType": "Text", "StringValue": "x"}}}, "InvalidParameterValue"},
		{"SendMessageBatch", map[string]any{"QueueUrl": work, "Entries": []any{}}, "AWS.SimpleQueueService.EmptyBatchRequest"},
		{"SendMessageBatch", map[string]any{"QueueUrl": work, "Entries": []any{map[string]any{"Id": "a", "MessageBody": "x"}, map[string]any{"Id": "a", "MessageBody": "x"}}}, "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"},
		{"ReceiveMessage", map[string]any{"QueueUrl": work, "MaxNumberOfMessages": 11}, "InvalidParameterValue"},
		{"ReceiveMessage", map[string]any{"QueueUrl": work, "WaitTimeSeconds": 21}, "InvalidParameterValue"},
		{"DeleteMessage", map[string]any{"QueueUrl": work, "ReceiptHandle": "x"}, "ReceiptHandleIsInvalid"},
	} {
		err := call(q, tt.operation, tt.in, &struct{}{})
		refused, ok := errors.AsType[*wire.Error](err)
		if !ok || refused.Query != tt.query {
			t.Errorf("%s %v: %v", tt.operation, tt.in, err)
		}
	}
	must(t, call(q, "PurgeQueue", map[string]any{"QueueUrl": work}, &struct{}{}))
	if err := call(q, "PurgeQueue", map[string]any{"QueueUrl": work}, &struct{}{}); err == nil || !strings.Contains(err.Error(), "Only one PurgeQueue operation on work is allowed every 60 seconds.") {
		t.Error(err)
	}
}

// Who waits gets a message when it comes, when a hidden one is ready again, or nothing
// when the wait is over: by drydock's clock, however long that takes anybody.
func TestLongPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.Manual(start())
		q := newQueues(c, store.Memory())
		must(t, call(q, "CreateQueue", map[string]any{"QueueName": "work"}, &struct{}{}))
		wait := func() <-chan []string {
			done := make(chan []string, 1)
			go func() {
				out, err := q.receiveMessage(t.Context(), &receiveMessageInput{QueueUrl: aws.String(address + "work"), WaitTimeSeconds: aws.Int32(20), VisibilityTimeout: aws.Int32(15)})
				var got []string
				for _, m := range out.Messages {
					got = append(got, *m.Body)
				}
				if err != nil {
					got = []string{err.Error()}
				}
				done <- got
			}()
			synctest.Wait()
			return done
		}
		waiting := wait()
		must(t, q.Deliver("arn:aws:sqs:ap-northeast-1:123456789012:work", "test", "hello", nil))
		if got := <-waiting; !slices.Equal(got, []string{"hello"}) {
			t.Errorf("a message came, and who waits has %q", got)
		}
		waiting = wait()
		c.Advance(15 * time.Second)
		if got := <-waiting; !slices.Equal(got, []string{"hello"}) {
			t.Errorf("the message is ready again, and who waits has %q", got)
		}
		waiting = wait()
		must(t, call(q, "PurgeQueue", map[string]any{"QueueUrl": address + "work"}, &struct{}{}))
		c.Advance(19 * time.Second)
		synctest.Wait()
		select {
		case got := <-waiting:
			t.Errorf("the wait ended early with %q", got)
		default:
		}
		c.Advance(time.Second)
		if got := <-waiting; got != nil {
			t.Errorf("nothing came, and who waits has %q", got)
		}
		waiting = wait()
		q.Close()
		if got := <-waiting; got != nil {
			t.Errorf("drydock ends, and who waits has %q", got)
		}
	})
}

// One jump is many: what a queue shows depends on the time alone. And a drydock that
// starts again over the same data has the same queues.
func TestJumpsAndRestarts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kept := store.Memory()
		one, many := clock.Manual(start()), clock.Manual(start())
		queues := []*Queues{newQueues(one, kept), newQueues(many, store.Memory())}
		seconds := func(name string, most int) string { return fmt.Sprint(rapid.IntRange(0, most).Draw(t, name)) }
		attributes := map[string]string{"DelaySeconds": seconds("delay", 100), "VisibilityTimeout": seconds("visibility", 100), "MessageRetentionPeriod": fmt.Sprint(60 + rapid.IntRange(0, 600).Draw(t, "kept"))}
		n := rapid.IntRange(1, 12).Draw(t, "messages")
		for _, q := range queues {
			must(t, call(q, "CreateQueue", map[string]any{"QueueName": "work", "Attributes": attributes}, &struct{}{}))
			for i := range n {
				must(t, call(q, "SendMessage", map[string]any{"QueueUrl": address + "work", "MessageBody": fmt.Sprint(i), "DelaySeconds": i * 7 % 60}, &struct{}{}))
			}
		}
		steps := rapid.SliceOfN(rapid.IntRange(0, 120), 0, 8).Draw(t, "steps")
		total := 0
		for _, s := range steps {
			many.Advance(time.Duration(s) * time.Second)
			var attributes json.RawMessage
			must(t, call(queues[1], "GetQueueAttributes", map[string]any{"QueueUrl": address + "work", "AttributeNames": []string{"All"}}, &attributes))
			total += s
		}
		one.Advance(time.Duration(total) * time.Second)
		queues[0] = newQueues(one, kept)
		var shown [2]struct{ Attributes map[string]string }
		var got [2][]string
		for i, q := range queues {
			must(t, call(q, "GetQueueAttributes", map[string]any{"QueueUrl": address + "work", "AttributeNames": []string{"All"}}, &shown[i]))
			got[i] = bodies(receive(t, q, "work"))
		}
		if diff := cmp.Diff(shown[0], shown[1]) + cmp.Diff(got[0], got[1]); diff != "" {
			t.Fatal(diff)
		}
	})
}
