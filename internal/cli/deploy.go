package cli

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// timeoutFlag is of every command that waits for a rollout.
type timeoutFlag struct {
	Timeout time.Duration `help:"Stop waiting after so long (exit 7); the rollout goes on." default:"15m" placeholder:"15m"`
}

// Validate is called by kong.
func (f timeoutFlag) Validate() error {
	if f.Timeout <= 0 {
		return fmt.Errorf("--timeout=%s: it must be above 0", f.Timeout)
	}
	return nil
}

// rolloutFlags are those of every command that starts a rollout.
type rolloutFlags struct {
	NoWait bool `help:"Do not wait for the verdict."`
	timeoutFlag
	watchFlags
}

// Validate is called by kong.
func (f rolloutFlags) Validate() error { return cmp.Or(f.timeoutFlag.Validate(), f.check()) }

// tagFlags loosen the tag policy.
type tagFlags struct {
	AllowSHA        bool `name:"allow-sha" help:"Also take tags that are commit ids."`
	AllowPrerelease bool `help:"Also take tags such as v1.2.3-rc.1."`
}

func (f tagFlags) policy() image.Policy {
	return image.Policy{AllowSHA: f.AllowSHA, AllowPrerelease: f.AllowPrerelease}
}

type deployCommand struct {
	ImageTag     string `help:"Tag of the image in ECR." required:"" placeholder:"TAG"`
	DesiredCount *int   `help:"How many tasks, set in the same update." placeholder:"N"`
	Base         string `help:"Template: latest (the family's newest revision), running, or a revision number." default:"latest" placeholder:"latest"`
	Force        bool   `help:"Redeploy though this image runs already."`
	TakeOver     bool   `help:"Begin though another rollout is under way."`
	DryRun       bool   `help:"Check everything, change nothing."`
	rolloutFlags
	reactionFlags
	tagFlags
	deployNames
}

// Help goes below the usage.
func (c *deployCommand) Help() string {
	return `Only the image of one container and the desired count change; everything else
is taken from the newest revision of the task definition as it is. A rollout
that fails is put back, with its desired count: exit 4.

  plimsoll deploy --image-tag v1.2.0
  plimsoll deploy --image-tag v1.2.0 --desired-count 3
  plimsoll deploy --image-tag v1.2.0 --dry-run`
}

// Run deploys an image that ECR has.
func (c *deployCommand) Run(ctx context.Context, s *session) error {
	h, err := s.harbour(ctx, c.flags())
	if err != nil {
		return err
	}
	ref, err := imageOf(ctx, h.client, h.settings, c.ImageTag)
	if err != nil {
		return err
	}
	return verdict(deploy.Deploy(ctx, h.ports, deploy.Request{
		Target: h.target, Family: h.settings.TaskDefinition.Value, Container: h.settings.Container.Value, Image: ref,
		Policy: c.policy(), Base: c.Base, Desired: c.DesiredCount, Force: c.Force, TakeOver: c.TakeOver,
		NoWait: c.NoWait, DryRun: c.DryRun, Timeout: c.Timeout, Provenance: s.provenance(),
		Watching: c.on(c.watching()),
	}, s.terminal().Tell))
}
