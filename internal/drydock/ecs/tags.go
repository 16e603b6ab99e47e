package ecs

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

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
		if key == "" || utf8.RuneCountInString(key) > 128 || utf8.RuneCountInString(aws.ToString(g.Value)) > 256 {
			return nil, wire.Errorf("InvalidParameterException", "Tag keys must be 1 to 128 characters long and tag values at most 256: %q.", key)
		}
		if strings.ContainsFunc(key+aws.ToString(g.Value), badTagRune) {
			return nil, wire.Errorf("InvalidParameterException", "The tag %q has characters that are not allowed: letters, numbers, spaces and _.:/=+-@ are.", key)
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

// badTagRune is the complement of the API model's pattern for tag keys and
// values, [\p{L}\p{Z}\p{N}_.:/=+\-@]*.
func badTagRune(r rune) bool {
	return !unicode.In(r, unicode.L, unicode.Z, unicode.N) && !strings.ContainsRune("_.:/=+-@", r)
}

func (t tags) list() []types.Tag {
	out := []types.Tag{}
	for _, k := range slices.Sorted(maps.Keys(t)) {
		out = append(out, types.Tag{Key: aws.String(k), Value: aws.String(t[k])})
	}
	return out
}

// tagged finds the tags of a resource, and what stores them after a change:
// nil for AWS's own capacity providers, which cannot be tagged.
func (e *ECS) tagged(arn *string) (*tags, func(), error) {
	kind, part, ok := resource(aws.ToString(arn))
	if !ok {
		return nil, nil, wire.Errorf("InvalidParameterException", "Invalid resource ARN: %q.", aws.ToString(arn))
	}
	if err := e.ours(*arn, kind); err != nil {
		return nil, nil, err
	}
	inactive := func() error {
		return wire.Errorf("InvalidParameterException", "The specified %s is inactive. Specify an active %s and try again.", kind, kind)
	}
	switch kind {
	case "cluster":
		if c, found := e.clusters[part[0]]; found {
			if c.Status == statusInactive {
				return nil, nil, inactive()
			}
			return &c.Tags, func() { e.markCluster(c) }, nil
		}
		return nil, nil, wire.Errorf("ClusterNotFoundException", "Cluster not found.")
	case "service":
		if s := e.serviceOfARN(part); s != nil {
			if s.Status == statusInactive {
				return nil, nil, inactive()
			}
			return &s.Tags, func() { e.markService(s) }, nil
		}
		return nil, nil, wire.Errorf("ServiceNotFoundException", "Service not found.")
	case "task-definition":
		if f, d := e.definition(part[0]); d != nil {
			return &d.Tags, func() { e.markFamily(f) }, nil
		}
	case "capacity-provider":
		if slices.Contains(fargateProviders(), part[0]) {
			return new(tags), nil, nil
		}
	case "task":
		if t, found := e.tasks[part[len(part)-1]]; found {
			return &t.Tags, func() { e.markTask(t) }, nil
		}
	}
	return nil, nil, wire.Errorf("InvalidParameterException", "The specified resource was not found: %s.", *arn)
}

// serviceOfARN finds a service by the parts of its ARN. The old format has no
// cluster in it; one name may then be of several, and is of none here.
func (e *ECS) serviceOfARN(part []string) *service {
	if len(part) == 2 {
		return e.services[joinKey(part)]
	}
	var found *service
	for _, s := range e.services {
		if s.Name != part[0] {
			continue
		}
		if found != nil {
			return nil
		}
		found = s
	}
	return found
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
		if mark == nil {
			return fixedProvider(*in.ResourceArn)
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
		if mark == nil {
			return fixedProvider(*in.ResourceArn)
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
