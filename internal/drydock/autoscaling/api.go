package autoscaling

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	aas "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/identifier"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/listing"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Service is the table of operations.
func (s *Scaler) Service() wire.Service {
	return wire.Service{
		Name:   "Application Auto Scaling",
		Target: "AnyScaleFrontendService",
		Operations: map[string]wire.Operation{
			"RegisterScalableTarget":    wire.Capitalized(s.registerScalableTarget),
			"DescribeScalableTargets":   wire.Capitalized(s.describeScalableTargets),
			"DeregisterScalableTarget":  wire.Capitalized(s.deregisterScalableTarget),
			"PutScalingPolicy":          wire.Capitalized(s.putScalingPolicy),
			"DescribeScalingPolicies":   wire.Capitalized(s.describeScalingPolicies),
			"DeleteScalingPolicy":       wire.Capitalized(s.deleteScalingPolicy),
			"PutScheduledAction":        wire.Capitalized(s.putScheduledAction),
			"DescribeScheduledActions":  wire.Capitalized(s.describeScheduledActions),
			"DeleteScheduledAction":     wire.Capitalized(s.deleteScheduledAction),
			"DescribeScalingActivities": wire.Capitalized(s.describeScalingActivities),
			"TagResource":               wire.Capitalized(s.tagResource),
			"UntagResource":             wire.Capitalized(s.untagResource),
			"ListTagsForResource":       wire.Capitalized(s.listTagsForResource),
		},
	}
}

func invalid(format string, args ...any) error {
	return wire.Errorf("ValidationException", format, args...)
}

// checkTarget refuses what is not the desired count of an ECS service.
func checkTarget(namespace types.ServiceNamespace, id *string, dimension types.ScalableDimension) error {
	if err := checkNamespace(namespace); err != nil {
		return err
	}
	if dimension != types.ScalableDimensionECSServiceDesiredCount {
		return invalid("Unsupported service namespace, resource type or scalable dimension")
	}
	if _, _, ok := parseResource(aws.ToString(id)); !ok || len(*id) > 1600 {
		return invalid("Unsupported service namespace, resource type or scalable dimension")
	}
	return nil
}

func checkNamespace(namespace types.ServiceNamespace) error {
	switch {
	case namespace == types.ServiceNamespaceEcs:
		return nil
	case namespace == "":
		return invalid("1 validation error detected: Value null at 'serviceNamespace' failed to satisfy constraint: Member must not be null")
	case slices.Contains(namespace.Values(), namespace):
		return invalid("The service namespace %s is not supported by drydock.", namespace)
	}
	return invalid("1 validation error detected: Value '%s' at 'serviceNamespace' failed to satisfy constraint: Member must satisfy enum value set", namespace)
}

// checkFilter is checkNamespace for a list: a dimension needs a resource.
func checkFilter(namespace types.ServiceNamespace, dimension types.ScalableDimension, hasResource bool) error {
	if err := checkNamespace(namespace); err != nil {
		return err
	}
	if dimension != "" && !hasResource {
		return invalid("If you specify a scalable dimension, you must also specify a resource ID")
	}
	if dimension != "" && !slices.Contains(dimension.Values(), dimension) {
		return invalid("1 validation error detected: Value '%s' at 'scalableDimension' failed to satisfy constraint: Member must satisfy enum value set", dimension)
	}
	return nil
}

func notFound(what string, id string) error {
	return wire.Errorf("ObjectNotFoundException", "No %s found for service namespace: ecs, resource ID: %s, scalable dimension: ecs:service:DesiredCount", what, id)
}

func (s *Scaler) target(id string) (*target, error) {
	t := s.targets[id]
	if t == nil {
		return nil, wire.Errorf("ObjectNotFoundException", "No scalable target registered for service namespace: ecs, resource ID: %s, scalable dimension: ecs:service:DesiredCount", id)
	}
	return t, nil
}

// registerScalableTarget registers a target, or changes what is given of one,
// and brings the desired count into its range in either case (API reference).
func (s *Scaler) registerScalableTarget(_ context.Context, in *aas.RegisterScalableTargetInput) (*aas.RegisterScalableTargetOutput, error) {
	if err := checkTarget(in.ServiceNamespace, in.ResourceId, in.ScalableDimension); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	out := &aas.RegisterScalableTargetOutput{}
	return out, s.change(func(now time.Time) error {
		id := *in.ResourceId
		cluster, service, _ := parseResource(id)
		if _, _, ok := s.Services.Capacity(cluster, service); !ok {
			return invalid("ECS service doesn't exist: %s", id)
		}
		old := s.targets[id]
		info := types.ScalableTarget{
			ServiceNamespace: in.ServiceNamespace, ResourceId: in.ResourceId, ScalableDimension: in.ScalableDimension, CreationTime: &now, SuspendedState: &types.SuspendedState{},
			RoleARN: aws.String("arn:aws:iam::" + s.Account + ":role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService"),
		}
		if old != nil {
			if len(in.Tags) > 0 {
				return invalid("Tags can only be given to a new scalable target. Use TagResource to tag one that is registered.")
			}
			info = old.Info
		} else if in.MinCapacity == nil || in.MaxCapacity == nil {
			return invalid("Both minimum capacity and maximum capacity must be provided to register a new scalable target")
		}
		info.MinCapacity, info.MaxCapacity = cmp.Or(in.MinCapacity, info.MinCapacity), cmp.Or(in.MaxCapacity, info.MaxCapacity)
		if err := checkRange(info.MinCapacity, info.MaxCapacity); err != nil {
			return err
		}
		suspended := suspend(*info.SuspendedState, in.SuspendedState)
		info.SuspendedState = &suspended
		if old == nil {
			info.ScalableTargetARN = aws.String("arn:aws:application-autoscaling:" + s.Region + ":" + s.Account + ":scalable-target/" + strings.ReplaceAll(identifier.UUID(s.rand), "-", ""))
			old = &target{Tags: maps.Clone(in.Tags)}
			s.targets[id] = old
		}
		old.Info = info
		s.clamp(old, "", now)
		out.ScalableTargetARN = info.ScalableTargetARN
		return nil
	})
}

// suspend lays what is given of a suspended state over the present one; all of
// it is shown, false where nothing was said.
func suspend(now types.SuspendedState, given *types.SuspendedState) types.SuspendedState {
	if given == nil {
		given = &types.SuspendedState{}
	}
	return types.SuspendedState{
		DynamicScalingInSuspended:  cmp.Or(given.DynamicScalingInSuspended, now.DynamicScalingInSuspended, aws.Bool(false)),
		DynamicScalingOutSuspended: cmp.Or(given.DynamicScalingOutSuspended, now.DynamicScalingOutSuspended, aws.Bool(false)),
		ScheduledScalingSuspended:  cmp.Or(given.ScheduledScalingSuspended, now.ScheduledScalingSuspended, aws.Bool(false)),
	}
}

// checkRange holds what is given of a range to its order.
func checkRange(least, most *int32) error {
	if least != nil && *least < 0 || most != nil && *most < 0 {
		return invalid("Minimum capacity and maximum capacity must be equal to or greater than 0")
	}
	if least != nil && most != nil && *most < *least {
		return invalid("Maximum capacity cannot be less than minimum capacity")
	}
	return nil
}

func (s *Scaler) describeScalableTargets(_ context.Context, in *aas.DescribeScalableTargetsInput) (*aas.DescribeScalableTargetsOutput, error) {
	if err := checkFilter(in.ServiceNamespace, in.ScalableDimension, len(in.ResourceIds) > 0); err != nil {
		return nil, err
	}
	out := &aas.DescribeScalableTargetsOutput{ScalableTargets: []types.ScalableTarget{}}
	return out, s.change(func(time.Time) error {
		wanted := func(key string) bool {
			return (len(in.ResourceIds) == 0 || slices.Contains(in.ResourceIds, key)) && fits(in.ScalableDimension, s.targets[key].Info.ScalableDimension)
		}
		keys, next, err := page(s.targets, wanted, listing.Ascending, in.MaxResults, in.NextToken)
		for _, key := range keys {
			out.ScalableTargets = append(out.ScalableTargets, s.targets[key].Info)
		}
		out.NextToken = next
		return err
	})
}

func fits(wanted, is types.ScalableDimension) bool { return wanted == "" || wanted == is }

// deregisterScalableTarget takes a target with its policies and scheduled
// actions; the desired count stays.
func (s *Scaler) deregisterScalableTarget(_ context.Context, in *aas.DeregisterScalableTargetInput) (*aas.DeregisterScalableTargetOutput, error) {
	if err := checkTarget(in.ServiceNamespace, in.ResourceId, in.ScalableDimension); err != nil {
		return nil, err
	}
	return &aas.DeregisterScalableTargetOutput{}, s.change(func(time.Time) error {
		id := *in.ResourceId
		if _, err := s.target(id); err != nil {
			return err
		}
		for key, p := range s.policies {
			if *p.Info.ResourceId == id {
				delete(s.policies, key)
				s.dirty.Delete(bucketPolicies, key)
			}
		}
		for key, a := range s.actions {
			if *a.Info.ResourceId == id {
				s.forgetAction(key)
			}
		}
		delete(s.targets, id)
		s.dirty.Delete(bucketTargets, id)
		s.Clock.Cancel("autoscaling/target/" + id)
		return nil
	})
}

// page is one page of the keys that are wanted, in order.
func page[T any](all map[string]T, wanted func(key string) bool, order listing.Order, size *int32, token *string) ([]string, *string, error) {
	most := 50
	if size != nil {
		if *size < 1 || *size > 50 {
			return nil, nil, invalid("MaxResults must be between 1 and 50")
		}
		most = int(*size)
	}
	keys := slices.DeleteFunc(slices.Collect(maps.Keys(all)), func(key string) bool { return !wanted(key) })
	keys, next, ok := listing.Page(keys, func(key string) string { return key }, order, token, most)
	if !ok {
		return nil, nil, wire.Errorf("InvalidNextTokenException", "The token is invalid.")
	}
	return keys, next, nil
}

// describeScalingActivities lists what was done, the newest first. There is no
// activity that was not scaled.
func (s *Scaler) describeScalingActivities(_ context.Context, in *aas.DescribeScalingActivitiesInput) (*aas.DescribeScalingActivitiesOutput, error) {
	if err := checkFilter(in.ServiceNamespace, in.ScalableDimension, in.ResourceId != nil); err != nil {
		return nil, err
	}
	out := &aas.DescribeScalingActivitiesOutput{ScalingActivities: []types.ScalingActivity{}}
	return out, s.change(func(time.Time) error {
		wanted := func(key string) bool {
			a := s.activities[key].Info
			return (in.ResourceId == nil || *in.ResourceId == *a.ResourceId) && fits(in.ScalableDimension, a.ScalableDimension)
		}
		keys, next, err := page(s.activities, wanted, listing.Descending, in.MaxResults, in.NextToken) // the newest first
		for _, key := range keys {
			out.ScalingActivities = append(out.ScalingActivities, s.activities[key].Info)
		}
		out.NextToken = next
		return err
	})
}

// maxTags is AWS's limit per scalable target.
const maxTags = 50

func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return wire.Errorf("TooManyTagsException", "A scalable target can have at most %d tags.", maxTags)
	}
	for key, value := range tags {
		if key == "" || len(key) > 128 || len(value) > 256 {
			return invalid("A tag key must have 1 to 128 characters, and its value at most 256")
		}
	}
	return nil
}

func (s *Scaler) tagged(arn *string) (*target, error) {
	for _, t := range s.targets {
		if *t.Info.ScalableTargetARN == aws.ToString(arn) {
			return t, nil
		}
	}
	return nil, wire.Errorf("ResourceNotFoundException", "No resource found for ARN: %s", aws.ToString(arn))
}

func (s *Scaler) tagResource(_ context.Context, in *aas.TagResourceInput) (*aas.TagResourceOutput, error) {
	return &aas.TagResourceOutput{}, s.change(func(time.Time) error {
		t, err := s.tagged(in.ResourceARN)
		if err != nil {
			return err
		}
		next := map[string]string{}
		maps.Copy(next, t.Tags)
		maps.Copy(next, in.Tags)
		if err := checkTags(next); err != nil {
			return err
		}
		t.Tags = next
		s.markTarget(t)
		return nil
	})
}

func (s *Scaler) untagResource(_ context.Context, in *aas.UntagResourceInput) (*aas.UntagResourceOutput, error) {
	return &aas.UntagResourceOutput{}, s.change(func(time.Time) error {
		t, err := s.tagged(in.ResourceARN)
		if err != nil {
			return err
		}
		next := maps.Clone(t.Tags)
		maps.DeleteFunc(next, func(key, _ string) bool { return slices.Contains(in.TagKeys, key) })
		t.Tags = next
		s.markTarget(t)
		return nil
	})
}

func (s *Scaler) listTagsForResource(_ context.Context, in *aas.ListTagsForResourceInput) (*aas.ListTagsForResourceOutput, error) {
	out := &aas.ListTagsForResourceOutput{Tags: map[string]string{}}
	return out, s.change(func(time.Time) error {
		t, err := s.tagged(in.ResourceARN)
		if err == nil {
			maps.Copy(out.Tags, t.Tags)
		}
		return err
	})
}
