package logs

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

func (l *Logs) createLogStream(_ context.Context, in *cwl.CreateLogStreamInput) (*cwl.CreateLogStreamOutput, error) {
	var c checks
	c.groupName("logGroupName", in.LogGroupName)
	c.streamName("logStreamName", in.LogStreamName)
	if err := c.err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	g, err := l.find(*in.LogGroupName)
	if err != nil {
		return nil, err
	}
	if g.streams[*in.LogStreamName] != nil {
		return nil, wire.Errorf("ResourceAlreadyExistsException", "The specified log stream already exists")
	}
	_, err = l.addStream(g, *in.LogStreamName)
	return &cwl.CreateLogStreamOutput{}, err
}

func (l *Logs) deleteLogStream(_ context.Context, in *cwl.DeleteLogStreamInput) (*cwl.DeleteLogStreamOutput, error) {
	var c checks
	c.groupName("logGroupName", in.LogGroupName)
	c.streamName("logStreamName", in.LogStreamName)
	if err := c.err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	g, s, err := l.findStream(*in.LogGroupName, *in.LogStreamName)
	if err != nil {
		return nil, err
	}
	return &cwl.DeleteLogStreamOutput{}, l.removeStream(g, s)
}

func (l *Logs) describeLogStreams(_ context.Context, in *cwl.DescribeLogStreamsInput) (*cwl.DescribeLogStreamsOutput, error) {
	var c checks
	name, err := l.identify(&c, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	limit := c.limit(in.Limit, 50)
	if in.LogStreamNamePrefix != nil {
		c.streamName("logStreamNamePrefix", in.LogStreamNamePrefix)
	}
	byTime := in.OrderBy == types.OrderByLastEventTime
	if in.OrderBy != "" {
		c.oneOf("orderBy", string(in.OrderBy), "LogStreamName", "LastEventTime")
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	if byTime && in.LogStreamNamePrefix != nil {
		return nil, invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	after, err := parsePageToken(in.NextToken)
	if err != nil {
		return nil, err
	}

	// The key sorts the streams, and names the place where a page ended.
	key := func(s *stream) string {
		if byTime {
			return fmt.Sprintf("%020d %s", s.last, s.Name)
		}
		return s.Name
	}
	order := func(a, b string) int { return cmp.Compare(a, b) }
	if aws.ToBool(in.Descending) {
		order = func(a, b string) int { return cmp.Compare(b, a) }
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	g, err := l.find(name)
	if err != nil {
		return nil, err
	}
	streams := slices.SortedFunc(maps.Values(g.streams), func(a, b *stream) int { return order(key(a), key(b)) })
	out := &cwl.DescribeLogStreamsOutput{LogStreams: []types.LogStream{}}
	last := ""
	for _, s := range streams {
		if !strings.HasPrefix(s.Name, aws.ToString(in.LogStreamNamePrefix)) || after != "" && order(key(s), after) <= 0 {
			continue
		}
		if len(out.LogStreams) == limit {
			out.NextToken = pageToken(last)
			break
		}
		last = key(s)
		out.LogStreams = append(out.LogStreams, l.describeStream(s))
	}
	return out, nil
}

func (l *Logs) describeStream(s *stream) types.LogStream {
	d := types.LogStream{
		LogStreamName:       aws.String(s.Name),
		CreationTime:        aws.Int64(s.Created),
		Arn:                 aws.String(l.groupARN(s.Group) + ":log-stream:" + s.Name),
		UploadSequenceToken: aws.String(cursor{seq: s.ID}.String()),
		//lint:ignore SA1019 AWS still sends it, as zero since 2019
		StoredBytes: aws.Int64(0),
	}
	if s.ingested > 0 {
		d.FirstEventTimestamp = aws.Int64(s.first)
		d.LastEventTimestamp = aws.Int64(s.last)
		d.LastIngestionTime = aws.Int64(s.ingested)
	}
	return d
}

func (l *Logs) findStream(groupName, streamName string) (*group, *stream, error) {
	g, err := l.find(groupName)
	if err != nil {
		return nil, nil, err
	}
	s, ok := g.streams[streamName]
	if !ok {
		return nil, nil, noStream()
	}
	return g, s, nil
}
