package actions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/retain"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// Berth is where one service is acted on, and how the settings want it.
type Berth struct {
	Ports  deploy.Ports
	Retain retain.Ports

	Family    string // of its task definitions; "" means that of what runs
	Container string // whose image changes; "" means the only one
	// Images are what a tag stands for, for each container that gets one. nil
	// takes the repository of what runs.
	Images    func(ctx context.Context, tag string) (image.Reference, []deploy.Replacement, error)
	Policy    image.Policy
	Protected bool // no stop by a slip
	Timeout   time.Duration
	Watching  deploy.Watching
	Keep      int                         // releases that pin keeps
	Lay       func(*deploy.Request) error // puts in the hooks; nil: there are none
	// Told is called with what a run came to, to notify whom the settings name;
	// nil: nobody.
	Told func(ctx context.Context, verb string, v story.Verdict, err error)
}

// images are what a tag stands for.
func (b Berth) images(ctx context.Context, s Service, tag string) (image.Reference, []deploy.Replacement, error) {
	if b.Images != nil {
		return b.Images(ctx, tag)
	}
	ref, err := b.repository(ctx, s)
	return ref.WithTag(tag), nil, err
}

// repository is where the image of the service is from, as it runs.
func (b Berth) repository(ctx context.Context, s Service) (image.Reference, error) {
	if b.Images != nil {
		ref, _, err := b.Images(ctx, "any")
		return image.Reference{Registry: ref.Registry, Repository: ref.Repository}, err
	}
	doc, err := b.running(ctx, s)
	if err != nil {
		return image.Reference{}, err
	}
	c, err := doc.TargetContainer(b.Container)
	if err != nil {
		return image.Reference{}, &deploy.UsageError{What: err.Error(), Do: "name the container of this service in plimsoll.yaml"}
	}
	ref, err := image.Parse(c.Image)
	if err != nil {
		return image.Reference{}, fmt.Errorf("image of container %s: %w", c.Name, err)
	}
	return image.Reference{Registry: ref.Registry, Repository: ref.Repository}, nil
}

// running is the task definition that the service is set to.
func (b Berth) running(ctx context.Context, s Service) (*taskdef.Document, error) {
	now, err := b.Ports.AWS.Service(ctx, s.Cluster, s.Name)
	if err != nil {
		return nil, err
	}
	raw, err := b.Ports.AWS.TaskDefinition(ctx, now.TaskDefinition)
	if err != nil {
		return nil, err
	}
	return taskdef.Parse(raw)
}

// seen is the state that a confirmation was shown with. It is compared as a
// whole: whatever of it has changed, the confirmation was for something else.
type seen struct {
	Running    string // task definition that the service is set to
	Newest     string // newest revision of the family
	Deployment string
	Desired    int
	Remembered int    // the count that start would bring back
	Digest     string // what the tag stands for; "" where that cannot be told
}

// look reads it.
func (b Berth) look(ctx context.Context, s Service, o order) (seen, error) {
	now, err := b.Ports.AWS.Service(ctx, s.Cluster, s.Name)
	if err != nil {
		return seen{}, err
	}
	at := seen{Running: name(now.TaskDefinition), Desired: now.Desired, Remembered: deploy.RememberedCount(now.Tags)}
	if p, ok := now.Primary(); ok {
		at.Deployment = p.ID
	}
	family := b.Family
	if family == "" {
		family = familyOf(at.Running)
	}
	raw, err := b.Ports.AWS.TaskDefinition(ctx, family)
	if err != nil {
		return seen{}, err
	}
	doc, err := taskdef.Parse(raw)
	if err != nil {
		return seen{}, err
	}
	at.Newest = name(doc.ARN())
	if o.verb != deployVerb {
		return at, nil
	}
	ref, _, err := b.images(ctx, s, o.tag)
	if err != nil {
		return seen{}, err
	}
	digest, err := b.Ports.AWS.Digest(ctx, ref)
	if err != nil && !errors.Is(err, deploy.NotFound) && !errors.Is(err, deploy.Unsupported) && !errors.Is(err, deploy.Denied) {
		return seen{}, err
	}
	at.Digest = digest
	return at, nil
}

// changes says how a state differs from what was shown.
func (before seen) changes(now seen) []string {
	var list []string
	for _, c := range []struct{ what, before, now string }{
		{"the service's revision", before.Running, now.Running},
		{"the newest revision", before.Newest, now.Newest},
		{"the desired count", fmt.Sprint(before.Desired), fmt.Sprint(now.Desired)},
		{"the count that stop remembered", fmt.Sprint(before.Remembered), fmt.Sprint(now.Remembered)},
		{"what the tag stands for", image.ShortDigest(before.Digest), image.ShortDigest(now.Digest)},
	} {
		if c.before != c.now {
			list = append(list, fmt.Sprintf("%s was %s and is %s", c.what, orNone(c.before), orNone(c.now)))
		}
	}
	if len(list) == 0 && before != now {
		list = append(list, "somebody has begun another rollout")
	}
	return list
}
