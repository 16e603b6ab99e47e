package faults

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// InvalidError is a rule that cannot be meant.
type InvalidError struct{ Reason string }

func (e *InvalidError) Error() string { return e.Reason }

// maxDelay bounds what the latency rules for one call come to: every waiting
// call holds its memory.
const maxDelay = 5 * time.Minute

// check refuses what cannot be meant, members of other kinds included: a
// status on a delay would be a rule that does not do what its author thinks.
func (r Rule) check() error {
	invalid := func(format string, args ...any) error { return &InvalidError{fmt.Sprintf(format, args...)} }
	if !slices.Contains(Kinds(), r.Kind) {
		return invalid("kind %q is not one of %s", r.Kind, listed(Kinds()))
	}
	if err := checkPattern(r.Match); err != nil {
		return err
	}
	isError := r.Kind == Error
	switch {
	case r.Skip < 0 || r.Count < 0:
		return invalid("skip and count cannot be below 0")
	case !(r.Rate >= 0 && r.Rate <= 1): // a NaN is neither
		return invalid("rate %v is not above 0 and up to 1", r.Rate)
	case r.Kind == Buckets && (r.Skip != 0 || r.Count != 0 || r.Rate != 0):
		return invalid("buckets have sizes and rates of their own: skip, count and rate do not go with them")
	case !isError && (r.Status != 0 || r.Code != "" || r.Message != ""):
		return invalid("status, code and message go with the kind error only, not with %s", r.Kind)
	case isError && r.Status != 0 && (r.Status < 400 || r.Status > 599):
		return invalid("status %d is not one of an error, 400 to 599", r.Status)
	case (r.Kind == Latency) != (r.DelaySeconds != 0):
		return invalid("a delay goes with the kind latency, and with that alone")
	case !(r.DelaySeconds >= 0 && r.DelaySeconds <= maxDelay.Seconds()):
		return invalid("a delay of %v s is not above 0 and up to %v s", r.DelaySeconds, maxDelay.Seconds())
	}
	return nil
}

func listed(kinds []Kind) string {
	var names []string
	for _, k := range kinds {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// checkPattern wants "*" or service:operation, so that "UpdateService" alone
// is not a rule that never strikes.
func checkPattern(pattern string) error {
	service, _, isPair := strings.Cut(pattern, ":")
	if _, err := path.Match(pattern, ""); err != nil || pattern != "*" && (!isPair || service == "") {
		return &InvalidError{fmt.Sprintf("%q is not a pattern of operations, such as ecs:UpdateService, ecs:Describe*, registry:* or *", pattern)}
	}
	return nil
}

// matches compares without case, as IAM does with actions.
func matches(pattern string, c Call) bool {
	if pattern == "*" {
		return true
	}
	// A slash would end path.Match's *; no service or operation has one.
	name := strings.ReplaceAll(c.String(), "/", "_")
	ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(name))
	return err == nil && ok
}
