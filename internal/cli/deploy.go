package cli

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// timeoutFlag is of every command that waits for a rollout.
type timeoutFlag struct {
	Timeout *time.Duration `help:"Stop waiting after so long (exit 7); the rollout goes on." placeholder:"15m"`
}

// Validate is called by kong.
func (f timeoutFlag) Validate() error {
	if f.Timeout != nil && *f.Timeout <= 0 {
		return fmt.Errorf("--timeout=%s: it must be above 0", *f.Timeout)
	}
	return nil
}

// timeout is how long to wait; 0 leaves it to the use case.
func (f timeoutFlag) timeout(set config.Settings) time.Duration {
	if f.Timeout != nil {
		return *f.Timeout
	}
	return set.Timeout.Value
}

// rolloutFlags are those of every command that starts a rollout.
type rolloutFlags struct {
	NoWait bool `help:"Do not wait for the verdict."`
	timeoutFlag
	watchFlags
	dotenvFlag
}

// Validate is called by kong.
func (f rolloutFlags) Validate() error { return cmp.Or(f.timeoutFlag.Validate(), f.check()) }

// supersedeFlag is of every command that can begin while a rollout goes on.
type supersedeFlag struct {
	Supersede bool `help:"Begin though another rollout is under way." aliases:"take-over" xor:"current"`
}

// currentFlags say what to do about a rollout that is under way.
type currentFlags struct {
	supersedeFlag
	WaitForCurrent bool `help:"Let a rollout that is under way end first." xor:"current"`
}

// strictFlags say how far the checks go.
type strictFlags struct {
	Strict          bool `help:"Refuse for a warning too."`
	CheckSecretKeys bool `help:"Look whether secrets have the JSON keys that are asked for. This reads them; their values are neither shown nor logged."`
}

// accountFlag guards against the credentials of another account.
type accountFlag struct {
	ExpectAccount string `help:"Refuse in any other AWS account." placeholder:"ID"`
}

func (f accountFlag) expect(h *harbour) { h.target.Account = cmp.Or(f.ExpectAccount, h.target.Account) }

// tagFlags loosen the tag policy.
type tagFlags struct {
	AllowSHA        bool `name:"allow-sha" help:"Also take tags that are commit ids."`
	AllowPrerelease bool `help:"Also take tags such as v1.2.3-rc.1."`
}

// of is the tag policy: that of the settings, loosened.
func (f tagFlags) of(set config.Settings) image.Policy {
	p := set.Tags.Value
	p.AllowSHA = p.AllowSHA || f.AllowSHA
	p.AllowPrerelease = p.AllowPrerelease || f.AllowPrerelease
	return p
}

type deployCommand struct {
	ImageTag     string `help:"Tag of the image in ECR." required:"" placeholder:"TAG"`
	DesiredCount *int   `help:"How many tasks, set in the same update." placeholder:"N"`
	Base         string `help:"Template: latest (the family's newest revision), running, or a revision number." default:"latest" placeholder:"latest" complete:"latest,running"`
	Force        bool   `help:"Redeploy though this image runs already."`
	DryRun       bool   `help:"Check everything, change nothing."`
	strictFlags
	currentFlags
	rolloutFlags
	reactionFlags
	hookFlags
	tagFlags
	manyFlags
	accountFlag
	deployManyImages
}

// Validate is called by kong.
func (c *deployCommand) Validate() error {
	return cmp.Or(c.rolloutFlags.Validate(), c.containerImages.Validate())
}

// Help goes below the usage.
func (c *deployCommand) Help() string {
	return `Only the image of one container and the desired count change; everything else
is taken from the newest revision of the task definition as it is. A rollout
that fails is put back, with its desired count: exit 4.

  plimsoll deploy --image-tag v1.2.0
  plimsoll deploy --image-tag v1.2.0 --desired-count 3
  plimsoll deploy --image-tag v1.2.0 --dry-run
  plimsoll deploy --image-tag v1.2.0 --all --env stage

Several services go in waves. All of them are checked before any is changed.`
}

// Run deploys an image that ECR has.
func (c *deployCommand) Run(ctx context.Context, s *session) error {
	harbours, err := s.harbours(ctx, c.servicesNames, c.flags())
	if err != nil {
		return err
	}
	for _, h := range harbours {
		c.expect(h)
	}
	act := func(h *harbour, dry bool) deploy.Act {
		return func(ctx context.Context, tell story.Teller) (story.Verdict, error) {
			ref, others, err := c.images(ctx, h, c.ImageTag)
			if err != nil {
				return story.Verdict{}, err
			}
			request := deploy.Request{
				Target: h.target, Family: h.settings.TaskDefinition.Value, Container: h.settings.Container.Value, Image: ref, Others: others,
				Policy: c.of(h.settings), Base: c.Base, Desired: desired(c.DesiredCount, h.settings), Force: c.Force, TakeOver: c.Supersede, WaitFor: c.WaitForCurrent,
				Strict: c.Strict, CheckSecretKeys: c.CheckSecretKeys,
				NoWait: c.NoWait, DryRun: dry, Outlook: c.DryRun, Timeout: c.timeout(h.settings), Provenance: s.provenance(),
				Watching: c.on(c.watching(h.settings)),
			}
			if err := c.lay(&request, h.settings); err != nil {
				return story.Verdict{}, err
			}
			return deploy.Deploy(ctx, h.ports, request, tell)
		}
	}
	return s.sail(ctx, harbours, voyage{
		manyFlags: c.manyFlags, noWait: c.NoWait, atOnce: c.DryRun, notifies: unless(c.DryRun, "deploy"),
		check: func(h *harbour) deploy.Act { return act(h, true) },
		do:    func(h *harbour) deploy.Act { return act(h, c.DryRun) },
	})
}

// desired is the count that a deploy sets; nil leaves it.
func desired(flag *int, set config.Settings) *int {
	if flag == nil && set.Desired.Given() {
		return &set.Desired.Value
	}
	return flag
}
