package ecs

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// maxAttributes is how many attributes one call may name (API reference).
const maxAttributes = 10

// listAttributes lists custom attributes of container instances. Nothing here
// can have any, so the list of a cluster is empty.
func (e *ECS) listAttributes(_ context.Context, in *ecs.ListAttributesInput) (*ecs.ListAttributesOutput, error) {
	if in.AttributeValue != nil && in.AttributeName == nil {
		return nil, wire.Errorf("InvalidParameterException", "You must specify an attribute name to filter by attribute value.")
	}
	out := &ecs.ListAttributesOutput{Attributes: []types.Attribute{}}
	return out, e.change(func(time.Time) error {
		if _, err := e.cluster(in.Cluster); err != nil {
			return err
		}
		_, _, err := page(nil, in.MaxResults, in.NextToken, 100, nil)
		return err
	})
}

func (e *ECS) putAttributes(_ context.Context, in *ecs.PutAttributesInput) (*ecs.PutAttributesOutput, error) {
	return nil, e.noTarget(in.Cluster, in.Attributes)
}

func (e *ECS) deleteAttributes(_ context.Context, in *ecs.DeleteAttributesInput) (*ecs.DeleteAttributesOutput, error) {
	return nil, e.noTarget(in.Cluster, in.Attributes)
}

// noTarget refuses attributes: there is no container instance to have them.
func (e *ECS) noTarget(cluster *string, attributes []types.Attribute) error {
	if len(attributes) == 0 || len(attributes) > maxAttributes {
		return wire.Errorf("InvalidParameterException", "Attributes must have between 1 and %d elements.", maxAttributes)
	}
	return e.change(func(time.Time) error {
		if _, err := e.cluster(cluster); err != nil {
			return err
		}
		return wire.Errorf("TargetNotFoundException", "The specified target %q was not found.", aws.ToString(attributes[0].TargetId))
	})
}

// listServicesByNamespace lists the services of a Cloud Map namespace. No
// service can have one: Service Connect is refused.
func (e *ECS) listServicesByNamespace(_ context.Context, in *ecs.ListServicesByNamespaceInput) (*ecs.ListServicesByNamespaceOutput, error) {
	if *in.Namespace == "" {
		return nil, wire.Errorf("InvalidParameterException", "Namespace can not be blank.")
	}
	_, _, err := page(nil, in.MaxResults, in.NextToken, 10, nil)
	return &ecs.ListServicesByNamespaceOutput{ServiceArns: []string{}}, err
}
