package cli

import (
	"cmp"
	"fmt"

	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
)

// watchFlags are of every command that follows a rollout.
type watchFlags struct {
	Until     string `help:"completed: until ECS has completed it. healthy: until the new tasks are all healthy; the old ones may still drain." enum:"completed,healthy," default:"" placeholder:"completed"`
	FailAfter *int   `help:"So many tasks that crash or fail their health checks alike, with no healthy one, prove that the rollout has failed." placeholder:"2"`
	Poll      string `help:"fast: tell the verdict within about a second. economical: with as few calls as can be, seconds later; a deploy takes only the checks that need none of their own." enum:"fast,economical" default:"fast" placeholder:"fast"`
}

func (f watchFlags) check() error {
	if f.FailAfter != nil && *f.FailAfter < 1 {
		return fmt.Errorf("--fail-after=%d: it must be 1 or more", *f.FailAfter)
	}
	return nil
}

// watching is how to follow: as the flags say, else the settings.
func (f watchFlags) watching(set config.Settings) deploy.Watching {
	w := deploy.Watching{FailAfter: set.FailAfter.Value}
	if f.FailAfter != nil {
		w.FailAfter = *f.FailAfter
	}
	if cmp.Or(f.Until, set.Until.Value) == "healthy" {
		w.Until = rollout.Healthy
	}
	if f.Poll == "economical" {
		w.Poll = deploy.PollEconomical
	}
	return w
}

// reactionFlags are of the commands that undo what they began.
type reactionFlags struct {
	OnFailure   string `help:"rollback: put the service back when the rollout fails. leave: leave it as it is (exit 5)." enum:"rollback,leave" default:"rollback" placeholder:"rollback"`
	OnInterrupt string `help:"leave: on Ctrl-C or SIGTERM the rollout goes on. rollback: put the service back first." enum:"leave,rollback" default:"leave" placeholder:"leave"`
}

func (f reactionFlags) on(w deploy.Watching) deploy.Watching {
	w.OnFailure, w.OnInterrupt = deploy.Reaction(f.OnFailure), deploy.Reaction(f.OnInterrupt)
	return w
}
