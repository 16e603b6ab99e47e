package logs_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/logs"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
	"github.com/plimsoll-ecs/plimsoll/internal/plainbody"
)

func start() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) }

// world is one CloudWatch Logs behind its real API.
type world struct {
	clock *clock.Clock
	store *store.Store
	logs  *logs.Logs
	api   *cwl.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return open(t, clock.Manual(start()), store.Memory())
}

func open(t *testing.T, c *clock.Clock, s *store.Store) *world {
	t.Helper()
	l, err := logs.New(logs.Options{Account: "123456789012", Region: "eu-west-1", Clock: c, Store: s})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(wire.NewMux(slog.New(slog.DiscardHandler), l.Service()))
	t.Cleanup(server.Close)
	return &world{c, s, l, cwl.NewFromConfig(aws.Config{
		APIOptions:   []func(*middleware.Stack) error{plainbody.Add},
		Region:       "eu-west-1",
		BaseEndpoint: aws.String(server.URL),
		Credentials:  credentials.NewStaticCredentialsProvider("AKID", "secret", ""),
		Retryer:      func() aws.Retryer { return aws.NopRetryer{} },
	})}
}

// reopen is the same store after drydock was started anew.
func (w *world) reopen(t *testing.T) *world {
	t.Helper()
	if err := w.logs.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, w.clock, w.store)
}

func (w *world) group(t *testing.T, name string) {
	t.Helper()
	if err := w.logs.EnsureGroup(name); err != nil {
		t.Fatal(err)
	}
}

func (w *world) append(t *testing.T, group, stream, line string) {
	t.Helper()
	if err := w.logs.Append(group, stream, w.clock.Now(), line); err != nil {
		t.Fatal(err)
	}
}

// filter is the messages of a FilterLogEvents without paging.
func (w *world) filter(t *testing.T, in cwl.FilterLogEventsInput) []string {
	t.Helper()
	out, err := w.api.FilterLogEvents(t.Context(), &in)
	if err != nil {
		t.Fatal(err)
	}
	var messages []string
	for _, e := range out.Events {
		messages = append(messages, *e.Message)
	}
	return messages
}

func (w *world) messages(t *testing.T, group string) []string {
	t.Helper()
	return w.filter(t, cwl.FilterLogEventsInput{LogGroupName: &group})
}

func wantError(t *testing.T, err error, code, message string) {
	t.Helper()
	e, ok := errors.AsType[smithy.APIError](err)
	if !ok || e.ErrorCode() != code || !strings.Contains(e.ErrorMessage(), message) {
		t.Errorf("got %v, want %s: %s", err, code, message)
	}
}

func want[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}

func TestGroupLifecycle(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	name, arn := "/ecs/web", "arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/web"
	create := &cwl.CreateLogGroupInput{LogGroupName: &name, Tags: map[string]string{"team": "quay"}}
	if _, err := w.api.CreateLogGroup(ctx, create); err != nil {
		t.Fatal(err)
	}
	_, err := w.api.CreateLogGroup(ctx, create)
	wantError(t, err, "ResourceAlreadyExistsException", "The specified log group already exists")

	if _, err := w.api.PutRetentionPolicy(ctx, &cwl.PutRetentionPolicyInput{LogGroupName: &name, RetentionInDays: aws.Int32(14)}); err != nil {
		t.Fatal(err)
	}
	describe := func() types.LogGroup {
		out, err := w.api.DescribeLogGroups(ctx, &cwl.DescribeLogGroupsInput{LogGroupNamePrefix: &name})
		if err != nil || len(out.LogGroups) != 1 {
			t.Fatalf("got %v, %v", out, err)
		}
		return out.LogGroups[0]
	}
	g := describe()
	want(t, "arn", *g.Arn, arn+":*")
	want(t, "logGroupArn", *g.LogGroupArn, arn)
	want(t, "creationTime", *g.CreationTime, start().UnixMilli())
	want(t, "retention", *g.RetentionInDays, 14)
	want(t, "class", g.LogGroupClass, types.LogGroupClassStandard)
	want(t, "storedBytes", *g.StoredBytes, 0)

	if _, err := w.api.TagResource(ctx, &cwl.TagResourceInput{ResourceArn: &arn, Tags: map[string]string{"team": "hull", "env": "test"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.api.UntagResource(ctx, &cwl.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"env", "absent"}}); err != nil {
		t.Fatal(err)
	}
	w = w.reopen(t)
	tags, err := w.api.ListTagsForResource(ctx, &cwl.ListTagsForResourceInput{ResourceArn: &arn})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "tags", tags.Tags, map[string]string{"team": "hull"})
	//lint:ignore SA1019 deprecated, and still called
	old, err := w.api.ListTagsLogGroup(ctx, &cwl.ListTagsLogGroupInput{LogGroupName: &name})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "tags", old.Tags, map[string]string{"team": "hull"})

	if _, err := w.api.DeleteRetentionPolicy(ctx, &cwl.DeleteRetentionPolicyInput{LogGroupName: &name}); err != nil {
		t.Fatal(err)
	}
	if g := describe(); g.RetentionInDays != nil {
		t.Errorf("retention is %d", *g.RetentionInDays)
	}
	if _, err := w.api.DeleteLogGroup(ctx, &cwl.DeleteLogGroupInput{LogGroupName: &name}); err != nil {
		t.Fatal(err)
	}
	_, err = w.api.DeleteLogGroup(ctx, &cwl.DeleteLogGroupInput{LogGroupName: &name})
	wantError(t, err, "ResourceNotFoundException", "The specified log group does not exist.")
}

func TestRefusals(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.group(t, "g")
	g, s := aws.String("g"), aws.String("s")
	if err := w.logs.EnsureStream("g", "s"); err != nil {
		t.Fatal(err)
	}
	put := func(events ...types.InputLogEvent) error {
		_, err := w.api.PutLogEvents(ctx, &cwl.PutLogEventsInput{LogGroupName: g, LogStreamName: s, LogEvents: events})
		return err
	}
	get := func(in cwl.GetLogEventsInput) error { _, err := w.api.GetLogEvents(ctx, &in); return err }
	filter := func(in cwl.FilterLogEventsInput) error { _, err := w.api.FilterLogEvents(ctx, &in); return err }
	groups := func(in cwl.DescribeLogGroupsInput) error { _, err := w.api.DescribeLogGroups(ctx, &in); return err }
	streams := func(in cwl.DescribeLogStreamsInput) error { _, err := w.api.DescribeLogStreams(ctx, &in); return err }
	createGroup := func(in cwl.CreateLogGroupInput) error { _, err := w.api.CreateLogGroup(ctx, &in); return err }
	createStream := func(in cwl.CreateLogStreamInput) error { _, err := w.api.CreateLogStream(ctx, &in); return err }
	retention := func(name string, days int32) error {
		_, err := w.api.PutRetentionPolicy(ctx, &cwl.PutRetentionPolicyInput{LogGroupName: &name, RetentionInDays: &days})
		return err
	}
	tag := func(arn string, tags map[string]string) error {
		_, err := w.api.TagResource(ctx, &cwl.TagResourceInput{ResourceArn: &arn, Tags: tags})
		return err
	}
	at := func(d time.Duration, message string) types.InputLogEvent {
		return types.InputLogEvent{Timestamp: aws.Int64(start().Add(d).UnixMilli()), Message: &message}
	}
	arn := "arn:aws:logs:eu-west-1:123456789012:log-group:g"
	many := map[string]string{}
	for i := range 51 {
		many[fmt.Sprint("k", i)] = ""
	}
	const parameter, missing = "InvalidParameterException", "ResourceNotFoundException"
	for name, test := range map[string]struct {
		err           error
		code, message string
	}{
		"group name":             {createGroup(cwl.CreateLogGroupInput{LogGroupName: aws.String("a b")}), parameter, `1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+`},
		"group name length":      {createGroup(cwl.CreateLogGroupInput{LogGroupName: aws.String(strings.Repeat("a", 513))}), parameter, "Member must have length less than or equal to 512"},
		"two faults":             {createGroup(cwl.CreateLogGroupInput{LogGroupName: aws.String(""), LogGroupClass: "GOLD"}), parameter, "2 validation errors detected: "},
		"class":                  {createGroup(cwl.CreateLogGroupInput{LogGroupName: aws.String("b"), LogGroupClass: "DELIVERY"}), parameter, "class STANDARD only"},
		"protection":             {createGroup(cwl.CreateLogGroupInput{LogGroupName: aws.String("b"), DeletionProtectionEnabled: aws.Bool(true)}), parameter, "no deletion protection"},
		"tags of a new group":    {createGroup(cwl.CreateLogGroupInput{LogGroupName: aws.String("b"), Tags: many}), "TooManyTagsException", "more than 50 tags"},
		"tag key":                {tag(arn, map[string]string{"a!": ""}), parameter, "regular expression pattern"},
		"tags":                   {tag(arn, many), "TooManyTagsException", arn},
		"tags of nothing":        {tag("arn:aws:logs:us-east-1:1:log-group:g", map[string]string{"a": "b"}), missing, "log group"},
		"tags with :*":           {tag(arn+":*", map[string]string{"a": "b"}), missing, "log group"},
		"retention":              {retention("g", 2), parameter, "Value '2' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [1, 3, 5,"},
		"retention of nothing":   {retention("x", 1), missing, "log group"},
		"stream of nothing":      {createStream(cwl.CreateLogStreamInput{LogGroupName: aws.String("x"), LogStreamName: s}), missing, "log group"},
		"stream twice":           {createStream(cwl.CreateLogStreamInput{LogGroupName: g, LogStreamName: s}), "ResourceAlreadyExistsException", "The specified log stream already exists"},
		"stream name":            {createStream(cwl.CreateLogStreamInput{LogGroupName: g, LogStreamName: aws.String("a:b")}), parameter, "[^:*]*"},
		"groups by both":         {groups(cwl.DescribeLogGroupsInput{LogGroupNamePrefix: g, LogGroupNamePattern: g}), parameter, "mutually exclusive"},
		"groups limit":           {groups(cwl.DescribeLogGroupsInput{Limit: aws.Int32(51)}), parameter, "Value '51' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 50"},
		"groups token":           {groups(cwl.DescribeLogGroupsInput{NextToken: aws.String("*")}), parameter, "The specified nextToken is invalid."},
		"streams by both":        {streams(cwl.DescribeLogStreamsInput{LogGroupName: g, LogStreamNamePrefix: s, OrderBy: "LastEventTime"}), parameter, "Cannot order by LastEventTime with a logStreamNamePrefix."},
		"streams of nothing":     {streams(cwl.DescribeLogStreamsInput{LogGroupName: aws.String("x")}), missing, "log group"},
		"streams of no group":    {streams(cwl.DescribeLogStreamsInput{}), parameter, "LogGroup"},
		"no events":              {put([]types.InputLogEvent{}...), parameter, "Value '[]' at 'logEvents'"},
		"empty message":          {put(at(0, "")), parameter, "'logEvents.1.member.message'"},
		"out of order":           {put(at(1, "a"), at(-time.Second, "b")), parameter, "chronological order"},
		"a day apart":            {put(at(-25*time.Hour, "a"), at(0, "b")), parameter, "cannot span more than 24 hours"},
		"too large":              {put(at(0, strings.Repeat("x", 1<<20-25))), parameter, "Upload too large: 1048577 bytes exceeds limit of 1048576"},
		"events of nothing":      {get(cwl.GetLogEventsInput{LogGroupName: aws.String("x"), LogStreamName: s}), missing, "log group"},
		"events of no stream":    {get(cwl.GetLogEventsInput{LogGroupName: g, LogStreamName: aws.String("x")}), missing, "The specified log stream does not exist."},
		"events token":           {get(cwl.GetLogEventsInput{LogGroupName: g, LogStreamName: s, NextToken: aws.String("f/12/s")}), parameter, "The specified nextToken is invalid."},
		"events limit":           {get(cwl.GetLogEventsInput{LogGroupName: g, LogStreamName: s, Limit: aws.Int32(0)}), parameter, "greater than or equal to 1"},
		"events by name and ARN": {get(cwl.GetLogEventsInput{LogGroupName: g, LogGroupIdentifier: g, LogStreamName: s}), parameter, "mutually exclusive"},
		"filter by both":         {filter(cwl.FilterLogEventsInput{LogGroupName: g, LogStreamNames: []string{"s"}, LogStreamNamePrefix: s}), parameter, "logStreamNames"},
		"filter no stream":       {filter(cwl.FilterLogEventsInput{LogGroupName: g, LogStreamNames: []string{"x"}}), missing, "log stream"},
		"filter JSON":            {filter(cwl.FilterLogEventsInput{LogGroupName: g, FilterPattern: aws.String("{ $.a = 1 }")}), parameter, "Invalid filter pattern"},
		"filter old backwards":   {filter(cwl.FilterLogEventsInput{LogGroupName: g, StartFromHead: aws.Bool(false), StartTime: aws.Int64(1)}), parameter, "2024"},
	} {
		t.Run(name, func(t *testing.T) { wantError(t, test.err, test.code, test.message) })
	}
	if out, err := w.api.DescribeLogGroups(ctx, &cwl.DescribeLogGroupsInput{}); err != nil || len(out.LogGroups) != 1 {
		t.Errorf("a refused group is there: %v, %v", out, err)
	}
}

func TestDescribeLogGroupsPages(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	var names []string
	for i := range 7 {
		name := fmt.Sprintf("/ecs/%d", i)
		names = append(names, name)
		w.group(t, name)
	}
	w.group(t, "/other/3")
	var got []string
	pages := cwl.NewDescribeLogGroupsPaginator(w.api, &cwl.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/ecs/"), Limit: aws.Int32(3)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range page.LogGroups {
			got = append(got, *g.LogGroupName)
		}
	}
	want(t, "groups", got, names)
	out, err := w.api.DescribeLogGroups(ctx, &cwl.DescribeLogGroupsInput{LogGroupNamePattern: aws.String("/3")})
	if err != nil || len(out.LogGroups) != 2 || out.LogGroups[0].StoredBytes != nil {
		t.Errorf("by pattern: %v, %v", out, err)
	}
	out, err = w.api.DescribeLogGroups(ctx, &cwl.DescribeLogGroupsInput{LogGroupIdentifiers: []string{"/other/3"}})
	if err != nil || len(out.LogGroups) != 1 {
		t.Errorf("by identifier: %v, %v", out, err)
	}
}

func TestDescribeLogStreamsOrder(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.group(t, "g")
	for _, stream := range []string{"b", "a", "d", "c"} {
		w.append(t, "g", stream, "hello")
		w.clock.Advance(time.Second)
	}
	if err := w.logs.EnsureStream("g", "quiet"); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		in   cwl.DescribeLogStreamsInput
		want string
	}{
		{cwl.DescribeLogStreamsInput{}, "a b c d quiet"},
		{cwl.DescribeLogStreamsInput{Descending: aws.Bool(true)}, "quiet d c b a"},
		{cwl.DescribeLogStreamsInput{OrderBy: types.OrderByLastEventTime}, "quiet b a d c"},
		{cwl.DescribeLogStreamsInput{OrderBy: types.OrderByLastEventTime, Descending: aws.Bool(true)}, "c d a b quiet"},
		{cwl.DescribeLogStreamsInput{LogStreamNamePrefix: aws.String("q")}, "quiet"},
	} {
		test.in.LogGroupIdentifier = aws.String("arn:aws:logs:eu-west-1:123456789012:log-group:g")
		test.in.Limit = aws.Int32(2)
		var got []string
		pages := cwl.NewDescribeLogStreamsPaginator(w.api, &test.in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range page.LogStreams {
				got = append(got, *s.LogStreamName)
			}
		}
		want(t, "streams", strings.Join(got, " "), test.want)
	}
	out, err := w.api.DescribeLogStreams(ctx, &cwl.DescribeLogStreamsInput{LogGroupName: aws.String("g")})
	if err != nil {
		t.Fatal(err)
	}
	a, quiet := out.LogStreams[0], out.LogStreams[4]
	want(t, "lastEventTimestamp", *a.LastEventTimestamp, start().Add(time.Second).UnixMilli())
	want(t, "arn", *a.Arn, "arn:aws:logs:eu-west-1:123456789012:log-group:g:log-stream:a")
	if quiet.FirstEventTimestamp != nil || quiet.LastIngestionTime != nil {
		t.Errorf("a stream without events has times: %+v", quiet)
	}
}

func TestPutLogEventsSiftsByAge(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.group(t, "g")
	if err := w.logs.EnsureStream("g", "s"); err != nil {
		t.Fatal(err)
	}
	put := func(ages ...time.Duration) *cwl.PutLogEventsOutput {
		in := cwl.PutLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s")}
		for _, age := range ages {
			in.LogEvents = append(in.LogEvents, types.InputLogEvent{
				Timestamp: aws.Int64(start().Add(-age).UnixMilli()), Message: aws.String(age.String()),
			})
		}
		out, err := w.api.PutLogEvents(ctx, &in)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	const day = 24 * time.Hour
	out := put(14*day+2*time.Hour, 14*day+time.Hour, 14*day-time.Hour)
	want(t, "tooOld", *out.RejectedLogEventsInfo.TooOldLogEventEndIndex, 2)
	out = put(0, -2*time.Hour, -2*time.Hour-time.Millisecond)
	want(t, "tooNew", *out.RejectedLogEventsInfo.TooNewLogEventStartIndex, 2)
	if _, err := w.api.PutRetentionPolicy(ctx, &cwl.PutRetentionPolicyInput{LogGroupName: aws.String("g"), RetentionInDays: aws.Int32(3)}); err != nil {
		t.Fatal(err)
	}
	out = put(3*day+time.Hour, 3*day-time.Hour)
	want(t, "expired", *out.RejectedLogEventsInfo.ExpiredLogEventEndIndex, 1)
	if out = put(time.Hour); out.RejectedLogEventsInfo != nil || len(*out.NextSequenceToken) != 56 {
		t.Errorf("got %+v", out)
	}
	want(t, "kept", w.messages(t, "g"), []string{"71h0m0s", "1h0m0s", "0s", "-2h0m0s"})
	w.clock.Advance(3 * day)
	want(t, "after three days", w.messages(t, "g"), []string{"0s", "-2h0m0s"})
}

// A client that reads forwards to the end, and one that reads backwards to the
// beginning, both see every event of the stream once and in order; at either
// end the token repeats itself. New events are found with the last token.
func TestGetLogEventsPages(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		w.group(t, "g")
		var lines []string
		add := func() {
			for range rapid.IntRange(0, 12).Draw(rt, "events") {
				line := fmt.Sprint("line ", len(lines))
				lines = append(lines, line)
				w.append(t, "g", "s", line)
				w.append(t, "g", "noise", line)
				w.clock.Advance(time.Duration(rapid.IntRange(0, 1).Draw(rt, "ms")) * time.Millisecond)
			}
		}
		limit := int32(rapid.IntRange(1, 5).Draw(rt, "limit"))
		if err := w.logs.EnsureStream("g", "s"); err != nil {
			t.Fatal(err)
		}
		page := func(head bool, token *string) *cwl.GetLogEventsOutput {
			out, err := w.api.GetLogEvents(t.Context(), &cwl.GetLogEventsInput{
				LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), Limit: &limit, StartFromHead: &head, NextToken: token,
			})
			if err != nil {
				rt.Fatal(err)
			}
			return out
		}
		messages := func(out *cwl.GetLogEventsOutput) (list []string) {
			for _, e := range out.Events {
				list = append(list, *e.Message)
			}
			return list
		}
		forwards := func(token *string) (got []string, end *string) {
			for {
				out := page(true, token)
				got = append(got, messages(out)...)
				if token != nil && *out.NextForwardToken == *token {
					return got, token
				}
				token = out.NextForwardToken
			}
		}
		backwards := func(token *string) (got []string) {
			for {
				out := page(false, token)
				got = append(messages(out), got...)
				if token != nil && *out.NextBackwardToken == *token {
					return got
				}
				token = out.NextBackwardToken
			}
		}
		same := func(what string, got, want []string) {
			if !slices.Equal(got, want) {
				rt.Fatalf("%s: got %q, want %q", what, got, want)
			}
		}
		add()
		got, end := forwards(nil)
		same("forwards", got, lines)
		same("backwards", backwards(nil), lines)
		same("back from the end", backwards(page(true, end).NextBackwardToken), lines)
		tail := page(false, nil)
		same("the tail", messages(tail), lines[max(0, len(lines)-int(limit)):])
		before := len(lines)
		add()
		got, _ = forwards(end)
		same("following", got, lines[before:])
		got, _ = forwards(tail.NextForwardToken)
		same("following the tail", got, lines[before:])
	})
}

func TestFilterLogEvents(t *testing.T) {
	w := newWorld(t)
	w.group(t, "g")
	for i := range 6 {
		w.append(t, "g", fmt.Sprint("web/", i%2), fmt.Sprint([]string{"INFO", "ERROR"}[i%2], " ", i))
		w.append(t, "g", "job/0", fmt.Sprint("ERROR job ", i))
		w.clock.Advance(time.Second)
	}
	g := aws.String("g")
	second := func(n int) *int64 { return aws.Int64(start().Add(time.Duration(n) * time.Second).UnixMilli()) }
	for _, test := range []struct {
		name string
		in   cwl.FilterLogEventsInput
		want []string
	}{
		{"pattern", cwl.FilterLogEventsInput{FilterPattern: aws.String("ERROR -job")}, []string{"ERROR 1", "ERROR 3", "ERROR 5"}},
		{"prefix", cwl.FilterLogEventsInput{LogStreamNamePrefix: aws.String("web/"), StartTime: second(4)}, []string{"INFO 4", "ERROR 5"}},
		{"names", cwl.FilterLogEventsInput{LogStreamNames: []string{"web/1", "job/0"}, StartTime: second(1), EndTime: second(2)}, []string{"ERROR 1", "ERROR job 1"}},
		{"backwards", cwl.FilterLogEventsInput{LogStreamNames: []string{"web/1"}, StartFromHead: aws.Bool(false)}, []string{"ERROR 5", "ERROR 3", "ERROR 1"}},
		{"nothing between", cwl.FilterLogEventsInput{StartTime: second(3), EndTime: second(1)}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.in.LogGroupName = g
			want(t, "all at once", w.filter(t, test.in), test.want)
			test.in.Limit = aws.Int32(1)
			var got, ids []string
			pages := cwl.NewFilterLogEventsPaginator(w.api, &test.in)
			for pages.HasMorePages() {
				page, err := pages.NextPage(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range page.Events {
					got, ids = append(got, *e.Message), append(ids, *e.EventId)
				}
			}
			want(t, "one by one", got, test.want)
			slices.Sort(ids)
			if n := len(slices.Compact(ids)); n != len(got) {
				t.Errorf("%d event ids for %d events", n, len(got))
			}
		})
	}
}

func TestAppend(t *testing.T) {
	w := newWorld(t)
	err := w.logs.Append("absent", "s", start(), "hello")
	e, ok := errors.AsType[*logs.NoGroupError](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	want(t, "error", e.Error(), "ResourceNotFoundException: The specified log group does not exist.")
	w.group(t, "g")
	w.append(t, "g", "s", "")
	w.append(t, "g", "s", "bad \xff byte")
	w.append(t, "g", "s", strings.Repeat("é", 200_000)) // 400,000 bytes
	got := w.messages(t, "g")
	want(t, "events", len(got), 3)
	want(t, "first", got[0], "bad � byte")
	if first := len(got[1]); first > 256<<10-26 || first < 256<<10-28 || got[1]+got[2] != strings.Repeat("é", 200_000) {
		t.Errorf("cut at %d bytes", first)
	}
	if err := w.logs.EnsureGroup("a group"); err == nil {
		t.Error("a group with a blank in its name")
	}
}

func TestOldestEventsGoFirst(t *testing.T) {
	w := newWorld(t)
	w.group(t, "g")
	w.append(t, "g", "old", "the first line")
	line := strings.Repeat("x", 100<<10)
	for range 100 { // 10 MB
		w.clock.Advance(time.Second)
		w.append(t, "g", "s", line)
	}
	out, err := w.api.DescribeLogGroups(t.Context(), &cwl.DescribeLogGroupsInput{})
	if err != nil {
		t.Fatal(err)
	}
	if n := *out.LogGroups[0].StoredBytes; n > 8<<20 || n < 7<<20 {
		t.Errorf("%d bytes are kept", n)
	}
	want(t, "the first line", w.filter(t, cwl.FilterLogEventsInput{LogGroupName: aws.String("g"), FilterPattern: aws.String("first")}), nil)
	// What was dropped does not come back, nor does it stay in the store.
	before := w.messages(t, "g")
	w = w.reopen(t)
	if !slices.Equal(before, w.messages(t, "g")) {
		t.Error("the events are others after opening the store again")
	}
	kept := 0
	if err := w.store.Load("logs/123456789012/eu-west-1/events", func(_ string, doc []byte) error { kept += len(doc); return nil }); err != nil {
		t.Fatal(err)
	}
	if kept > 9<<20 {
		t.Errorf("the store keeps %d bytes", kept)
	}
}

func TestEventsReachTheStoreWithinASecond(t *testing.T) {
	w := newWorld(t)
	w.group(t, "g")
	documents := func() (n int) {
		if err := w.store.Load("logs/123456789012/eu-west-1/events", func(string, []byte) error { n++; return nil }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for range 3 {
		w.append(t, "g", "s", "x")
	}
	want(t, "documents before", documents(), 0)
	w.clock.Advance(time.Second)
	want(t, "documents after", documents(), 1)
	w.clock.Advance(time.Hour)
	want(t, "documents when nothing happens", documents(), 1)
	if _, err := w.api.DeleteLogStream(t.Context(), &cwl.DeleteLogStreamInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s")}); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Second)
	want(t, "documents after the stream is deleted", documents(), 0)
	w.append(t, "g", "s", "y")
	w = w.reopen(t) // Close saves what has waited
	want(t, "events", w.messages(t, "g"), []string{"y"})
	if _, err := w.api.DeleteLogGroup(t.Context(), &cwl.DeleteLogGroupInput{LogGroupName: aws.String("g")}); err != nil {
		t.Fatal(err)
	}
	want(t, "documents after the group is deleted", documents(), 0)
	w.group(t, "g")
	want(t, "events of the new group", w.messages(t, "g"), nil)
}

// Whatever is done to them, the logs are the same after starting anew.
func TestReopenChangesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		name := rapid.SampledFrom([]string{"a", "b"})
		n := 0
		picture := func(w *world) string {
			var b strings.Builder
			for _, g := range []string{"a", "b"} {
				streams, err := w.api.DescribeLogStreams(t.Context(), &cwl.DescribeLogStreamsInput{LogGroupName: &g})
				if err != nil {
					continue // no such group
				}
				for _, s := range streams.LogStreams {
					fmt.Fprintln(&b, g, *s.LogStreamName, *s.CreationTime)
				}
				events, err := w.api.FilterLogEvents(t.Context(), &cwl.FilterLogEventsInput{LogGroupName: &g})
				if err != nil {
					rt.Fatal(err)
				}
				for _, e := range events.Events {
					fmt.Fprintln(&b, *e.EventId, *e.LogStreamName, *e.IngestionTime, *e.Message)
				}
			}
			return b.String()
		}
		rt.Repeat(map[string]func(*rapid.T){
			"append": func(rt *rapid.T) {
				n++
				at := w.clock.Now().Add(-time.Duration(rapid.IntRange(0, 3).Draw(rt, "age")) * 12 * time.Hour)
				err := w.logs.Append(name.Draw(rt, "group"), name.Draw(rt, "stream"), at, fmt.Sprint("line ", n))
				if _, noGroup := errors.AsType[*logs.NoGroupError](err); err != nil && !noGroup {
					rt.Fatal(err)
				}
			},
			"group":   func(rt *rapid.T) { w.group(t, name.Draw(rt, "group")) },
			"advance": func(rt *rapid.T) { w.clock.Advance(time.Duration(rapid.IntRange(0, 5).Draw(rt, "hours")) * time.Hour) },
			"retention": func(rt *rapid.T) {
				_, _ = w.api.PutRetentionPolicy(t.Context(), &cwl.PutRetentionPolicyInput{LogGroupName: aws.String(name.Draw(rt, "group")), RetentionInDays: aws.Int32(1)})
			},
			"delete stream": func(rt *rapid.T) {
				_, _ = w.api.DeleteLogStream(t.Context(), &cwl.DeleteLogStreamInput{LogGroupName: aws.String(name.Draw(rt, "group")), LogStreamName: aws.String(name.Draw(rt, "stream"))})
			},
			"delete group": func(rt *rapid.T) {
				_, _ = w.api.DeleteLogGroup(t.Context(), &cwl.DeleteLogGroupInput{LogGroupName: aws.String(name.Draw(rt, "group"))})
			},
			"reopen": func(rt *rapid.T) {
				before := picture(w)
				w = w.reopen(t)
				if after := picture(w); after != before {
					rt.Fatalf("before:\n%safter:\n%s", before, after)
				}
			},
		})
	})
}
