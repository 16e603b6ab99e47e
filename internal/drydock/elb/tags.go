package elb

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// maxTags is AWS's limit per resource.
const maxTags = 50

func newTags(request []types.Tag) (map[string]string, error) {
	out := map[string]string{}
	for _, t := range request {
		key := aws.ToString(t.Key)
		if key == "" || len(key) > 128 || len(aws.ToString(t.Value)) > 256 {
			return nil, invalid("Tag key '%s' must have 1 to 128 characters, and its value at most 256", key)
		}
		if _, twice := out[key]; twice {
			return nil, wire.Errorf("DuplicateTagKeys", "Tag key '%s' was specified more than once", key)
		}
		out[key] = aws.ToString(t.Value)
	}
	if len(out) > maxTags {
		return nil, wire.Errorf("TooManyTags", "A resource can have at most %d tags", maxTags)
	}
	return out, nil
}

// tagged finds the tags of any resource, and what stores them.
func (e *ELB) tagged(arn string) (tags *map[string]string, mark func(), err error) {
	if g := e.groups[arn]; g != nil {
		return &g.Tags, func() { e.markGroup(g) }, nil
	}
	if b := e.balancers[arn]; b != nil {
		return &b.Tags, func() { e.markBalancer(b) }, nil
	}
	if l := e.listeners[arn]; l != nil {
		return &l.Tags, func() { e.markListener(l) }, nil
	}
	if r := e.rules[arn]; r != nil {
		return &r.Tags, func() { e.markRule(r) }, nil
	}
	for kind, missing := range map[string]error{
		":targetgroup/":   groupNotFound(),
		":listener/":      wire.Errorf("ListenerNotFound", "One or more listeners not found"),
		":listener-rule/": wire.Errorf("RuleNotFound", "One or more rules not found"),
		":loadbalancer/":  balancerNotFound(arn),
	} {
		if strings.Contains(arn, kind) {
			return nil, nil, missing
		}
	}
	return nil, nil, invalid("'%s' is not a valid ARN", arn)
}

// onTagged changes the tags of resources, all of them or none.
func (e *ELB) onTagged(arns []string, change func(map[string]string) error) error {
	if len(arns) == 0 || len(arns) > 20 {
		return invalid("Between 1 and 20 resource ARNs must be specified")
	}
	return e.change(func(time.Time) error {
		next := make([]map[string]string, len(arns))
		for i, arn := range arns {
			tags, _, err := e.tagged(arn)
			if err != nil {
				return err
			}
			next[i] = map[string]string{}
			maps.Copy(next[i], *tags)
			if err := change(next[i]); err != nil {
				return err
			}
			if len(next[i]) > maxTags {
				return wire.Errorf("TooManyTags", "A resource can have at most %d tags", maxTags)
			}
		}
		for i, arn := range arns {
			tags, mark, err := e.tagged(arn)
			if err != nil {
				return err
			}
			*tags = next[i]
			mark()
		}
		return nil
	})
}

func (e *ELB) addTags(_ context.Context, in *elbv2.AddTagsInput) (*elbv2.AddTagsOutput, error) {
	added, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	return &elbv2.AddTagsOutput{}, e.onTagged(in.ResourceArns, func(tags map[string]string) error {
		maps.Copy(tags, added)
		return nil
	})
}

func (e *ELB) removeTags(_ context.Context, in *elbv2.RemoveTagsInput) (*elbv2.RemoveTagsOutput, error) {
	return &elbv2.RemoveTagsOutput{}, e.onTagged(in.ResourceArns, func(tags map[string]string) error {
		maps.DeleteFunc(tags, func(key, _ string) bool { return slices.Contains(in.TagKeys, key) })
		return nil
	})
}

func (e *ELB) describeTags(_ context.Context, in *elbv2.DescribeTagsInput) (*elbv2.DescribeTagsOutput, error) {
	out := &elbv2.DescribeTagsOutput{TagDescriptions: []types.TagDescription{}}
	if len(in.ResourceArns) == 0 || len(in.ResourceArns) > 20 {
		return nil, invalid("Between 1 and 20 resource ARNs must be specified")
	}
	return out, e.change(func(time.Time) error {
		for _, arn := range in.ResourceArns {
			tags, _, err := e.tagged(arn)
			if err != nil {
				return err
			}
			out.TagDescriptions = append(out.TagDescriptions, types.TagDescription{
				ResourceArn: aws.String(arn),
				Tags:        shown(*tags, func(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }),
			})
		}
		return nil
	})
}
