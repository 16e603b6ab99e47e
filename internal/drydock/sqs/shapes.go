package sqs

// The shapes of the API, with the members that these operations read and answer.
// They are not the SDK's, which the rest of the program has no use for: its tables
// would cost every start of the binary. A pointer is a member that is left out when
// it is nil.

type queueInput struct{ QueueUrl *string }

type createQueueInput struct {
	QueueName  *string
	Attributes map[string]string
	Tags       map[string]string `wire:"tags"`
}

type createQueueOutput struct{ QueueUrl *string }

type getQueueURLInput struct {
	QueueName              *string
	QueueOwnerAWSAccountId *string
}

type listQueuesInput struct {
	QueueNamePrefix *string
	NextToken       *string
	MaxResults      *int32
}

type listQueuesOutput struct {
	QueueUrls []string
	NextToken *string
}

type listDeadLetterSourceQueuesInput struct {
	QueueUrl   *string
	NextToken  *string
	MaxResults *int32
}

type listDeadLetterSourceQueuesOutput struct {
	QueueUrls []string `wire:"queueUrls"`
	NextToken *string
}

type getQueueAttributesInput struct {
	QueueUrl       *string
	AttributeNames []string
}

type getQueueAttributesOutput struct{ Attributes map[string]string }

type setQueueAttributesInput struct {
	QueueUrl   *string
	Attributes map[string]string
}

type tagQueueInput struct {
	QueueUrl *string
	Tags     map[string]string
}

type untagQueueInput struct {
	QueueUrl *string
	TagKeys  []string
}

type listQueueTagsOutput struct{ Tags map[string]string }

type sendMessageInput struct {
	QueueUrl                *string
	MessageBody             *string
	DelaySeconds            *int32
	MessageAttributes       map[string]Attribute
	MessageSystemAttributes map[string]Attribute
	MessageDeduplicationId  *string
	MessageGroupId          *string
}

type sendMessageOutput struct {
	MD5OfMessageBody       *string
	MD5OfMessageAttributes *string
	MessageId              *string
}

type sendMessageBatchInput struct {
	QueueUrl *string
	Entries  []sendEntry
}

type sendEntry struct {
	Id                      *string
	MessageBody             *string
	DelaySeconds            *int32
	MessageAttributes       map[string]Attribute
	MessageSystemAttributes map[string]Attribute
	MessageDeduplicationId  *string
	MessageGroupId          *string
}

type batchOutput struct {
	Successful []batchResult
	Failed     []batchError
}

type batchResult struct {
	Id                     *string
	MessageId              *string
	MD5OfMessageBody       *string
	MD5OfMessageAttributes *string
}

type batchError struct {
	Id          *string
	SenderFault bool
	Code        *string
	Message     *string
}

type receiveMessageInput struct {
	QueueUrl                    *string
	AttributeNames              []string
	MessageSystemAttributeNames []string
	MessageAttributeNames       []string
	MaxNumberOfMessages         *int32
	VisibilityTimeout           *int32
	WaitTimeSeconds             *int32
}

type receiveMessageOutput struct{ Messages []shownMessage }

// shownMessage is Message in the API reference; [message] is the record.
type shownMessage struct {
	MessageId              *string
	ReceiptHandle          *string
	MD5OfBody              *string
	Body                   *string
	Attributes             map[string]string
	MD5OfMessageAttributes *string
	MessageAttributes      map[string]Attribute
}

type deleteMessageInput struct {
	QueueUrl      *string
	ReceiptHandle *string
}

type deleteMessageBatchInput struct {
	QueueUrl *string
	Entries  []deleteEntry
}

type deleteEntry struct {
	Id            *string
	ReceiptHandle *string
}

type changeMessageVisibilityInput struct {
	QueueUrl          *string
	ReceiptHandle     *string
	VisibilityTimeout *int32
}

type changeMessageVisibilityBatchInput struct {
	QueueUrl *string
	Entries  []visibilityEntry
}

type visibilityEntry struct {
	Id                *string
	ReceiptHandle     *string
	VisibilityTimeout *int32
}
