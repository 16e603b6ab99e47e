package scheduler

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

type scheduleState string

const (
	stateEnabled  scheduleState = "ENABLED"
	stateDisabled scheduleState = "DISABLED"
)

type afterCompletion string

const (
	afterNone   afterCompletion = "NONE"
	afterDelete afterCompletion = "DELETE"
)

type windowMode string

const (
	windowOff      windowMode = "OFF"
	windowFlexible windowMode = "FLEXIBLE"
)

type window struct {
	Mode                   windowMode
	MaximumWindowInMinutes *int32
}

type deadLetterConfig struct{ Arn *string }

type retryPolicy struct {
	MaximumEventAgeInSeconds *int32
	MaximumRetryAttempts     *int32
}

type sqsParameters struct{ MessageGroupId *string }

// target is Target in the API reference. Parameters of services that drydock does not
// deliver to are kept as they are.
type target struct {
	Arn              *string
	RoleArn          *string
	Input            *string
	EcsParameters    *delivery.Tasks
	DeadLetterConfig *deadLetterConfig
	RetryPolicy      *retryPolicy
	SqsParameters    *sqsParameters

	EventBridgeParameters       json.RawMessage `json:",omitempty"`
	KinesisParameters           json.RawMessage `json:",omitempty"`
	SageMakerPipelineParameters json.RawMessage `json:",omitempty"`
}

// settings is what of a schedule can be set.
type settings struct {
	ActionAfterCompletion      afterCompletion
	Description                *string
	EndDate                    *time.Time
	FlexibleTimeWindow         *window
	KmsKeyArn                  *string
	ScheduleExpression         *string
	ScheduleExpressionTimezone *string
	StartDate                  *time.Time
	State                      scheduleState
	Target                     *target
}

// putScheduleInput is CreateSchedule and UpdateSchedule.
type putScheduleInput struct {
	Name        *string
	GroupName   *string
	ClientToken *string

	ActionAfterCompletion      afterCompletion
	Description                *string
	EndDate                    *time.Time
	FlexibleTimeWindow         *window
	KmsKeyArn                  *string
	ScheduleExpression         *string
	ScheduleExpressionTimezone *string
	StartDate                  *time.Time
	State                      scheduleState
	Target                     *target
}

func (in *putScheduleInput) settings() settings {
	return settings{
		in.ActionAfterCompletion, in.Description, in.EndDate, in.FlexibleTimeWindow, in.KmsKeyArn,
		in.ScheduleExpression, in.ScheduleExpressionTimezone, in.StartDate, in.State, in.Target,
	}
}

type putScheduleOutput struct{ ScheduleArn *string }

type scheduleInput struct {
	Name        *string
	GroupName   *string
	ClientToken *string
}

type getScheduleOutput struct {
	Arn                  *string
	Name                 *string
	GroupName            *string
	CreationDate         *time.Time
	LastModificationDate *time.Time

	ActionAfterCompletion      afterCompletion
	Description                *string
	EndDate                    *time.Time
	FlexibleTimeWindow         *window
	KmsKeyArn                  *string
	ScheduleExpression         *string
	ScheduleExpressionTimezone *string
	StartDate                  *time.Time
	State                      scheduleState
	Target                     *target
}

type listSchedulesInput struct {
	GroupName  *string
	MaxResults *int32
	NamePrefix *string
	NextToken  *string
	State      scheduleState
}

type listSchedulesOutput struct {
	NextToken *string
	Schedules []scheduleSummary
}

type scheduleSummary struct {
	Arn                  *string
	Name                 *string
	GroupName            *string
	CreationDate         *time.Time
	LastModificationDate *time.Time
	State                scheduleState
	Target               *targetSummary
}

type targetSummary struct{ Arn *string }

type groupInput struct {
	Name        *string
	ClientToken *string
	Tags        []tag
}

type createGroupOutput struct{ ScheduleGroupArn *string }

type shownGroup struct {
	Arn                  *string
	Name                 *string
	State                string
	CreationDate         *time.Time
	LastModificationDate *time.Time
}

type listGroupsInput struct {
	MaxResults *int32
	NamePrefix *string
	NextToken  *string
}

type listGroupsOutput struct {
	NextToken      *string
	ScheduleGroups []shownGroup
}

type tagsInput struct {
	ResourceArn *string
	Tags        []tag
	TagKeys     []string
}

type listTagsOutput struct{ Tags []tag }
