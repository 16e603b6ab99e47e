package sqs

import (
	"context"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// anonymous is who sends with credentials of elsewhere: the account's administrator.
const anonymous = "AIDADRYDOCKDRYDOCKDRY"

// compose makes a message of a request, and says how long it is delayed.
func (q *Queues) compose(ctx context.Context, to *queue, in sendMessageInput) (*message, time.Duration, error) {
	body := aws.ToString(in.MessageBody)
	size := len(body)
	for name, a := range in.MessageAttributes {
		if err := checkAttribute(name, a); err != nil {
			return nil, 0, err
		}
		size += len(name) + len(a.DataType) + len(aws.ToString(a.StringValue)) + len(a.BinaryValue)
	}
	most := to.number("MaximumMessageSize")
	switch {
	case in.MessageBody == nil:
		return nil, 0, missing("MessageBody")
	case body == "":
		return nil, 0, refusal("MissingParameterException", "MissingParameter", "The request must contain the parameter MessageBody.")
	case size > most:
		return nil, 0, refusal("InvalidParameterValueException", "InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", most)
	case !isContent(body):
		return nil, 0, refusal("InvalidMessageContents", "InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF")
	case len(in.MessageAttributes) > 10:
		return nil, 0, refusal("InvalidParameterValueException", "InvalidParameterValue", "Number of message attributes [%d] exceeds the allowed maximum [10].", len(in.MessageAttributes))
	case in.MessageDeduplicationId != nil:
		return nil, 0, invalid(*in.MessageDeduplicationId, "MessageDeduplicationId", "The request include parameter that is not valid for this queue type.")
	}
	delay := to.duration("DelaySeconds")
	if d := in.DelaySeconds; d != nil {
		if *d < 0 || *d > 900 {
			return nil, 0, invalid(*d, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.")
		}
		delay = time.Duration(*d) * time.Second
	}
	sender := anonymous
	if caller := wire.CallerOf(ctx); caller != "" {
		sender = caller
	}
	return &message{Body: body, Attributes: in.MessageAttributes, Sender: sender, Trace: aws.ToString(in.MessageSystemAttributes["AWSTraceHeader"].StringValue)}, delay, nil
}

func (of *queue) number(name string) int { return int(of.duration(name) / time.Second) }

func isContent(body string) bool {
	if !utf8.ValidString(body) {
		return false
	}
	return !strings.ContainsFunc(body, func(r rune) bool {
		return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r > 0xFFFD && r < 0x10000
	})
}

func checkAttribute(name string, a Attribute) error {
	kind, _, _ := strings.Cut(a.DataType, ".")
	switch {
	case kind == "":
		return refusal("InvalidParameterValueException", "InvalidParameterValue", "The message attribute '%s' must contain a non-empty message attribute type.", name)
	case !slices.Contains([]string{"String", "Number", "Binary"}, kind):
		return refusal("InvalidParameterValueException", "InvalidParameterValue", "The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
	case kind == "Binary" && a.BinaryValue == nil, kind != "Binary" && aws.ToString(a.StringValue) == "":
		return refusal("InvalidParameterValueException", "InvalidParameterValue", "The message attribute '%s' must contain a non-empty message attribute value for message attribute type '%s'.", name, a.DataType)
	}
	return nil
}

func (q *Queues) sendMessage(ctx context.Context, in *sendMessageInput) (*sendMessageOutput, error) {
	out := &sendMessageOutput{}
	return out, q.change(func(now time.Time) error {
		to, err := q.queue(in.QueueUrl)
		if err != nil {
			return err
		}
		m, delay, err := q.compose(ctx, to, *in)
		if err != nil {
			return err
		}
		q.enqueue(to, m, delay, now)
		out.MessageId, out.MD5OfMessageBody, out.MD5OfMessageAttributes = &m.ID, sum(m.Body), sumAttributes(m.Attributes)
		return nil
	})
}

// maxBatch is how many entries a batch may have.
const maxBatch = 10

// checkBatch holds the ids of a batch's entries to their rules.
func checkBatch(ids []*string, what string) error {
	switch {
	case len(ids) == 0:
		return refusal("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", "There should be at least one %s in the request.", what)
	case len(ids) > maxBatch:
		return refusal("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "Maximum number of entries per request are %d. You have sent %d.", maxBatch, len(ids))
	}
	seen := map[string]bool{}
	for _, id := range ids {
		if !isName(aws.ToString(id)) {
			return refusal("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		}
		if seen[*id] {
			return refusal("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "Id %s repeated.", *id)
		}
		seen[*id] = true
	}
	return nil
}

// failed says in a batch's answer what is wrong with an entry. Any other error is
// of the whole batch.
func (b *batchOutput) failed(id *string, err error) error {
	refused, ok := errors.AsType[*wire.Error](err)
	if !ok {
		return err
	}
	code := refused.Query
	b.Failed = append(b.Failed, batchError{Id: id, SenderFault: true, Code: &code, Message: &refused.Message})
	return nil
}

func ids[T any](entries []T, id func(T) *string) []*string {
	var out []*string
	for _, e := range entries {
		out = append(out, id(e))
	}
	return out
}

func (q *Queues) sendMessageBatch(ctx context.Context, in *sendMessageBatchInput) (*batchOutput, error) {
	out := &batchOutput{Successful: []batchResult{}, Failed: []batchError{}}
	return out, q.change(func(now time.Time) error {
		to, err := q.queue(in.QueueUrl)
		if err != nil {
			return err
		}
		if err := checkBatch(ids(in.Entries, func(e sendEntry) *string { return e.Id }), "SendMessageBatchRequestEntry"); err != nil {
			return err
		}
		size := 0
		for _, e := range in.Entries {
			size += len(aws.ToString(e.MessageBody))
		}
		if most := to.number("MaximumMessageSize"); size > most {
			return refusal("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", "Batch requests cannot be longer than %d bytes. You have sent %d bytes.", most, size)
		}
		for _, e := range in.Entries {
			m, delay, err := q.compose(ctx, to, sendMessageInput{
				MessageBody: e.MessageBody, DelaySeconds: e.DelaySeconds, MessageAttributes: e.MessageAttributes,
				MessageSystemAttributes: e.MessageSystemAttributes, MessageDeduplicationId: e.MessageDeduplicationId,
			})
			if err != nil {
				if err := out.failed(e.Id, err); err != nil {
					return err
				}
				continue
			}
			q.enqueue(to, m, delay, now)
			out.Successful = append(out.Successful, batchResult{Id: e.Id, MessageId: &m.ID, MD5OfMessageBody: sum(m.Body), MD5OfMessageAttributes: sumAttributes(m.Attributes)})
		}
		return nil
	})
}

func sum(body string) *string {
	s := md5.Sum([]byte(body))
	return aws.String(hex.EncodeToString(s[:]))
}

// sumAttributes is the digest of a message's attributes, nil without any
// (developer guide, Calculating the MD5 message digest for message attributes).
func sumAttributes(attributes map[string]Attribute) *string {
	if len(attributes) == 0 {
		return nil
	}
	h := md5.New()
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		sized(h, []byte(name))
		sized(h, []byte(a.DataType))
		if strings.HasPrefix(a.DataType, "Binary") {
			h.Write([]byte{2})
			sized(h, a.BinaryValue)
		} else {
			h.Write([]byte{1})
			sized(h, []byte(aws.ToString(a.StringValue)))
		}
	}
	return aws.String(hex.EncodeToString(h.Sum(nil)))
}

func sized(h hash.Hash, b []byte) {
	h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b))))
	h.Write(b)
}
