package console

import (
	"fmt"
	"strconv"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/noun"
)

func stamp(t time.Time) string { return t.UTC().Format("2 Jan 15:04") }

func long(t time.Time) string { return t.UTC().Format("Mon 2 Jan 2006 15:04:05") }

func iso(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func pace(scale float64) string { return strconv.FormatFloat(scale, 'g', -1, 64) }

// when is a time of today by the second, of another day with the day.
func when(now, t time.Time) string {
	if now, t = now.UTC(), t.UTC(); now.YearDay() != t.YearDay() || now.Year() != t.Year() {
		return t.Format("2 Jan 15:04")
	}
	return t.Format("15:04:05")
}

// span is a length of time as people say it, to one unit that keeps to its
// number.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + "\u00a0s"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + "\u00a0min"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + "\u00a0h"
	}
	return noun.Digits(int(d/(24*time.Hour))) + "\u00a0d"
}

// since is how long ago something was. What is younger than a minute is not
// counted: the page would never rest.
func since(now, then time.Time) string {
	if d := now.Sub(then); d >= time.Minute {
		return span(d) + " ago"
	}
	return "just now"
}

// until is how far away something is.
func until(now, then time.Time) string {
	d := then.Sub(now)
	switch { // to the nearest, or a week would be six days a moment later
	case d >= 48*time.Hour:
		d = d.Round(24 * time.Hour)
	case d >= time.Hour:
		d = d.Round(time.Hour)
	case d >= time.Minute:
		d = d.Round(time.Minute)
	default:
		return "in a moment"
	}
	return "in " + span(d)
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
	return span(d) + " ahead of real time"
}

// size is a number of bytes, in the decimal units in which ECR's console has
// them.
func size(n int64) string {
	switch f := float64(n); {
	case n < 1000:
		return strconv.FormatInt(n, 10) + " B"
	case n < 1e6:
		return strconv.FormatFloat(f/1e3, 'f', 1, 64) + " kB"
	case n < 1e9:
		return strconv.FormatFloat(f/1e6, 'f', 1, 64) + " MB"
	default:
		return strconv.FormatFloat(f/1e9, 'f', 2, 64) + " GB"
	}
}
