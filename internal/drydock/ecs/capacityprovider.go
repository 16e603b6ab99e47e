package ecs

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// fargateProviders are the capacity providers that every account has, and the
// only ones here.
func fargateProviders() []string { return []string{"FARGATE", "FARGATE_SPOT"} }

// describeCapacityProviders shows the two of Fargate; with a cluster, those of
// them that are associated with it.
func (e *ECS) describeCapacityProviders(_ context.Context, in *ecs.DescribeCapacityProvidersInput) (*ecs.DescribeCapacityProvidersOutput, error) {
	const most, usual = 100, 10
	if len(in.CapacityProviders) > most {
		return nil, wire.Errorf("InvalidParameterException", "Capacity providers cannot have more than %d elements.", most)
	}
	if n := in.MaxResults; n != nil && (*n < 1 || *n > usual) {
		return nil, wire.Errorf("InvalidParameterException", "maxResults must be between 1 and %d.", usual)
	}
	out := &ecs.DescribeCapacityProvidersOutput{CapacityProviders: []types.CapacityProvider{}, Failures: []types.Failure{}}
	return out, e.change(func(time.Time) error {
		known := fargateProviders()
		if in.Cluster != nil {
			c, err := e.cluster(in.Cluster)
			if err != nil {
				return err
			}
			known = slices.Sorted(slices.Values(c.Providers))
		}
		if len(in.CapacityProviders) > 0 {
			for _, id := range in.CapacityProviders {
				if !slices.Contains(known, lastPart(id)) {
					out.Failures = append(out.Failures, missing(e.arn("capacity-provider", lastPart(id))))
				}
			}
			known = slices.DeleteFunc(known, func(name string) bool {
				return !slices.ContainsFunc(in.CapacityProviders, func(id string) bool { return lastPart(id) == name })
			})
		}
		names, next, err := page(known, in.MaxResults, in.NextToken, usual, strings.Compare)
		for _, name := range names {
			provider := types.CapacityProviderTypeFargate
			if name == "FARGATE_SPOT" {
				provider = types.CapacityProviderTypeFargateSpot
			}
			out.CapacityProviders = append(out.CapacityProviders, types.CapacityProvider{
				Name: aws.String(name), CapacityProviderArn: aws.String(e.arn("capacity-provider", name)),
				Status: types.CapacityProviderStatusActive, Type: provider, Tags: []types.Tag{},
			})
		}
		out.NextToken = next
		return err
	})
}

// createCapacityProvider refuses: a provider is made of an Auto Scaling group
// or of managed instances, and drydock has neither.
func (e *ECS) createCapacityProvider(_ context.Context, in *ecs.CreateCapacityProviderInput) (*ecs.CreateCapacityProviderOutput, error) {
	name := strings.ToLower(*in.Name)
	reserved := slices.ContainsFunc([]string{"aws", "ecs", "fargate"}, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
	if reserved || checkName("name", *in.Name) != nil {
		return nil, wire.Errorf("InvalidParameterException", `The specified capacity provider name is invalid. Up to 255 characters are allowed, including letters (upper and lowercase), numbers, underscores, and hyphens. The name cannot be prefixed with "aws", "ecs", or "fargate". Specify a valid name and try again.`)
	}
	if in.AutoScalingGroupProvider != nil {
		return nil, wire.Errorf("ClientException", "The specified Auto Scaling group ARN %s does not exist.", aws.ToString(in.AutoScalingGroupProvider.AutoScalingGroupArn))
	}
	return nil, wire.Errorf("UnsupportedFeatureException", "Capacity providers of managed instances are not supported by drydock.")
}

func (e *ECS) updateCapacityProvider(_ context.Context, in *ecs.UpdateCapacityProviderInput) (*ecs.UpdateCapacityProviderOutput, error) {
	return nil, fixedProvider(*in.Name)
}

func (e *ECS) deleteCapacityProvider(_ context.Context, in *ecs.DeleteCapacityProviderInput) (*ecs.DeleteCapacityProviderOutput, error) {
	return nil, fixedProvider(*in.CapacityProvider)
}

// fixedProvider refuses to change a capacity provider: Fargate's "are reserved
// and can't be deleted" (API reference), and there are no others.
func fixedProvider(id string) error {
	if slices.Contains(fargateProviders(), lastPart(id)) {
		return wire.Errorf("InvalidParameterException", "The capacity provider %s is reserved and can't be updated or deleted.", lastPart(id))
	}
	return wire.Errorf("ClientException", "The specified capacity provider does not exist. Specify a valid name or ARN and try again.")
}
