package ssm

import (
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/constraint"
)

// The shapes of the API, with the members that these operations read and answer.
// They are not the SDK's: its package ssm has the whole of Systems Manager, and
// building its tables costs every start of the program milliseconds.
// Names and kinds are the SDK's: a pointer is a member that is left out when it
// is nil. The tests compare them.

type parameterType string

const (
	typeString       parameterType = "String"
	typeStringList   parameterType = "StringList"
	typeSecureString parameterType = "SecureString"
)

func (parameterType) values() []parameterType {
	return []parameterType{typeString, typeStringList, typeSecureString}
}

type parameterTier string

const (
	tierStandard    parameterTier = "Standard"
	tierAdvanced    parameterTier = "Advanced"
	tierIntelligent parameterTier = "Intelligent-Tiering"
)

func (parameterTier) values() []parameterTier {
	return []parameterTier{tierStandard, tierAdvanced, tierIntelligent}
}

// resourceType is what of Systems Manager has tags (ResourceType of
// AddTagsToResource in the API reference).
type resourceType string

const resourceParameter resourceType = "Parameter"

func (resourceType) values() []resourceType {
	return []resourceType{
		"Document", "ManagedInstance", "MaintenanceWindow", resourceParameter, "PatchBaseline", "OpsItem", "OpsMetadata",
		"Automation", "Association", "CloudConnector",
	}
}

type tag = constraint.Tag

// shownParameter is Parameter in the API reference; [parameter] is the record.
type shownParameter struct {
	ARN              *string
	DataType         *string
	LastModifiedDate *time.Time
	Name             *string
	Selector         *string
	Type             parameterType
	Value            *string
	Version          int64
}

type parameterHistory struct {
	AllowedPattern   *string
	DataType         *string
	Description      *string
	KeyId            *string
	Labels           []string
	LastModifiedDate *time.Time
	Name             *string
	Policies         []inlinePolicy
	Tier             parameterTier
	Type             parameterType
	Value            *string
	Version          int64
}

type parameterMetadata struct {
	ARN              *string
	AllowedPattern   *string
	DataType         *string
	Description      *string
	KeyId            *string
	LastModifiedDate *time.Time
	Name             *string
	Policies         []inlinePolicy
	Tier             parameterTier
	Type             parameterType
	Version          int64
}

// inlinePolicy is ParameterInlinePolicy in the API reference. Lists of them are
// empty: there are no policies.
type inlinePolicy struct{}

// stringFilter is ParameterStringFilter in the API reference.
type stringFilter struct {
	Key    *string
	Option *string
	Values []string
}

// nameFilter is ParametersFilter in the API reference, the older form.
type nameFilter struct {
	Key    string
	Values []string
}

type addTagsToResourceInput struct {
	ResourceId   *string
	ResourceType resourceType
	Tags         []tag
}

type addTagsToResourceOutput struct{}

type deleteParameterInput struct{ Name *string }

type deleteParameterOutput struct{}

type deleteParametersInput struct{ Names []string }

type deleteParametersOutput struct {
	DeletedParameters []string
	InvalidParameters []string
}

type describeParametersInput struct {
	Filters          []nameFilter
	MaxResults       *int32
	NextToken        *string
	ParameterFilters []stringFilter
	Shared           *bool
}

type describeParametersOutput struct {
	NextToken  *string
	Parameters []parameterMetadata
}

type getParameterInput struct {
	Name           *string
	WithDecryption *bool
}

type getParameterOutput struct{ Parameter *shownParameter }

type getParameterHistoryInput struct {
	Name           *string
	MaxResults     *int32
	NextToken      *string
	WithDecryption *bool
}

type getParameterHistoryOutput struct {
	NextToken  *string
	Parameters []parameterHistory
}

type getParametersInput struct {
	Names          []string
	WithDecryption *bool
}

type getParametersOutput struct {
	InvalidParameters []string
	Parameters        []shownParameter
}

type getParametersByPathInput struct {
	Path             *string
	MaxResults       *int32
	NextToken        *string
	ParameterFilters []stringFilter
	Recursive        *bool
	WithDecryption   *bool
}

type getParametersByPathOutput struct {
	NextToken  *string
	Parameters []shownParameter
}

type labelParameterVersionInput struct {
	Labels           []string
	Name             *string
	ParameterVersion *int64
}

type labelParameterVersionOutput struct {
	InvalidLabels    []string
	ParameterVersion int64
}

type listTagsForResourceInput struct {
	ResourceId   *string
	ResourceType resourceType
}

type listTagsForResourceOutput struct{ TagList []tag }

type putParameterInput struct {
	Name           *string
	Value          *string
	AllowedPattern *string
	DataType       *string
	Description    *string
	KeyId          *string
	Overwrite      *bool
	Policies       *string
	Tags           []tag
	Tier           parameterTier
	Type           parameterType
}

type putParameterOutput struct {
	Tier    parameterTier
	Version int64
}

type removeTagsFromResourceInput struct {
	ResourceId   *string
	ResourceType resourceType
	TagKeys      []string
}

type removeTagsFromResourceOutput struct{}

type unlabelParameterVersionInput struct {
	Labels           []string
	Name             *string
	ParameterVersion *int64
}

type unlabelParameterVersionOutput struct {
	InvalidLabels []string
	RemovedLabels []string
}
