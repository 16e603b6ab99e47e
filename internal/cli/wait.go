package cli

import (
	"cmp"
	"context"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

type waitCommand struct {
	Revision string `help:"The family:revision that should come to run; any other is exit 6." placeholder:"FAMILY:N"`
	timeoutFlag
	watchFlags
	dotenvFlag
	serviceNames
}

// Validate is called by kong.
func (c *waitCommand) Validate() error { return cmp.Or(c.timeoutFlag.Validate(), c.check()) }

// Help goes below the usage.
func (c *waitCommand) Help() string {
	return `Whoever began the rollout: this tool, another one, the console.

  plimsoll wait
  plimsoll wait --revision api:42 --timeout 10m`
}

// Run follows the rollout that is under way.
func (c *waitCommand) Run(ctx context.Context, s *session) error {
	h, err := s.harbour(ctx, c.flags())
	if err != nil {
		return err
	}
	return verdict(deploy.Wait(ctx, h.ports, deploy.WaitRequest{
		Target: h.target, Revision: c.Revision, Timeout: c.timeout(h.settings),
		Watching: c.watching(h.settings),
	}, s.terminal().Tell))
}
