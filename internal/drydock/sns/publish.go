package sns

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/delivery"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/eventpattern"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/identifier"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/sqs"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// service is what SNS is called in the policies of queues.
const service = "sns.amazonaws.com"

// maxMessage is the most bytes of a message.
const maxMessage = 256 << 10

// Deliver publishes what a service of AWS has for a topic. Whether that service may
// is for the caller to have asked. The error says that the topic is not there.
func (t *Topics) Deliver(arn, body string) error {
	_, err := t.send(publishInput{TopicArn: &arn, Message: &body})
	return err
}

func (t *Topics) publish(_ context.Context, in *publishInput) (*publishOutput, error) {
	id, err := t.send(*in)
	if err != nil {
		return nil, err
	}
	return &publishOutput{MessageId: &id}, nil
}

// maxBatch is how many entries a batch may have.
const maxBatch = 10

func (t *Topics) publishBatch(_ context.Context, in *publishBatchInput) (*publishBatchOutput, error) {
	entries := in.PublishBatchRequestEntries
	seen := map[string]bool{}
	switch {
	case len(entries) == 0:
		return nil, wire.Errorf("EmptyBatchRequest", "The batch request doesn't contain any entries.")
	case len(entries) > maxBatch:
		return nil, wire.Errorf("TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible.")
	}
	for _, e := range entries {
		id := aws.ToString(e.Id)
		if !isName(id) || len(id) > 80 {
			return nil, wire.Errorf("InvalidBatchEntryId", "The Id of a batch entry in a batch request doesn't abide by the specification.")
		}
		if seen[id] {
			return nil, wire.Errorf("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")
		}
		seen[id] = true
	}
	t.mu.Lock()
	_, err := t.topic(in.TopicArn)
	t.mu.Unlock()
	if err != nil {
		return nil, err
	}
	out := &publishBatchOutput{Successful: []publishResult{}, Failed: []publishError{}}
	for _, e := range entries {
		id, err := t.send(publishInput{TopicArn: in.TopicArn, Message: e.Message, Subject: e.Subject, MessageStructure: e.MessageStructure, MessageAttributes: e.MessageAttributes})
		if refused, ok := errors.AsType[*wire.Error](err); ok {
			out.Failed = append(out.Failed, publishError{Id: e.Id, Code: &refused.Code, Message: &refused.Message, SenderFault: true})
			continue
		}
		if err != nil {
			return nil, err
		}
		out.Successful = append(out.Successful, publishResult{Id: e.Id, MessageId: &id})
	}
	return out, nil
}

func checkPublish(in publishInput) error {
	message := aws.ToString(in.Message)
	switch {
	case in.PhoneNumber != nil:
		return invalid("drydock publishes to topics only")
	case message == "":
		return invalid("Empty message")
	case len(message) > maxMessage:
		return invalid("Message too long")
	case in.Subject != nil && (*in.Subject == "" || utf8.RuneCountInString(*in.Subject) > 100 || strings.ContainsAny(*in.Subject, "\r\n")):
		return invalid("Subject")
	case in.MessageStructure != nil && *in.MessageStructure != "json":
		return invalid("MessageStructure Reason: Invalid message structure")
	}
	return nil
}

// byProtocol is the message for a protocol: with the structure json, each can have
// one of its own.
func byProtocol(in publishInput, protocol string) (string, error) {
	if aws.ToString(in.MessageStructure) != "json" {
		return *in.Message, nil
	}
	var bodies map[string]string
	if err := json.Unmarshal([]byte(*in.Message), &bodies); err != nil {
		return "", invalid("Message Structure - JSON message body failed to parse")
	}
	usual, has := bodies["default"]
	if !has {
		return "", invalid("Message Structure - No default entry in JSON message body")
	}
	if own, has := bodies[protocol]; has {
		return own, nil
	}
	return usual, nil
}

// send gives a message to the subscriptions of a topic, in the order of their ARNs.
func (t *Topics) send(in publishInput) (id string, err error) {
	if err := checkPublish(in); err != nil {
		return "", err
	}
	if in.TopicArn == nil {
		in.TopicArn = in.TargetArn
	}
	if _, err := byProtocol(in, "default"); err != nil {
		return "", err
	}
	var to []subscription
	err = t.change(func() error {
		of, err := t.topic(in.TopicArn)
		if err != nil {
			return err
		}
		id = identifier.UUID(t.rand)
		for _, arn := range slices.Sorted(maps.Keys(t.subscriptions)) {
			if s := t.subscriptions[arn]; s.Topic == of.ARN && s.Confirmed {
				to = append(to, *s) // its attributes are replaced, never changed
			}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	for _, s := range to {
		if s.takes(in) {
			t.hand(s, in, id)
		}
	}
	return id, nil
}

// takes judges a message by a subscription's filter policy.
func (s subscription) takes(in publishInput) bool {
	text := s.Attributes["FilterPolicy"]
	if text == "" || text == "{}" {
		return true
	}
	pattern, err := eventpattern.Parse(text)
	if err != nil {
		return false // checked when it was set
	}
	if s.Attributes["FilterPolicyScope"] == "MessageBody" {
		doc, err := eventpattern.Decode([]byte(*in.Message))
		return err == nil && pattern.Matches(doc)
	}
	doc := map[string]any{}
	for name, a := range in.MessageAttributes {
		switch value := aws.ToString(a.StringValue); a.DataType {
		case "Number":
			doc[name] = json.Number(value)
		case "String.Array":
			if list, err := eventpattern.Decode([]byte(value)); err == nil {
				doc[name] = list
			}
		case "String":
			doc[name] = value
		}
	}
	return pattern.Matches(doc)
}

// hand gives a message to one subscription.
func (t *Topics) hand(s subscription, in publishInput, id string) {
	report := func(reason string) {
		if t.Report != nil {
			t.Report(s.ARN, s.Endpoint, reason)
		}
	}
	if s.Protocol != "sqs" {
		report("NotDelivered: drydock delivers to SQS queues only")
		return
	}
	if !delivery.ServiceMay(t.Queues.PolicyOf(s.Endpoint), service, "sqs:SendMessage", s.Endpoint, s.Topic, t.Account) {
		report("no statement of the queue's policy allows " + service + " to sqs:SendMessage for " + s.Topic)
		return
	}
	body, err := byProtocol(in, s.Protocol)
	if err != nil {
		report(err.Error())
		return
	}
	var attributes map[string]sqs.Attribute
	if s.Attributes["RawMessageDelivery"] == "true" {
		attributes = in.MessageAttributes
	} else if body, err = t.notification(s, in, body, id); err != nil {
		report(err.Error())
		return
	}
	if err := t.Queues.Deliver(s.Endpoint, service, body, attributes); err != nil {
		report(err.Error())
	}
}

// notification is a message in SNS's envelope (developer guide, Parsing message
// formats).
type notification struct {
	Type              string
	MessageId         string
	TopicArn          string
	Subject           string `json:",omitempty"`
	Message           string
	Timestamp         string
	SignatureVersion  string
	Signature         string
	SigningCertURL    string
	UnsubscribeURL    string
	MessageAttributes map[string]shownAttribute `json:",omitempty"`
}

type shownAttribute struct{ Type, Value string }

// unsigned stands in the place of a signature: nothing has drydock's certificate.
const unsigned = "drydock does not sign"

func (t *Topics) notification(s subscription, in publishInput, body, id string) (string, error) {
	n := notification{
		Type: "Notification", MessageId: id, TopicArn: s.Topic, Subject: aws.ToString(in.Subject), Message: body,
		Timestamp: t.now().UTC().Format("2006-01-02T15:04:05.000Z"), SignatureVersion: "1", Signature: base64.StdEncoding.EncodeToString([]byte(unsigned)),
		SigningCertURL: "http://" + t.Host() + "/SimpleNotificationService.pem",
		UnsubscribeURL: "http://" + t.Host() + "/?Action=Unsubscribe&SubscriptionArn=" + s.ARN,
	}
	for name, a := range in.MessageAttributes {
		if n.MessageAttributes == nil {
			n.MessageAttributes = map[string]shownAttribute{}
		}
		value := aws.ToString(a.StringValue)
		if a.BinaryValue != nil {
			value = base64.StdEncoding.EncodeToString(a.BinaryValue)
		}
		n.MessageAttributes[name] = shownAttribute{a.DataType, value}
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(n); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}
