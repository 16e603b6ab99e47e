package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/noun"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// lookTimeout bounds a look at what a deploy can do without. Networks without
// a way to IAM's endpoint, say, are common, and there the call would hang.
const lookTimeout = 5 * time.Second

// look is one check at work. It may find nothing worth a line, or several
// things.
type look func(context.Context) []story.Check

// lookAll takes all looks at once and lists what they found, in their order.
func lookAll(ctx context.Context, looks ...look) []story.Check {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	found := make([][]story.Check, len(looks))
	var wg sync.WaitGroup
	for i, l := range looks {
		wg.Go(func() { found[i] = l(ctx) })
	}
	wg.Wait()
	return slices.Concat(found...)
}

func checkOK(name, why string, args ...any) story.Check {
	return story.Check{Name: name, State: story.CheckOK, Why: fmt.Sprintf(why, args...)}
}

func checkFail(name, why, do string) story.Check {
	return story.Check{Name: name, State: story.CheckFail, Why: why, Do: do}
}

func checkWarn(name, why, do string) story.Check {
	return story.Check{Name: name, State: story.CheckWarn, Why: why, Do: do}
}

// checkSkipped is a check that has nothing to look at.
func checkSkipped(name, why string, args ...any) story.Check {
	return story.Check{Name: name, State: story.CheckSkipped, Why: fmt.Sprintf(why, args...)}
}

// unseen is a check that could not look. That never fails a deploy: what is
// wrong will show, only later.
func unseen(name string, err error) story.Check {
	c := story.Check{Name: name, State: story.CheckSkipped, Why: err.Error()}
	switch f := faultOf(name, err); {
	case errors.Is(err, Unsupported):
	case errors.Is(err, context.DeadlineExceeded):
		c.Why, c.Do = fmt.Sprintf("no answer within %s", lookTimeout), "see whether the AWS endpoint can be reached from here"
	case errors.Is(err, Denied):
		c.Why, c.Do = "no permission to look", f.Do
		if f.Do == "" {
			c.Do = err.Error()
		}
	default:
		c.Do = "try again"
	}
	return c
}

// failed is a check whose read failed, of something a deploy cannot do without.
func failed(name string, err error) story.Check {
	f := faultOf(name, err)
	return checkFail(f.Check, f.What, f.Do)
}

// refusal is the error of checks that failed, nil where none did. In the
// strict case a warning counts too. One cause (no credentials, say) can make
// many reads fail in the same words: it is one fault.
func refusal(checks []story.Check, strict bool) error {
	var faults []Fault
	for _, c := range checks {
		counts := c.State == story.CheckFail || strict && c.State == story.CheckWarn
		if counts && !slices.ContainsFunc(faults, func(f Fault) bool { return f.What == c.Why }) {
			faults = append(faults, Fault{c.Name, c.Why, c.Do})
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return &PreflightError{Faults: faults, Checks: checks}
}

// tellChecks tells what is not as it should be and does not stand in the way,
// and closes the preflight with one line.
func (j *job) tellChecks(checks []story.Check, outlook string) {
	j.tellWarnings(checks)
	message := tally(checks)
	if outlook != "" {
		message += "; " + outlook
	}
	j.news(story.Event{Kind: story.End, Step: story.Preflight, Message: message, Checks: checks})
}

func (j *job) tellWarnings(checks []story.Check) {
	var blind []string
	for _, c := range checks {
		switch {
		case c.State == story.CheckWarn:
			j.say(story.Warning, story.Preflight, "%s", sentence(c.Name, c.Why, c.Do))
		case c.State == story.CheckSkipped && c.Do != "" && !slices.Contains(blind, c.Name):
			blind = append(blind, c.Name)
		}
	}
	if len(blind) > 0 {
		j.say(story.Note, story.Preflight, "could not look at: %s (plimsoll check says why)", strings.Join(blind, ", "))
	}
}

func sentence(name, why, do string) string {
	s := name + ": " + why
	if do != "" {
		s += "; " + do
	}
	return s
}

// tally counts checks: "14 checks, 1 warning".
func tally(checks []story.Check) string {
	count := map[story.CheckState]int{}
	for _, c := range checks {
		count[c.State]++
	}
	s := noun.Count(len(checks), "check")
	if n := count[story.CheckFail]; n > 0 {
		s += fmt.Sprintf(", %d failed", n)
	}
	if n := count[story.CheckWarn]; n > 0 {
		s += ", " + noun.Count(n, "warning")
	}
	if n := count[story.CheckSkipped]; n > 0 {
		s += fmt.Sprintf(", %d skipped", n)
	}
	return s
}
