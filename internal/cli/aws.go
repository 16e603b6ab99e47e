package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/awsapi"
	"github.com/plimsoll-ecs/plimsoll/internal/ci"
	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/diagnose"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// ports are what the use cases reach AWS through.
func ports(client *awsapi.Client) (deploy.Ports, error) {
	knowledge, err := diagnose.Load()
	if err != nil {
		return deploy.Ports{}, fmt.Errorf("load the diagnoses: %w", err)
	}
	return deploy.Ports{AWS: client, Knowledge: knowledge, Now: time.Now, Sleep: deploy.Sleep}, nil
}

// service is the client, the ports and the settings of a command about one
// service.
func (s *session) service(ctx context.Context) (*awsapi.Client, deploy.Ports, config.Settings, error) {
	set, err := s.settings()
	if err == nil {
		err = set.Require(&set.Cluster, &set.Service)
	}
	if err != nil {
		return nil, deploy.Ports{}, set, err
	}
	client, err := awsapi.New(ctx, awsapi.Options{})
	if err != nil {
		return nil, deploy.Ports{}, set, err
	}
	p, err := ports(client)
	return client, p, set, err
}

func targetOf(set config.Settings) deploy.Target {
	return deploy.Target{Cluster: set.Cluster.Value, Service: set.Service.Value}
}

// imageOf is the image of a tag in the ECR repository that is set. Without a
// registry it is the account's own.
func imageOf(ctx context.Context, client *awsapi.Client, set config.Settings, tag string) (image.Reference, error) {
	if err := set.Require(&set.Repository); err != nil {
		return image.Reference{}, err
	}
	host := set.Registry.Value
	if host == "" {
		caller, err := client.Caller(ctx)
		if err != nil {
			return image.Reference{}, fmt.Errorf("find the account's registry: %w", err)
		}
		host = image.ECR{Account: caller.Account, Region: client.Region()}.Host()
	}
	ref, err := image.Parse(host + "/" + set.Repository.Value + ":" + tag)
	if err != nil {
		return image.Reference{}, &usageError{
			fmt.Errorf("image from %s, %s and the tag: %w", sourceOf(set.Registry, "the account"), set.Repository.Source, err), "",
		}
	}
	return ref, nil
}

func sourceOf(v config.Value, otherwise string) string {
	if v.Source == "" {
		return otherwise
	}
	return v.Source
}

// provenance is what history will tell of this run.
func (s *session) provenance() deploy.Provenance {
	run := ci.Detect(s.sys.Getenv)
	return deploy.Provenance{GitSHA: run.Commit, Actor: run.Actor, Pipeline: run.Pipeline}
}

// verdict ends a command that came to one: the terminal has shown it.
func (s *session) verdict(v story.Verdict, err error) error {
	if v.Outcome != "" {
		if v.ExitCode != 0 {
			return &exitError{v.ExitCode}
		}
		return nil
	}
	return err
}
