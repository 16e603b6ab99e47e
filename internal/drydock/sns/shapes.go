package sns

import "github.com/plimsoll-ecs/plimsoll/internal/drydock/sqs"

// The shapes of the API, with the members that these operations read and answer.
// They are not the SDK's, which the rest of the program has no use for: its tables
// would cost every start of the binary.

type topicInput struct{ TopicArn *string }

type tag struct{ Key, Value *string }

type createTopicInput struct {
	Name       *string
	Attributes map[string]string
	Tags       []tag
}

type createTopicOutput struct{ TopicArn *string }

type attributesOutput struct{ Attributes map[string]string }

type setTopicAttributesInput struct {
	TopicArn       *string
	AttributeName  *string
	AttributeValue *string
}

type listInput struct{ NextToken *string }

type listTopicsOutput struct {
	Topics    []createTopicOutput
	NextToken *string
}

type subscribeInput struct {
	TopicArn              *string
	Protocol              *string
	Endpoint              *string
	Attributes            map[string]string
	ReturnSubscriptionArn *bool
}

type subscribeOutput struct{ SubscriptionArn *string }

type subscriptionInput struct{ SubscriptionArn *string }

type setSubscriptionAttributesInput struct {
	SubscriptionArn *string
	AttributeName   *string
	AttributeValue  *string
}

type listSubscriptionsByTopicInput struct {
	TopicArn  *string
	NextToken *string
}

type listSubscriptionsOutput struct {
	Subscriptions []shownSubscription
	NextToken     *string
}

// shownSubscription is Subscription in the API reference; [subscription] is the record.
type shownSubscription struct {
	SubscriptionArn *string
	Owner           *string
	Protocol        *string
	Endpoint        *string
	TopicArn        *string
}

type publishInput struct {
	TopicArn          *string
	TargetArn         *string
	PhoneNumber       *string
	Message           *string
	Subject           *string
	MessageStructure  *string
	MessageAttributes map[string]sqs.Attribute
}

type publishOutput struct{ MessageId *string }

type publishBatchInput struct {
	TopicArn                   *string
	PublishBatchRequestEntries []publishEntry
}

type publishEntry struct {
	Id                *string
	Message           *string
	Subject           *string
	MessageStructure  *string
	MessageAttributes map[string]sqs.Attribute
}

type publishBatchOutput struct {
	Successful []publishResult
	Failed     []publishError
}

type publishResult struct{ Id, MessageId *string }

type publishError struct {
	Id          *string
	Code        *string
	Message     *string
	SenderFault bool
}

type resourceInput struct{ ResourceArn *string }

type tagResourceInput struct {
	ResourceArn *string
	Tags        []tag
}

type untagResourceInput struct {
	ResourceArn *string
	TagKeys     []string
}

type listTagsForResourceOutput struct{ Tags []tag }
