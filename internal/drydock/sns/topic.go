package sns

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/iam/policy"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/listing"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

func (t *Topics) arn(name string) string {
	return "arn:aws:sns:" + t.Region + ":" + t.Account + ":" + name
}

func isName(name string) bool {
	other := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	}
	return name != "" && len(name) <= 256 && !strings.ContainsFunc(name, other)
}

// checkTopicAttribute holds an attribute to the rules of SetTopicAttributes.
func checkTopicAttribute(name, value string) error {
	switch name {
	case "Policy":
		if _, err := policy.Parse(value, policy.Resource); err != nil {
			return invalid("Policy Error: null")
		}
	case "DeliveryPolicy":
		if value != "" && !json.Valid([]byte(value)) {
			return invalid("DeliveryPolicy: failed to parse JSON.")
		}
	case "FifoTopic":
		if value != "false" {
			return invalid("drydock has standard topics only")
		}
	case "DisplayName", "KmsMasterKeyId", "TracingConfig", "SignatureVersion", "ContentBasedDeduplication", "ArchivePolicy":
	default:
		for _, protocol := range []string{"HTTP", "Firehose", "Lambda", "Application", "SQS"} { // SQSSuccessFeedbackRoleArn and its like
			if strings.HasPrefix(name, protocol) && strings.Contains(name, "Feedback") {
				return nil
			}
		}
		return invalid("AttributeName")
	}
	return nil
}

// createTopic answers with the topic of that name when there is one.
func (t *Topics) createTopic(_ context.Context, in *createTopicInput) (*createTopicOutput, error) {
	name := aws.ToString(in.Name)
	if !isName(name) {
		return nil, invalid("Topic Name")
	}
	for _, attribute := range slices.Sorted(maps.Keys(in.Attributes)) {
		if err := checkTopicAttribute(attribute, in.Attributes[attribute]); err != nil {
			return nil, err
		}
	}
	tags, err := merge(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	arn := t.arn(name)
	return &createTopicOutput{TopicArn: &arn}, t.change(func() error {
		if old := t.topics[arn]; old != nil {
			if len(tags) > 0 && !maps.Equal(tags, old.Tags) {
				return invalid("Tags Reason: Topic already exists with different tags")
			}
			for attribute, value := range in.Attributes {
				if old.Attributes[attribute] != value {
					return invalid("Attributes Reason: Topic already exists with different attributes")
				}
			}
			return nil
		}
		of := &topic{Name: name, ARN: arn, Attributes: map[string]string{}, Tags: tags}
		maps.Copy(of.Attributes, in.Attributes)
		t.topics[arn] = of
		t.mark(of)
		return nil
	})
}

func (t *Topics) mark(of *topic) { t.dirty.Put(bucketTopics, of.ARN, of) }

// deleteTopic ends the topic's subscriptions too. It is no error when there is none.
func (t *Topics) deleteTopic(_ context.Context, in *topicInput) (*struct{}, error) {
	if !strings.HasPrefix(aws.ToString(in.TopicArn), "arn:aws:sns:") {
		return nil, invalid("TopicArn")
	}
	return &struct{}{}, t.change(func() error {
		for arn, s := range t.subscriptions {
			if s.Topic == *in.TopicArn {
				delete(t.subscriptions, arn)
				t.dirty.Delete(bucketSubscriptions, arn)
			}
		}
		if t.topics[*in.TopicArn] != nil {
			delete(t.topics, *in.TopicArn)
			t.dirty.Delete(bucketTopics, *in.TopicArn)
		}
		return nil
	})
}

// policy is a topic's own, or the one that SNS gives every topic: the account may do
// everything, and no service of AWS may publish.
func (t *Topics) policy(of *topic) string {
	if own := of.Attributes["Policy"]; own != "" {
		return own
	}
	return fmt.Sprintf(`{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID","Effect":"Allow","Principal":{"AWS":"*"},`+
		`"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes","SNS:AddPermission","SNS:RemovePermission","SNS:DeleteTopic","SNS:Subscribe","SNS:ListSubscriptionsByTopic","SNS:Publish"],`+
		`"Resource":"%s","Condition":{"StringEquals":{"AWS:SourceOwner":"%s"}}}]}`, of.ARN, t.Account)
}

// usualDelivery is how SNS retries http endpoints unless it is told otherwise.
const usualDelivery = `{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}`

func (t *Topics) getTopicAttributes(_ context.Context, in *topicInput) (*attributesOutput, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	of, err := t.topic(in.TopicArn)
	if err != nil {
		return nil, err
	}
	confirmed, pending := 0, 0
	for _, s := range t.subscriptions {
		switch {
		case s.Topic != of.ARN:
		case s.Confirmed:
			confirmed++
		default:
			pending++
		}
	}
	out := map[string]string{
		"TopicArn": of.ARN, "Owner": t.Account, "DisplayName": "", "EffectiveDeliveryPolicy": usualDelivery, "Policy": t.policy(of),
		"SubscriptionsConfirmed": fmt.Sprint(confirmed), "SubscriptionsPending": fmt.Sprint(pending), "SubscriptionsDeleted": fmt.Sprint(of.Deleted),
	}
	for name, value := range of.Attributes {
		if value != "" {
			out[name] = value
		}
	}
	if own := of.Attributes["DeliveryPolicy"]; own != "" {
		out["EffectiveDeliveryPolicy"] = own
	}
	delete(out, "FifoTopic") // standard topics have none
	return &attributesOutput{Attributes: out}, nil
}

func (t *Topics) setTopicAttributes(_ context.Context, in *setTopicAttributesInput) (*struct{}, error) {
	name, value := aws.ToString(in.AttributeName), aws.ToString(in.AttributeValue)
	return &struct{}{}, t.change(func() error {
		of, err := t.topic(in.TopicArn)
		if err != nil {
			return err
		}
		if err := checkTopicAttribute(name, value); err != nil {
			return err
		}
		of.Attributes = maps.Clone(of.Attributes)
		of.Attributes[name] = value
		t.mark(of)
		return nil
	})
}

// pageSize is how many topics or subscriptions one page lists.
const pageSize = 100

func paged[T any](items []T, key func(T) string, token *string) ([]T, *string, error) {
	items, next, ok := listing.Page(items, key, listing.Ascending, token, pageSize)
	if !ok {
		return nil, nil, invalid("NextToken")
	}
	return items, next, nil
}

func (t *Topics) listTopics(_ context.Context, in *listInput) (*listTopicsOutput, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	arns, next, err := paged(slices.Collect(maps.Keys(t.topics)), func(arn string) string { return arn }, in.NextToken)
	out := &listTopicsOutput{Topics: []createTopicOutput{}, NextToken: next}
	for _, arn := range arns {
		out.Topics = append(out.Topics, createTopicOutput{TopicArn: &arn})
	}
	return out, err
}

// maxTags is the most tags of a topic.
const maxTags = 50

func merge(old map[string]string, tags []tag) (map[string]string, error) {
	out := map[string]string{}
	maps.Copy(out, old)
	for _, t := range tags {
		key := aws.ToString(t.Key)
		if key == "" || len(key) > 128 || strings.HasPrefix(strings.ToLower(key), "aws:") || len(aws.ToString(t.Value)) > 256 {
			return nil, invalid("Tags Reason: Tag key %q is not valid", key)
		}
		out[key] = aws.ToString(t.Value)
	}
	if len(out) > maxTags {
		return nil, wire.Errorf("TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded")
	}
	return out, nil
}

// tagged is the topic of a request about tags.
func (t *Topics) tagged(arn *string) (*topic, error) {
	of := t.topics[aws.ToString(arn)]
	if of == nil {
		return nil, &wire.Error{Code: "ResourceNotFound", Message: "Resource does not exist", Status: 404}
	}
	return of, nil
}

func (t *Topics) tagResource(_ context.Context, in *tagResourceInput) (*struct{}, error) {
	return &struct{}{}, t.change(func() error {
		of, err := t.tagged(in.ResourceArn)
		if err != nil {
			return err
		}
		tags, err := merge(of.Tags, in.Tags)
		if err != nil {
			return err
		}
		of.Tags = tags
		t.mark(of)
		return nil
	})
}

func (t *Topics) untagResource(_ context.Context, in *untagResourceInput) (*struct{}, error) {
	return &struct{}{}, t.change(func() error {
		of, err := t.tagged(in.ResourceArn)
		if err != nil {
			return err
		}
		for _, key := range in.TagKeys {
			delete(of.Tags, key)
		}
		t.mark(of)
		return nil
	})
}

func (t *Topics) listTagsForResource(_ context.Context, in *resourceInput) (*listTagsForResourceOutput, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	of, err := t.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &listTagsForResourceOutput{Tags: []tag{}}
	for _, key := range slices.Sorted(maps.Keys(of.Tags)) {
		out.Tags = append(out.Tags, tag{Key: &key, Value: aws.String(of.Tags[key])})
	}
	return out, nil
}
