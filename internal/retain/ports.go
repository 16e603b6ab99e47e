// Package retain keeps in ECR what services would be restarted from: [Pin]
// gives the images an extra tag that a lifecycle rule can protect, [Unpin]
// takes such tags away, [Rescue] brings back what is archived, untagged or
// gone. Most callers need Pin; [PinBeside] is Pin as a part of another command.
//
// What is kept is digests: what ECS has fixed for the service's present
// revisions, and for the last ones that it ran to steady state, whatever their
// tags stand for today. Three promises hold at every moment, also when a run is
// killed or another one works at the same time:
//
//   - No image is deleted: a tag is taken away only while another one, which is
//     no pin, stays (with its last tag ECR deletes the image).
//   - No tag is moved: the name of a pin has the image's digest in it, so two
//     runs that pin different images never use the same name.
//   - New pins are put before old ones are released, and what is released is
//     not in use by the service as it was read a moment before.
//
// Every step can be done again; a run that was killed is finished by the next.
package retain

import (
	"context"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// Ports is everything outside that the use cases need.
type Ports struct {
	AWS    AWS
	Copier Copier // only [Rescue] uses it; nil: nothing is copied
	Now    func() time.Time
	// Sleep waits for the duration, or returns the context's error as soon as
	// that is done.
	Sleep func(context.Context, time.Duration) error
}

// AWS is the calls that the use cases make. All methods are safe for concurrent
// use, and their errors match the [deploy.Kind] named in their comment, or
// [deploy.Denied] or [deploy.Throttled], by errors.Is.
type AWS interface {
	deploy.Images
	Berths
	Repositories
	Tags

	// TaskDefinition is as in [deploy.TaskDefinitions].
	TaskDefinition(ctx context.Context, name string) ([]byte, error)
}

// Berths reads what services run.
type Berths interface {
	// InUse is a service with what it runs, and what it ran to steady state
	// before, the newest first and at most so many. past is false where that
	// cannot be read. [deploy.NotFound] without the service.
	InUse(ctx context.Context, cluster, service string, before int) (s audit.Service, past bool, err error)
}

// Repositories reads ECR. References name a repository, or an image in it by
// its digest; the registry may be another account's. [deploy.Unsupported] for a
// registry that is not an ECR.
type Repositories interface {
	// Stock is the repository with all its images, archived ones too, and its
	// lifecycle policy; Unread says why that is not known. [deploy.NotFound]
	// without the repository.
	Stock(ctx context.Context, ref image.Reference) (audit.Repository, error)
	// Look is one image as it is now, archived or not. [deploy.NotFound]
	// without it.
	Look(ctx context.Context, ref image.Reference) (lifecycle.Image, error)
	// Manifest is the manifest of an image that is not archived, byte for
	// byte. [deploy.NotFound] without it.
	Manifest(ctx context.Context, ref image.Reference) (Manifest, error)
	// Replicas are the repositories to which ECR replicates this one.
	Replicas(ctx context.Context, ref image.Reference) ([]image.Reference, error)
}

// Manifest is what describes an image.
type Manifest struct {
	MediaType string
	Body      []byte
}

// Tags changes tags of images, and where images lie.
type Tags interface {
	// PutTag gives the image of the manifest, which has the reference's
	// digest, the reference's tag. That it has it already is no error;
	// [deploy.Conflict] when another image has a tag that cannot be moved.
	PutTag(ctx context.Context, ref image.Reference, m Manifest) error
	// DropTag takes the tag from the image, if that has it. With its last tag
	// ECR deletes an image.
	DropTag(ctx context.Context, ref image.Reference) error
	// Restore begins to bring an image back from the archive.
	Restore(ctx context.Context, ref image.Reference) error
}

// Copier copies images between registries.
type Copier interface {
	// Copy brings the image with from's digest, and all that it refers to, byte
	// for byte into to's repository and gives it to's tag, if that has one.
	// [deploy.NotFound] when from has no such image.
	Copy(ctx context.Context, from, to image.Reference, tell story.Teller) error
}
