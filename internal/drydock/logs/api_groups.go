package logs

import (
	"context"
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

func (l *Logs) createLogGroup(_ context.Context, in *cwl.CreateLogGroupInput) (*cwl.CreateLogGroupOutput, error) {
	var c checks
	c.groupName("logGroupName", in.LogGroupName)
	c.length("kmsKeyId", aws.ToString(in.KmsKeyId), 0, 256)
	c.tags(in.Tags)
	if in.LogGroupClass != "" {
		c.oneOf("logGroupClass", string(in.LogGroupClass), "STANDARD", "INFREQUENT_ACCESS", "DELIVERY")
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	switch {
	case len(in.Tags) > maxTags:
		return nil, tooManyTags(l.groupARN(*in.LogGroupName))
	case in.LogGroupClass != "" && in.LogGroupClass != types.LogGroupClassStandard:
		return nil, invalid("drydock has log groups of the class STANDARD only, not %s", in.LogGroupClass)
	case aws.ToBool(in.DeletionProtectionEnabled):
		return nil, invalid("drydock has no deletion protection for log groups")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.groups[*in.LogGroupName] != nil {
		return nil, wire.Errorf("ResourceAlreadyExistsException", "The specified log group already exists")
	}
	return &cwl.CreateLogGroupOutput{}, l.addGroup(groupDoc{
		Name: *in.LogGroupName, KMSKey: aws.ToString(in.KmsKeyId), Tags: in.Tags,
	})
}

func (l *Logs) deleteLogGroup(_ context.Context, in *cwl.DeleteLogGroupInput) (*cwl.DeleteLogGroupOutput, error) {
	var c checks
	c.groupName("logGroupName", in.LogGroupName)
	if err := c.err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	g, ok := l.groups[*in.LogGroupName]
	if !ok {
		return nil, noGroup()
	}
	return &cwl.DeleteLogGroupOutput{}, l.removeGroup(g)
}

func (l *Logs) putRetentionPolicy(_ context.Context, in *cwl.PutRetentionPolicyInput) (*cwl.PutRetentionPolicyOutput, error) {
	var c checks
	c.groupName("logGroupName", in.LogGroupName)
	if c.present("retentionInDays", in.RetentionInDays != nil) {
		c.oneOf("retentionInDays", strconv.Itoa(int(*in.RetentionInDays)),
			"1", "3", "5", "7", "14", "30", "60", "90", "120", "150", "180", "365", "400", "545", "731",
			"1096", "1827", "2192", "2557", "2922", "3288", "3653")
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	return &cwl.PutRetentionPolicyOutput{}, l.setRetention(*in.LogGroupName, *in.RetentionInDays)
}

func (l *Logs) deleteRetentionPolicy(_ context.Context, in *cwl.DeleteRetentionPolicyInput) (*cwl.DeleteRetentionPolicyOutput, error) {
	var c checks
	c.groupName("logGroupName", in.LogGroupName)
	if err := c.err(); err != nil {
		return nil, err
	}
	return &cwl.DeleteRetentionPolicyOutput{}, l.setRetention(*in.LogGroupName, 0)
}

func (l *Logs) setRetention(name string, days int32) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, ok := l.groups[name]
	if !ok {
		return noGroup()
	}
	doc := g.groupDoc
	doc.Retention = days
	return l.changeGroup(g, doc)
}

func (l *Logs) describeLogGroups(_ context.Context, in *cwl.DescribeLogGroupsInput) (*cwl.DescribeLogGroupsOutput, error) {
	var c checks
	limit := c.limit(in.Limit, 50)
	if in.LogGroupNamePrefix != nil {
		c.groupName("logGroupNamePrefix", in.LogGroupNamePrefix)
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	if in.LogGroupNamePrefix != nil && in.LogGroupNamePattern != nil {
		return nil, invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	after, err := parsePageToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	var identified []string
	for _, id := range in.LogGroupIdentifiers {
		identified = append(identified, l.groupOf(id))
	}
	wanted := func(g *group) bool {
		return g.Name > after &&
			strings.HasPrefix(g.Name, aws.ToString(in.LogGroupNamePrefix)) &&
			strings.Contains(g.Name, aws.ToString(in.LogGroupNamePattern)) &&
			(identified == nil || slices.Contains(identified, g.Name)) &&
			(in.LogGroupClass == "" || in.LogGroupClass == types.LogGroupClassStandard)
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	out := &cwl.DescribeLogGroupsOutput{LogGroups: []types.LogGroup{}}
	for _, g := range l.sortedGroups() {
		if !wanted(g) {
			continue
		}
		if len(out.LogGroups) == limit {
			out.NextToken = pageToken(*out.LogGroups[limit-1].LogGroupName)
			break
		}
		if g.trim(l.clock.Now()) {
			l.saveSoon(g)
		}
		out.LogGroups = append(out.LogGroups, l.describe(g, in.LogGroupNamePattern != nil))
	}
	return out, nil
}

// describe is a group as DescribeLogGroups shows it; a search by pattern
// shows its name, time and ARNs only.
func (l *Logs) describe(g *group, briefly bool) types.LogGroup {
	arn := l.groupARN(g.Name)
	d := types.LogGroup{
		LogGroupName: aws.String(g.Name),
		CreationTime: aws.Int64(g.Created),
		Arn:          aws.String(arn + ":*"),
		LogGroupArn:  &arn,
	}
	if briefly {
		return d
	}
	d.LogGroupClass = types.LogGroupClassStandard
	d.MetricFilterCount = aws.Int32(0)
	d.StoredBytes = aws.Int64(g.bytes)
	if g.Retention > 0 {
		d.RetentionInDays = aws.Int32(g.Retention)
	}
	if g.KMSKey != "" {
		d.KmsKeyId = aws.String(g.KMSKey)
	}
	return d
}

// groupOf is the name in a log group identifier: a name, or the ARN of a
// group of this account and region. Another's ARN is no name of a group here.
func (l *Logs) groupOf(identifier string) string {
	return strings.TrimPrefix(identifier, l.groupARN(""))
}

// identify is the name out of a request's logGroupName and logGroupIdentifier,
// one of which must be there.
func (l *Logs) identify(c *checks, name, identifier *string) (string, error) {
	switch {
	case name != nil && identifier != nil:
		return "", invalid("LogGroup name and LogGroup ARN are mutually exclusive parameters.")
	case identifier != nil:
		return l.groupOf(*identifier), nil
	case name != nil:
		c.groupName("logGroupName", name)
		return *name, nil
	}
	return "", invalid("Must provide either LogGroup name or LogGroup ARN.")
}

// pageToken says after which name a listing goes on.
func pageToken(name string) *string {
	return aws.String(base64.RawURLEncoding.EncodeToString([]byte(name)))
}

func parsePageToken(token *string) (string, error) {
	if token == nil {
		return "", nil
	}
	name, err := base64.RawURLEncoding.DecodeString(*token)
	if err != nil || len(name) == 0 {
		return "", badToken()
	}
	return string(name), nil
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
