package ecr

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"

	"cuelabs.dev/go/oci/ociregistry/ociref"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// Upload is a layer on its way into one repository.
type Upload struct {
	*store.Upload
	registry   *Registry
	repository string
	parts      parts // of UploadLayerPart
}

// parts watches the size of the parts that the AWS API uploads: only the last
// one may be small.
type parts struct {
	mu       sync.Mutex
	small    bool // the last part was
	tooSmall bool // one before the last was
}

func (p *parts) add(size int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tooSmall = p.tooSmall || p.small
	p.small = size < minPart
}

func (p *parts) areTooSmall() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tooSmall
}

// StartUpload begins a layer of a repository.
func (r *Registry) StartUpload(repository string) (*Upload, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.repository(&repository, nil); err != nil {
		return nil, err
	}
	up, err := r.store.StartUpload()
	if err != nil {
		return nil, err
	}
	u := &Upload{Upload: up, registry: r, repository: repository}
	r.uploads[u.ID()] = u
	return u, nil
}

// Upload finds an upload into that repository which has not ended.
func (r *Registry) Upload(repository, id string) (*Upload, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.repository(&repository, nil); err != nil {
		return nil, err
	}
	u, ok := r.uploads[id]
	if !ok || u.repository != repository {
		return nil, uploadNotFound(id)
	}
	return u, nil
}

// Commit ends the upload and makes its bytes a layer of the repository. When
// they are not those of digest they are gone, and the code of the error is
// [CodeInvalidLayer].
func (u *Upload) Commit(digest string) error {
	u.hold(digest)
	err := u.Upload.Commit(digest)
	if err == nil {
		return u.keep(digest)
	}
	if releaseErr := u.release(digest); releaseErr != nil {
		return errors.Join(err, releaseErr)
	}
	if wrong, ok := errors.AsType[*store.DigestError](err); ok {
		return wire.Errorf(CodeInvalidLayer,
			"The layer with digest '%s' does not match the digest computed by ECR: '%s'", wrong.Want, wrong.Have)
	}
	if _, ok := errors.AsType[*store.NoUploadError](err); ok {
		return uploadNotFound(u.ID())
	}
	return err
}

// hold keeps the blob of that digest from being removed while it is on disk
// but in no repository yet: another repository may lose it just then.
func (u *Upload) hold(digest string) {
	r := u.registry
	r.mu.Lock()
	defer r.mu.Unlock()
	r.arriving[digest]++
	delete(r.uploads, u.ID())
}

func (u *Upload) release(digest string) error {
	r := u.registry
	r.mu.Lock()
	defer r.mu.Unlock()
	r.letGo(digest)
	return r.sweep([]string{digest})
}

func (r *Registry) letGo(digest string) {
	if r.arriving[digest]--; r.arriving[digest] == 0 {
		delete(r.arriving, digest)
	}
}

// keep makes a blob that was held a layer of the repository.
func (u *Upload) keep(digest string) error {
	r := u.registry
	r.mu.Lock()
	defer r.mu.Unlock()
	r.letGo(digest)
	if _, err := r.repository(&u.repository, nil); err != nil { // deleted meanwhile
		return errors.Join(err, r.sweep([]string{digest}))
	}
	return r.commit(changes{put: []record{layer{Repository: u.repository, Digest: digest, Size: u.Size()}}})
}

// Cancel ends the upload and forgets its bytes; after Commit it does nothing.
func (u *Upload) Cancel() error {
	u.registry.mu.Lock()
	delete(u.registry.uploads, u.ID())
	u.registry.mu.Unlock()
	return u.Upload.Cancel()
}

// Layer is the size in bytes of a layer of a repository.
func (r *Registry) Layer(repository, digest string) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	repo, err := r.repository(&repository, nil)
	if err != nil {
		return 0, err
	}
	l, ok := repo.layers[digest]
	if !ok {
		return 0, r.layerNotFound(repository, digest)
	}
	return l.Size, nil
}

// OpenLayer opens a layer of a repository for reading; the caller closes it.
func (r *Registry) OpenLayer(repository, digest string) (*store.Blob, error) {
	if _, err := r.Layer(repository, digest); err != nil {
		return nil, err
	}
	return r.store.OpenBlob(digest)
}

// Mount makes a layer of one repository a layer of another one too, and tells
// its size in bytes.
func (r *Registry) Mount(from, to, digest string) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	source, err := r.repository(&from, nil)
	if err != nil {
		return 0, err
	}
	if _, err := r.repository(&to, nil); err != nil {
		return 0, err
	}
	l, ok := source.layers[digest]
	if !ok {
		return 0, r.layerNotFound(from, digest)
	}
	l.Repository = to
	return l.Size, r.commit(changes{put: []record{l}})
}

func (r *Registry) batchCheckLayerAvailability(in *ecr.BatchCheckLayerAvailabilityInput) (*ecr.BatchCheckLayerAvailabilityOutput, error) {
	repo, err := r.repository(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	if err := checkBatch("layerDigests", len(in.LayerDigests)); err != nil {
		return nil, err
	}
	out := &ecr.BatchCheckLayerAvailabilityOutput{Layers: []types.Layer{}, Failures: []types.LayerFailure{}}
	for _, digest := range in.LayerDigests {
		if !ociref.IsValidDigest(digest) {
			out.Failures = append(out.Failures, types.LayerFailure{
				FailureCode:   types.LayerFailureCodeInvalidLayerDigest,
				FailureReason: aws.String("Invalid layer digest"),
				LayerDigest:   &digest,
			})
			continue
		}
		found := types.Layer{LayerAvailability: types.LayerAvailabilityUnavailable, LayerDigest: &digest}
		if l, ok := repo.layers[digest]; ok {
			found.LayerAvailability, found.LayerSize = types.LayerAvailabilityAvailable, &l.Size
		}
		out.Layers = append(out.Layers, found)
	}
	return out, nil
}

// maxBatch is how many ids a Batch operation takes.
const maxBatch = 100

func checkBatch(parameter string, n int) error {
	if n < 1 || n > maxBatch {
		return invalid(parameter, "Member must have length between 1 and %d", maxBatch)
	}
	return nil
}

// getDownloadURLForLayer gives an address that needs no other authorization,
// as ECR's presigned S3 addresses do.
func (r *Registry) getDownloadURLForLayer(in *ecr.GetDownloadUrlForLayerInput) (*ecr.GetDownloadUrlForLayerOutput, error) {
	repo, err := r.repository(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	digest := aws.ToString(in.LayerDigest)
	if _, ok := repo.layers[digest]; !ok {
		return nil, r.layerNotFound(repo.Name, digest)
	}
	path := fmt.Sprintf("/v2/%s/blobs/%s", repo.Name, digest)
	seal := r.seal(path, r.clock.Now().Add(downloadLife))
	return &ecr.GetDownloadUrlForLayerOutput{
		DownloadUrl: aws.String(fmt.Sprintf("http://%s%s?seal=%s", r.host(), path, seal)),
		LayerDigest: in.LayerDigest,
	}, nil
}

// The sizes of layer parts, in bytes: what ECR proposes, and the least it
// takes of any part but the last.
const (
	partSize = 10 << 20
	minPart  = 5 << 20
)

// own refuses a registry id that is not this registry's, as repository does.
func (r *Registry) own(name, registryID *string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	repo, err := r.repository(name, registryID)
	if err != nil {
		return "", err
	}
	return repo.Name, nil
}

func (r *Registry) initiateLayerUpload(_ context.Context, in *ecr.InitiateLayerUploadInput) (*ecr.InitiateLayerUploadOutput, error) {
	name, err := r.own(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	u, err := r.StartUpload(name)
	if err != nil {
		return nil, err
	}
	return &ecr.InitiateLayerUploadOutput{PartSize: aws.Int64(partSize), UploadId: aws.String(u.ID())}, nil
}

func (r *Registry) uploadLayerPart(_ context.Context, in *ecr.UploadLayerPartInput) (*ecr.UploadLayerPartOutput, error) {
	name, err := r.own(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	u, err := r.Upload(name, aws.ToString(in.UploadId))
	if err != nil {
		return nil, err
	}
	if in.PartFirstByte == nil || in.PartLastByte == nil {
		return nil, invalid("partFirstByte", "partFirstByte and partLastByte must not be null")
	}
	if *in.PartLastByte-*in.PartFirstByte+1 != int64(len(in.LayerPartBlob)) {
		return nil, wire.Errorf(CodeInvalidLayerPart,
			"The layer part has %d bytes, but bytes %d to %d were announced", len(in.LayerPartBlob), *in.PartFirstByte, *in.PartLastByte)
	}
	if _, err := u.WriteAt(in.LayerPartBlob, *in.PartFirstByte); err != nil {
		if gap, ok := errors.AsType[*store.OffsetError](err); ok {
			return nil, wire.Errorf(CodeInvalidLayerPart,
				"The layer part at byte %d does not follow the last byte received, %d", gap.At, gap.Size-1)
		}
		return nil, err
	}
	u.parts.add(len(in.LayerPartBlob))
	return &ecr.UploadLayerPartOutput{
		LastByteReceived: in.PartLastByte,
		RegistryId:       &r.account,
		RepositoryName:   &name,
		UploadId:         in.UploadId,
	}, nil
}

func (r *Registry) completeLayerUpload(_ context.Context, in *ecr.CompleteLayerUploadInput) (*ecr.CompleteLayerUploadOutput, error) {
	name, err := r.own(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	u, err := r.Upload(name, aws.ToString(in.UploadId))
	if err != nil {
		return nil, err
	}
	if len(in.LayerDigests) != 1 {
		return nil, invalid("layerDigests", "drydock takes one digest, not %d", len(in.LayerDigests))
	}
	digest := in.LayerDigests[0]
	if u.Size() == 0 {
		return nil, wire.Errorf("EmptyUploadException", "The specified layer upload does not contain any layer parts.")
	}
	if u.parts.areTooSmall() {
		return nil, wire.Errorf("LayerPartTooSmallException", "Layer parts must be at least 5 MiB in size.")
	}
	if _, err := r.Layer(name, digest); err == nil {
		exists := wire.Errorf("LayerAlreadyExistsException",
			"The layer with digest '%s' already exists in the repository with name '%s' in the registry with id '%s'", digest, name, r.account)
		return nil, errors.Join(exists, u.Cancel())
	}
	if err := u.Commit(digest); err != nil {
		return nil, err
	}
	return &ecr.CompleteLayerUploadOutput{
		LayerDigest:    &digest,
		RegistryId:     &r.account,
		RepositoryName: &name,
		UploadId:       in.UploadId,
	}, nil
}
