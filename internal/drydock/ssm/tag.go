package ssm

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/constraint"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// maxTags is the most tags that a parameter may have.
const maxTags = 50

// merge adds tags to those of a parameter.
func merge(old map[string]string, tags []tag) (map[string]string, error) {
	out, err := constraint.Tags(old, tags, 0)
	if err == nil && len(out) > maxTags {
		err = wire.Errorf("TooManyTagsError", "The Targets parameter includes too many tags. A parameter can have at most %d.", maxTags)
	}
	return out, err
}

// tagged is the parameter that a request about tags names: by its name only.
func (s *Store) tagged(kind resourceType, id *string) (parameter, error) {
	var c constraint.Checks
	c.Present("resourceType", kind != "")
	c.Present("resourceId", id != nil)
	constraint.OneOf(&c, "resourceType", kind, kind.values())
	if err := c.Err(); err != nil {
		return parameter{}, err
	}
	if kind != resourceParameter {
		return parameter{}, wire.Errorf("InvalidResourceType", "drydock has no resources of the type %s, parameters only.", kind)
	}
	p, ok := s.parameters[*id]
	if !ok {
		return p, wire.Errorf("InvalidResourceId", "The resource ID isn't valid. Verify that you entered the correct ID and try again.")
	}
	return p, nil
}

func (s *Store) addTagsToResource(_ context.Context, in *addTagsToResourceInput) (*addTagsToResourceOutput, error) {
	var c constraint.Checks
	c.Present("tags", in.Tags != nil)
	if err := c.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.tagged(in.ResourceType, in.ResourceId)
	if err != nil {
		return nil, err
	}
	if p.Tags, err = merge(p.Tags, in.Tags); err != nil {
		return nil, err
	}
	return &addTagsToResourceOutput{}, s.put(p)
}

func (s *Store) removeTagsFromResource(_ context.Context, in *removeTagsFromResourceInput) (*removeTagsFromResourceOutput, error) {
	var c constraint.Checks
	c.Present("tagKeys", in.TagKeys != nil)
	if err := c.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.tagged(in.ResourceType, in.ResourceId)
	if err != nil {
		return nil, err
	}
	p.Tags = maps.Clone(p.Tags)
	for _, key := range in.TagKeys {
		delete(p.Tags, key)
	}
	return &removeTagsFromResourceOutput{}, s.put(p)
}

func (s *Store) listTagsForResource(_ context.Context, in *listTagsForResourceInput) (*listTagsForResourceOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.tagged(in.ResourceType, in.ResourceId)
	if err != nil {
		return nil, err
	}
	out := &listTagsForResourceOutput{TagList: []tag{}}
	for _, key := range slices.Sorted(maps.Keys(p.Tags)) {
		out.TagList = append(out.TagList, tag{Key: &key, Value: aws.String(p.Tags[key])})
	}
	return out, nil
}
