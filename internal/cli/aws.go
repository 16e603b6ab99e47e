package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/awsapi"
	"github.com/plimsoll-ecs/plimsoll/internal/build"
	"github.com/plimsoll-ecs/plimsoll/internal/ci"
	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/diagnose"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// harbour is where a command about one service works.
type harbour struct {
	client   *awsapi.Client
	ports    deploy.Ports
	settings config.Settings
	target   deploy.Target
}

// harbour reads the settings and prepares the calls to AWS; it makes none.
func (s *session) harbour(ctx context.Context, flags config.Flags) (*harbour, error) {
	look, err := s.lookup()
	if err != nil {
		return nil, err
	}
	set, err := look.Resolve(flags)
	if err == nil {
		err = set.Require(&set.Cluster, &set.Service)
	}
	if err != nil {
		return nil, err
	}
	list, err := s.moor(ctx, look, []config.Settings{set})
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// moor prepares the calls to AWS for some services, with one client for all.
func (s *session) moor(ctx context.Context, look config.Lookup, settings []config.Settings) ([]*harbour, error) {
	client, err := awsapi.New(ctx, awsapi.Options{Log: s.log(), Region: s.regionOf(look, settings[0])})
	if err != nil {
		return nil, err
	}
	knowledge, err := diagnose.Load()
	if err != nil {
		return nil, fmt.Errorf("load the diagnoses: %w", err)
	}
	ports := deploy.Ports{AWS: client, Clues: client, Console: client.IsAWS(), Knowledge: knowledge, Now: time.Now, Sleep: deploy.Sleep}
	if len(settings) > 1 {
		ports = deploy.Shared(ports)
	}
	list := make([]*harbour, len(settings))
	for i, set := range settings {
		list[i] = &harbour{client: client, settings: set, ports: ports, target: targetOf(set)}
		s.ci.found(list[i])
		if set.Pin.Value {
			list[i].ports.Settled = pinner(client, set)
		}
	}
	return list, nil
}

func targetOf(set config.Settings) deploy.Target {
	return deploy.Target{
		Cluster: set.Cluster.Value, Service: set.Service.Value, Account: set.Account.Value, Region: set.Region.Value,
	}
}

// images are those of a tag, for each container that gets one.
func (h *harbour) images(ctx context.Context, tag string) (image.Reference, []deploy.Replacement, error) {
	first, err := imageOf(ctx, h.ports.AWS, h.settings, tag)
	if err != nil || len(h.settings.Containers) < 2 {
		return first, nil, err
	}
	var others []deploy.Replacement
	for _, c := range h.settings.Containers[1:] {
		ref := first
		ref.Repository = c.Repository
		others = append(others, deploy.Replacement{Container: c.Name, Image: ref})
	}
	return first, others, nil
}

// client is AWS as the environment says, its calls logged with --verbose.
func (s *session) client(ctx context.Context) (*awsapi.Client, error) {
	return awsapi.New(ctx, awsapi.Options{Log: s.log()})
}

// imageOf is the image of a tag in the ECR repository that is set. Without a
// registry it is the account's own.
func imageOf(ctx context.Context, who deploy.Identity, set config.Settings, tag string) (image.Reference, error) {
	if err := set.Require(&set.Repository); err != nil {
		return image.Reference{}, err
	}
	host, source := set.Registry.Value, set.Registry.Source
	if host == "" {
		caller, err := who.Caller(ctx)
		if err != nil {
			return image.Reference{}, fmt.Errorf("find the account's registry: %w", err)
		}
		host, source = image.ECR{Account: caller.Account, Region: caller.Region}.Host(), "the account"
	}
	ref, err := image.Parse(host + "/" + set.Repository.Value + ":" + tag)
	if err != nil {
		return image.Reference{}, &usageError{
			fmt.Errorf("image from %s, %s and the tag: %w", source, set.Repository.Source, err), "",
		}
	}
	return ref, nil
}

// loginTo is a login to the registry for docker and for pushes.
func loginTo(ctx context.Context, client *awsapi.Client, registry string) (*build.Login, error) {
	l, err := client.Login(ctx, registry)
	if err != nil {
		return nil, err
	}
	return &build.Login{Registry: l.Host, User: l.User, Password: l.Password}, nil
}

// provenance is what history will tell of this run.
func (s *session) provenance() deploy.Provenance {
	run := ci.Detect(s.sys.Getenv)
	return deploy.Provenance{GitSHA: run.Commit, Actor: run.Actor, Pipeline: run.Pipeline}
}

// verdict ends a command that came to one: the terminal has shown it.
func verdict(v story.Verdict, err error) error {
	switch {
	case v.Outcome == "":
		return err
	case v.ExitCode != 0:
		return &exitError{v.ExitCode}
	}
	return nil
}
