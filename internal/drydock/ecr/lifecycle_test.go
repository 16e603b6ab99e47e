package ecr

import (
	"errors"
	"fmt"
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

const day = 24 * time.Hour

// keep is the policy that most people have: the newest n of everything.
func keep(n int) string {
	return fmt.Sprintf(`{"rules":[{"rulePriority":1,"description":"keep","selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":%d},"action":{"type":"expire"}}]}`, n)
}

func archiveAfter(days int) string {
	return fmt.Sprintf(`{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"sinceImagePushed","countUnit":"days","countNumber":%d},"action":{"type":"transition","targetStorageClass":"archive"}}]}`, days)
}

func (f *fixture) policy(t *testing.T, repository, text string) {
	t.Helper()
	if _, err := f.PutLifecyclePolicy(t.Context(), &ecr.PutLifecyclePolicyInput{RepositoryName: &repository, LifecyclePolicyText: &text}); err != nil {
		t.Fatal(err)
	}
}

// A team shares a repository under a keep-3 rule. A service that nobody
// deploys loses its image to the pushes of the others, and finds out when a
// task is replaced.
func TestIncidentCrowdedOut(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "shared")
	f.policy(t, "shared", keep(3))
	running := f.push(t, "shared", "billing-1", "billing")
	replace := func() error {
		_, err := f.registry.Pull(imageref.Reference{Registry: host, Repository: "shared", Tag: "billing-1"}, running, "")
		return err
	}
	for n := range 3 {
		f.clock.Advance(day)
		if err := replace(); err != nil {
			t.Fatalf("day %d: %v", n+1, err)
		}
		f.push(t, "shared", fmt.Sprintf("web-%d", n), fmt.Sprintf("web %d", n))
	}
	if err := replace(); err != nil {
		t.Fatal("ECR acts within a day, not at once:", err)
	}
	f.clock.Advance(day)
	err := replace()
	if gone, ok := errors.AsType[*NotFoundError](err); !ok || gone.Image != running {
		t.Fatalf("the restart: %v", err)
	}
	if left := f.all(t, "shared"); len(left) != 3 {
		t.Errorf("%d images are left", len(left))
	}
}

// A moved tag leaves the old image untagged, prey to a rule for untagged
// images the very next night.
func TestIncidentTagMoved(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	f.policy(t, "app", `{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":14},"action":{"type":"expire"}}]}`)
	old := f.push(t, "app", "latest", "one")
	f.clock.Advance(20 * day)
	f.image(t, "app", old)
	f.push(t, "app", "latest", "two")
	f.clock.Advance(day)
	if _, there := f.all(t, "app")[old]; there {
		t.Error("the image that lost its tag is still there")
	}
}

func TestLifecyclePolicy(t *testing.T) {
	s, c := store.Memory(), clock.Manual(start())
	f := fixtureOn(t, s, c)
	f.repository(t, "app")
	get := func() (*ecr.GetLifecyclePolicyOutput, error) {
		return f.GetLifecyclePolicy(t.Context(), &ecr.GetLifecyclePolicyInput{RepositoryName: aws.String("app")})
	}
	_, err := get()
	wantCode(t, err, "LifecyclePolicyNotFoundException")
	_, err = f.DeleteLifecyclePolicy(t.Context(), &ecr.DeleteLifecyclePolicyInput{RepositoryName: aws.String("app")})
	wantCode(t, err, "LifecyclePolicyNotFoundException")
	_, err = f.PutLifecyclePolicy(t.Context(), &ecr.PutLifecyclePolicyInput{RepositoryName: aws.String("app"), LifecyclePolicyText: aws.String(strings.Replace(keep(1), "any", "some", 1))})
	if message := wantCode(t, err, CodeInvalidParameter); !strings.HasPrefix(message,
		"Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: ") {
		t.Error(message)
	}
	_, err = f.PutLifecyclePolicy(t.Context(), &ecr.PutLifecyclePolicyInput{RepositoryName: aws.String("none"), LifecyclePolicyText: aws.String(keep(1))})
	wantCode(t, err, CodeRepositoryNotFound)

	f.policy(t, "app", "\n"+keep(2)+"\n")
	got, err := get()
	if err != nil || *got.LifecyclePolicyText != keep(2) || got.LastEvaluatedAt != nil {
		t.Errorf("got %v, %v", got, err)
	}
	for n := range 3 {
		f.push(t, "app", fmt.Sprint(n), fmt.Sprint("image ", n))
		c.Advance(time.Hour)
	}
	f.policy(t, "app", keep(1)) // the hour of the run stays
	f = fixtureOn(t, s, c)      // so it does over a restart
	c.Advance(20*time.Hour + 59*time.Minute)
	if left := len(f.all(t, "app")); left != 3 {
		t.Errorf("before the run there are %d images", left)
	}
	c.Advance(time.Minute)
	if left := len(f.all(t, "app")); left != 1 {
		t.Errorf("after the run there are %d images", left)
	}
	if got, err = get(); err != nil || !aws.ToTime(got.LastEvaluatedAt).Equal(start().Add(day)) {
		t.Errorf("got %v, %v", got, err)
	}
	blobs, err := s.Blobs()
	if err != nil || len(blobs) != 2 {
		t.Errorf("%d blobs are left, %v", len(blobs), err)
	}

	deleted, err := f.DeleteLifecyclePolicy(t.Context(), &ecr.DeleteLifecyclePolicyInput{RepositoryName: aws.String("app")})
	if err != nil || *deleted.LifecyclePolicyText != keep(1) || deleted.LastEvaluatedAt == nil {
		t.Errorf("got %v, %v", deleted, err)
	}
	f.push(t, "app", "more", "more")
	c.Advance(3 * day)
	if left := len(f.all(t, "app")); left != 2 {
		t.Errorf("without a policy there are %d images", left)
	}
}

func TestRulesComeBackByPriority(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	rule := func(priority int, status string) string {
		return fmt.Sprintf(`{"rulePriority":%d,"selection":{"tagStatus":%q,"countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}`, priority, status)
	}
	f.policy(t, "app", `{"rules": [`+rule(20, "any")+",\n"+rule(3, "untagged")+`]}`)
	got, err := f.GetLifecyclePolicy(t.Context(), &ecr.GetLifecyclePolicyInput{RepositoryName: aws.String("app")})
	if want := `{"rules":[` + rule(3, "untagged") + "," + rule(20, "any") + `]}`; err != nil || *got.LifecyclePolicyText != want {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestLifecyclePolicyPreview(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	begin := func(text *string) error {
		_, err := f.StartLifecyclePolicyPreview(t.Context(), &ecr.StartLifecyclePolicyPreviewInput{RepositoryName: aws.String("app"), LifecyclePolicyText: text})
		return err
	}
	get := func(change func(*ecr.GetLifecyclePolicyPreviewInput)) (*ecr.GetLifecyclePolicyPreviewOutput, error) {
		in := &ecr.GetLifecyclePolicyPreviewInput{RepositoryName: aws.String("app")}
		if change != nil {
			change(in)
		}
		return f.GetLifecyclePolicyPreview(t.Context(), in)
	}
	wantCode(t, begin(nil), "LifecyclePolicyNotFoundException")
	_, err := get(nil)
	wantCode(t, err, "LifecyclePolicyPreviewNotFoundException")
	wantCode(t, begin(aws.String(strings.Repeat(" ", 200))), CodeInvalidParameter)

	var pushed []string
	for n := range 5 {
		pushed = append(pushed, f.push(t, "app", fmt.Sprint("v", n), fmt.Sprint("image ", n)))
		f.clock.Advance(day)
	}
	if err := begin(aws.String(keep(2))); err != nil {
		t.Fatal(err)
	}
	wantCode(t, begin(aws.String(keep(2))), "LifecyclePolicyPreviewInProgressException")
	if got, err := get(nil); err != nil || got.Status != types.LifecyclePolicyPreviewStatusInProgress {
		t.Errorf("got %v, %v", got, err)
	}
	f.clock.Advance(previewTime)
	got, err := get(func(in *ecr.GetLifecyclePolicyPreviewInput) { in.MaxResults = aws.Int32(2) })
	if err != nil || got.Status != types.LifecyclePolicyPreviewStatusComplete || len(got.PreviewResults) != 2 || *got.Summary.ExpiringImageTotalCount != 3 {
		t.Fatalf("got %+v, %v", got, err)
	}
	first := got.PreviewResults[0]
	if *first.ImageDigest != pushed[0] || *first.AppliedRulePriority != 1 || first.Action.Type != types.ImageActionTypeExpire || first.ImageTags[0] != "v0" {
		t.Errorf("got %+v", first)
	}
	rest, err := get(func(in *ecr.GetLifecyclePolicyPreviewInput) {
		in.MaxResults, in.NextToken = aws.Int32(2), got.NextToken
	})
	if err != nil || len(rest.PreviewResults) != 1 || rest.NextToken != nil {
		t.Errorf("got %+v, %v", rest, err)
	}
	one, err := get(func(in *ecr.GetLifecyclePolicyPreviewInput) {
		in.ImageIds = []types.ImageIdentifier{{ImageTag: aws.String("v1")}, {ImageTag: aws.String("v4")}}
	})
	if err != nil || len(one.PreviewResults) != 1 || *one.PreviewResults[0].ImageDigest != pushed[1] {
		t.Errorf("got %+v, %v", one, err)
	}
	none, err := get(func(in *ecr.GetLifecyclePolicyPreviewInput) {
		in.Filter = &types.LifecyclePolicyPreviewFilter{TagStatus: types.TagStatusUntagged}
	})
	if err != nil || len(none.PreviewResults) != 0 {
		t.Errorf("got %+v, %v", none, err)
	}
	_, err = get(func(in *ecr.GetLifecyclePolicyPreviewInput) { in.MaxResults = aws.Int32(101) })
	wantCode(t, err, CodeInvalidParameter)
	if left := len(f.all(t, "app")); left != 5 {
		t.Errorf("a preview left %d images of 5", left)
	}

	f.policy(t, "app", archiveAfter(2))
	if err := begin(nil); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(previewTime)
	got, err = get(nil)
	if err != nil || len(got.Summary.TransitioningImageTotalCounts) != 1 || *got.Summary.ExpiringImageTotalCount != 0 {
		t.Fatalf("got %+v, %v", got, err)
	}
	action := got.PreviewResults[0].Action
	if action.Type != types.ImageActionTypeTransition || action.TargetStorageClass != types.LifecyclePolicyTargetStorageClassArchive {
		t.Errorf("got %+v", action)
	}
	f.clock.Advance(day)
	if i := f.all(t, "app")[pushed[0]]; i.ImageStatus != types.ImageStatusArchived || i.LastArchivedAt == nil {
		t.Errorf("after the run: %+v", i)
	}
}
