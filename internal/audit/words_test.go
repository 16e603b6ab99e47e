package audit_test

import (
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
)

func TestWhenInWords(t *testing.T) {
	now := time.Date(2026, 11, 21, 22, 30, 0, 0, time.UTC)
	in := func(d time.Duration) time.Time { return now.Add(d) }
	const days = 24 * time.Hour
	for _, c := range []struct {
		name string
		when audit.When
		want string
	}{
		{"a sure time", audit.When{Earliest: in(3 * days), Likely: in(3 * days), Latest: in(3 * days)}, "in 3 days, Tue 24 Nov"},
		{"an uncertain one", audit.When{Earliest: in(2 * time.Hour), Likely: in(3 * days), Latest: in(9 * days)}, "in 3 days, Tue 24 Nov; at the earliest tomorrow, at the latest in 9 days"},
		{"by pushes", audit.When{Earliest: in(2 * days), Likely: in(5 * days), Pushes: 3}, "in 5 days, Thu 26 Nov; at the earliest in 2 days (after 3 more pushes)"},
		{"pushes that nobody can date", audit.When{Pushes: 1}, "after 1 more push"},
		{"hardly ever", audit.When{Earliest: in(20 * days), Pushes: 40}, "not before Fri 11 Dec (after 40 more pushes)"},
		{"today", audit.When{Earliest: in(time.Hour), Likely: in(time.Hour)}, "today"},
		{"past midnight", audit.When{Likely: in(2 * time.Hour)}, "tomorrow, Sun 22 Nov"},
		{"overdue", audit.When{Likely: in(-time.Hour)}, "now"},
		{"next year", audit.When{Likely: in(60 * days)}, "in 60 days, Wed 20 Jan 2027"},
		{"nothing known", audit.When{}, "not within sight"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.when.Words(now); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestDaysAreThoseOfTheReader(t *testing.T) {
	tokyo := time.FixedZone("JST", 9*60*60)
	now := time.Date(2026, 11, 21, 14, 0, 0, 0, time.UTC) // 23:00 in Tokyo
	when := audit.When{Likely: now.Add(2 * time.Hour)}
	if got := when.Words(now); got != "today" {
		t.Errorf("in UTC: %q", got)
	}
	if got := when.Words(now.In(tokyo)); got != "tomorrow, Sun 22 Nov" {
		t.Errorf("in Tokyo: %q", got)
	}
}
