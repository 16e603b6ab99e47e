package dashboard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

type withHint struct{ error }

func (withHint) Hint() string { return "allow it" }

// An error is said with what to do, where that is known, and never in words of Go.
func TestErrorsAreSaid(t *testing.T) {
	for _, c := range []struct {
		err      error
		what, do string
	}{
		{errors.New("it is so"), "it is so", ""},
		{fmt.Errorf("read: %w", withHint{errors.New("denied")}), "read: denied", "allow it"},
		{fmt.Errorf("read: %w", context.DeadlineExceeded), "AWS did not answer in time", "It may be throttling the account: load the page again in a while."},
		{&deploy.PreflightError{Faults: []deploy.Fault{{Check: "service", What: "web is not there", Do: "did you mean api?"}, {What: "b"}}}, "web is not there; b", "did you mean api?"},
		{&deploy.PreflightError{}, "refused; nothing was changed", ""},
	} {
		if what, do := said(c.err); what != c.what || do != c.do {
			t.Errorf("%v: %q, %q, want %q, %q", c.err, what, do, c.what, c.do)
		}
	}
}

func TestGone(t *testing.T) {
	fault := func(check string) error { return &deploy.PreflightError{Faults: []deploy.Fault{{Check: check}}} }
	for err, want := range map[error]bool{
		nil: false, errors.New("x"): false, deploy.Denied: false, fault("account"): false,
		deploy.NotFound: true, fault("service"): true, fault("cluster"): true,
	} {
		if got := isGone(err); got != want {
			t.Errorf("%v: gone %t", err, got)
		}
	}
}

// Of a long name the end is shown, by which revisions differ.
func TestEndingOfLongNames(t *testing.T) {
	for name, want := range map[string]string{"web:5": "web:5", strings.Repeat("é", 30) + ":12": "…" + strings.Repeat("é", 20) + ":12"} {
		if got := ending(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
