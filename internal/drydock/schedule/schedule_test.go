package schedule

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestSchedules(t *testing.T) {
	const form = "2006-01-02T15:04:05Z07:00"
	from := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) // a Saturday
	for _, tt := range []struct{ expression, zone, want string }{
		{"at(2026-11-22T08:00:00)", "", "2026-11-22T08:00:00Z"},
		{"at(2026-11-22T08:00:00)", "Asia/Tokyo", "2026-11-21T23:00:00Z"},
		{"at(2026-11-20T08:00:00)", "", ""},
		{"rate(5 minutes)", "", "2026-11-21T09:05:00Z"},
		{"rate(1 day)", "", "2026-11-22T09:00:00Z"},
		{"cron(0 8 ? * MON-FRI *)", "", "2026-11-23T08:00:00Z"},
		{"cron(0 8 ? * MON-FRI *)", "Asia/Tokyo", "2026-11-22T23:00:00Z"},
		{"cron(0 20 * * ? *)", "", "2026-11-21T20:00:00Z"},
		{"cron(0/15 * * * ? *)", "", "2026-11-21T09:15:00Z"},
		{"cron(30 9,18 L * ? *)", "", "2026-11-30T09:30:00Z"},
		{"cron(0 0 15W * ? *)", "", "2026-12-15T00:00:00Z"},
		{"cron(0 0 ? * 6#3 *)", "", "2026-12-18T00:00:00Z"},
		{"cron(0 0 ? * 6L *)", "", "2026-11-27T00:00:00Z"},
		{"cron(0 12 29 2 ? *)", "", "2028-02-29T12:00:00Z"},
		{"cron(0 12 1 JAN ? 2030)", "", "2030-01-01T12:00:00Z"},
		{"cron(0 12 1 1 ? 2020)", "", ""},
		{"cron(0 12 30 2 ? *)", "", ""},
		{"cron(0 0 1 4 ? *)", "Europe/Berlin", "2027-03-31T22:00:00Z"}, // summer time
		{"cron(*/100 * * * ? *)", "", "2026-11-21T10:00:00Z"},
	} {
		when, err := Parse(tt.expression, tt.zone, from)
		if err != nil {
			t.Errorf("%s: %v", tt.expression, err)
			continue
		}
		got := ""
		if due := when.After(from); !due.IsZero() {
			got = due.Format(form)
		}
		if got != tt.want {
			t.Errorf("%s %s: %q, want %q", tt.expression, tt.zone, got, tt.want)
		}
	}
	for _, expression := range []string{
		"", "at()", "at(tomorrow)", "rate(0 minutes)", "rate(5 weeks)", "rate(-1 day)", "every day", "cron(0 8 * * *)", "cron(0 8 * * * *)", "cron(0 8 ? * ? *)",
		"cron(60 8 ? * MON *)", "cron(0 8 ? * NEVER *)", "cron(5-3 8 * * ? *)", "cron(0 8 32 * ? *)", "cron(0 8 ? * 2#6 *)", "cron(0 8 ? * # *)", "cron(/ 8 * * ? *)", "cron(0 8 W * ? *)",
	} {
		if _, err := Parse(expression, "", from); err == nil {
			t.Errorf("%q was taken", expression)
		}
	}
	for _, zone := range []string{"Nowhere/Land", "Local", "../etc/passwd"} {
		if _, err := Parse("cron(0 8 * * ? *)", zone, from); err == nil {
			t.Errorf("time zone %q was taken", zone)
		}
	}
}

// The next run of a cron is the first minute that fits, found by looking at
// each.
func TestCronIsTheFirstMinuteThatFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := func(name string, least, most int) int { return rapid.IntRange(least, most).Draw(t, name) }
		minute, hour, weekday := number("minute", 0, 59), number("hour", 0, 23), number("weekday", 1, 7)
		zone := rapid.SampledFrom([]string{"UTC", "Asia/Tokyo", "America/New_York"}).Draw(t, "zone")
		place, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		from := time.Date(2026, time.Month(number("month", 1, 12)), number("day", 1, 28), number("from", 0, 23), 0, 0, 0, time.UTC)
		when, err := Parse(fmt.Sprintf("cron(%d/20 %d ? * %d,1 *)", minute, hour, weekday), zone, from)
		if err != nil {
			t.Fatal(err)
		}
		got := when.After(from)
		minutes := []int{minute, minute + 20, minute + 40}
		for at := from.Add(time.Minute); ; at = at.Add(time.Minute) {
			local := at.In(place)
			day := int(local.Weekday()) + 1
			if local.Hour() == hour && slices.Contains(minutes, local.Minute()) && (day == weekday || day == 1) {
				if !got.Equal(at) && !skipped(got, place, hour) {
					t.Fatalf("%v, want %v", got, at)
				}
				return
			}
		}
	})
}

// skipped is whether the clocks skip that hour on the day of a run.
func skipped(due time.Time, place *time.Location, hour int) bool { return due.In(place).Hour() != hour }

func FuzzSchedule(f *testing.F) {
	f.Add("cron(0 8 ? * MON-FRI *)", "Asia/Tokyo", int64(0))
	f.Add("rate(5 minutes)", "", int64(-62135596800))
	f.Add("at(9999-12-31T23:59:59)", "", int64(253402300799))
	f.Fuzz(func(t *testing.T, expression, zone string, since int64) {
		if since < -62135596800 || since > 253402300799 {
			return
		}
		when, err := Parse(expression, zone, time.Unix(since, 0).UTC())
		if err != nil {
			return
		}
		now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
		if due := when.After(now); !due.IsZero() && !due.After(now) {
			t.Fatalf("%q in %q from %d: %v is not after %v", expression, zone, since, due, now)
		}
	})
}
