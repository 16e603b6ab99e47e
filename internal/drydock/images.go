package drydock

import (
	"errors"
	"fmt"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/behaviour"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecr"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecs"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// puller is ECR as ECS's tasks see it: the same store, with failures in the
// words that Fargate's agent puts behind "CannotPullContainerError: ".
type puller struct {
	registry   *ecr.Registry
	behaviours *behaviour.Set
}

// How often Fargate tries before it gives up, as its messages tell: a tag
// that is not there 7 times, a digest that is gone once.
const (
	triesByTag    = 7
	triesByDigest = 1
)

// platformLabel lets an image without content stand for one of any platform.
const platformLabel = "plimsoll.drydock.platform"

// Resolve finds the digest behind a reference. An image that is not of this
// registry has none here and is left to the runtime.
func (p puller) Resolve(ref image.Reference) (string, error) {
	digest, err := p.registry.Resolve(ref)
	if errors.Is(err, ecr.ErrNotHere) {
		return "", nil
	}
	return digest, asPullError(ref, err)
}

// Pull gets an image for a platform.
func (p puller) Pull(ref image.Reference, digest, platform string) (ecs.Image, error) {
	pulled, err := p.registry.Pull(ref, digest, platform)
	if errors.Is(err, ecr.ErrNotHere) {
		return ecs.Image{Labels: p.behaviours.Over(ref, digest, nil)}, nil
	}
	if err == nil {
		pulled.Labels = p.behaviours.Over(ref, pulled.Digest, pulled.Labels)
	}
	// A label may claim another platform than the image's configuration has.
	if claimed := pulled.Labels[platformLabel]; err == nil && claimed != "" && claimed != platform {
		err = &ecr.PlatformError{Want: platform, Have: []string{claimed}}
	}
	if err != nil {
		return ecs.Image{}, asPullError(pinned(ref, digest), err)
	}
	return ecs.Image{Digest: pulled.Digest, Labels: pulled.Labels}, nil
}

func asPullError(ref image.Reference, err error) error {
	if err == nil {
		return nil
	}
	tries := triesByTag
	if ref.Digest != "" {
		tries = triesByDigest
	}
	if platform, ok := errors.AsType[*ecr.PlatformError](err); ok {
		return &ecs.PullError{
			Retried: tries,
			Text:    fmt.Sprintf("pull image manifest has been retried %d time(s): image Manifest does not contain descriptor matching platform '%s'", tries, platform.Want),
		}
	}
	if _, ok := errors.AsType[*ecr.NotFoundError](err); ok {
		return &ecs.PullError{
			Retried: tries,
			Text:    fmt.Sprintf("pull image manifest has been retried %d time(s): failed to resolve ref %s: %s: not found", tries, ref, ref),
		}
	}
	return &ecs.PullError{Retried: 1, Text: strings.TrimSpace(err.Error())}
}

// pinned is the reference as the message of a pull by digest has it.
func pinned(ref image.Reference, digest string) image.Reference {
	if digest == "" {
		return ref
	}
	return ref.WithDigest(digest)
}
