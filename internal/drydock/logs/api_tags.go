package logs

import (
	"context"
	"maps"
	"strings"

	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
)

func (l *Logs) listTagsForResource(_ context.Context, in *cwl.ListTagsForResourceInput) (*cwl.ListTagsForResourceOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, err := l.resource(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &cwl.ListTagsForResourceOutput{Tags: tagsOf(g)}, nil
}

func (l *Logs) listTagsLogGroup(_ context.Context, in *cwl.ListTagsLogGroupInput) (*cwl.ListTagsLogGroupOutput, error) {
	var c checks
	c.groupName("logGroupName", in.LogGroupName)
	if err := c.err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	g, err := l.find(*in.LogGroupName)
	if err != nil {
		return nil, err
	}
	return &cwl.ListTagsLogGroupOutput{Tags: tagsOf(g)}, nil
}

func (l *Logs) tagResource(_ context.Context, in *cwl.TagResourceInput) (*cwl.TagResourceOutput, error) {
	var c checks
	c.present("tags", len(in.Tags) > 0)
	c.tags(in.Tags)
	if err := c.err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	g, err := l.resource(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	doc := g.groupDoc
	doc.Tags = tagsOf(g)
	maps.Copy(doc.Tags, in.Tags)
	if len(doc.Tags) > maxTags {
		return nil, tooManyTags(*in.ResourceArn)
	}
	return &cwl.TagResourceOutput{}, l.changeGroup(g, doc)
}

func (l *Logs) untagResource(_ context.Context, in *cwl.UntagResourceInput) (*cwl.UntagResourceOutput, error) {
	var c checks
	c.present("tagKeys", in.TagKeys != nil)
	if err := c.err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	g, err := l.resource(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	doc := g.groupDoc
	doc.Tags = tagsOf(g)
	for _, key := range in.TagKeys {
		delete(doc.Tags, key)
	}
	return &cwl.UntagResourceOutput{}, l.changeGroup(g, doc)
}

// resource is the group that an ARN names. The ARN is the one without ":*" at
// its end, as AWS has it for the tag operations.
func (l *Logs) resource(arn *string) (*group, error) {
	var c checks
	if c.present("resourceArn", arn != nil) {
		c.length("resourceArn", *arn, 1, 1011)
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	name, ok := strings.CutPrefix(*arn, l.groupARN(""))
	if !ok {
		return nil, noGroup()
	}
	return l.find(name)
}

// tagsOf is a copy of a group's tags, never nil.
func tagsOf(g *group) map[string]string {
	tags := map[string]string{}
	maps.Copy(tags, g.Tags)
	return tags
}
