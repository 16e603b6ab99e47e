package eventbridge

import (
	"encoding/json"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/constraint"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/delivery"
)

// The shapes of the API, with the members that these operations read and answer. They
// are not the SDK's, which the rest of the program has no use for: its tables would cost
// every start of the binary. A pointer is a member that is left out when it is nil.

type tag = constraint.Tag

type ruleState string

const (
	stateEnabled  ruleState = "ENABLED"
	stateDisabled ruleState = "DISABLED"
	// stateAll takes CloudTrail's events of read-only calls too: drydock has none.
	stateAll ruleState = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
)

// target is Target in the API reference. Parameters of services that drydock does not
// deliver to are kept as they are.
type target struct {
	Id                *string
	Arn               *string
	RoleArn           *string
	Input             *string
	InputPath         *string
	InputTransformer  *inputTransformer
	EcsParameters     *delivery.Tasks
	DeadLetterConfig  *deadLetterConfig
	RetryPolicy       *retryPolicy
	SqsParameters     *sqsParameters
	KinesisParameters json.RawMessage `json:",omitempty"`

	RunCommandParameters        json.RawMessage `json:",omitempty"`
	BatchParameters             json.RawMessage `json:",omitempty"`
	HttpParameters              json.RawMessage `json:",omitempty"`
	RedshiftDataParameters      json.RawMessage `json:",omitempty"`
	SageMakerPipelineParameters json.RawMessage `json:",omitempty"`
	AppSyncParameters           json.RawMessage `json:",omitempty"`
}

type inputTransformer struct {
	InputPathsMap map[string]string
	InputTemplate *string
}

type deadLetterConfig struct{ Arn *string }

type retryPolicy struct {
	MaximumRetryAttempts     *int32
	MaximumEventAgeInSeconds *int32
}

type sqsParameters struct{ MessageGroupId *string }

type createEventBusInput struct {
	Name             *string
	EventSourceName  *string
	Description      *string
	KmsKeyIdentifier *string
	Tags             []tag
}

type createEventBusOutput struct {
	EventBusArn *string
	Description *string
}

type nameInput struct{ Name *string }

// shownBus is EventBus in the API reference; [bus] is the record.
type shownBus struct {
	Name             *string
	Arn              *string
	Description      *string
	CreationTime     *time.Time
	LastModifiedTime *time.Time
}

type listEventBusesInput struct {
	NamePrefix *string
	NextToken  *string
	Limit      *int32
}

type listEventBusesOutput struct {
	EventBuses []shownBus
	NextToken  *string
}

type putRuleInput struct {
	Name               *string
	ScheduleExpression *string
	EventPattern       *string
	State              ruleState
	Description        *string
	RoleArn            *string
	Tags               []tag
	EventBusName       *string
}

type putRuleOutput struct{ RuleArn *string }

type ruleInput struct {
	Name         *string
	EventBusName *string
	Force        *bool
}

// shownRule is Rule in the API reference, and the answer of DescribeRule; [rule] is the
// record.
type shownRule struct {
	Name               *string
	Arn                *string
	EventPattern       *string
	State              ruleState
	Description        *string
	ScheduleExpression *string
	RoleArn            *string
	EventBusName       *string
	CreatedBy          *string
}

type listRulesInput struct {
	NamePrefix   *string
	EventBusName *string
	NextToken    *string
	Limit        *int32
}

type listRulesOutput struct {
	Rules     []shownRule
	NextToken *string
}

type putTargetsInput struct {
	Rule         *string
	EventBusName *string
	Targets      []target
}

type failedEntry struct {
	TargetId     *string
	ErrorCode    *string
	ErrorMessage *string
}

type targetsOutput struct {
	FailedEntryCount int32
	FailedEntries    []failedEntry
}

type removeTargetsInput struct {
	Rule         *string
	EventBusName *string
	Ids          []string
	Force        *bool
}

type listTargetsByRuleInput struct {
	Rule         *string
	EventBusName *string
	NextToken    *string
	Limit        *int32
}

type listTargetsByRuleOutput struct {
	Targets   []target
	NextToken *string
}

type listRuleNamesByTargetInput struct {
	TargetArn    *string
	EventBusName *string
	NextToken    *string
	Limit        *int32
}

type listRuleNamesByTargetOutput struct {
	RuleNames []string
	NextToken *string
}

type putEventsInput struct{ Entries []putEventsEntry }

type putEventsEntry struct {
	Time         *time.Time
	Source       *string
	Resources    []string
	DetailType   *string
	Detail       *string
	EventBusName *string
	TraceHeader  *string
}

type putEventsOutput struct {
	FailedEntryCount int32
	Entries          []putEventsResult
}

type putEventsResult struct {
	EventId      *string
	ErrorCode    *string
	ErrorMessage *string
}

type testEventPatternInput struct {
	EventPattern *string
	Event        *string
}

type testEventPatternOutput struct{ Result bool }

type resourceInput struct {
	ResourceARN *string
}

type tagResourceInput struct {
	ResourceARN *string
	Tags        []tag
}

type untagResourceInput struct {
	ResourceARN *string
	TagKeys     []string
}

type listTagsForResourceOutput struct{ Tags []tag }
