package sns

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/eventpattern"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/identifier"
)

// pending stands for the ARN of a subscription that its endpoint has yet to confirm.
const pending = "pending confirmation"

// checkEndpoint holds an endpoint to its protocol, and says whether it has to
// confirm the subscription: queues and functions of the own account need not.
func checkEndpoint(protocol, endpoint string) (confirmed bool, err error) {
	fits := true
	switch protocol {
	case "sqs":
		confirmed, fits = true, strings.HasPrefix(endpoint, "arn:aws:sqs:") && strings.Count(endpoint, ":") == 5
		if !fits {
			return false, invalid("SQS endpoint ARN")
		}
	case "lambda":
		confirmed, fits = true, strings.HasPrefix(endpoint, "arn:aws:lambda:")
	case "firehose":
		confirmed, fits = true, strings.HasPrefix(endpoint, "arn:aws:firehose:")
	case "sms", "application":
		confirmed, fits = true, endpoint != ""
	case "http", "https":
		fits = strings.HasPrefix(endpoint, protocol+"://")
	case "email", "email-json":
		fits = strings.Contains(endpoint, "@")
	default:
		return false, invalid("Amazon SNS does not support this protocol string: %s", protocol)
	}
	if !fits {
		return false, invalid("Endpoint")
	}
	return confirmed, nil
}

// checkSubscriptionAttribute holds an attribute to the rules of
// SetSubscriptionAttributes.
func checkSubscriptionAttribute(protocol, name, value string) error {
	switch name {
	case "RawMessageDelivery":
		if value != "true" && value != "false" {
			return invalid("RawMessageDelivery: Invalid value [%s]. Must be true or false.", value)
		}
		if !slices.Contains([]string{"sqs", "http", "https", "firehose"}, protocol) && value == "true" {
			return invalid("Delivery protocol [%s] does not support raw message delivery.", protocol)
		}
	case "FilterPolicy":
		if value != "" && value != "{}" {
			if _, err := eventpattern.Parse(value); err != nil {
				return invalid("FilterPolicy: %v", err)
			}
		}
	case "FilterPolicyScope":
		if value != "MessageAttributes" && value != "MessageBody" {
			return invalid("FilterPolicyScope: Invalid value [%s]. Please use either MessageBody or MessageAttributes", value)
		}
	case "RedrivePolicy", "DeliveryPolicy", "ReplayPolicy":
		if value != "" && !json.Valid([]byte(value)) {
			return invalid("%s: failed to parse JSON.", name)
		}
	case "SubscriptionRoleArn":
	default:
		return invalid("AttributeName")
	}
	return nil
}

// subscribe answers with the subscription of that endpoint when there is one.
func (t *Topics) subscribe(_ context.Context, in *subscribeInput) (*subscribeOutput, error) {
	protocol, endpoint := aws.ToString(in.Protocol), aws.ToString(in.Endpoint)
	confirmed, err := checkEndpoint(protocol, endpoint)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(in.Attributes)) {
		if err := checkSubscriptionAttribute(protocol, name, in.Attributes[name]); err != nil {
			return nil, err
		}
	}
	out := &subscribeOutput{}
	return out, t.change(func() error {
		of, err := t.topic(in.TopicArn)
		if err != nil {
			return err
		}
		s := t.find(of.ARN, protocol, endpoint)
		if s == nil {
			s = &subscription{ARN: of.ARN + ":" + identifier.UUID(t.rand), Topic: of.ARN, Protocol: protocol, Endpoint: endpoint, Owner: t.Account, Confirmed: confirmed, Attributes: map[string]string{}}
			maps.Copy(s.Attributes, in.Attributes)
			t.subscriptions[s.ARN] = s
			t.markSubscription(s)
		} else if err := sameAttributes(s, in.Attributes); err != nil {
			return err
		}
		out.SubscriptionArn = aws.String(s.shownARN())
		if aws.ToBool(in.ReturnSubscriptionArn) {
			out.SubscriptionArn = aws.String(s.ARN)
		}
		return nil
	})
}

func sameAttributes(s *subscription, given map[string]string) error {
	for name, value := range given {
		if s.Attributes[name] != value {
			return invalid("Attributes Reason: Subscription already exists with different attributes")
		}
	}
	return nil
}

func (t *Topics) find(topic, protocol, endpoint string) *subscription {
	for _, s := range t.subscriptions {
		if s.Topic == topic && s.Protocol == protocol && s.Endpoint == endpoint {
			return s
		}
	}
	return nil
}

func (s *subscription) shownARN() string {
	if !s.Confirmed {
		return pending
	}
	return s.ARN
}

func (t *Topics) markSubscription(s *subscription) { t.dirty.Put(bucketSubscriptions, s.ARN, s) }

// unsubscribe is no error when there is no such subscription.
func (t *Topics) unsubscribe(_ context.Context, in *subscriptionInput) (*struct{}, error) {
	arn := aws.ToString(in.SubscriptionArn)
	if !strings.HasPrefix(arn, "arn:aws:sns:") || strings.Count(arn, ":") != 6 {
		return nil, invalid("SubscriptionArn Reason: An ARN must have at least 6 elements, not %d", strings.Count(arn, ":")+1)
	}
	return &struct{}{}, t.change(func() error {
		s := t.subscriptions[arn]
		if s == nil {
			return nil
		}
		delete(t.subscriptions, arn)
		t.dirty.Delete(bucketSubscriptions, arn)
		if of := t.topics[s.Topic]; of != nil {
			of.Deleted++
			t.mark(of)
		}
		return nil
	})
}

func (t *Topics) getSubscriptionAttributes(_ context.Context, in *subscriptionInput) (*attributesOutput, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s, err := t.subscription(in.SubscriptionArn)
	if err != nil {
		return nil, err
	}
	out := map[string]string{
		"SubscriptionArn": s.ARN, "TopicArn": s.Topic, "Protocol": s.Protocol, "Endpoint": s.Endpoint, "Owner": s.Owner,
		"RawMessageDelivery": "false", "PendingConfirmation": "false", "ConfirmationWasAuthenticated": "true",
		"SubscriptionPrincipal": "arn:aws:iam::" + t.Account + ":user/drydock",
	}
	if !s.Confirmed {
		out["PendingConfirmation"], out["ConfirmationWasAuthenticated"] = "true", "false"
	}
	for name, value := range s.Attributes {
		if value != "" {
			out[name] = value
		}
	}
	if out["FilterPolicy"] != "" && out["FilterPolicyScope"] == "" {
		out["FilterPolicyScope"] = "MessageAttributes"
	}
	return &attributesOutput{Attributes: out}, nil
}

func (t *Topics) setSubscriptionAttributes(_ context.Context, in *setSubscriptionAttributesInput) (*struct{}, error) {
	name, value := aws.ToString(in.AttributeName), aws.ToString(in.AttributeValue)
	return &struct{}{}, t.change(func() error {
		s, err := t.subscription(in.SubscriptionArn)
		if err != nil {
			return err
		}
		if err := checkSubscriptionAttribute(s.Protocol, name, value); err != nil {
			return err
		}
		s.Attributes = maps.Clone(s.Attributes)
		s.Attributes[name] = value
		t.markSubscription(s)
		return nil
	})
}

func (t *Topics) shown(of func(*subscription) bool, token *string) (*listSubscriptionsOutput, error) {
	var found []*subscription
	for _, s := range t.subscriptions {
		if of(s) {
			found = append(found, s)
		}
	}
	found, next, err := paged(found, func(s *subscription) string { return s.ARN }, token)
	out := &listSubscriptionsOutput{Subscriptions: []shownSubscription{}, NextToken: next}
	for _, s := range found {
		out.Subscriptions = append(out.Subscriptions, shownSubscription{
			SubscriptionArn: aws.String(s.shownARN()), Owner: aws.String(s.Owner), Protocol: aws.String(s.Protocol), Endpoint: aws.String(s.Endpoint), TopicArn: aws.String(s.Topic),
		})
	}
	return out, err
}

func (t *Topics) listSubscriptions(_ context.Context, in *listInput) (*listSubscriptionsOutput, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.shown(func(*subscription) bool { return true }, in.NextToken)
}

func (t *Topics) listSubscriptionsByTopic(_ context.Context, in *listSubscriptionsByTopicInput) (*listSubscriptionsOutput, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	of, err := t.topic(in.TopicArn)
	if err != nil {
		return nil, err
	}
	return t.shown(func(s *subscription) bool { return s.Topic == of.ARN }, in.NextToken)
}
