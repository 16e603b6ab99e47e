package logs

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// Bounds of the service, from the API reference of PutLogEvents, GetLogEvents
// and FilterLogEvents.
const (
	maxEvents    = 10_000  // of one request, and of one answer
	maxBytes     = 1 << 20 // of one request, and of one answer
	maxSpan      = 24 * time.Hour
	oldestEvent  = 14 * 24 * time.Hour
	newestEvent  = 2 * time.Hour
	longestQuery = 1024 // of a filter pattern
)

func (l *Logs) putLogEvents(_ context.Context, in *cwl.PutLogEventsInput) (*cwl.PutLogEventsOutput, error) {
	var c checks
	c.groupName("logGroupName", in.LogGroupName)
	c.streamName("logStreamName", in.LogStreamName)
	if c.present("logEvents", in.LogEvents != nil) {
		c.count("logEvents", len(in.LogEvents), maxEvents)
	}
	bytes := 0
	for i, e := range in.LogEvents {
		member := fmt.Sprintf("logEvents.%d.member", i+1)
		if c.present(member+".message", e.Message != nil) && *e.Message == "" {
			c.fail(quoted(""), member+".message", "Member must have length greater than or equal to 1")
		}
		c.present(member+".timestamp", e.Timestamp != nil)
		c.timestamp(member+".timestamp", e.Timestamp)
		bytes += len(aws.ToString(e.Message)) + eventOverhead
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	if bytes > maxBytes {
		return nil, invalid("Upload too large: %d bytes exceeds limit of %d", bytes, maxBytes)
	}
	if !slices.IsSortedFunc(in.LogEvents, func(a, b types.InputLogEvent) int { return cmp.Compare(*a.Timestamp, *b.Timestamp) }) {
		return nil, invalid("Log events in a single PutLogEvents request must be in chronological order.")
	}
	first, last := *in.LogEvents[0].Timestamp, *in.LogEvents[len(in.LogEvents)-1].Timestamp
	if last-first > maxSpan.Milliseconds() {
		return nil, invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	g, s, err := l.findStream(*in.LogGroupName, *in.LogStreamName)
	if err != nil {
		return nil, err
	}
	now := l.clock.Now()
	accepted, rejected := sift(in.LogEvents, now, g.Retention)
	for _, e := range accepted {
		l.addEvent(g, s, time.UnixMilli(*e.Timestamp), now, *e.Message)
	}
	g.trim(now)
	return &cwl.PutLogEventsOutput{
		NextSequenceToken:     aws.String(cursor{seq: l.seq}.String()),
		RejectedLogEventsInfo: rejected,
	}, nil
}

// sift parts the events, which are in order, in those to keep and those too
// old or too new to be taken.
func sift(events []types.InputLogEvent, now time.Time, retention int32) ([]types.InputLogEvent, *types.RejectedLogEventsInfo) {
	// from is the first event that is not before t.
	from := func(t time.Time) int {
		i, _ := slices.BinarySearchFunc(events, t.UnixMilli(), func(e types.InputLogEvent, ms int64) int {
			return cmp.Compare(*e.Timestamp, ms)
		})
		return i
	}
	var info types.RejectedLogEventsInfo
	start, end := from(now.Add(-oldestEvent)), from(now.Add(newestEvent+time.Millisecond))
	if start > 0 {
		info.TooOldLogEventEndIndex = aws.Int32(int32(start))
	}
	if retention > 0 {
		if expired := from(now.AddDate(0, 0, -int(retention))); expired > start {
			info.ExpiredLogEventEndIndex = aws.Int32(int32(expired))
			start = expired
		}
	}
	if end < len(events) {
		info.TooNewLogEventStartIndex = aws.Int32(int32(end))
	}
	if info == (types.RejectedLogEventsInfo{}) {
		return events, nil
	}
	return events[start:max(start, end)], &info
}

func (l *Logs) getLogEvents(_ context.Context, in *cwl.GetLogEventsInput) (*cwl.GetLogEventsOutput, error) {
	var c checks
	groupName, err := l.identify(&c, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	c.streamName("logStreamName", in.LogStreamName)
	c.timestamp("startTime", in.StartTime)
	c.timestamp("endTime", in.EndTime)
	limit := c.limit(in.Limit, maxEvents)
	if err := c.err(); err != nil {
		return nil, err
	}
	from, err := startOf(in.NextToken, aws.ToBool(in.StartFromHead))
	if err != nil {
		return nil, err
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	g, s, err := l.findStream(groupName, *in.LogStreamName)
	if err != nil {
		return nil, err
	}
	page, _ := read(g.between(in.StartTime, in.EndTime), from, limit, func(e event) bool { return e.Stream == s.ID })
	if from.back {
		slices.Reverse(page) // the latest, but in order of time
	}
	out := &cwl.GetLogEventsOutput{Events: []types.OutputLogEvent{}}
	for _, e := range page {
		out.Events = append(out.Events, types.OutputLogEvent{
			Timestamp: aws.Int64(e.At), IngestionTime: aws.Int64(e.Ingested), Message: aws.String(e.Message),
		})
	}
	before, after := around(page, from)
	out.NextBackwardToken, out.NextForwardToken = aws.String(before.String()), aws.String(after.String())
	return out, nil
}

// around is the tokens before and after a page. At the end of the stream the
// token that led there comes back, which tells clients to stop; the other one
// leads back over the event that it names.
func around(page []event, from token) (before, after token) {
	before, after = token{from.cursor, true}, token{from.cursor, false}
	switch {
	case len(page) > 0:
		before.cursor, after.cursor = page[0].cursor(), page[len(page)-1].cursor()
	case from == latest():
		after.cursor = cursor{} // nothing there yet: whatever comes is new
	case from.back && from.seq > 0:
		after.seq--
	case !from.back:
		before.seq++
	}
	return before, after
}

// startOf is where a read begins: at the token, or else at the head or the
// tail of what there is.
func startOf(nextToken *string, fromHead bool) (token, error) {
	switch {
	case nextToken != nil:
		return parseToken(*nextToken)
	case fromHead:
		return token{}, nil
	}
	return latest(), nil
}

// latest leads backwards from behind every event.
func latest() token { return token{cursor{1<<63 - 1, 1<<64 - 1}, true} }

// read collects the events that match, from the token on in its direction,
// and says whether more of them follow. A page ends at limit events or before
// maxBytes of them.
func read(events []event, from token, limit int, match func(event) bool) (page []event, more bool) {
	i, found := slices.BinarySearchFunc(events, from.cursor, compareEvent)
	step := 1
	if from.back {
		i, step = i-1, -1
	} else if found {
		i++
	}
	bytes := int64(0)
	for ; i >= 0 && i < len(events); i += step {
		e := events[i]
		if !match(e) {
			continue
		}
		if bytes += e.size(); len(page) == limit || len(page) > 0 && bytes > maxBytes {
			return page, true
		}
		page = append(page, e)
	}
	return page, false
}

func (l *Logs) filterLogEvents(_ context.Context, in *cwl.FilterLogEventsInput) (*cwl.FilterLogEventsOutput, error) {
	var c checks
	groupName, err := l.identify(&c, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if in.LogStreamNamePrefix != nil {
		c.streamName("logStreamNamePrefix", in.LogStreamNamePrefix)
	}
	for i, name := range in.LogStreamNames {
		c.streamName(fmt.Sprintf("logStreamNames.%d.member", i+1), &name)
	}
	if in.LogStreamNames != nil {
		c.count("logStreamNames", len(in.LogStreamNames), 100)
	}
	c.timestamp("startTime", in.StartTime)
	c.timestamp("endTime", in.EndTime)
	c.length("filterPattern", aws.ToString(in.FilterPattern), 0, longestQuery)
	limit := c.limit(in.Limit, maxEvents)
	if err := c.err(); err != nil {
		return nil, err
	}
	fromHead := in.StartFromHead == nil || *in.StartFromHead
	firstBackwards := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	switch {
	case in.LogStreamNames != nil && in.LogStreamNamePrefix != nil:
		return nil, invalid("logStreamNames and logStreamNamePrefix cannot both be given.")
	case !fromHead && in.StartTime != nil && *in.StartTime < firstBackwards:
		return nil, invalid("startFromHead can be false only with a startTime on or after Jan 1, 2024 00:00:00 UTC.")
	}
	p, err := parsePattern(aws.ToString(in.FilterPattern))
	if err != nil {
		return nil, err
	}
	from, err := startOf(in.NextToken, fromHead)
	if err != nil {
		return nil, err
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	g, err := l.find(groupName)
	if err != nil {
		return nil, err
	}
	names := map[uint64]string{} // of the streams to search
	for _, s := range g.streams {
		if strings.HasPrefix(s.Name, aws.ToString(in.LogStreamNamePrefix)) {
			names[s.ID] = s.Name
		}
	}
	if in.LogStreamNames != nil {
		clear(names)
		for _, name := range in.LogStreamNames {
			s, ok := g.streams[name]
			if !ok {
				return nil, noStream()
			}
			names[s.ID] = name
		}
	}
	page, more := read(g.between(in.StartTime, in.EndTime), from, limit, func(e event) bool {
		return names[e.Stream] != "" && p.match(e.Message)
	})
	out := &cwl.FilterLogEventsOutput{Events: []types.FilteredLogEvent{}, SearchedLogStreams: []types.SearchedLogStream{}}
	for _, e := range page {
		out.Events = append(out.Events, types.FilteredLogEvent{
			EventId:       aws.String(e.cursor().String()),
			LogStreamName: aws.String(names[e.Stream]),
			Timestamp:     aws.Int64(e.At), IngestionTime: aws.Int64(e.Ingested), Message: aws.String(e.Message),
		})
	}
	if more {
		out.NextToken = aws.String(token{page[len(page)-1].cursor(), from.back}.String())
	}
	return out, nil
}
