package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/plimsoll-ecs/plimsoll/internal/build"
	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
	"github.com/plimsoll-ecs/plimsoll/internal/retain"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/strictyaml"
)

// usageError is a command line that cannot be meant.
type usageError struct {
	err  error
	hint string
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// Hint says what to do.
func (e *usageError) Hint() string { return e.hint }

// refusedError is a refusal before anything was changed: exit 3.
type refusedError struct{ err error }

func (e *refusedError) Error() string { return e.err.Error() + "; nothing was changed" }
func (e *refusedError) Unwrap() error { return e.err }

// exitError ends the process with a code and without a word: the story has
// been told.
type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// errorEvent is an error as --output json has it, beside the events of package
// story; fields are only ever added.
type errorEvent struct {
	Time     time.Time `json:"time"`
	Kind     string    `json:"kind"` // "error"
	Message  string    `json:"message"`
	Hint     string    `json:"hint,omitempty"`
	ExitCode int       `json:"exitCode"`
}

// fail ends a command: it says what is wrong and then what to do, and returns
// the exit code.
func (s *session) fail(err error) int {
	if s.term != nil {
		if closing := s.term.Close(); err == nil {
			err = closing
		}
	}
	if err == nil {
		return 0
	}
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	code := exitCode(err)
	if errors.Is(err, syscall.EPIPE) { // as in plimsoll status | head -1: nobody listens any more
		return code
	}
	message, hint := strings.TrimRight(err.Error(), "\n"), hintOf(err)
	if errors.Is(err, context.Canceled) {
		message = "interrupted"
	}
	if s.json() {
		s.object(errorEvent{time.Now(), "error", message, hint, code})
		return code
	}
	fmt.Fprintf(s.sys.Stderr, "plimsoll: %s\n", message)
	if hint != "" {
		fmt.Fprintf(s.sys.Stderr, "  %s\n", hint)
	}
	return code
}

// object writes one line of JSON to stdout. An error is not worth another
// one: there is nowhere to tell it.
func (s *session) object(v any) {
	enc := json.NewEncoder(s.sys.Stdout)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
}

// hintOf is what to do about an error, where it knows.
func hintOf(err error) string {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	return ""
}

func exitCode(err error) int {
	_, usage := errors.AsType[*usageError](err)
	_, missing := errors.AsType[*config.MissingError](err)
	_, invalid := errors.AsType[*config.InvalidError](err)
	_, file := errors.AsType[*strictyaml.Error](err)
	_, remote := errors.AsType[*drydock.RemoteListenError](err)
	_, refused := errors.AsType[*refusedError](err)
	_, exists := errors.AsType[*build.TagExistsError](err)
	_, policy := errors.AsType[*retain.PolicyRefusedError](err)
	switch {
	case usage, missing, invalid, file, remote:
		return 2
	case refused, exists, policy:
		return 3
	}
	return deploy.ExitCode(err, story.Verdict{})
}

// checkEmpty refuses a flag that is given without a value: --to "$TAG" where
// TAG is not set does not mean to leave --to out.
func checkEmpty(parsed *kong.Context) error {
	for _, p := range parsed.Path {
		if p.Flag == nil {
			continue
		}
		value := parsed.FlagValue(p.Flag)
		if list, ok := value.([]string); value == "" || ok && (len(list) == 0 || slices.Contains(list, "")) {
			return &usageError{fmt.Errorf("--%s is empty", p.Flag.Name), "give it a value, or leave it out"}
		}
	}
	return nil
}

// asksForJSON looks for --output json in a command line that cannot be parsed.
func asksForJSON(args []string) bool {
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	i := slices.Index(args, "--output")
	return slices.Contains(args, "--output=json") || i >= 0 && i+1 < len(args) && args[i+1] == "json"
}
