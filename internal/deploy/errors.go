package deploy

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// Kind is what an error of a port means to its caller; errors.Is finds it.
type Kind string

// The kinds that callers decide on. An error of no kind is unexpected.
const (
	NotFound    Kind = "not found"
	Denied      Kind = "access denied"
	Throttled   Kind = "throttled"
	Conflict    Kind = "conflict"
	Unsupported Kind = "unsupported"
	Setup       Kind = "not set up" // no region, no credentials that AWS takes: no call can be made
)

func (k Kind) Error() string { return string(k) }

// PreflightError is why nothing was changed: every fault that was found.
type PreflightError struct {
	Faults []Fault
	Checks []story.Check // all that were taken, where there were more
}

// Fault is one thing that stands in the way.
type Fault struct {
	Check string // what was looked at: "cluster", "image", …
	What  string // what is wrong
	Do    string // what to do about it
}

// faultOf is an error as a fault, with what to do where the error knows.
func faultOf(check string, err error) Fault {
	f := Fault{Check: check, What: err.Error()}
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		f.Do = hinted.Hint()
	}
	return f
}

func (e *PreflightError) Error() string {
	if len(e.Faults) == 0 {
		return "refused; nothing was changed"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "refused for %d fault", len(e.Faults))
	if len(e.Faults) > 1 {
		b.WriteByte('s')
	}
	b.WriteString("; nothing was changed")
	for _, f := range e.Faults {
		fmt.Fprintf(&b, "\n  %s: %s", f.Check, f.What)
		if f.Do != "" {
			fmt.Fprintf(&b, "\n    %s", f.Do)
		}
	}
	return b.String()
}

// UsageError is a request that cannot be meant.
type UsageError struct {
	What string
	Do   string
}

func (e *UsageError) Error() string { return e.What }

// Hint says what to do.
func (e *UsageError) Hint() string { return e.Do }

// The outcomes of story.Verdict.
const (
	Stable      = "stable"
	Started     = "started"   // not waited for
	Unchanged   = "unchanged" // it ran already, or a dry run
	Failed      = "failed"    // and not back
	RolledBack  = "rolled-back"
	Superseded  = "superseded"
	TimedOut    = "timeout"
	Interrupted = "interrupted"
	Refused     = "refused"
	NotBegun    = "not-begun" // of several services: another one failed before
	Errored     = "error"     // of several services: unexpected, the summary says what
)

// ExitCode is the exit code of a command that ended so. With an error the
// verdict counts only when it has an outcome.
func ExitCode(err error, v story.Verdict) int {
	var usage *UsageError
	var preflight *PreflightError
	var blind *blindError
	switch {
	case v.Outcome != "":
		return exitCodeOf(v.Outcome)
	case err == nil:
		return 0
	case errors.As(err, &preflight):
		return exitCodeOf(Refused)
	case errors.As(err, &blind): // whatever keeps it from looking now, it has been set up
		return 1
	case errors.As(err, &usage), errors.Is(err, Setup):
		return 2
	case errors.Is(err, context.Canceled):
		return exitCodeOf(Interrupted)
	}
	return 1
}

func exitCodeOf(outcome string) int {
	switch outcome {
	case Stable, Started, Unchanged:
		return 0
	case Refused, NotBegun:
		return 3
	case RolledBack:
		return 4
	case Failed:
		return 5
	case Superseded:
		return 6
	case TimedOut:
		return 7
	case Interrupted:
		return 130
	}
	return 1
}
