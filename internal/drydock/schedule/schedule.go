// Package schedule reads the schedule expressions of AWS: at(…), rate(…) and
// cron(…) with its six fields. Application Auto Scaling, EventBridge and
// EventBridge Scheduler share it.
//
// [Parse] makes a [Schedule], which tells its next time after another; it has no
// clock and keeps nothing.
package schedule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a machine without time zones must not make every schedule UTC
)

// Schedule is when something is to happen.
type Schedule interface {
	// After is its first time after t; zero when there is none.
	After(t time.Time) time.Time
	// Once tells a schedule of a single time, at(…).
	Once() bool
}

// Parse reads at(…), rate(…) or cron(…). zone is the time zone of at and cron,
// "" for UTC; since is what rates count from.
func Parse(expression, zone string, since time.Time) (Schedule, error) {
	place, err := location(zone)
	if err != nil {
		return nil, err
	}
	kind, rest, ok := strings.Cut(expression, "(")
	inner, closed := strings.CutSuffix(rest, ")")
	if !ok || !closed {
		return nil, fmt.Errorf("%q is not at(…), rate(…) or cron(…)", expression)
	}
	switch kind {
	case "at":
		t, err := time.ParseInLocation("2006-01-02T15:04:05", inner, place)
		if err != nil {
			return nil, fmt.Errorf("%q is not of the form yyyy-mm-ddThh:mm:ss", inner)
		}
		return at(t.UTC()), nil
	case "rate":
		return parseRate(inner, since)
	case "cron":
		return parseCron(inner, place)
	}
	return nil, fmt.Errorf("%q is not at(…), rate(…) or cron(…)", expression)
}

func location(zone string) (*time.Location, error) {
	if zone == "" {
		return time.UTC, nil
	}
	place, err := time.LoadLocation(zone)
	if err != nil || zone == "Local" {
		return nil, fmt.Errorf("%q is no time zone", zone)
	}
	return place, nil
}

// at is one moment.
type at time.Time

// After implements [Schedule].
func (a at) After(t time.Time) time.Time {
	if !time.Time(a).After(t) {
		return time.Time{}
	}
	return time.Time(a)
}

// Once implements [Schedule].
func (at) Once() bool { return true }

// rate is a regular interval, in seconds: a start may be thousands of years
// away.
type rate struct {
	since time.Time
	every int64
}

func parseRate(inner string, since time.Time) (Schedule, error) {
	value, unit, _ := strings.Cut(inner, " ")
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil || n < 1 {
		return nil, fmt.Errorf("%q is no positive number", value)
	}
	switch strings.TrimSuffix(unit, "s") {
	case "minute":
		return rate{since, n * 60}, nil
	case "hour":
		return rate{since, n * 3600}, nil
	case "day":
		return rate{since, n * 86400}, nil
	}
	return nil, fmt.Errorf("%q is not one of minute, hour and day", unit)
}

// After implements [Schedule].
func (r rate) After(t time.Time) time.Time {
	if t.Before(r.since) {
		return r.since
	}
	first := r.since.Unix()
	due := time.Unix(first+((t.Unix()-first)/r.every+1)*r.every, int64(r.since.Nanosecond())).UTC()
	if due.Year() > 9999 {
		return time.Time{}
	}
	return due
}

// Once implements [Schedule].
func (rate) Once() bool { return false }

// cron is a recurring time of a place: the six fields of AWS's cron
// expressions.
type cron struct {
	minutes, hours, months, years []int
	day                           func(time.Time) bool
	place                         *time.Location
}

func parseCron(inner string, place *time.Location) (Schedule, error) {
	f := strings.Fields(inner)
	if len(f) != 6 {
		return nil, fmt.Errorf("%q has %d fields, not 6", inner, len(f))
	}
	c := cron{place: place}
	var err error
	for _, part := range []struct {
		into        *[]int
		text        string
		least, most int
		names       []string
	}{
		{&c.minutes, f[0], 0, 59, nil},
		{&c.hours, f[1], 0, 23, nil},
		{&c.months, f[3], 1, 12, months()},
		{&c.years, f[5], 1970, 2199, nil},
	} {
		if *part.into, err = numbers(part.text, part.least, part.most, part.names); err != nil {
			return nil, err
		}
	}
	if (f[2] == "?") == (f[4] == "?") {
		return nil, fmt.Errorf("one of day-of-month and day-of-week must be ?, the other must not")
	}
	if f[4] == "?" {
		c.day, err = dayOfMonth(f[2])
	} else {
		c.day, err = dayOfWeek(f[4])
	}
	return c, err
}

func months() []string {
	return []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
}

func weekdays() []string { return []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"} }

// numbers reads *, lists, ranges and steps of numbers; names stand for the
// numbers from least on.
func numbers(field string, least, most int, names []string) ([]int, error) {
	number := func(text string) (int, error) {
		if i := slices.Index(names, strings.ToUpper(text)); i >= 0 {
			return least + i, nil
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			return 0, fmt.Errorf("%q is not between %d and %d", text, least, most)
		}
		return n, nil
	}
	var out []int
	for part := range strings.SplitSeq(field, ",") {
		span, stepText, stepped := strings.Cut(part, "/")
		from, to, step := least, most, 1
		var err error
		if first, last, isRange := strings.Cut(span, "-"); span != "*" {
			if from, err = number(first); err != nil {
				return nil, err
			}
			if isRange {
				if to, err = number(last); err != nil {
					return nil, err
				}
			} else if !stepped {
				to = from
			}
		}
		if stepped {
			if step, err = strconv.Atoi(stepText); err != nil || step < 1 {
				return nil, fmt.Errorf("%q is no step", stepText)
			}
		}
		if from > to {
			return nil, fmt.Errorf("%q goes backwards", part)
		}
		for n := from; n >= from && n <= to; n += step {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// dayOfMonth reads numbers, L (the last day) and 15W (the weekday nearest to
// the 15th).
func dayOfMonth(field string) (func(time.Time) bool, error) {
	last := func(t time.Time) int { return time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day() }
	if field == "L" {
		return func(t time.Time) bool { return t.Day() == last(t) }, nil
	}
	if text, ok := strings.CutSuffix(field, "W"); ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 31 {
			return nil, fmt.Errorf("%q is no day of a month", text)
		}
		return func(t time.Time) bool {
			near := time.Date(t.Year(), t.Month(), n, 0, 0, 0, 0, time.UTC)
			if n > last(t) {
				return false
			}
			switch shift := near.Weekday(); {
			case shift == time.Saturday && n > 1:
				near = near.AddDate(0, 0, -1)
			case shift == time.Saturday:
				near = near.AddDate(0, 0, 2)
			case shift == time.Sunday && n < last(t):
				near = near.AddDate(0, 0, 1)
			case shift == time.Sunday:
				near = near.AddDate(0, 0, -2)
			}
			return t.Day() == near.Day()
		}, nil
	}
	days, err := numbers(field, 1, 31, nil)
	return func(t time.Time) bool { return slices.Contains(days, t.Day()) }, err
}

// dayOfWeek reads numbers from 1 for Sunday on, names, 6L (the last Friday) and
// 6#3 (the third one).
func dayOfWeek(field string) (func(time.Time) bool, error) {
	one := func(text string) (time.Weekday, error) {
		n, err := numbers(text, 1, 7, weekdays())
		if err != nil || len(n) != 1 {
			return 0, fmt.Errorf("%q is no day of a week", text)
		}
		return time.Weekday(n[0] - 1), nil
	}
	if field == "L" {
		return func(t time.Time) bool { return t.Weekday() == time.Saturday }, nil
	}
	if text, ok := strings.CutSuffix(field, "L"); ok {
		day, err := one(text)
		return func(t time.Time) bool { return t.Weekday() == day && t.AddDate(0, 0, 7).Month() != t.Month() }, err
	}
	if text, which, ok := strings.Cut(field, "#"); ok {
		day, err := one(text)
		n, bad := strconv.Atoi(which)
		if err == nil && (bad != nil || n < 1 || n > 5) {
			err = fmt.Errorf("%q is not between 1 and 5", which)
		}
		return func(t time.Time) bool { return t.Weekday() == day && (t.Day()-1)/7+1 == n }, err
	}
	days, err := numbers(field, 1, 7, weekdays())
	return func(t time.Time) bool { return slices.Contains(days, int(t.Weekday())+1) }, err
}

// Once implements [Schedule].
func (cron) Once() bool { return false }

// After looks at each day from t's on. A time that the clocks skip is taken an
// hour later, as time.Date has it; one that comes twice, the first time.
func (c cron) After(t time.Time) time.Time {
	local := t.In(c.place)
	day := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
	last := min(c.years[len(c.years)-1], max(local.Year(), c.years[0])+40) // a 29 February of some weekday comes within 40 years
	for ; day.Year() <= last; day = day.AddDate(0, 0, 1) {
		if !slices.Contains(c.years, day.Year()) {
			day = time.Date(day.Year(), time.December, 31, 0, 0, 0, 0, time.UTC)
			continue
		}
		if !slices.Contains(c.months, int(day.Month())) || !c.day(day) {
			continue
		}
		for _, hour := range c.hours {
			for _, minute := range c.minutes {
				if due := time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, c.place); due.After(t) {
					return due.UTC()
				}
			}
		}
	}
	return time.Time{}
}
