package scheduler

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/constraint"
)

func (s *Schedules) createScheduleGroup(_ context.Context, in *groupInput) (*createGroupOutput, error) {
	if err := checkName(in.Name); err != nil {
		return nil, err
	}
	tags, err := merge(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	return &createGroupOutput{aws.String(s.groupARN(*in.Name))}, s.change(func(now time.Time) error {
		if old := s.groups[*in.Name]; old != nil {
			if old.Token != "" && old.Token == aws.ToString(in.ClientToken) {
				return nil // the answer was lost, and this is the retry
			}
			return conflict("Schedule group %s already exists.", *in.Name)
		}
		g := &group{Name: *in.Name, Tags: tags, Created: now, Modified: now, Token: aws.ToString(in.ClientToken)}
		s.groups[g.Name] = g
		s.markGroup(g)
		return nil
	})
}

func (s *Schedules) markGroup(g *group) { s.dirty.Put(bucketGroups, g.Name, g) }

func (s *Schedules) show(g *group) shownGroup {
	return shownGroup{aws.String(s.groupARN(g.Name)), aws.String(g.Name), "ACTIVE", aws.Time(g.Created), aws.Time(g.Modified)}
}

func (s *Schedules) getScheduleGroup(_ context.Context, in *groupInput) (*shownGroup, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, err := s.group(in.Name)
	if err != nil {
		return nil, err
	}
	out := s.show(g)
	return &out, nil
}

// deleteScheduleGroup deletes the schedules of the group too, at once: AWS takes a while.
func (s *Schedules) deleteScheduleGroup(_ context.Context, in *groupInput) (*struct{}, error) {
	return &struct{}{}, s.change(func(time.Time) error {
		g, err := s.group(in.Name)
		if err != nil {
			return err
		}
		if g.Name == defaultGroup {
			return invalid("The default schedule group cannot be deleted.")
		}
		for _, p := range s.schedules {
			if p.Group == g.Name {
				s.drop(p)
			}
		}
		delete(s.groups, g.Name)
		s.dirty.Delete(bucketGroups, g.Name)
		return nil
	})
}

func (s *Schedules) listScheduleGroups(_ context.Context, in *listGroupsInput) (*listGroupsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*group
	for _, g := range s.groups {
		if strings.HasPrefix(g.Name, aws.ToString(in.NamePrefix)) {
			found = append(found, g)
		}
	}
	found, next, err := constraint.Page(found, func(g *group) string { return g.Name }, "maxResults", in.MaxResults, mostListed, in.NextToken)
	out := &listGroupsOutput{NextToken: next, ScheduleGroups: []shownGroup{}}
	for _, g := range found {
		out.ScheduleGroups = append(out.ScheduleGroups, s.show(g))
	}
	return out, err
}

// maxTags is the most tags of a group.
const maxTags = 200

func merge(old map[string]string, tags []tag) (map[string]string, error) {
	out, err := constraint.Tags(old, tags, 1)
	if err == nil && len(out) > maxTags {
		var c constraint.Checks
		c.Count("tags", len(out), 0, maxTags)
		err = c.Err()
	}
	return out, err
}

// tagged is the group that a request about tags names: schedules have none.
func (s *Schedules) tagged(arn *string) (*group, error) {
	name, ok := strings.CutPrefix(aws.ToString(arn), s.groupARN(""))
	if !ok {
		return nil, invalid("Provided Arn is not in correct format.")
	}
	return s.group(&name)
}

func (s *Schedules) tagResource(_ context.Context, in *tagsInput) (*struct{}, error) {
	return &struct{}{}, s.change(func(time.Time) error {
		g, err := s.tagged(in.ResourceArn)
		if err != nil {
			return err
		}
		tags, err := merge(g.Tags, in.Tags)
		if err != nil {
			return err
		}
		g.Tags = tags
		s.markGroup(g)
		return nil
	})
}

func (s *Schedules) untagResource(_ context.Context, in *tagsInput) (*struct{}, error) {
	return &struct{}{}, s.change(func(time.Time) error {
		g, err := s.tagged(in.ResourceArn)
		if err != nil {
			return err
		}
		for _, key := range in.TagKeys {
			delete(g.Tags, key)
		}
		s.markGroup(g)
		return nil
	})
}

func (s *Schedules) listTagsForResource(_ context.Context, in *tagsInput) (*listTagsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &listTagsOutput{Tags: []tag{}}
	for _, key := range slices.Sorted(maps.Keys(g.Tags)) {
		out.Tags = append(out.Tags, tag{Key: &key, Value: aws.String(g.Tags[key])})
	}
	return out, nil
}
