package deploy

import (
	"errors"
	"fmt"
)

// blindError is that a rollout can no longer be watched. It goes on without this
// run, which is neither its failure nor that of what was asked for.
type blindError struct {
	target Target
	resume string // the command that watches on
	err    error
}

func (e *blindError) Error() string {
	return fmt.Sprintf("watch %s (the deployment goes on): %v", e.target, e.err)
}

// Unwrap returns what kept the watch from reading.
func (e *blindError) Unwrap() error { return e.err }

// Hint says what to do.
func (e *blindError) Hint() string {
	var hinted interface{ Hint() string }
	if errors.As(e.err, &hinted) && hinted.Hint() != "" {
		return hinted.Hint() + "; then: " + e.resume
	}
	return "to see what becomes of it: " + e.resume
}

// Of looks in a row that fail, so many end a watch where the credentials are
// refused (a provider may still have new ones), and so many are told of: one alone
// is nothing.
const (
	maxRefused = 4
	toldAfter  = 2
)

// givesUp reports whether a look that failed ends the watch.
func givesUp(err error, failures int) bool {
	return failures >= maxFailures || errors.Is(err, Denied) || errors.Is(err, NotFound) ||
		errors.Is(err, Setup) && failures >= maxRefused
}
