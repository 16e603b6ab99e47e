package delivery

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Tasks is the EcsParameters of a target, which EventBridge and EventBridge
// Scheduler have in common (API references). TaskDefinitionArn may be without a
// revision: the newest one is run each time.
type Tasks struct {
	TaskDefinitionArn        *string
	TaskCount                *int32
	LaunchType               *string
	NetworkConfiguration     *Network
	PlatformVersion          *string
	Group                    *string
	CapacityProviderStrategy []Provider
	EnableECSManagedTags     *bool
	EnableExecuteCommand     *bool
	PlacementConstraints     []Constraint
	PlacementStrategy        []Strategy
	PropagateTags            *string
	ReferenceId              *string
	Tags                     []map[string]string
}

// Network is NetworkConfiguration in the API references.
type Network struct {
	AwsvpcConfiguration *Vpc `wire:"awsvpcConfiguration"`
}

// Vpc is AwsVpcConfiguration in the API references.
type Vpc struct {
	Subnets        []string
	SecurityGroups []string
	AssignPublicIp *string
}

// Provider is CapacityProviderStrategyItem in the API references.
type Provider struct {
	CapacityProvider *string `wire:"capacityProvider"`
	Weight           *int32  `wire:"weight"`
	Base             *int32  `wire:"base"`
}

// Constraint is PlacementConstraint in the API references.
type Constraint struct {
	Type       *string `wire:"type"`
	Expression *string `wire:"expression"`
}

// Strategy is PlacementStrategy in the API references.
type Strategy struct {
	Type  *string `wire:"type"`
	Field *string `wire:"field"`
}

// Check says what of the parameters is wrong, "" for nothing.
func (t *Tasks) Check() string {
	definition := aws.ToString(t.TaskDefinitionArn)
	switch {
	case !strings.HasPrefix(definition, "arn:aws:ecs:") || !strings.Contains(definition, ":task-definition/"):
		return fmt.Sprintf("TaskDefinitionArn %s is not the ARN of a task definition", definition)
	case t.TaskCount != nil && *t.TaskCount < 1:
		return "TaskCount must be at least 1"
	case t.LaunchType != nil && *t.LaunchType != "EC2" && *t.LaunchType != "FARGATE" && *t.LaunchType != "EXTERNAL":
		return "LaunchType must be one of EC2, FARGATE and EXTERNAL"
	case t.LaunchType != nil && len(t.CapacityProviderStrategy) > 0:
		return "LaunchType and CapacityProviderStrategy exclude each other"
	}
	return ""
}

// definition is what RunTask takes for the task definition: a family, whose newest
// revision is meant, or an ARN with a revision.
func (t *Tasks) definition() string {
	arn := aws.ToString(t.TaskDefinitionArn)
	_, name, _ := strings.Cut(arn, ":task-definition/")
	if strings.Contains(name, ":") {
		return arn
	}
	return name
}

// longestStartedBy is what ECS keeps of who started a task (observed, of tasks that
// EventBridge starts).
const longestStartedBy = 36

// request is a RunTask, with its members as ECS names them.
func (t *Tasks) request(cluster, startedBy, input string) (map[string]any, error) {
	overrides, err := overridesOf(input)
	if err != nil {
		return nil, err
	}
	in := map[string]any{"cluster": cluster, "taskDefinition": t.definition(), "startedBy": startedBy[:min(len(startedBy), longestStartedBy)]}
	put(in, "count", t.TaskCount)
	put(in, "launchType", t.LaunchType)
	put(in, "platformVersion", t.PlatformVersion)
	put(in, "group", t.Group)
	put(in, "enableECSManagedTags", t.EnableECSManagedTags)
	put(in, "enableExecuteCommand", t.EnableExecuteCommand)
	put(in, "propagateTags", t.PropagateTags)
	put(in, "referenceId", t.ReferenceId)
	if t.NetworkConfiguration != nil && t.NetworkConfiguration.AwsvpcConfiguration != nil {
		// ECS has the members of it in lower case, and so has [wire.Encode].
		vpc, err := wire.Encode(t.NetworkConfiguration.AwsvpcConfiguration)
		if err != nil {
			return nil, err
		}
		in["networkConfiguration"] = map[string]any{"awsvpcConfiguration": json.RawMessage(vpc)}
	}
	for name, list := range map[string]any{
		"capacityProviderStrategy": t.CapacityProviderStrategy, "placementConstraints": t.PlacementConstraints, "placementStrategy": t.PlacementStrategy,
	} {
		doc, err := wire.Encode(list)
		if err != nil {
			return nil, err
		}
		if string(doc) != "[]" {
			in[name] = json.RawMessage(doc)
		}
	}
	if overrides != nil {
		in["overrides"] = overrides
	}
	if tags := t.tags(); tags != nil {
		in["tags"] = tags
	}
	return in, nil
}

// tags are those of the tasks as ECS has them; the two services differ in case.
func (t *Tasks) tags() []map[string]string {
	var out []map[string]string
	for _, tag := range t.Tags {
		lower := map[string]string{}
		for name, v := range tag {
			lower[strings.ToLower(name)] = v
		}
		out = append(out, lower)
	}
	return out
}

func put[T any](in map[string]any, name string, value *T) {
	if value != nil {
		in[name] = *value
	}
}
