package cli

import (
	"context"

	"github.com/plimsoll-ecs/plimsoll/internal/build"
)

type pushCommand struct {
	Tag       string `help:"Tag to push; the CI system's git tag, or the one on HEAD, when not given." placeholder:"TAG"`
	OCILayout string `name:"oci-layout" help:"Push this OCI layout; needs no docker." type:"path" xor:"source" placeholder:"DIR"`
	Tarball   string `help:"Push this tarball (docker save, or an OCI archive); needs no docker." type:"path" xor:"source" placeholder:"FILE"`
	tagFlags
	imageNames
}

// Help goes below the usage.
func (c *pushCommand) Help() string {
	return `The docker image REGISTRY/REPOSITORY:TAG is pushed when neither a layout nor a
tarball is given.

  plimsoll push --tag v1.2.0
  plimsoll push --tag v1.2.0 --tarball image.tar`
}

// Run pushes the docker image of that name, or a file.
func (c *pushCommand) Run(ctx context.Context, s *session) error {
	client, ref, err := s.image(ctx, c.imageNames, c.Tag, c.tagFlags)
	if err != nil {
		return err
	}
	login, err := loginTo(ctx, client, ref.Registry)
	if err != nil {
		return err
	}
	_, err = build.Push(ctx, build.PushOptions{
		Image: ref, Login: login, Layout: c.OCILayout, Tarball: c.Tarball, Env: s.sys.Environ,
	}, s.terminal().Tell)
	return err
}
