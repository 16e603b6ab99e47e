package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/plimsoll-ecs/plimsoll/internal/build"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

type releaseCommand struct {
	Tag          string      `help:"Tag to release; the CI system's git tag, or the one on HEAD, when not given." placeholder:"TAG"`
	DesiredCount *int        `help:"How many tasks, set in the same update." placeholder:"N"`
	Build        buildFlags  `embed:""`
	Source       sourceFlags `embed:""`
	rolloutFlags
	reactionFlags
	hookFlags
	tagFlags
	strictFlags
	supersedeFlag
	accountFlag
	deployImages
}

// Validate is called by kong.
func (c *releaseCommand) Validate() error {
	return cmp.Or(c.rolloutFlags.Validate(), c.containerImages.Validate(), c.checkSource())
}

// Help goes below the usage.
func (c *releaseCommand) Help() string {
	return `In a pipeline that sets ECR_REGISTRY, ECR_REPOSITORY, ECS_CLUSTER, ECS_SERVICE
and TASK_DEFINITION, and runs for a git tag, no flag is needed at all.

  plimsoll release
  plimsoll release --tag v1.2.0 --desired-count 3 --build-arg VERSION=v1.2.0

An image that another tool has built (buildx, kaniko, ko) is pushed and deployed
from its files, without docker:

  plimsoll release --tarball image.tar`
}

// checkSource refuses flags of a build that does not take place.
func (c *releaseCommand) checkSource() error {
	b := c.Build
	if c.Source.given() && (b.Context != "." || b.File != "" || b.Target != "" || b.Platform != "" || len(b.BuildArg) > 0 || b.NoCache) {
		return errors.New("--tarball and --oci-layout are images that are built already; leave the flags of the build out")
	}
	return nil
}

// Run builds, pushes and deploys. The deploy's checks that need no image run
// before anything is built: a wrong name should not cost a build.
func (c *releaseCommand) Run(ctx context.Context, s *session) error {
	h, err := s.harbour(ctx, c.flags())
	if err != nil {
		return err
	}
	tag, err := s.releaseTag(ctx, c.Tag, c.of(h.settings))
	if err != nil {
		return err
	}
	c.expect(h)
	ref, others, err := c.images(ctx, h, tag)
	if err != nil {
		return err
	}
	if len(c.Container) == 0 && len(others) > 0 {
		return &usageError{
			fmt.Errorf("release builds one image, and %s names containers with several", h.settings.Container.Source),
			"name the one with --container, or build and push each and then deploy",
		}
	}
	request := deploy.Request{
		Target: h.target, Family: h.settings.TaskDefinition.Value, Container: h.settings.Container.Value, Image: ref, Others: others,
		Policy: c.of(h.settings), Desired: desired(c.DesiredCount, h.settings), TakeOver: c.Supersede, Strict: c.Strict, CheckSecretKeys: c.CheckSecretKeys,
		NoWait: c.NoWait, Timeout: c.timeout(h.settings), Provenance: s.provenance(),
		Watching: c.on(c.watching(h.settings)),
	}
	if err := c.lay(&request, h.settings); err != nil {
		return err
	}
	tell := s.terminal().Tell
	if v, err := deploy.Check(ctx, h.ports, h.target, c.Supersede, tell); err != nil {
		return verdict(v, err)
	}
	login, err := loginTo(ctx, h.client, ref.Registry)
	if err != nil {
		return err
	}
	if !c.Source.given() {
		if _, err := build.Image(ctx, c.Build.options(s, ref, login), tell); err != nil {
			return err
		}
	}
	pushed, err := build.Push(ctx, c.Source.options(s, ref, login), tell)
	if err != nil {
		return err
	}
	s.ci.pushed(pushed)
	return s.toldVerdict(ctx, h, "release")(deploy.Deploy(ctx, h.ports, request, tell))
}
