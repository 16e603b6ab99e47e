package console

import (
	"fmt"
	"strconv"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/lapse"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
)

func stamp(t time.Time) string { return t.UTC().Format("2 Jan 15:04") }

func long(t time.Time) string { return t.UTC().Format("Mon 2 Jan 2006 15:04:05") }

func pace(scale float64) string { return strconv.FormatFloat(scale, 'g', -1, 64) }

// when is a time of today by the second, of another day with the day.
func when(now, t time.Time) string {
	if now, t = now.UTC(), t.UTC(); now.YearDay() != t.YearDay() || now.Year() != t.Year() {
		return t.Format("2 Jan 15:04")
	}
	return t.Format("15:04:05")
}

// ahead says how far the calendar was moved.
func ahead(d time.Duration) string {
	if d < time.Second {
		return "in step with real time"
	}
	days, rest := d/(24*time.Hour), d%(24*time.Hour)
	switch {
	case days > 0 && rest >= time.Hour:
		return fmt.Sprintf("%s d %d h ahead of real time", noun.Digits(int(days)), rest/time.Hour)
	case days > 0:
		return fmt.Sprintf("%s d ahead of real time", noun.Digits(int(days)))
	}
	return lapse.Span(d) + " ahead of real time"
}
