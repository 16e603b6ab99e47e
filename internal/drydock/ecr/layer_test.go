package ecr

import (
	"bytes"
	"io"
	"net/url"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// upload sends content in parts of the given sizes and completes it with the
// digest.
func (f *fixture) upload(t *testing.T, content []byte, digest string, sizes ...int) error {
	t.Helper()
	name := aws.String("app")
	begun, err := f.InitiateLayerUpload(t.Context(), &ecr.InitiateLayerUploadInput{RepositoryName: name})
	if err != nil {
		t.Fatal(err)
	}
	var first int64
	for _, size := range sizes {
		last := first + int64(size) - 1
		_, err := f.UploadLayerPart(t.Context(), &ecr.UploadLayerPartInput{
			RepositoryName: name, UploadId: begun.UploadId,
			PartFirstByte: aws.Int64(first), PartLastByte: aws.Int64(last), LayerPartBlob: content[first : last+1],
		})
		if err != nil {
			return err
		}
		first = last + 1
	}
	_, err = f.CompleteLayerUpload(t.Context(), &ecr.CompleteLayerUploadInput{
		RepositoryName: name, UploadId: begun.UploadId, LayerDigests: []string{digest},
	})
	return err
}

func TestLayerUpload(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	content := bytes.Repeat([]byte("x"), minPart+7)
	digest := digestOf(content)
	wantCode(t, f.upload(t, content, digest), "EmptyUploadException")
	wantCode(t, f.upload(t, content, digest, 7, minPart), "LayerPartTooSmallException")
	wantCode(t, f.upload(t, content, digestOf(nil), minPart, 7), CodeInvalidLayer)
	wantCode(t, f.upload(t, content, digest, minPart, 7), "")
	wantCode(t, f.upload(t, content, digest, minPart, 7), "LayerAlreadyExistsException")

	out, err := f.BatchCheckLayerAvailability(t.Context(), &ecr.BatchCheckLayerAvailabilityInput{
		RepositoryName: aws.String("app"), LayerDigests: []string{digest, digestOf(nil), "x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Layers) != 2 || out.Layers[0].LayerAvailability != types.LayerAvailabilityAvailable || *out.Layers[0].LayerSize != minPart+7 ||
		out.Layers[1].LayerAvailability != types.LayerAvailabilityUnavailable {
		t.Errorf("got %+v", out.Layers)
	}
	if len(out.Failures) != 1 || out.Failures[0].FailureCode != types.LayerFailureCodeInvalidLayerDigest {
		t.Errorf("got %+v", out.Failures)
	}
}

func TestLayerParts(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	f.repository(t, "other")
	begun, err := f.InitiateLayerUpload(t.Context(), &ecr.InitiateLayerUploadInput{RepositoryName: aws.String("app")})
	if err != nil {
		t.Fatal(err)
	}
	if aws.ToInt64(begun.PartSize) != 10<<20 {
		t.Errorf("part size %d", *begun.PartSize)
	}
	for name, test := range map[string]struct {
		repository, id string
		first, last    int64
		code           string
	}{
		"a gap":            {"app", *begun.UploadId, 5, 7, CodeInvalidLayerPart},
		"a wrong length":   {"app", *begun.UploadId, 0, 7, CodeInvalidLayerPart},
		"no upload":        {"app", "00000000-0000-4000-8000-000000000000", 0, 2, CodeUploadNotFound},
		"other repository": {"other", *begun.UploadId, 0, 2, CodeUploadNotFound},
		"no repository":    {"none", *begun.UploadId, 0, 2, CodeRepositoryNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.UploadLayerPart(t.Context(), &ecr.UploadLayerPartInput{
				RepositoryName: &test.repository, UploadId: &test.id,
				PartFirstByte: &test.first, PartLastByte: &test.last, LayerPartBlob: []byte("abc"),
			})
			wantCode(t, err, test.code)
		})
	}
}

func TestDownloadURL(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	digest := addLayer(t, f.registry, "app", []byte("layer"))
	out, err := f.GetDownloadUrlForLayer(t.Context(), &ecr.GetDownloadUrlForLayerInput{RepositoryName: aws.String("app"), LayerDigest: &digest})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(*out.DownloadUrl)
	if err != nil || u.Host != host || u.Path != "/v2/app/blobs/"+digest {
		t.Fatalf("got %s, %v", *out.DownloadUrl, err)
	}
	seal := u.Query().Get("seal")
	if err := f.registry.CheckDownload(u.Path, seal); err != nil {
		t.Error(err)
	}
	if err := f.registry.CheckDownload("/v2/app/blobs/"+digestOf(nil), seal); err != ErrForged {
		t.Errorf("another layer: %v", err)
	}
	f.clock.Advance(time.Hour)
	if err := f.registry.CheckDownload(u.Path, seal); err != ErrExpired {
		t.Errorf("an hour later: %v", err)
	}
	_, err = f.GetDownloadUrlForLayer(t.Context(), &ecr.GetDownloadUrlForLayerInput{RepositoryName: aws.String("app"), LayerDigest: aws.String(digestOf(nil))})
	wantCode(t, err, CodeLayersNotFound)
}

// Layers are per repository, the blob under them is one.
func TestMount(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	f.repository(t, "other")
	digest := addLayer(t, f.registry, "app", []byte("layer"))
	if _, err := f.registry.OpenLayer("other", digest); err == nil {
		t.Error("a layer is in a repository where it never was put")
	}
	if size, err := f.registry.Mount("app", "other", digest); err != nil || size != 5 {
		t.Fatalf("got %d, %v", size, err)
	}
	if _, err := f.DeleteRepository(t.Context(), &ecr.DeleteRepositoryInput{RepositoryName: aws.String("app"), Force: true}); err != nil {
		t.Fatal(err)
	}
	b, err := f.registry.OpenLayer("other", digest)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if content, err := io.ReadAll(b); err != nil || string(content) != "layer" {
		t.Errorf("got %q, %v", content, err)
	}
}

// An upload into a repository that is deleted meanwhile leaves nothing.
func TestUploadOutlivesRepository(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	u, err := f.registry.StartUpload("app")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.DeleteRepository(t.Context(), &ecr.DeleteRepositoryInput{RepositoryName: aws.String("app")}); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write([]byte("late")); err != nil {
		t.Fatal(err)
	}
	if err := u.Commit(digestOf([]byte("late"))); err == nil {
		t.Error("no error")
	}
	if blobs, err := f.store.Blobs(); err != nil || len(blobs) != 0 {
		t.Errorf("blobs are left: %v, %v", blobs, err)
	}
}

// A restart finds everything as it was, and sweeps what a crash between the
// blob and its record left.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	c := clock.Manual(start())
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	f := fixtureOn(t, s, c)
	f.repository(t, "app", mutability(types.ImageTagMutabilityMutableWithExclusion, "v*"))
	digest := f.push(t, "app", "v1", "one")
	u, err := s.StartUpload()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write([]byte("orphan")); err != nil {
		t.Fatal(err)
	}
	if err := u.Commit(digestOf([]byte("orphan"))); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	if s, err = store.Open(dir); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	again := fixtureOn(t, s, c)
	sameState(t, f.registry, again.registry)
	if blobs, err := s.Blobs(); err != nil || len(blobs) != 2 {
		t.Errorf("got %v, %v, want a layer and a configuration", blobs, err)
	}
	if got := again.image(t, "app", digest); len(got.ImageTags) != 1 {
		t.Errorf("got %+v", got)
	}
}
