package ecr

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	imageref "github.com/plimsoll-ecs/plimsoll/internal/image"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// move is UpdateImageStorageClass of a digest.
func (f *fixture) move(t *testing.T, repository, digest string, to types.TargetStorageClass) types.ImageStatus {
	t.Helper()
	out, err := f.UpdateImageStorageClass(t.Context(), &ecr.UpdateImageStorageClassInput{
		RepositoryName: &repository, ImageId: &types.ImageIdentifier{ImageDigest: &digest}, TargetStorageClass: to,
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.ImageStatus
}

// all is DescribeImages of a repository, whatever the status, by digest.
func (f *fixture) all(t *testing.T, repository string) map[string]types.ImageDetail {
	t.Helper()
	pages := ecr.NewDescribeImagesPaginator(f, &ecr.DescribeImagesInput{
		RepositoryName: &repository, Filter: &types.DescribeImagesFilter{ImageStatus: types.ImageStatusFilterAny},
	})
	found := map[string]types.ImageDetail{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range page.ImageDetails {
			found[*d.ImageDigest] = d
		}
	}
	return found
}

func wantStatus(t *testing.T, got, want types.ImageStatus) {
	t.Helper()
	if got != want {
		t.Fatalf("the image is %s, want %s", got, want)
	}
}

func TestArchiveAndRestore(t *testing.T) {
	s, c := store.Memory(), clock.Manual(start())
	f := fixtureOn(t, s, c)
	f.repository(t, "app")
	digest := f.push(t, "app", "v1", "one")
	c.Advance(time.Hour)
	wantStatus(t, f.move(t, "app", digest, types.TargetStorageClassArchive), types.ImageStatusArchived)
	wantStatus(t, f.move(t, "app", digest, types.TargetStorageClassArchive), types.ImageStatusArchived)
	f.cannotBePulled(t, "app", digest)

	listed, err := f.ListImages(t.Context(), &ecr.ListImagesInput{RepositoryName: aws.String("app")})
	if err != nil || len(listed.ImageIds) != 0 {
		t.Errorf("ListImages without a filter: %v, %v", listed, err)
	}
	_, err = f.DescribeImages(t.Context(), &ecr.DescribeImagesInput{
		RepositoryName: aws.String("app"), ImageIds: []types.ImageIdentifier{{ImageDigest: &digest}},
	})
	wantCode(t, err, CodeImageNotFound)
	got := f.all(t, "app")[digest]
	if got.ImageStatus != types.ImageStatusArchived || !aws.ToTime(got.LastArchivedAt).Equal(c.Now()) || got.LastActivatedAt != nil {
		t.Errorf("archived: %+v", got)
	}

	wantStatus(t, f.move(t, "app", digest, types.TargetStorageClassStandard), types.ImageStatusActivating)
	c.Advance(restoreTime - time.Second)
	f.cannotBePulled(t, "app", digest)
	_, err = f.UpdateImageStorageClass(t.Context(), &ecr.UpdateImageStorageClassInput{
		RepositoryName: aws.String("app"), ImageId: &types.ImageIdentifier{ImageDigest: &digest}, TargetStorageClass: types.TargetStorageClassArchive,
	})
	wantCode(t, err, codeStorageClass)

	f = fixtureOn(t, s, c) // a restart does not forget it
	c.Advance(time.Second)
	got = f.all(t, "app")[digest]
	if got.ImageStatus != types.ImageStatusActive || !aws.ToTime(got.LastActivatedAt).Equal(c.Now()) || !got.ImagePushedAt.Equal(start()) {
		t.Errorf("restored: %+v", got)
	}
	if _, err := f.registry.Manifest("app", "v1"); err != nil {
		t.Error(err)
	}
	wantStatus(t, f.move(t, "app", digest, types.TargetStorageClassStandard), types.ImageStatusActive)
}

// cannotBePulled checks every door.
func (f *fixture) cannotBePulled(t *testing.T, repository, digest string) {
	t.Helper()
	if _, err := f.registry.Manifest(repository, digest); err == nil {
		t.Error("the registry gives an archived image away")
	}
	got, err := f.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{
		RepositoryName: &repository, ImageIds: []types.ImageIdentifier{{ImageDigest: &digest}},
	})
	if err != nil || len(got.Images) != 0 || got.Failures[0].FailureCode != types.ImageFailureCodeImageNotFound {
		t.Errorf("BatchGetImage: %+v, %v", got, err)
	}
	_, err = f.registry.Pull(imageref.Reference{Registry: host, Repository: repository}, digest, "")
	if _, ok := errors.AsType[*NotFoundError](err); !ok {
		t.Errorf("a task pulls an archived image: %v", err)
	}
}

// To push an archived image restores it at once.
func TestPushRestores(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	digest := f.push(t, "app", "v1", "one")
	f.move(t, "app", digest, types.TargetStorageClassArchive)
	f.clock.Advance(time.Hour)
	f.push(t, "app", "v1", "one")
	got := f.image(t, "app", digest)
	if got.ImageStatus != types.ImageStatusActive || !got.LastActivatedAt.Equal(f.clock.Now()) || len(got.ImageTags) != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestIndexHoldsChildrenFromTheArchive(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	body := imageOf(t, f.registry, "app", "child", "linux/amd64")
	index := indexOf(t, map[string][]byte{"linux/amd64": body})
	if err := errors.Join(f.put(t.Context(), "app", "", body), f.put(t.Context(), "app", "v1", index)); err != nil {
		t.Fatal(err)
	}
	child := digestOf(body)
	_, err := f.UpdateImageStorageClass(t.Context(), &ecr.UpdateImageStorageClassInput{
		RepositoryName: aws.String("app"), ImageId: &types.ImageIdentifier{ImageDigest: &child}, TargetStorageClass: types.TargetStorageClassArchive,
	})
	if message := wantCode(t, err, codeStorageClass); !strings.Contains(message, digestOf(index)) {
		t.Error(message)
	}
	f.move(t, "app", digestOf(index), types.TargetStorageClassArchive)
	wantStatus(t, f.move(t, "app", child, types.TargetStorageClassArchive), types.ImageStatusArchived)

	f.move(t, "app", digestOf(index), types.TargetStorageClassStandard)
	f.clock.Advance(restoreTime)
	f.cannotBePulled(t, "app", child)
	_, err = f.registry.Pull(imageref.Reference{Registry: host, Repository: "app", Tag: "v1"}, "", "")
	if gone, ok := errors.AsType[*NotFoundError](err); !ok || gone.Image != child {
		t.Errorf("an index without its child: %v", err)
	}
}
