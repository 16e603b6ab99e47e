package maintenance

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Windows are the times in which services may be redeployed. None means any
// time.
type Windows []Window

// Window is a span of the day on some days of the week, by the clock on the
// wall there: where that skips an hour in spring, a window inside it does not
// open; where it repeats one in autumn, it is open twice.
type Window struct {
	text     string
	days     [7]bool // by time.Weekday, those on which it opens
	from, to int     // minutes since midnight; to <= from runs past midnight
	zone     *time.Location
}

// String is the window as it was written.
func (w Window) String() string { return w.text }

// WindowError is a window that cannot be meant.
type WindowError struct {
	Window string
	Why    string
}

func (e *WindowError) Error() string { return fmt.Sprintf("window %q: %s", e.Window, e.Why) }

// Hint says what is wanted.
func (e *WindowError) Hint() string {
	return `write days, hours and a time zone, such as "Mon-Fri 10:00-16:00 Asia/Tokyo" or "Sat,Sun 22:00-04:00 UTC"; without days it is every day`
}

// ParseWindow reads a window: "Mon-Fri 10:00-16:00 Asia/Tokyo". Days are single
// ones, ranges or a list of both, every day when not given. Hours that end
// before they begin run past midnight; 24:00 is the end of the day. The time
// zone is one of the IANA database.
func ParseWindow(text string) (Window, error) {
	w := Window{text: text}
	fail := func(format string, args ...any) (Window, error) {
		return Window{}, &WindowError{text, fmt.Sprintf(format, args...)}
	}
	words := strings.Fields(text)
	if len(words) == 2 {
		words = append([]string{"Sun-Sat"}, words...)
	}
	if len(words) != 3 {
		return fail("want days, hours and a time zone")
	}
	for part := range strings.SplitSeq(words[0], ",") {
		first, last, isRange := strings.Cut(part, "-")
		from, ok := parseDay(first)
		to := from
		if isRange && ok {
			to, ok = parseDay(last)
		}
		if !ok {
			return fail("%q is no day of the week, nor a range of them", part)
		}
		for d := from; ; d = (d + 1) % 7 {
			w.days[d] = true
			if d == to {
				break
			}
		}
	}
	from, to, _ := strings.Cut(words[1], "-")
	var ok bool
	if w.from, ok = parseMinute(from); !ok || w.from == 24*60 {
		return fail("%q does not begin with an hour such as 10:00", words[1])
	}
	if w.to, ok = parseMinute(to); !ok {
		return fail("%q does not end with an hour such as 16:00", words[1])
	}
	if w.from == w.to {
		return fail("it begins when it ends; the whole day is 00:00-24:00")
	}
	if words[2] == "Local" { // which LoadLocation takes: another zone on every machine
		return fail("want a time zone such as UTC or Asia/Tokyo")
	}
	zone, err := time.LoadLocation(words[2])
	if err != nil {
		return fail("there is no time zone %q", words[2])
	}
	w.zone = zone
	return w, nil
}

// ParseWindows reads several.
func ParseWindows(texts []string) (Windows, error) {
	var windows Windows
	for _, text := range texts {
		w, err := ParseWindow(text)
		if err != nil {
			return nil, err
		}
		windows = append(windows, w)
	}
	return windows, nil
}

func parseDay(s string) (time.Weekday, bool) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if name := d.String(); strings.EqualFold(s, name) || strings.EqualFold(s, name[:3]) {
			return d, true
		}
	}
	return 0, false
}

// parseMinute reads 10:00 or 24:00 as minutes since midnight.
func parseMinute(s string) (int, bool) {
	hour, minute, ok := strings.Cut(s, ":")
	if !ok || len(hour) < 1 || len(hour) > 2 || len(minute) != 2 || strings.Trim(hour+minute, "0123456789") != "" {
		return 0, false
	}
	h, _ := strconv.Atoi(hour)
	m, _ := strconv.Atoi(minute)
	at := 60*h + m
	return at, m < 60 && at <= 24*60
}

// Open reports whether the window is open at a time.
func (w Window) Open(t time.Time) bool {
	t = t.In(w.zone)
	minute := 60*t.Hour() + t.Minute()
	if w.from < w.to {
		return w.days[t.Weekday()] && w.from <= minute && minute < w.to
	}
	yesterday := (t.Weekday() + 6) % 7
	return w.days[t.Weekday()] && w.from <= minute || w.days[yesterday] && minute < w.to
}

// Open reports whether one of them is open at a time, or there are none.
func (ws Windows) Open(t time.Time) bool {
	return len(ws) == 0 || slices.ContainsFunc(ws, func(w Window) bool { return w.Open(t) })
}

// sight is how far ahead windows are looked for: one a week opens within that
// even when the clocks skip it once.
const sight = 15 * 24 * time.Hour

// Next is when one of them opens, t itself when one is open; zero when none
// does within two weeks. The minutes are tried one by one: there is no
// arithmetic of days that the clocks of some country do not break.
func (ws Windows) Next(t time.Time) time.Time { return ws.change(t, true) }

// Closes is when the last of those that are open at t has closed; zero when
// none does within two weeks.
func (ws Windows) Closes(t time.Time) time.Time { return ws.change(t, false) }

func (ws Windows) change(t time.Time, open bool) time.Time {
	if ws.Open(t) == open {
		return t
	}
	for at := t.Truncate(time.Minute).Add(time.Minute); at.Sub(t) < sight; at = at.Add(time.Minute) {
		if ws.Open(at) == open {
			return at
		}
	}
	return time.Time{}
}

// lastBefore reports whether no other window opens between the end of the one
// that is open at t and the deadline.
func (ws Windows) lastBefore(t, deadline time.Time) bool {
	if len(ws) == 0 {
		return false
	}
	closes := ws.Closes(t)
	if closes.IsZero() {
		return false
	}
	next := ws.Next(closes)
	return next.IsZero() || !next.Before(deadline)
}

// Show is a time on the clocks of the first window, UTC without one.
func (ws Windows) Show(t time.Time) string {
	zone := time.UTC
	if len(ws) > 0 {
		zone = ws[0].zone
	}
	return t.In(zone).Format("Mon 2006-01-02 15:04 MST")
}
