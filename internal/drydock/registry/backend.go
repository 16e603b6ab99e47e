package registry

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecr"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"

	"cuelabs.dev/go/oci/ociregistry"
)

const octetStream = "application/octet-stream"

// backend is the registry as ociserver wants it. Deletion of blobs stays
// unsupported: a layer of ECR goes with the last image that has it.
type backend struct {
	*ociregistry.Funcs
	registry *ecr.Registry
}

// refusal gives an error of package ecr the code of the distribution API that
// clients know; ECR's words stay.
func refusal(err error) error {
	e, ok := errors.AsType[*wire.Error](err)
	if !ok {
		return err
	}
	code := func(like ociregistry.Error) error { return ociregistry.NewError(e.Message, like.Code(), nil) }
	switch e.Code {
	case ecr.CodeRepositoryNotFound:
		return code(ociregistry.ErrNameUnknown)
	case ecr.CodeImageNotFound:
		return ociregistry.NewError("Requested image not found", ociregistry.ErrManifestUnknown.Code(), nil)
	case ecr.CodeTagAlreadyExists:
		return ociregistry.NewHTTPError(ociregistry.NewError(e.Message, "TAG_INVALID", nil), http.StatusBadRequest, nil, nil)
	case ecr.CodeLayersNotFound:
		return code(ociregistry.ErrBlobUnknown)
	case ecr.CodeReferencedNotFound:
		return code(ociregistry.ErrManifestBlobUnknown)
	case ecr.CodeInvalidLayer:
		return code(ociregistry.ErrDigestInvalid)
	case ecr.CodeUploadNotFound:
		return code(ociregistry.ErrBlobUploadUnknown)
	case ecr.CodeInvalidParameter:
		return code(ociregistry.ErrManifestInvalid)
	}
	return code(ociregistry.ErrDenied)
}

// reader is the content of a blob or manifest, or a part of it; the
// descriptor is always that of the whole.
type reader struct {
	io.Reader
	io.Closer
	descriptor ociregistry.Descriptor
}

func (r *reader) Descriptor() ociregistry.Descriptor { return r.descriptor }

func (b *backend) GetBlob(ctx context.Context, repo string, digest ociregistry.Digest) (ociregistry.BlobReader, error) {
	return b.GetBlobRange(ctx, repo, digest, 0, -1)
}

func (b *backend) GetBlobRange(_ context.Context, repo string, digest ociregistry.Digest, start, end int64) (ociregistry.BlobReader, error) {
	blob, err := b.registry.OpenLayer(repo, digest.String())
	if err != nil {
		return nil, refusal(err)
	}
	if end < 0 || end > blob.Size() {
		end = blob.Size()
	}
	if start > end {
		return nil, errors.Join(ociregistry.ErrRangeInvalid, blob.Close())
	}
	return &reader{
		Reader:     io.NewSectionReader(blob, start, end-start),
		Closer:     blob,
		descriptor: ociregistry.Descriptor{MediaType: octetStream, Digest: digest, Size: blob.Size()},
	}, nil
}

func (b *backend) ResolveBlob(_ context.Context, repo string, digest ociregistry.Digest) (ociregistry.Descriptor, error) {
	size, err := b.registry.Layer(repo, digest.String())
	if err != nil {
		return ociregistry.Descriptor{}, refusal(err)
	}
	return ociregistry.Descriptor{MediaType: octetStream, Digest: digest, Size: size}, nil
}

func (b *backend) GetManifest(_ context.Context, repo string, digest ociregistry.Digest) (ociregistry.BlobReader, error) {
	return b.pull(repo, digest.String())
}

func (b *backend) GetTag(_ context.Context, repo, tag string) (ociregistry.BlobReader, error) {
	return b.pull(repo, tag)
}

func (b *backend) ResolveManifest(_ context.Context, repo string, digest ociregistry.Digest) (ociregistry.Descriptor, error) {
	_, descriptor, err := b.manifest(repo, digest.String())
	return descriptor, err
}

func (b *backend) ResolveTag(_ context.Context, repo, tag string) (ociregistry.Descriptor, error) {
	_, descriptor, err := b.manifest(repo, tag)
	return descriptor, err
}

// pull is a GET of a manifest: that, and not a HEAD, makes a pull.
func (b *backend) pull(repo, reference string) (ociregistry.BlobReader, error) {
	body, descriptor, err := b.manifest(repo, reference)
	if err != nil {
		return nil, err
	}
	if err := b.registry.RecordPull(repo, descriptor.Digest.String()); err != nil {
		return nil, err
	}
	return &reader{Reader: body, Closer: io.NopCloser(nil), descriptor: descriptor}, nil
}

func (b *backend) manifest(repo, reference string) (io.Reader, ociregistry.Descriptor, error) {
	m, err := b.registry.Manifest(repo, reference)
	if err != nil {
		return nil, ociregistry.Descriptor{}, refusal(err)
	}
	return bytes.NewReader(m.Body), ociregistry.Descriptor{
		MediaType: m.MediaType,
		Digest:    ociregistry.Digest(m.Digest),
		Size:      int64(len(m.Body)),
	}, nil
}

func (b *backend) PushManifest(_ context.Context, repo, tag string, body []byte, mediaType string) (ociregistry.Descriptor, error) {
	digest, err := b.registry.Push(repo, tag, mediaType, body)
	if err != nil {
		return ociregistry.Descriptor{}, refusal(err)
	}
	return ociregistry.Descriptor{MediaType: mediaType, Digest: ociregistry.Digest(digest), Size: int64(len(body))}, nil
}

func (b *backend) DeleteManifest(_ context.Context, repo string, digest ociregistry.Digest) error {
	return refusal(b.registry.Delete(repo, digest.String()))
}

func (b *backend) DeleteTag(_ context.Context, repo, tag string) error {
	return refusal(b.registry.Delete(repo, tag))
}

func (b *backend) MountBlob(_ context.Context, from, to string, digest ociregistry.Digest) (ociregistry.Descriptor, error) {
	size, err := b.registry.Mount(from, to, digest.String())
	if err != nil {
		return ociregistry.Descriptor{}, refusal(err)
	}
	return ociregistry.Descriptor{MediaType: octetStream, Digest: digest, Size: size}, nil
}

func (b *backend) PushBlob(ctx context.Context, repo string, want ociregistry.Descriptor, content io.Reader) (ociregistry.Descriptor, error) {
	w, err := b.PushBlobChunked(ctx, repo, 0)
	if err != nil {
		return ociregistry.Descriptor{}, err
	}
	if _, err := io.Copy(w, content); err != nil {
		return ociregistry.Descriptor{}, errors.Join(err, w.Cancel())
	}
	return w.Commit(want.Digest)
}

func (b *backend) PushBlobChunked(_ context.Context, repo string, _ int) (ociregistry.BlobWriter, error) {
	u, err := b.registry.StartUpload(repo)
	if err != nil {
		return nil, refusal(err)
	}
	return &writer{Upload: u}, nil
}

func (b *backend) PushBlobChunkedResume(_ context.Context, repo, id string, offset int64, _ int) (ociregistry.BlobWriter, error) {
	u, err := b.registry.Upload(repo, id)
	if err != nil {
		return nil, refusal(err)
	}
	if offset < 0 {
		offset = u.Size()
	}
	return &writer{Upload: u, offset: offset}, nil
}

// writer appends to an upload.
type writer struct {
	*ecr.Upload
	offset  int64 // where the next bytes belong
	refused error // why bytes were not taken
}

// Write checks the offset only now: the request that ends an upload carries
// none when it carries no bytes. A refusal waits for Close or Commit, whose
// errors ociserver passes on with their codes; it does not with those of the
// last Write.
func (w *writer) Write(p []byte) (int, error) {
	if w.refused != nil {
		return len(p), nil
	}
	n, err := w.WriteAt(p, w.offset)
	w.offset += int64(n)
	if _, ok := errors.AsType[*store.OffsetError](err); ok {
		w.refused = ociregistry.ErrRangeInvalid
		return len(p), nil
	}
	if _, ok := errors.AsType[*store.NoUploadError](err); ok { // another request has just ended it
		w.refused = ociregistry.ErrBlobUploadUnknown
		return len(p), nil
	}
	return n, err
}

func (w *writer) Close() error { return w.refused }

// ChunkSize: any will do.
func (w *writer) ChunkSize() int { return 1 }

func (w *writer) Commit(digest ociregistry.Digest) (ociregistry.Descriptor, error) {
	if w.refused != nil {
		return ociregistry.Descriptor{}, w.refused
	}
	if err := w.Upload.Commit(digest.String()); err != nil {
		return ociregistry.Descriptor{}, refusal(err)
	}
	return ociregistry.Descriptor{MediaType: octetStream, Digest: digest, Size: w.Size()}, nil
}

func (b *backend) Repositories(_ context.Context, after string) iter.Seq2[string, error] {
	return following(after, b.registry.Repositories())
}

func (b *backend) Tags(_ context.Context, repo, after string) iter.Seq2[string, error] {
	tags, err := b.registry.TagsOf(repo)
	if err != nil {
		return ociregistry.ErrorSeq[string](refusal(err))
	}
	return following(after, tags)
}

// following is what comes after a name in a sorted list.
func following(after string, names []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, name := range names {
			if name > after && !yield(name, nil) {
				return
			}
		}
	}
}

func (b *backend) Referrers(_ context.Context, repo string, digest ociregistry.Digest, artifactType string) iter.Seq2[ociregistry.Descriptor, error] {
	referrers, err := b.registry.Referrers(repo, digest.String())
	if err != nil {
		return ociregistry.ErrorSeq[ociregistry.Descriptor](refusal(err))
	}
	return func(yield func(ociregistry.Descriptor, error) bool) {
		for _, r := range referrers {
			if artifactType != "" && r.ArtifactType != artifactType {
				continue
			}
			d := ociregistry.Descriptor{
				MediaType:    r.MediaType,
				Digest:       ociregistry.Digest(r.Digest),
				Size:         r.Size,
				ArtifactType: r.ArtifactType,
				Annotations:  r.Annotations,
			}
			if !yield(d, nil) {
				return
			}
		}
	}
}
