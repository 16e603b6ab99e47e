package ecr

import (
	"slices"
	"strings"
	"time"

	"cuelabs.dev/go/oci/ociregistry/ociref"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// Manifest is an image or index as it was pushed.
type Manifest struct {
	Digest    string
	MediaType string
	Body      []byte
}

// answer is the image as PutImage and BatchGetImage give it.
func (r *Registry) answer(i image, tag *string) *types.Image {
	return &types.Image{
		ImageId:                &types.ImageIdentifier{ImageDigest: &i.Digest, ImageTag: tag},
		ImageManifest:          aws.String(string(i.Body)),
		ImageManifestMediaType: &i.MediaType,
		RegistryId:             &r.account,
		RepositoryName:         &i.Repository,
	}
}

// find is the image that an id names, or why there is none.
func (r *repository) find(id types.ImageIdentifier) (image, *types.ImageFailure) {
	fail := func(code types.ImageFailureCode, reason string) (image, *types.ImageFailure) {
		return image{}, &types.ImageFailure{FailureCode: code, FailureReason: &reason, ImageId: &id}
	}
	digest, tag := aws.ToString(id.ImageDigest), aws.ToString(id.ImageTag)
	switch {
	case id.ImageDigest == nil && id.ImageTag == nil:
		return fail(types.ImageFailureCodeMissingDigestAndTag, "Invalid request parameters: both tag and digest cannot be null")
	case id.ImageDigest != nil && !ociref.IsValidDigest(digest):
		return fail(types.ImageFailureCodeInvalidImageDigest, "Invalid request parameters: image digest should satisfy the regex '"+digestPattern+"'")
	case id.ImageTag != nil && !ociref.IsValidTag(tag):
		return fail(types.ImageFailureCodeInvalidImageTag, "Invalid request parameters: image tag should satisfy the regex '"+tagPattern+"'")
	case id.ImageDigest == nil:
		digest = r.tags[tag]
	}
	i, ok := r.images[digest]
	if !ok {
		return image{}, notFound(id)
	}
	if id.ImageTag != nil && !slices.Contains(i.Tags, tag) {
		return fail(types.ImageFailureCodeImageTagDoesNotMatchDigest, "Requested image tag does not match the image digest")
	}
	return i, nil
}

// pullable is find for a pull: "Requests to pull the archived image will fail
// with a 404 error" (ECR user guide, Archiving an image), and until it is
// restored no less.
func (r *repository) pullable(id types.ImageIdentifier) (image, *types.ImageFailure) {
	i, failure := r.find(id)
	if failure == nil && i.status() != types.ImageStatusActive {
		return image{}, notFound(id)
	}
	return i, failure
}

func notFound(id types.ImageIdentifier) *types.ImageFailure {
	return &types.ImageFailure{
		FailureCode:   types.ImageFailureCodeImageNotFound,
		FailureReason: aws.String("Requested image not found"),
		ImageId:       &id,
	}
}

// Manifest is the manifest that a tag or digest names.
func (r *Registry) Manifest(repository, reference string) (Manifest, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	repo, err := r.repository(&repository, nil)
	if err != nil {
		return Manifest{}, err
	}
	id := identifier(reference)
	i, failure := repo.pullable(id)
	if failure != nil {
		return Manifest{}, r.imageNotFound(repository, id)
	}
	if i.Imported {
		return Manifest{}, r.withoutContent(i)
	}
	return Manifest{Digest: i.Digest, MediaType: i.MediaType, Body: i.Body}, nil
}

// identifier tells a tag from a digest.
func identifier(reference string) types.ImageIdentifier {
	if strings.Contains(reference, ":") {
		return types.ImageIdentifier{ImageDigest: &reference}
	}
	return types.ImageIdentifier{ImageTag: &reference}
}

// pullPrecision: ECR refreshes lastRecordedPullTime about once in 24 hours
// (ImageDetail in the API reference).
const pullPrecision = 24 * time.Hour

// RecordPull notes that an image was pulled just now. An image that is gone
// is no error.
func (r *Registry) RecordPull(repository, digest string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	repo, ok := r.state[repository]
	if !ok {
		return nil
	}
	i, ok := repo.images[digest]
	if !ok {
		return nil
	}
	return r.pulled(i)
}

func (r *Registry) pulled(images ...image) error {
	now := r.clock.Now()
	var put []record
	for _, i := range images {
		if i.PulledAt.IsZero() || now.Sub(i.PulledAt) >= pullPrecision {
			i.PulledAt = now
			put = append(put, i)
		}
	}
	return r.commit(changes{put: put})
}

// batchGetImage counts as a pull: "when an image is pulled, the BatchGetImage
// API is called once to retrieve the image manifest" (API reference).
func (r *Registry) batchGetImage(in *ecr.BatchGetImageInput) (*ecr.BatchGetImageOutput, error) {
	repo, err := r.repository(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	if err := checkBatch("imageIds", len(in.ImageIds)); err != nil {
		return nil, err
	}
	out := &ecr.BatchGetImageOutput{Images: []types.Image{}, Failures: []types.ImageFailure{}}
	var got []image
	for _, id := range in.ImageIds {
		i, failure := repo.pullable(id)
		if failure == nil && len(in.AcceptedMediaTypes) > 0 && !slices.Contains(in.AcceptedMediaTypes, i.MediaType) {
			// ECR converts between manifests of single images where it can.
			// The bytes would not be those of the digest; an image is as good
			// as absent for who does not take it as it is.
			failure = notFound(id)
		}
		if failure != nil {
			out.Failures = append(out.Failures, *failure)
			continue
		}
		got = append(got, i)
		out.Images = append(out.Images, *r.answer(i, id.ImageTag))
	}
	return out, r.pulled(got...)
}
