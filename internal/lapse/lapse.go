// Package lapse is how long something took, how long ago it was and how far
// ahead it is, as pages write it. What belongs together has spaces that do not
// break.
package lapse

import (
	"strconv"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/noun"
)

// ISO is a time for machines.
func ISO(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Span is a length of time in its greatest unit; up to two days are hours.
func Span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + "\u00a0s"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + "\u00a0min"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + "\u00a0h"
	}
	return noun.Digits(int(d/(24*time.Hour))) + "\u00a0days"
}

// Ago is how long ago something was. What is younger than a minute is not
// counted: a page would never rest.
func Ago(now, then time.Time) string {
	if d := now.Sub(then); d >= time.Minute {
		return Span(d) + " ago"
	}
	return "just now"
}

// Until is how far ahead something is, to the nearest: a week would be six days a
// moment later.
func Until(now, then time.Time) string {
	d := then.Sub(now)
	switch {
	case d >= 48*time.Hour:
		d = d.Round(24 * time.Hour)
	case d >= time.Hour:
		d = d.Round(time.Hour)
	case d >= time.Minute:
		d = d.Round(time.Minute)
	default:
		return "in a moment"
	}
	return "in " + Span(d)
}

// Took is how long something took; "" for nothing.
func Took(d time.Duration) string {
	switch {
	case d <= 0:
		return ""
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
