package ecr

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp"
)

// action is the event of something that happened to an image.
func action(kind, digest, tag string) string {
	if tag != "" {
		tag = fmt.Sprintf(`"image-tag":%q,`, tag)
	}
	return fmt.Sprintf(`ECR Image Action {"action-type":%q,"repository-name":"app","image-digest":%q,%s"result":"SUCCESS","manifest-media-type":"application/vnd.oci.image.manifest.v1+json","artifact-media-type":"application/vnd.oci.image.config.v1+json"}`, kind, digest, tag)
}

func TestEventsOfImages(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	expect := func(what string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, f.events()); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	first := f.push(t, "app", "v1", "one")
	expect("a push", action("PUSH", first, "v1"))
	if err := f.put(t.Context(), "app", "latest", imageOf(t, f.registry, "app", "one", "linux/amd64")); err != nil {
		t.Fatal(err)
	}
	expect("another tag", action("PUSH", first, "latest"))
	wantCode(t, f.put(t.Context(), "app", "latest", imageOf(t, f.registry, "app", "one", "linux/amd64")), "ImageAlreadyExistsException")
	expect("a push that changes nothing")
	second := f.push(t, "app", "", "two")
	expect("a push by digest", action("PUSH", second, ""))
	remove := func(id types.ImageIdentifier) {
		t.Helper()
		_, err := f.BatchDeleteImage(t.Context(), &ecr.BatchDeleteImageInput{RepositoryName: aws.String("app"), ImageIds: []types.ImageIdentifier{id}})
		wantCode(t, err, "")
	}
	remove(types.ImageIdentifier{ImageDigest: &second})
	expect("a deletion", action("DELETE", second, ""))
	remove(types.ImageIdentifier{ImageDigest: &first})
	expect("a deletion with its tags", action("DELETE", first, "v1"), action("DELETE", first, "latest"))
}

func TestEventsOfALifecyclePolicy(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	old := f.push(t, "app", "v1", "one")
	f.clock.Advance(time.Minute)
	f.push(t, "app", "v2", "two")
	text := `{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}]}`
	_, err := f.PutLifecyclePolicy(t.Context(), &ecr.PutLifecyclePolicyInput{RepositoryName: aws.String("app"), LifecyclePolicyText: &text})
	wantCode(t, err, "")
	f.events()
	f.clock.Advance(25 * time.Hour)
	if diff := cmp.Diff([]string{action("DELETE", old, "v1")}, f.events()); diff != "" {
		t.Error(diff)
	}
}

func TestEventsOfTheArchive(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	digest := f.push(t, "app", "v1", "one")
	f.events()
	move := func(class types.TargetStorageClass) {
		t.Helper()
		_, err := f.UpdateImageStorageClass(t.Context(), &ecr.UpdateImageStorageClassInput{RepositoryName: aws.String("app"), ImageId: &types.ImageIdentifier{ImageDigest: &digest}, TargetStorageClass: class})
		wantCode(t, err, "")
	}
	event := func(rest string) string {
		whole := action("UPDATE_STORAGE_CLASS", digest, "")
		return whole[:len(whole)-1] + rest + "}"
	}
	move(types.TargetStorageClassArchive)
	if diff := cmp.Diff([]string{event(`,"target-storage-class":"ARCHIVE"`)}, f.events()); diff != "" {
		t.Error(diff)
	}
	move(types.TargetStorageClassStandard)
	if got := f.events(); len(got) != 0 {
		t.Errorf("before it is back: %v", got)
	}
	f.clock.Advance(restoreTime)
	if diff := cmp.Diff([]string{event(`,"target-storage-class":"STANDARD","last-activated-at":"2026-11-21T09:20:00Z"`)}, f.events()); diff != "" {
		t.Error(diff)
	}
}

func TestEventsOfARepositoryThatGoes(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	digest := f.push(t, "app", "v1", "one")
	f.events()
	_, err := f.DeleteRepository(t.Context(), &ecr.DeleteRepositoryInput{RepositoryName: aws.String("app"), Force: true})
	wantCode(t, err, "")
	if diff := cmp.Diff([]string{action("DELETE", digest, "v1")}, f.events()); diff != "" {
		t.Error(diff)
	}
}
