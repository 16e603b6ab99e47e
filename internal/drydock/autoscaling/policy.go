package autoscaling

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	aas "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/identifier"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/listing"
)

// checkName holds the name of a policy or scheduled action to AWS's rules.
func checkName(kind, name string) error {
	if name == "" || len(name) > 256 || strings.ContainsAny(name, "|:/") {
		return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must have 1 to 256 characters, none of them | : or /", name, kind)
	}
	return nil
}

// putScalingPolicy keeps a policy. AWS would make CloudWatch alarms that
// invoke it; there are none here, and so none is named in the answer.
func (s *Scaler) putScalingPolicy(_ context.Context, in *aas.PutScalingPolicyInput) (*aas.PutScalingPolicyOutput, error) {
	if err := checkTarget(in.ServiceNamespace, in.ResourceId, in.ScalableDimension); err != nil {
		return nil, err
	}
	if err := checkName("policyName", aws.ToString(in.PolicyName)); err != nil {
		return nil, err
	}
	out := &aas.PutScalingPolicyOutput{Alarms: []types.Alarm{}}
	return out, s.change(func(now time.Time) error {
		if _, err := s.target(*in.ResourceId); err != nil {
			return err
		}
		key := *in.ResourceId + "/" + *in.PolicyName
		p := types.ScalingPolicy{
			PolicyName: in.PolicyName, ServiceNamespace: in.ServiceNamespace, ResourceId: in.ResourceId, ScalableDimension: in.ScalableDimension,
			CreationTime: &now, PolicyType: types.PolicyTypeStepScaling, Alarms: []types.Alarm{},
			PolicyARN: aws.String("arn:aws:autoscaling:" + s.Region + ":" + s.Account + ":scalingPolicy:" + identifier.UUID(s.rand) + ":resource/ecs/" + *in.ResourceId + ":policyName/" + *in.PolicyName),
		}
		if old := s.policies[key]; old != nil {
			p = old.Info
		}
		p.PolicyType = cmp.Or(in.PolicyType, p.PolicyType)
		p.StepScalingPolicyConfiguration = cmp.Or(in.StepScalingPolicyConfiguration, p.StepScalingPolicyConfiguration)
		p.TargetTrackingScalingPolicyConfiguration = cmp.Or(in.TargetTrackingScalingPolicyConfiguration, p.TargetTrackingScalingPolicyConfiguration)
		if err := checkPolicy(p, in.PredictiveScalingPolicyConfiguration != nil); err != nil {
			return err
		}
		s.policies[key] = &policy{p}
		s.dirty.Put(bucketPolicies, key, s.policies[key])
		out.PolicyARN = p.PolicyARN
		return nil
	})
}

func checkPolicy(p types.ScalingPolicy, predictive bool) error {
	step, tracking := p.StepScalingPolicyConfiguration, p.TargetTrackingScalingPolicyConfiguration
	switch p.PolicyType {
	case types.PolicyTypeStepScaling:
		if step == nil || tracking != nil {
			return invalid("StepScalingPolicyConfiguration must be provided for policies of the type StepScaling, and no other")
		}
		if !slices.Contains(step.AdjustmentType.Values(), step.AdjustmentType) || len(step.StepAdjustments) == 0 {
			return invalid("A step scaling policy needs an adjustment type and at least one step adjustment")
		}
	case types.PolicyTypeTargetTrackingScaling:
		if tracking == nil || step != nil {
			return invalid("TargetTrackingScalingPolicyConfiguration must be provided for policies of the type TargetTrackingScaling, and no other")
		}
		if tracking.TargetValue == nil {
			return invalid("1 validation error detected: Value null at 'targetTrackingScalingPolicyConfiguration.targetValue' failed to satisfy constraint: Member must not be null")
		}
		return checkMetric(*tracking)
	case types.PolicyTypePredictiveScaling:
		return invalid("Policies of the type PredictiveScaling are not supported by drydock.")
	default:
		return invalid("1 validation error detected: Value '%s' at 'policyType' failed to satisfy constraint: Member must satisfy enum value set: [StepScaling, TargetTrackingScaling, PredictiveScaling]", p.PolicyType)
	}
	if predictive {
		return invalid("Policies of the type PredictiveScaling are not supported by drydock.")
	}
	return nil
}

func checkMetric(c types.TargetTrackingScalingPolicyConfiguration) error {
	if (c.PredefinedMetricSpecification == nil) == (c.CustomizedMetricSpecification == nil) {
		return invalid("Exactly one of a predefined and a customized metric specification must be provided")
	}
	if c.PredefinedMetricSpecification == nil {
		return nil
	}
	switch kind := c.PredefinedMetricSpecification.PredefinedMetricType; kind {
	case types.MetricTypeECSServiceAverageCPUUtilization, types.MetricTypeECSServiceAverageMemoryUtilization:
	case types.MetricTypeALBRequestCountPerTarget:
		if aws.ToString(c.PredefinedMetricSpecification.ResourceLabel) == "" {
			return invalid("A resource label must be provided for the metric type ALBRequestCountPerTarget")
		}
	default:
		return invalid("Predefined metric type %s is not valid for the service namespace ecs", kind)
	}
	return nil
}

func (s *Scaler) describeScalingPolicies(_ context.Context, in *aas.DescribeScalingPoliciesInput) (*aas.DescribeScalingPoliciesOutput, error) {
	if err := checkFilter(in.ServiceNamespace, in.ScalableDimension, in.ResourceId != nil); err != nil {
		return nil, err
	}
	out := &aas.DescribeScalingPoliciesOutput{ScalingPolicies: []types.ScalingPolicy{}}
	return out, s.change(func(time.Time) error {
		wanted := func(key string) bool {
			p := s.policies[key].Info
			return (in.ResourceId == nil || *in.ResourceId == *p.ResourceId) && fits(in.ScalableDimension, p.ScalableDimension) &&
				(len(in.PolicyNames) == 0 || slices.Contains(in.PolicyNames, *p.PolicyName))
		}
		keys, next, err := page(s.policies, wanted, listing.Ascending, in.MaxResults, in.NextToken)
		for _, key := range keys {
			out.ScalingPolicies = append(out.ScalingPolicies, s.policies[key].Info)
		}
		out.NextToken = next
		return err
	})
}

func (s *Scaler) deleteScalingPolicy(_ context.Context, in *aas.DeleteScalingPolicyInput) (*aas.DeleteScalingPolicyOutput, error) {
	if err := checkTarget(in.ServiceNamespace, in.ResourceId, in.ScalableDimension); err != nil {
		return nil, err
	}
	return &aas.DeleteScalingPolicyOutput{}, s.change(func(time.Time) error {
		key := *in.ResourceId + "/" + aws.ToString(in.PolicyName)
		if s.policies[key] == nil {
			return notFound("scaling policy", *in.ResourceId)
		}
		delete(s.policies, key)
		s.dirty.Delete(bucketPolicies, key)
		return nil
	})
}
