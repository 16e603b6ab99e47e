package demo

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"github.com/plimsoll-ecs/plimsoll/internal/awsapi"
	"github.com/plimsoll-ecs/plimsoll/internal/build"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/client"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// Deck is a place from where the demo is watched.
type Deck struct {
	Refresh func() // something has happened
	Close   func() // nothing will any more
}

// come opens the deck, where there is one.
func (s *show) come(ctx context.Context) (err error) {
	s.deck = Deck{Refresh: func() {}, Close: func() {}}
	if s.Aboard != nil {
		s.deck, err = s.Aboard(ctx, s.client, s.ports)
	}
	return err
}

// foresight is the chapter for those who watch: builds push out what runs, and
// AWS announces that its tasks retire. It stays until ctx ends.
func (s *show) foresight(ctx context.Context) error {
	if s.Aboard == nil {
		return nil
	}
	s.Say("")
	s.Say("── two days later: a lifecycle policy keeps the newest four images, whatever their tags, and builds go on")
	there := client.New(s.drydock.Endpoint(), drydock.DefaultRegion, nil)
	_, err := there.ECR.PutLifecyclePolicy(ctx, &ecr.PutLifecyclePolicyInput{RepositoryName: &s.planted.Repository, LifecyclePolicyText: aws.String(policy)})
	if err != nil {
		return fmt.Errorf("put the lifecycle policy: %w", err)
	}
	if err := s.drydock.Advance(48 * time.Hour); err != nil {
		return err
	}
	if err := s.pushBuild(ctx, "dev-1"); err != nil {
		return err
	}
	retire := map[string]any{"cluster": s.planted.Cluster, "service": s.planted.Service, "seconds": (7 * 24 * time.Hour).Seconds()}
	if err := there.Control(ctx, http.MethodPost, "retire", retire, nil); err != nil {
		return fmt.Errorf("announce the retirement: %w", err)
	}
	s.deck.Refresh()
	s.Say("two more pushes, and the image that runs is deleted; AWS has announced that it replaces the tasks in 7 days")
	s.Say("the dashboard shows who would not come back, and why; end it with Ctrl-C")
	<-ctx.Done()
	return nil
}

// policy keeps a few images, and does not ask which of them run.
const policy = `{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":4},"action":{"type":"expire"}}]}`

// pushBuild pushes an image that nobody deploys.
func (s *show) pushBuild(ctx context.Context, tag string) error {
	ref := image.Reference{Registry: s.planted.Registry, Repository: s.planted.Repository, Tag: tag}
	login, err := s.client.Login(ctx, ref.Registry)
	if err != nil {
		return err
	}
	content, err := version{tag: tag}.simulated()
	if err != nil {
		return err
	}
	push := build.PushOptions{Image: ref, Login: &build.Login{Registry: login.Host, User: login.User, Password: login.Password}, Content: content}
	_, err = build.Push(ctx, push, func(story.Event) {})
	return err
}

// Aboard opens a deck.
type Aboard func(ctx context.Context, client *awsapi.Client, ports deploy.Ports) (Deck, error)
