package cli

import (
	"context"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// rolloutFlags are those of every command that starts a rollout.
type rolloutFlags struct {
	NoWait  bool          `help:"Do not wait for the verdict."`
	Timeout time.Duration `help:"Stop waiting after so long (exit 7); the rollout goes on." default:"15m" placeholder:"DURATION"`
}

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
	Base         string `help:"Template: latest (the family's newest revision), running, or a revision number." default:"latest" placeholder:"BASE"`
	Force        bool   `help:"Redeploy though this image runs already."`
	TakeOver     bool   `help:"Begin though another rollout is under way."`
	DryRun       bool   `help:"Check everything, change nothing."`
	rolloutFlags
	tagFlags
}

// Run deploys an image that ECR has.
func (c *deployCommand) Run(ctx context.Context, s *session) error {
	client, p, set, err := s.service(ctx)
	if err != nil {
		return err
	}
	ref, err := imageOf(ctx, client, set, c.ImageTag)
	if err != nil {
		return err
	}
	return s.verdict(deploy.Deploy(ctx, p, deploy.Request{
		Target: targetOf(set), Family: set.TaskDefinition.Value, Container: set.Container.Value, Image: ref,
		Policy: c.policy(), Base: c.Base, Desired: c.DesiredCount, Force: c.Force, TakeOver: c.TakeOver,
		NoWait: c.NoWait, DryRun: c.DryRun, Timeout: c.Timeout, Provenance: s.provenance(),
	}, s.terminal().Tell))
}
