package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/delivery"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

func start() time.Time { return time.Date(2026, 11, 21, 9, 0, 30, 0, time.UTC) }

// world is schedules whose parcels are written down with the time of their delivery.
type world struct {
	*Schedules
	clock     *clock.Clock
	delivered []string
}

func newWorld(c *clock.Clock, s *store.Store) *world {
	w := &world{clock: c}
	all, err := New(Options{
		Account: "123456789012", Region: "ap-northeast-1", Clock: c, Store: s, Log: slog.New(slog.DiscardHandler), Seed: 1,
		Deliver: func(p delivery.Parcel) {
			w.delivered = append(w.delivered, c.Now().Format("02T15:04:05 ")+p.Body)
		},
	})
	if err != nil {
		panic(err) // a store in memory always loads
	}
	w.Schedules = all
	return w
}

func (w *world) call(operation string, in map[string]any, out any) error {
	return wire.NewLocal(w.Service()).Call(context.Background(), "EventBridge Scheduler."+operation, in, out)
}

// with is a valid schedule of a queue with other members.
func with(members map[string]any) map[string]any {
	in := map[string]any{
		"Name": "s", "ScheduleExpression": "rate(1 hour)", "FlexibleTimeWindow": map[string]any{"Mode": "OFF"},
		"Target": map[string]any{"Arn": "arn:aws:sqs:ap-northeast-1:123456789012:q", "RoleArn": "arn:aws:iam::123456789012:role/r", "Input": "<aws.scheduler.scheduled-time>"},
	}
	for name, v := range members {
		in[name] = v
	}
	return in
}

func TestRuns(t *testing.T) {
	for _, tt := range []struct {
		name    string
		members map[string]any
		want    []string
		left    int
	}{
		{"a rate begins at once", map[string]any{"ScheduleExpression": "rate(12 hours)"}, []string{"21T09:00:30", "21T21:00:30", "22T09:00:30"}, 1},
		{"a rate from a start date on", map[string]any{"ScheduleExpression": "rate(12 hours)", "StartDate": start().Add(time.Hour).Unix()}, []string{"21T10:00:30", "21T22:00:30"}, 1},
		{"a cron in a time zone", map[string]any{"ScheduleExpression": "cron(0 8 * * ? *)", "ScheduleExpressionTimezone": "Asia/Tokyo"}, []string{"21T23:00:00"}, 1},
		{"until an end date", map[string]any{"ScheduleExpression": "rate(1 hour)", "EndDate": start().Add(90 * time.Minute).Unix()}, []string{"21T09:00:30", "21T10:00:30"}, 1},
		{"once", map[string]any{"ScheduleExpression": "at(2026-11-21T12:00:00)"}, []string{"21T12:00:00"}, 1},
		{"once and gone", map[string]any{"ScheduleExpression": "at(2026-11-21T12:00:00)", "ActionAfterCompletion": "DELETE"}, []string{"21T12:00:00"}, 0},
		{"in the past", map[string]any{"ScheduleExpression": "at(2026-11-20T12:00:00)"}, nil, 1},
		{"off", map[string]any{"State": "DISABLED"}, nil, 1},
	} {
		w := newWorld(clock.Manual(start()), store.Memory())
		if err := w.call("CreateSchedule", with(tt.members), &struct{}{}); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		w.clock.Advance(24 * time.Hour)
		var want []string
		for _, at := range tt.want {
			want = append(want, at+" 2026-11-"+at+"Z")
		}
		var list struct{ Schedules []any }
		if err := w.call("ListSchedules", map[string]any{}, &list); err != nil || len(list.Schedules) != tt.left {
			t.Errorf("%s: %d schedules are left, %v", tt.name, len(list.Schedules), err)
		}
		if diff := cmp.Diff(want, w.delivered); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// One jump is many, and a drydock that starts again over the same data goes on.
func TestRunsOverTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kept := store.Memory()
		one, many := newWorld(clock.Manual(start()), store.Memory()), newWorld(clock.Manual(start()), kept)
		for i := range rapid.IntRange(1, 3).Draw(t, "schedules") {
			in := with(map[string]any{
				"Name":                       fmt.Sprint("s", i),
				"ScheduleExpression":         rapid.SampledFrom([]string{"rate(7 minutes)", "rate(1 days)", "cron(0/20 * * * ? *)", "cron(0 3 * * ? *)", "at(2026-11-21T12:34:56)"}).Draw(t, "expression"),
				"ScheduleExpressionTimezone": rapid.SampledFrom([]string{"UTC", "Asia/Tokyo", "America/New_York"}).Draw(t, "zone"),
				"ActionAfterCompletion":      rapid.SampledFrom([]string{"NONE", "DELETE"}).Draw(t, "after"),
			})
			for _, w := range []*world{one, many} {
				if err := w.call("CreateSchedule", in, &struct{}{}); err != nil {
					t.Fatal(err)
				}
				w.clock.Advance(0)
			}
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
		if diff := cmp.Diff(one.delivered, many.delivered); diff != "" {
			t.Fatal(diff)
		}
	})
}

// An update replaces everything, and the old times with it; a group takes its schedules
// along.
func TestUpdateAndDelete(t *testing.T) {
	w := newWorld(clock.Manual(start()), store.Memory())
	for _, c := range []struct {
		operation string
		in        map[string]any
	}{
		{"CreateScheduleGroup", map[string]any{"Name": "night"}},
		{"CreateSchedule", with(map[string]any{"GroupName": "night", "ScheduleExpression": "cron(0 10 * * ? *)", "Description": "old"})},
		{"UpdateSchedule", with(map[string]any{"GroupName": "night", "ScheduleExpression": "cron(0 11 * * ? *)"})},
	} {
		if err := w.call(c.operation, c.in, &struct{}{}); err != nil {
			t.Fatal(err)
		}
	}
	w.clock.Advance(24 * time.Hour)
	if diff := cmp.Diff([]string{"21T11:00:00 2026-11-21T11:00:00Z"}, w.delivered); diff != "" {
		t.Error(diff)
	}
	var got struct{ Description *string }
	if err := w.call("GetSchedule", map[string]any{"Name": "s", "GroupName": "night"}, &got); err != nil || got.Description != nil {
		t.Errorf("%+v", got)
	}
	if err := w.call("DeleteScheduleGroup", map[string]any{"Name": "night"}, &struct{}{}); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(48 * time.Hour)
	if len(w.delivered) != 1 {
		t.Errorf("a schedule outlived its group: %q", w.delivered)
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(clock.Manual(start()), store.Memory())
	if err := w.call("CreateSchedule", with(map[string]any{"ClientToken": "a"}), &struct{}{}); err != nil {
		t.Fatal(err)
	}
	if err := w.call("CreateSchedule", with(map[string]any{"ClientToken": "a"}), &struct{}{}); err != nil {
		t.Errorf("a retry: %v", err)
	}
	for _, tt := range []struct {
		operation string
		in        map[string]any
		want      string
	}{
		{"CreateSchedule", with(nil), "ConflictException: Schedule s already exists."},
		{"CreateSchedule", with(map[string]any{"Name": "a b"}), "ValidationException: 1 validation error detected"},
		{"CreateSchedule", with(map[string]any{"Name": "b", "ScheduleExpression": "daily"}), "ValidationException: Invalid Schedule Expression daily."},
		{"CreateSchedule", with(map[string]any{"Name": "b", "ScheduleExpressionTimezone": "Nowhere/Land"}), "ValidationException: Invalid Timezone Nowhere/Land."},
		{"CreateSchedule", with(map[string]any{"Name": "b", "GroupName": "none"}), "ResourceNotFoundException: Schedule group none does not exist."},
		{"CreateSchedule", with(map[string]any{"Name": "b", "FlexibleTimeWindow": nil}), "ValidationException: 1 validation error detected"},
		{"CreateSchedule", with(map[string]any{"Name": "b", "FlexibleTimeWindow": map[string]any{"Mode": "FLEXIBLE"}}), "ValidationException: MaximumWindowInMinutes"},
		{"CreateSchedule", with(map[string]any{"Name": "b", "Target": map[string]any{"Arn": "arn:aws:sqs:::q"}}), "ValidationException: 1 validation error detected"},
		{"CreateSchedule", with(map[string]any{"Name": "b", "Target": map[string]any{"Arn": "arn:aws:ecs:ap-northeast-1:123456789012:cluster/prod", "RoleArn": "arn:aws:iam::123456789012:role/r"}}), "ValidationException: EcsParameters must be specified"},
		{"UpdateSchedule", with(map[string]any{"Name": "none"}), "ResourceNotFoundException: Schedule none does not exist."},
		{"DeleteSchedule", map[string]any{"Name": "none"}, "ResourceNotFoundException: Schedule none does not exist."},
		{"CreateScheduleGroup", map[string]any{"Name": "default"}, "ConflictException: Schedule group default already exists."},
		{"DeleteScheduleGroup", map[string]any{"Name": "default"}, "ValidationException"},
	} {
		err := w.call(tt.operation, tt.in, &struct{}{})
		refused, ok := errors.AsType[*wire.Error](err)
		if !ok || !strings.HasPrefix(refused.Error(), tt.want) {
			t.Errorf("%s %v: %v", tt.operation, tt.in, err)
		}
	}
}
