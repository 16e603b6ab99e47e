package cli

import (
	"context"

	"github.com/plimsoll-ecs/plimsoll/internal/build"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// sourceFlags name an image that lies in files, built by whatever tool.
type sourceFlags struct {
	OCILayout string `name:"oci-layout" help:"Push this OCI layout; needs no docker." type:"path" xor:"source" placeholder:"DIR"`
	Tarball   string `help:"Push this tarball (docker save, or an OCI archive); needs no docker." type:"path" xor:"source" placeholder:"FILE"`
}

func (f sourceFlags) given() bool { return f.OCILayout != "" || f.Tarball != "" }

func (f sourceFlags) options(s *session, ref image.Reference, login *build.Login) build.PushOptions {
	return build.PushOptions{Image: ref, Login: login, Layout: f.OCILayout, Tarball: f.Tarball, Env: s.sys.Environ, Log: s.log()}
}

type pushCommand struct {
	Tag string `help:"Tag to push; the CI system's git tag, or the one on HEAD, when not given." placeholder:"TAG"`
	sourceFlags
	tagFlags
	dotenvFlag
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
	pushed, err := build.Push(ctx, c.options(s, ref, login), s.terminal().Tell)
	if err != nil {
		return err
	}
	s.ci.pushed(pushed)
	return nil
}
