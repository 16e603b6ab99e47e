package deploy

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/noun"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// Shift is how a service's strategy moves its traffic, where it does: what that
// takes by itself, and where somebody has to say that it may go on.
type Shift struct {
	Bake   time.Duration // after all traffic has moved
	Step   time.Duration // before each further part of it
	Steps  int           // how often
	Pauses []string      // the stages that a PAUSE hook holds it at: PRE_SCALE_UP …
}

// ShiftSteps is how often ECS waits between the steps of traffic that moves so many
// percent at a time: not after the last one. (LinearConfiguration in the ECS API
// reference.)
func ShiftSteps(percent float64) int {
	if percent <= 0 || percent >= 100 {
		return 0
	}
	return int(math.Ceil(100/percent)) - 1
}

// waits is how long the strategy waits in all, whatever the tasks do.
func (s Shift) waits() time.Duration { return s.Bake + time.Duration(s.Steps)*s.Step }

// allow gives a rollout the time that the strategy of its service takes by
// itself, on top of what a rollout may take, unless the request says how long.
func (j *job) allow(s Service) {
	if !j.limited {
		j.patience = s.Shift.waits()
	}
}

// limit is how long a rollout may take.
func (j *job) limit() time.Duration { return j.timeout + j.patience }

// checkStrategy says what a strategy that shifts traffic will wait for.
func checkStrategy(s Service, timeout time.Duration) []story.Check {
	if s.Strategy == "ROLLING" {
		return nil
	}
	waits := s.Shift.waits()
	if timeout > 0 && waits >= timeout {
		return []story.Check{checkWarn("strategy",
			fmt.Sprintf("%s waits %s by itself (bake time), and this run %s at most: it would end before the verdict, exit 7", s.Strategy, minutes(waits), timeout),
			"leave --timeout out, or set it above that")}
	}
	what := fmt.Sprintf("%s: the old tasks run until traffic has moved", s.Strategy)
	if waits > 0 {
		what += fmt.Sprintf(" and %s of bake time are over", minutes(waits))
	}
	if len(s.Shift.Pauses) > 0 {
		what += "; a PAUSE hook holds it at " + stageNames(s.Shift.Pauses) + " until somebody answers"
	}
	return []story.Check{checkOK("strategy", "%s", what)}
}

func minutes(d time.Duration) string { return noun.Count(int(d.Minutes()), "minute") }

func stageNames(stages []string) string {
	return strings.ToLower(strings.ReplaceAll(strings.Join(stages, " and "), "_", " "))
}

// tellHold says what a rollout waits for, and how to answer.
func (w *watch) tellHold(what string) {
	w.say(story.Note, w.step, "%s", what)
	if hold := w.tracker.View().Hold; hold != nil {
		w.say(story.Note, w.step, "to let it go on: %s", Answer(*hold, "CONTINUE"))
		w.say(story.Note, w.step, "to give it up: %s", Answer(*hold, "ROLLBACK"))
	}
}

// Answer is the command that answers a hook: CONTINUE or ROLLBACK.
func Answer(h rollout.Hold, action string) string {
	return fmt.Sprintf("aws ecs continue-service-deployment --service-deployment-arn %s --hook-id %s --action %s", h.Record, h.HookID, action)
}
