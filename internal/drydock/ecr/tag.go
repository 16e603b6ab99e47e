package ecr

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
)

// tag is a resource tag. Alone among ECR's structures it has members that
// begin with a capital, which package wire's naming rule does not cover.
type tag struct {
	Key   *string `json:"Key"`
	Value *string `json:"Value"`
}

// withTags is locked for a request that carries resource tags.
func withTags[In, Out any](r *Registry, f func(*In, []tag) (*Out, error)) wire.Operation {
	return func(ctx context.Context, call wire.Call) (any, error) {
		var doc struct {
			Tags []tag `json:"tags"`
		}
		op := locked(r, func(in *In) (*Out, error) {
			if err := json.Unmarshal(call.Body, &doc); err != nil {
				return nil, wire.Errorf("SerializationException", "tags: %v", err)
			}
			return f(in, doc.Tags)
		})
		return op(ctx, call)
	}
}

// maxTags is the most tags a resource may have.
const maxTags = 50

// merge adds tags to those of a resource.
func merge(old map[string]string, tags []tag) (map[string]string, error) {
	merged := map[string]string{}
	for _, t := range tags {
		key, value := aws.ToString(t.Key), aws.ToString(t.Value)
		_, twice := merged[key]
		switch {
		case t.Key == nil || t.Value == nil || key == "":
			return nil, invalidTag("a tag needs a key and a value")
		case utf8.RuneCountInString(key) > 128 || utf8.RuneCountInString(value) > 256:
			return nil, invalidTag("a tag key has at most 128 characters, a value 256")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return nil, invalidTag("tag keys cannot start with 'aws:'")
		case twice:
			return nil, invalidTag("duplicate tag key '" + key + "'")
		}
		merged[key] = value
	}
	for key, value := range old {
		if _, changed := merged[key]; !changed {
			merged[key] = value
		}
	}
	if len(merged) > maxTags {
		return nil, wire.Errorf("TooManyTagsException", "The list of tags on the repository is over the limit. The maximum number of tags that can be applied to a repository is %d.", maxTags)
	}
	return merged, nil
}

func invalidTag(why string) *wire.Error {
	return wire.Errorf("InvalidTagParameterException",
		"Invalid parameter at 'tags' failed to satisfy constraint: '%s'", why)
}

// byARN finds a repository by its ARN.
func (r *Registry) byARN(arn *string) (*repository, error) {
	prefix := r.arn("")
	name, ok := strings.CutPrefix(aws.ToString(arn), prefix)
	if !ok {
		return nil, invalid("resourceArn", "Invalid ARN")
	}
	return r.repository(&name, nil)
}

type listTagsOutput struct {
	Tags []map[string]string
}

func (r *Registry) listTagsForResource(in *ecr.ListTagsForResourceInput) (*listTagsOutput, error) {
	repo, err := r.byARN(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &listTagsOutput{Tags: []map[string]string{}}
	for _, key := range slices.Sorted(maps.Keys(repo.Tags)) {
		out.Tags = append(out.Tags, map[string]string{"Key": key, "Value": repo.Tags[key]})
	}
	return out, nil
}

func (r *Registry) tagResource(in *ecr.TagResourceInput, tags []tag) (*ecr.TagResourceOutput, error) {
	repo, err := r.byARN(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	next := repo.settings
	if next.Tags, err = merge(repo.Tags, tags); err != nil {
		return nil, err
	}
	return &ecr.TagResourceOutput{}, r.commit(changes{put: []record{next}})
}

func (r *Registry) untagResource(in *ecr.UntagResourceInput) (*ecr.UntagResourceOutput, error) {
	repo, err := r.byARN(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	next := repo.settings
	next.Tags = maps.Clone(repo.Tags)
	for _, key := range in.TagKeys {
		delete(next.Tags, key)
	}
	return &ecr.UntagResourceOutput{}, r.commit(changes{put: []record{next}})
}
