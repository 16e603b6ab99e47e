package autoscaling

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	aas "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/identifier"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/listing"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/schedule"
)

// putScheduledAction creates or changes a scheduled action: what is not given
// stays, but for the start and end times ("If you don't specify start and end
// times, the old values are deleted", API reference).
func (s *Scaler) putScheduledAction(_ context.Context, in *aas.PutScheduledActionInput) (*aas.PutScheduledActionOutput, error) {
	if err := checkTarget(in.ServiceNamespace, in.ResourceId, in.ScalableDimension); err != nil {
		return nil, err
	}
	if err := checkName("scheduledActionName", aws.ToString(in.ScheduledActionName)); err != nil {
		return nil, err
	}
	return &aas.PutScheduledActionOutput{}, s.change(func(now time.Time) error {
		id := *in.ResourceId
		if _, err := s.target(id); err != nil {
			return err
		}
		key := id + "/" + *in.ScheduledActionName
		info := types.ScheduledAction{
			ScheduledActionName: in.ScheduledActionName, ServiceNamespace: in.ServiceNamespace, ResourceId: in.ResourceId, ScalableDimension: in.ScalableDimension, CreationTime: &now,
			ScheduledActionARN: aws.String("arn:aws:autoscaling:" + s.Region + ":" + s.Account + ":scheduledAction:" + identifier.UUID(s.rand) + ":resource/ecs/" + id + ":scheduledActionName/" + *in.ScheduledActionName),
		}
		if old := s.actions[key]; old != nil {
			info = old.Info
		}
		info.Schedule, info.Timezone = cmp.Or(in.Schedule, info.Schedule), cmp.Or(in.Timezone, info.Timezone)
		info.StartTime, info.EndTime = in.StartTime, in.EndTime
		info.ScalableTargetAction = cmp.Or(in.ScalableTargetAction, info.ScalableTargetAction)
		if err := checkAction(info); err != nil {
			return err
		}
		a := &action{Info: info, Due: next(info, now)}
		s.actions[key] = a
		s.dirty.Put(bucketActions, key, a)
		s.schedule(key, a)
		return nil
	})
}

func checkAction(a types.ScheduledAction) error {
	if aws.ToString(a.Schedule) == "" {
		return invalid("A schedule must be provided to create a scheduled action")
	}
	if _, err := schedule.Parse(*a.Schedule, aws.ToString(a.Timezone), *a.CreationTime); err != nil {
		return invalid("Invalid schedule expression: %v", err)
	}
	bounds := a.ScalableTargetAction
	if bounds == nil || bounds.MinCapacity == nil && bounds.MaxCapacity == nil {
		return invalid("At least one of minimum capacity and maximum capacity should be provided")
	}
	if a.StartTime != nil && a.EndTime != nil && !a.EndTime.After(*a.StartTime) {
		return invalid("The end time must be after the start time")
	}
	return checkRange(bounds.MinCapacity, bounds.MaxCapacity)
}

func (s *Scaler) describeScheduledActions(_ context.Context, in *aas.DescribeScheduledActionsInput) (*aas.DescribeScheduledActionsOutput, error) {
	if err := checkFilter(in.ServiceNamespace, in.ScalableDimension, in.ResourceId != nil); err != nil {
		return nil, err
	}
	out := &aas.DescribeScheduledActionsOutput{ScheduledActions: []types.ScheduledAction{}}
	return out, s.change(func(time.Time) error {
		wanted := func(key string) bool {
			a := s.actions[key].Info
			return (in.ResourceId == nil || *in.ResourceId == *a.ResourceId) && fits(in.ScalableDimension, a.ScalableDimension) &&
				(len(in.ScheduledActionNames) == 0 || slices.Contains(in.ScheduledActionNames, *a.ScheduledActionName))
		}
		keys, next, err := page(s.actions, wanted, listing.Ascending, in.MaxResults, in.NextToken)
		for _, key := range keys {
			out.ScheduledActions = append(out.ScheduledActions, s.actions[key].Info)
		}
		out.NextToken = next
		return err
	})
}

func (s *Scaler) deleteScheduledAction(_ context.Context, in *aas.DeleteScheduledActionInput) (*aas.DeleteScheduledActionOutput, error) {
	if err := checkTarget(in.ServiceNamespace, in.ResourceId, in.ScalableDimension); err != nil {
		return nil, err
	}
	return &aas.DeleteScheduledActionOutput{}, s.change(func(time.Time) error {
		key := *in.ResourceId + "/" + aws.ToString(in.ScheduledActionName)
		if s.actions[key] == nil {
			return notFound("scheduled action", *in.ResourceId)
		}
		s.forgetAction(key)
		return nil
	})
}

func (s *Scaler) forgetAction(key string) {
	delete(s.actions, key)
	s.dirty.Delete(bucketActions, key)
	s.Clock.Cancel("autoscaling/action/" + key)
}
