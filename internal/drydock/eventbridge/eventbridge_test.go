package eventbridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/delivery"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/events"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

func start() time.Time { return time.Date(2026, 11, 21, 9, 0, 30, 0, time.UTC) }

// world is buses whose parcels are written down with the time of their delivery.
type world struct {
	*Buses
	stream    *events.Stream
	clock     *clock.Clock
	delivered []string
}

func newWorld(c *clock.Clock, s *store.Store) *world {
	w := &world{clock: c}
	w.stream = events.New(events.Options{Account: "123456789012", Region: "ap-northeast-1", Log: slog.New(slog.DiscardHandler), Route: func(e events.Event) { w.Take(e) }})
	b, err := New(Options{
		Account: "123456789012", Region: "ap-northeast-1", Clock: c, Store: s, Log: slog.New(slog.DiscardHandler), Seed: 1, Put: w.stream.Put,
		Deliver: func(p delivery.Parcel) {
			_, target, _ := strings.Cut(p.Target, "123456789012:")
			w.delivered = append(w.delivered, fmt.Sprintf("%s %s %s", c.Now().Format("02T15:04:05.0"), target, p.Body))
		},
	})
	if err != nil {
		panic(err) // a store in memory always loads
	}
	w.Buses = b
	return w
}

func (w *world) call(operation string, in map[string]any, out any) error {
	return wire.NewLocal(w.Service()).Call(context.Background(), "EventBridge."+operation, in, out)
}

type fataler interface{ Fatal(...any) }

func (w *world) must(t fataler, operation string, in map[string]any) {
	if err := w.call(operation, in, &struct{}{}); err != nil {
		t.Fatal(err)
	}
}

func queue(name string) string { return "arn:aws:sqs:ap-northeast-1:123456789012:" + name }

// A rule's targets get the events that match, each in its own form, a moment later; other
// buses have rules of their own.
func TestRoutes(t *testing.T) {
	w := newWorld(clock.Manual(start()), store.Memory())
	w.must(t, "CreateEventBus", map[string]any{"Name": "orders"})
	for _, rule := range []struct{ bus, name, pattern, state string }{
		{"default", "tasks", `{"source": ["aws.ecs"], "detail": {"lastStatus": ["STOPPED"]}}`, "ENABLED"},
		{"default", "off", `{"source": ["aws.ecs"]}`, "DISABLED"},
		{"orders", "orders", `{"detail": {"sum": [{"numeric": [">", 5]}]}}`, "ENABLED"},
	} {
		w.must(t, "PutRule", map[string]any{"Name": rule.name, "EventBusName": rule.bus, "EventPattern": rule.pattern, "State": rule.state})
	}
	w.must(t, "PutTargets", map[string]any{"Rule": "tasks", "Targets": []any{
		map[string]any{"Id": "input", "Arn": queue("input"), "Input": `"fixed"`},
		map[string]any{"Id": "path", "Arn": queue("path"), "InputPath": "$.detail.containers[0].name"},
		map[string]any{"Id": "template", "Arn": queue("template"), "InputTransformer": map[string]any{
			"InputPathsMap": map[string]string{"status": "$.detail.lastStatus", "all": "$.detail.containers", "none": "$.detail.none"},
			"InputTemplate": `{"text": "is <status> by \"<aws.events.rule-name>\"", "status": <status>, "containers": <all>, "other": "<none><unknown>"}`,
		}},
	}})
	w.must(t, "PutTargets", map[string]any{"Rule": "off", "Targets": []any{map[string]any{"Id": "a", "Arn": queue("off")}}})
	w.must(t, "PutTargets", map[string]any{"Rule": "orders", "EventBusName": "arn:aws:events:ap-northeast-1:123456789012:event-bus/orders", "Targets": []any{map[string]any{"Id": "a", "Arn": queue("orders"), "InputPath": "$.detail"}}})

	ecs := w.stream.From("aws.ecs")
	ecs.Emit(start(), "ECS Task State Change", nil, map[string]any{"lastStatus": "RUNNING"})
	ecs.Emit(start(), "ECS Task State Change", nil, map[string]any{"lastStatus": "STOPPED", "containers": []any{map[string]any{"name": "web"}}})
	var put putEventsOutput
	if err := w.call("PutEvents", map[string]any{"Entries": []any{
		map[string]any{"Source": "shop", "DetailType": "Order", "Detail": `{"sum": 6}`, "EventBusName": "orders"},
		map[string]any{"Source": "shop", "DetailType": "Order", "Detail": `{"sum": 5}`, "EventBusName": "orders"},
		map[string]any{"Source": "shop", "DetailType": "Order", "Detail": `{"sum": 6}`},
		map[string]any{"Source": "aws.ecs", "DetailType": "Order", "Detail": `{"lastStatus": "STOPPED"}`},
		map[string]any{"Source": "shop", "DetailType": "Order", "Detail": `[]`},
		map[string]any{"DetailType": "Order", "Detail": `{}`},
		map[string]any{"Source": "shop", "DetailType": "Order", "Detail": `{}`, "EventBusName": "none"},
	}}, &put); err != nil {
		t.Fatal(err)
	}
	if put.FailedEntryCount != 4 || len(put.Entries) != 7 || *put.Entries[3].ErrorCode != "NotAuthorizedForSourceException" || *put.Entries[4].ErrorCode != "MalformedDetail" {
		t.Errorf("%+v", put)
	}
	if len(w.delivered) > 0 {
		t.Errorf("delivered while it was told: %q", w.delivered)
	}
	w.clock.Advance(time.Second)
	want := []string{
		`21T09:00:30.5 input "fixed"`,
		`21T09:00:30.5 path "web"`,
		`21T09:00:30.5 template {"text": "is STOPPED by \"tasks\"", "status": "STOPPED", "containers": [{"name":"web"}], "other": "<unknown>"}`,
		`21T09:00:30.5 orders {"sum":6}`,
	}
	if diff := cmp.Diff(want, w.delivered); diff != "" {
		t.Error(diff)
	}
}

// One jump is many, and a drydock that starts again over the same data goes on: what is
// delivered, and when, depends on the schedules alone.
func TestSchedulesOverTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kept := store.Memory()
		one, many := newWorld(clock.Manual(start()), store.Memory()), newWorld(clock.Manual(start()), kept)
		n := rapid.IntRange(1, 3).Draw(t, "rules")
		for i := range n {
			expression := rapid.SampledFrom([]string{"rate(5 minutes)", "rate(1 hour)", "cron(0/20 * * * ? *)", "cron(0 3 * * ? *)", "cron(30 9 ? * SAT *)"}).Draw(t, "schedule")
			for _, w := range []*world{one, many} {
				name := fmt.Sprint("rule", i)
				w.must(t, "PutRule", map[string]any{"Name": name, "ScheduleExpression": expression})
				w.must(t, "PutTargets", map[string]any{"Rule": name, "Targets": []any{map[string]any{"Id": "a", "Arn": queue(name), "InputPath": "$.time"}}})
			}
		}
		for _, w := range []*world{one, many} { // what is on its way when drydock ends is lost
			w.clock.Advance(10 * time.Second)
		}
		var total time.Duration
		for _, minutes := range rapid.SliceOfN(rapid.IntRange(0, 600), 1, 6).Draw(t, "steps") {
			step := time.Duration(minutes) * time.Minute
			many.clock.Advance(step)
			if rapid.Bool().Draw(t, "restart") {
				again := newWorld(many.clock, kept)
				again.delivered, many = many.delivered, again
			}
			total += step
		}
		one.clock.Advance(total)
		for _, w := range []*world{one, many} { // what is due at one instant comes in any order
			slices.Sort(w.delivered)
		}
		if diff := cmp.Diff(one.delivered, many.delivered); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestScheduleIsPutOffAndOn(t *testing.T) {
	w := newWorld(clock.Manual(start()), store.Memory())
	w.must(t, "PutRule", map[string]any{"Name": "r", "ScheduleExpression": "rate(1 hour)"})
	w.must(t, "PutTargets", map[string]any{"Rule": "r", "Targets": []any{map[string]any{"Id": "a", "Arn": queue("q"), "InputPath": "$.detail-type"}}})
	w.clock.Advance(90 * time.Minute)
	w.must(t, "DisableRule", map[string]any{"Name": "r"})
	w.clock.Advance(24 * time.Hour)
	w.must(t, "EnableRule", map[string]any{"Name": "r"})
	w.clock.Advance(61 * time.Minute)
	w.must(t, "RemoveTargets", map[string]any{"Rule": "r", "Ids": []string{"a"}})
	w.must(t, "DeleteRule", map[string]any{"Name": "r"})
	w.clock.Advance(24 * time.Hour)
	want := []string{`21T10:00:30.5 q "Scheduled Event"`, `22T11:30:30.5 q "Scheduled Event"`}
	if diff := cmp.Diff(want, w.delivered); diff != "" {
		t.Error(diff)
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(clock.Manual(start()), store.Memory())
	w.must(t, "CreateEventBus", map[string]any{"Name": "orders"})
	w.must(t, "PutRule", map[string]any{"Name": "r", "EventPattern": `{"source": ["x"]}`})
	w.must(t, "PutTargets", map[string]any{"Rule": "r", "Targets": []any{map[string]any{"Id": "a", "Arn": queue("q")}}})
	cluster := "arn:aws:ecs:ap-northeast-1:123456789012:cluster/prod"
	target := func(members map[string]any) map[string]any {
		return map[string]any{"Rule": "r", "Targets": []any{members}}
	}
	for _, tt := range []struct {
		operation string
		in        map[string]any
		want      string
	}{
		{"PutRule", map[string]any{"Name": "r"}, "ValidationException: Parameter(s) EventPattern or ScheduleExpression must be specified."},
		{"PutRule", map[string]any{"Name": "a b", "EventPattern": `{"source": ["x"]}`}, "ValidationException: 1 validation error detected"},
		{"PutRule", map[string]any{"Name": "r", "EventPattern": `{"source": "x"}`}, `InvalidEventPatternException: Event pattern is not valid. Reason: "source" must be an object or an array`},
		{"PutRule", map[string]any{"Name": "r", "ScheduleExpression": "rate(1 hours)"}, "ValidationException: Parameter ScheduleExpression is not valid."},
		{"PutRule", map[string]any{"Name": "r", "ScheduleExpression": "at(2027-01-01T00:00:00)"}, "ValidationException: Parameter ScheduleExpression is not valid."},
		{"PutRule", map[string]any{"Name": "r", "ScheduleExpression": "rate(1 hour)", "EventBusName": "orders"}, "ValidationException: ScheduleExpression is supported only on the default event bus."},
		{"PutRule", map[string]any{"Name": "r", "ScheduleExpression": "rate(1 hour)", "EventBusName": "none"}, "ResourceNotFoundException: Event bus none does not exist."},
		{"DescribeRule", map[string]any{"Name": "none"}, "ResourceNotFoundException: Rule none does not exist on EventBus default."},
		{"DeleteRule", map[string]any{"Name": "r"}, "ValidationException: Rule can't be deleted since it has targets."},
		{"DeleteEventBus", map[string]any{"Name": "default"}, "ValidationException: Cannot delete event bus default."},
		{"CreateEventBus", map[string]any{"Name": "orders"}, "ResourceAlreadyExistsException: Event bus orders already exists."},
		{"PutTargets", target(map[string]any{"Id": "b", "Arn": "queue"}), "ValidationException: Parameter Arn is not valid. Reason: Provided Arn is not in correct format."},
		{"PutTargets", target(map[string]any{"Id": "b", "Arn": queue("q"), "Input": "{"}), "ValidationException: JSON syntax error in input for target b"},
		{"PutTargets", target(map[string]any{"Id": "b", "Arn": queue("q"), "Input": "1", "InputPath": "$.x"}), "ValidationException: Only one of Input"},
		{"PutTargets", target(map[string]any{"Id": "b", "Arn": cluster}), "ValidationException: Parameter(s) EcsParameters must be specified"},
		{"PutTargets", target(map[string]any{"Id": "b", "Arn": cluster, "EcsParameters": map[string]any{"TaskDefinitionArn": "x"}}), "ValidationException: RoleArn is required for target"},
		{"PutTargets", target(map[string]any{"Id": "b", "Arn": cluster, "RoleArn": "arn:aws:iam::123456789012:role/r", "EcsParameters": map[string]any{"TaskDefinitionArn": "x"}}), "ValidationException: Parameter EcsParameters is not valid."},
		{"TestEventPattern", map[string]any{"EventPattern": `{"source": ["x"]}`, "Event": `{"source": "x"}`}, "ValidationException: Parameter Event is not valid."},
		{"PutEvents", map[string]any{"Entries": []any{}}, "ValidationException: 1 validation error detected"},
		{"ListTagsForResource", map[string]any{"ResourceARN": "x"}, "ValidationException: Parameter ResourceARN is not valid."},
		{"ListRules", map[string]any{"NextToken": "!"}, "ValidationException: Invalid NextToken."},
	} {
		err := w.call(tt.operation, tt.in, &struct{}{})
		refused, ok := errors.AsType[*wire.Error](err)
		if !ok || !strings.HasPrefix(refused.Error(), tt.want) {
			t.Errorf("%s %v: %v", tt.operation, tt.in, err)
		}
	}
	var removed targetsOutput
	if err := w.call("RemoveTargets", map[string]any{"Rule": "r", "Ids": []string{"a", "none"}}, &removed); err != nil || removed.FailedEntryCount != 1 || *removed.FailedEntries[0].TargetId != "none" {
		t.Errorf("%+v, %v", removed, err)
	}
}
