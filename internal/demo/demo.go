// Package demo tells plimsoll's story on a drydock of its own: two releases, a
// third one that crashes, its cause, and the service back on the second. It
// runs the same code as the release command, over HTTP.
package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/plimsoll-ecs/plimsoll/internal/awsapi"
	"github.com/plimsoll-ecs/plimsoll/internal/build"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/diagnose"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/seed"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// Options say how to show the demo.
type Options struct {
	Runtime drydock.Runtime
	// Say writes a line of the narrator; Chapter gives a teller for one
	// release, and what ends it.
	Say     func(line string)
	Chapter func() (tell story.Teller, end func() error)
	// Aboard opens a place from where the demo is watched; it then has one more
	// chapter, and stays until it is ended. nil: nobody watches.
	Aboard Aboard
}

// desired is how many tasks the demo's service runs.
const desired = 2

// Run tells the whole story. An error means that it went otherwise than told.
func Run(ctx context.Context, o Options) error {
	d, err := drydock.Start(ctx, drydock.Options{Runtime: o.Runtime})
	if err != nil {
		return fmt.Errorf("start drydock: %w", err)
	}
	defer d.Close()
	planted, err := seed.Plant(ctx, d.Endpoint(), drydock.DefaultRegion, seed.Names{
		Cluster: "demo", Service: "web", Family: "web", Container: "web", Repository: "web",
	})
	if err != nil {
		return err
	}
	client, err := awsapi.New(ctx, awsapi.Options{
		Region: drydock.DefaultRegion, Endpoint: d.Endpoint(),
		Credentials: credentials.NewStaticCredentialsProvider("drydock", "drydock", ""),
	})
	if err != nil {
		return err
	}
	knowledge, err := diagnose.Load()
	if err != nil {
		return err
	}
	s := &show{
		Options: o, drydock: d, planted: planted, client: client,
		ports: deploy.Ports{AWS: client, Clues: client, Knowledge: knowledge, Now: time.Now, Sleep: deploy.Sleep},
	}
	if err := s.come(ctx); err != nil {
		return err
	}
	defer s.deck.Close()
	return s.run(ctx)
}

// show is a demo under way.
type show struct {
	Options
	drydock *drydock.Server
	planted seed.Planted
	client  *awsapi.Client
	ports   deploy.Ports
	deck    Deck
}

func (s *show) run(ctx context.Context) error {
	containers := "real containers, built from this binary"
	if s.drydock.Runtime == drydock.Simulated {
		containers = "simulated containers (no docker engine here)"
		if s.Runtime == drydock.Simulated {
			containers = "simulated containers"
		}
	}
	s.Say("an embedded AWS answers on " + s.drydock.Addr + ": " + containers)
	s.Say(fmt.Sprintf("service %s/%s, scheduler at %d times AWS's pace", s.planted.Cluster, s.planted.Service, drydock.DefaultTimeScale))
	for _, chapter := range []struct {
		title   string
		version version
		want    string
	}{
		{"v1.0.0, the first release", version{tag: "v1.0.0"}, deploy.Stable},
		{"v1.1.0 replaces it, task by task", version{tag: "v1.1.0"}, deploy.Stable},
		{"v1.2.0 needs a variable that nobody has set", version{tag: "v1.2.0", broken: true}, deploy.RolledBack},
	} {
		s.Say("")
		s.Say("── " + chapter.title)
		verdict, err := s.release(ctx, chapter.version)
		if err != nil {
			return fmt.Errorf("release %s: %w", chapter.version.tag, err)
		}
		if verdict.Outcome != chapter.want {
			return fmt.Errorf("release %s ended %s, not %s: %s", chapter.version.tag, verdict.Outcome, chapter.want, verdict.Summary)
		}
		s.deck.Refresh()
	}
	if err := s.epilogue(ctx); err != nil {
		return err
	}
	return s.foresight(ctx)
}

// release does what the release command does.
func (s *show) release(ctx context.Context, v version) (verdict story.Verdict, err error) {
	tell, end := s.Chapter()
	defer func() { err = errors.Join(err, end()) }()
	ref := image.Reference{Registry: s.planted.Registry, Repository: s.planted.Repository, Tag: v.tag}
	login, err := s.client.Login(ctx, ref.Registry)
	if err != nil {
		return verdict, err
	}
	push := build.PushOptions{Image: ref, Login: &build.Login{Registry: login.Host, User: login.User, Password: login.Password}}
	if s.drydock.Runtime == drydock.Docker {
		err = s.build(ctx, v, ref, push.Login, tell)
	} else {
		push.Content, err = v.simulated()
	}
	if err != nil {
		return verdict, err
	}
	if _, err := build.Push(ctx, push, tell); err != nil {
		return verdict, err
	}
	count := desired
	return deploy.Deploy(ctx, s.ports, deploy.Request{
		Target: deploy.Target{Cluster: s.planted.Cluster, Service: s.planted.Service},
		Image:  ref, Desired: &count, Provenance: deploy.Provenance{Actor: "demo"},
	}, tell)
}

func (s *show) build(ctx context.Context, v version, ref image.Reference, login *build.Login, tell story.Teller) error {
	binary, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this binary: %w", err)
	}
	dir, err := os.MkdirTemp("", "plimsoll-demo-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := v.writeContext(dir, binary); err != nil {
		return err
	}
	_, err = build.Image(ctx, build.Options{Context: dir, Image: ref, Login: login}, tell)
	return err
}

func (s *show) epilogue(ctx context.Context) error {
	state, err := deploy.Status(ctx, s.ports, deploy.Target{Cluster: s.planted.Cluster, Service: s.planted.Service})
	if err != nil {
		return err
	}
	s.Say("")
	s.Say("── in the end")
	s.Say(fmt.Sprintf("%d of %d tasks run %s; nobody had to look at a console", state.Running, state.Desired, state.Rollout.New.ImageTag))
	s.Say("")
	s.Say("try it yourself:")
	s.Say("  plimsoll drydock exec -- bash        a shell with an AWS of its own, and in it")
	s.Say("  eval \"$(plimsoll drydock seed)\"     a service to deploy to, and its variables")
	s.Say("  plimsoll release --tag v1.0.0        in a folder with a Dockerfile")
	return nil
}
