package dashboard

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
)

// stamp is a time to the minute, as tables write it.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 Jan 2006 15:04")
}

// iso is a time for machines.
func iso(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// span is a length of time in its greatest unit.
func span(d time.Duration) string {
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

// ago is how long ago something was. What is younger than a minute is not
// counted.
func ago(then, now time.Time) string {
	if d := now.Sub(then); d >= time.Minute {
		return span(d) + " ago"
	}
	return "just now"
}

// ahead is how far away something is, in its two greatest units.
func ahead(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d <= 0:
		return "now"
	case d < time.Hour:
		return "in " + span(d)
	case d < day:
		return "in " + strconv.Itoa(int(d/time.Hour)) + "\u00a0h " + strconv.Itoa(int(d%time.Hour/time.Minute)) + "\u00a0min"
	case d < 3*day:
		return "in " + strconv.Itoa(int(d/day)) + "\u00a0d " + strconv.Itoa(int(d%day/time.Hour)) + "\u00a0h"
	}
	return "in " + strconv.Itoa(int(d.Round(day)/day)) + "\u00a0days"
}

// took is how long something took.
func took(d time.Duration) string {
	switch {
	case d == 0:
		return ""
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// size is a number of bytes, in the decimal units in which ECR's console has
// them.
func size(n int64) string {
	switch f := float64(n); {
	case n < 1000:
		return strconv.FormatInt(n, 10) + "\u00a0B"
	case n < 1e6:
		return strconv.FormatFloat(f/1e3, 'f', 1, 64) + "\u00a0kB"
	case n < 1e9:
		return strconv.FormatFloat(f/1e6, 'f', 1, 64) + "\u00a0MB"
	default:
		return strconv.FormatFloat(f/1e9, 'f', 2, 64) + "\u00a0GB"
	}
}

// stateWord is the state of a service in a word or two, and stateClass the
// colour of it.
func stateWord(s audit.State) string {
	return [...]string{"cannot restart", "may not restart", "not known", "can restart"}[s]
}

func stateClass(s audit.State) string { return [...]string{"bad", "warn", "off", "good"}[s] }

// lower is an ECS state as a sentence has it.
func lower(state string) string { return strings.ToLower(strings.ReplaceAll(state, "_", " ")) }

// hint is what to do about an error, where it knows; "" otherwise.
func hint(err error) string {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	return ""
}

// about takes the name of the object off what was found of it, where that
// stands beside it.
func about(f *audit.Finding) string {
	return strings.TrimPrefix(strings.TrimPrefix(f.What, f.Object.Name+" "), f.Object.Name+": ")
}

// restartSays is what the audit makes of a restart now.
func restartSays(s audit.State) string {
	switch s {
	case audit.Lost:
		return "It would not come back."
	case audit.Unknown:
		return "Not everything that it needs could be seen."
	}
	return "New tasks would start."
}

// shortCommit is a commit id as git abbreviates it.
func shortCommit(sha string) string {
	if len(sha) == 40 && strings.Trim(sha, "0123456789abcdef") == "" {
		return sha[:7]
	}
	return sha
}
