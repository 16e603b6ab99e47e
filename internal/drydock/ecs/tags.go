package ecs

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// tags are the tags of one resource.
type tags map[string]string

// maxTags is ECS's limit of tags on one resource.
const maxTags = 50

func newTags(given []types.Tag) (tags, error) {
	t := tags{}
	for _, g := range given {
		key := aws.ToString(g.Key)
		if key == "" || len(key) > 128 || len(aws.ToString(g.Value)) > 256 {
			return nil, wire.Errorf("InvalidParameterException", "Tag keys must be 1 to 128 characters long and tag values at most 256: %q.", key)
		}
		if strings.HasPrefix(strings.ToLower(key), "aws:") {
			return nil, wire.Errorf("InvalidParameterException", "Tag keys that begin with aws: are reserved: %s.", key)
		}
		if _, twice := t[key]; twice {
			return nil, wire.Errorf("InvalidParameterException", "Duplicate tag keys found: %s.", key)
		}
		t[key] = aws.ToString(g.Value)
	}
	if len(t) > maxTags {
		return nil, wire.Errorf("InvalidParameterException", "Tags can not have more than %d elements.", maxTags)
	}
	return t, nil
}

func (t tags) list() []types.Tag {
	out := []types.Tag{}
	for _, k := range slices.Sorted(maps.Keys(t)) {
		out = append(out, types.Tag{Key: aws.String(k), Value: aws.String(t[k])})
	}
	return out
}

// tagged finds the tags of a resource, and what stores them after a change.
func (e *ECS) tagged(arn *string) (*tags, func(), error) {
	kind, part, ok := resource(aws.ToString(arn))
	if !ok {
		return nil, nil, wire.Errorf("InvalidParameterException", "Invalid resource ARN: %q.", aws.ToString(arn))
	}
	switch kind {
	case "cluster":
		if c, found := e.clusters[part[0]]; found {
			return &c.Tags, func() { e.markCluster(c) }, nil
		}
		return nil, nil, wire.Errorf("ClusterNotFoundException", "Cluster not found.")
	case "service":
		if s, found := e.services[joinKey(part)]; found {
			return &s.Tags, func() { e.markService(s) }, nil
		}
		return nil, nil, wire.Errorf("ServiceNotFoundException", "Service not found.")
	case "task-definition":
		if f, d := e.definition(part[0]); d != nil {
			return &d.Tags, func() { e.markFamily(f) }, nil
		}
	case "task":
		if t, found := e.tasks[part[len(part)-1]]; found {
			return &t.Tags, func() { e.markTask(t) }, nil
		}
	}
	return nil, nil, wire.Errorf("InvalidParameterException", "The specified resource was not found: %s.", *arn)
}

func (e *ECS) tagResource(_ context.Context, in *ecs.TagResourceInput) (*ecs.TagResourceOutput, error) {
	given, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	return &ecs.TagResourceOutput{}, e.change(func(time.Time) error {
		t, mark, err := e.tagged(in.ResourceArn)
		if err != nil {
			return err
		}
		merged := maps.Clone(*t)
		if merged == nil {
			merged = tags{}
		}
		maps.Copy(merged, given)
		if len(merged) > maxTags {
			return wire.Errorf("InvalidParameterException", "Tags can not have more than %d elements.", maxTags)
		}
		*t = merged
		mark()
		return nil
	})
}

func (e *ECS) untagResource(_ context.Context, in *ecs.UntagResourceInput) (*ecs.UntagResourceOutput, error) {
	return &ecs.UntagResourceOutput{}, e.change(func(time.Time) error {
		t, mark, err := e.tagged(in.ResourceArn)
		if err != nil {
			return err
		}
		for _, k := range in.TagKeys {
			delete(*t, k)
		}
		mark()
		return nil
	})
}

func (e *ECS) listTagsForResource(_ context.Context, in *ecs.ListTagsForResourceInput) (*ecs.ListTagsForResourceOutput, error) {
	out := &ecs.ListTagsForResourceOutput{}
	return out, e.change(func(time.Time) error {
		t, _, err := e.tagged(in.ResourceArn)
		if err == nil {
			out.Tags = t.list()
		}
		return err
	})
}
