package cli

import (
	"context"

	"github.com/plimsoll-ecs/plimsoll/internal/awsapi"
	"github.com/plimsoll-ecs/plimsoll/internal/build"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// buildFlags say what to build.
type buildFlags struct {
	Context  string   `help:"Build context." default:"." placeholder:"DIR"`
	File     string   `short:"f" help:"Dockerfile; that of the context when not given." placeholder:"FILE"`
	Target   string   `help:"Build stage." placeholder:"STAGE"`
	Platform string   `help:"Platform, such as linux/arm64." placeholder:"OS/ARCH"`
	BuildArg []string `help:"Build argument; KEY alone takes it from the environment." placeholder:"KEY=VALUE" sep:"none"`
	NoCache  bool     `help:"Build every step anew."`
}

func (f buildFlags) options(s *session, ref image.Reference, login *build.Login) build.Options {
	return build.Options{
		Context: f.Context, File: f.File, Target: f.Target, Platform: f.Platform, Args: f.BuildArg, NoCache: f.NoCache,
		Image: ref, Login: login, Env: s.sys.Environ,
	}
}

type buildCommand struct {
	Tag string `help:"Tag to build; the CI system's git tag, or the one on HEAD, when not given." placeholder:"TAG"`
	buildFlags
	tagFlags
	imageNames
}

// Help goes below the usage.
func (c *buildCommand) Help() string {
	return `The image is called as push and deploy look for it, and is not pushed.

  plimsoll build --tag v1.2.0
  plimsoll build --tag v1.2.0 --platform linux/arm64 --build-arg VERSION=v1.2.0`
}

// Run builds the image of a tag.
func (c *buildCommand) Run(ctx context.Context, s *session) error {
	client, ref, err := s.image(ctx, c.imageNames, c.Tag, c.tagFlags)
	if err != nil {
		return err
	}
	login, err := loginTo(ctx, client, ref.Registry)
	if err != nil {
		return err
	}
	_, err = build.Image(ctx, c.options(s, ref, login), s.terminal().Tell)
	return err
}

// image is the image that build and push are about.
func (s *session) image(ctx context.Context, names imageNames, given string, policy tagFlags) (*awsapi.Client, image.Reference, error) {
	look, err := s.lookup()
	if err != nil {
		return nil, image.Reference{}, err
	}
	flags := names.flags()
	// A repository that is given is the one, whichever container it is for: a
	// service with several has each of them built by itself.
	flags.Container = flags.Repository
	set, err := look.Resolve(flags)
	if err == nil {
		err = set.Require(&set.Repository)
	}
	if err != nil {
		return nil, image.Reference{}, err
	}
	tag, err := s.releaseTag(ctx, given, policy.of(set))
	if err != nil {
		return nil, image.Reference{}, err
	}
	client, err := awsapi.New(ctx, awsapi.Options{Log: s.log(), Region: s.regionOf(look, set)})
	if err != nil {
		return nil, image.Reference{}, err
	}
	ref, err := imageOf(ctx, client, set, tag)
	return client, ref, err
}
