package audit

import (
	"fmt"
	"time"
)

// Words says a time to come to a person, in days as the location of now counts
// them: "in 3 days, Tue 24 Nov; at the earliest tomorrow, at the latest in 9 days".
// A time without any date goes by its pushes: "after 3 more pushes".
func (w When) Words(now time.Time) string {
	text := w.dates(now)
	switch pushes := w.pushes(); {
	case pushes == "":
	case text == "":
		text = pushes
	default:
		text += " (" + pushes + ")"
	}
	if text == "" {
		return "not within sight"
	}
	return text
}

func (w When) dates(now time.Time) string {
	switch {
	case w.Likely.IsZero() && w.Earliest.IsZero():
		return ""
	case w.Likely.IsZero():
		return "not before " + day(w.Earliest, now)
	case w.Earliest.IsZero() || daysTo(w.Earliest, now) == daysTo(w.Likely, now):
		return away(w.Likely, now)
	}
	text := away(w.Likely, now) + "; at the earliest " + near(w.Earliest, now)
	if daysTo(w.Latest, now) > daysTo(w.Likely, now) { // else it is out of sight
		text += ", at the latest " + near(w.Latest, now)
	}
	return text
}

func (w When) pushes() string {
	switch w.Pushes {
	case 0:
		return ""
	case 1:
		return "after 1 more push"
	}
	return fmt.Sprintf("after %d more pushes", w.Pushes)
}

// away is how far away a time is, with its date.
func away(t, now time.Time) string {
	if daysTo(t, now) <= 0 {
		return near(t, now)
	}
	return near(t, now) + ", " + day(t, now)
}

// near is how far away a time is.
func near(t, now time.Time) string {
	switch days := daysTo(t, now); {
	case !t.After(now):
		return "now"
	case days == 0:
		return "today"
	case days == 1:
		return "tomorrow"
	default:
		return fmt.Sprintf("in %d days", days)
	}
}

// day is the date of a time, with the year where it could be another one.
func day(t, now time.Time) string {
	t = t.In(now.Location())
	if t.Year() != now.Year() {
		return t.Format("Mon 2 Jan 2006")
	}
	return t.Format("Mon 2 Jan")
}

// daysTo counts the midnights between two times.
func daysTo(t, now time.Time) int {
	midnight := func(t time.Time) time.Time {
		year, month, day := t.In(now.Location()).Date()
		return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	}
	return int(midnight(t).Sub(midnight(now)).Hours() / 24)
}
