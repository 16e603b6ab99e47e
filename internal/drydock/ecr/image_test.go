package ecr

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp"
)

// A tag that moves leaves the image that had it untagged, and as old as it was.
func TestTagMoves(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	old := f.push(t, "app", "v1", "old")
	f.clock.Advance(time.Hour)
	next := f.push(t, "app", "v1", "new")

	was, is := f.image(t, "app", old), f.image(t, "app", next)
	if was.ImageTags != nil || !was.ImagePushedAt.Equal(start()) {
		t.Errorf("the old image: tags %v, pushed %s", was.ImageTags, was.ImagePushedAt)
	}
	if !slices.Equal(is.ImageTags, []string{"v1"}) || !is.ImagePushedAt.Equal(start().Add(time.Hour)) {
		t.Errorf("the new image: tags %v, pushed %s", is.ImageTags, is.ImagePushedAt)
	}
}

// Another tag does not make an image younger.
func TestRetag(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app", mutability(types.ImageTagMutabilityImmutable))
	digest := f.push(t, "app", "v1", "one")
	got, err := f.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{
		RepositoryName: aws.String("app"), ImageIds: []types.ImageIdentifier{{ImageTag: aws.String("v1")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(48 * time.Hour)
	out, err := f.PutImage(t.Context(), &ecr.PutImageInput{
		RepositoryName:         aws.String("app"),
		ImageManifest:          got.Images[0].ImageManifest,
		ImageManifestMediaType: got.Images[0].ImageManifestMediaType,
		ImageDigest:            &digest,
		ImageTag:               aws.String("keep"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if aws.ToString(out.Image.ImageId.ImageDigest) != digest || aws.ToString(out.Image.ImageId.ImageTag) != "keep" {
		t.Errorf("got %+v", out.Image.ImageId)
	}
	image := f.image(t, "app", digest)
	if !slices.Equal(image.ImageTags, []string{"v1", "keep"}) || !image.ImagePushedAt.Equal(start()) {
		t.Errorf("tags %v, pushed %s", image.ImageTags, image.ImagePushedAt)
	}
}

// Who may put which tag on which image, through the API and through docker.
func TestImmutability(t *testing.T) {
	const (
		mutable   = types.ImageTagMutabilityMutable
		immutable = types.ImageTagMutabilityImmutable
		butFrozen = types.ImageTagMutabilityMutableWithExclusion
		butFree   = types.ImageTagMutabilityImmutableWithExclusion

		exists = "ImageAlreadyExistsException"
		taken  = CodeTagAlreadyExists
	)
	for _, test := range []struct {
		mutability  types.ImageTagMutability
		filter      string
		tag         string
		same        bool // the image that has the tag is put again
		api, docker string
		why         string // end of the message, where the API refuses an overwrite
	}{
		{mutable, "", "v1", false, "", "", ""},
		{mutable, "", "v1", true, exists, "", ""},
		{immutable, "", "v1", false, taken, taken, "because the repository is immutable."},
		{immutable, "", "v1", true, exists, taken, ""},
		{butFree, "dev-*", "dev-1", false, "", "", ""},
		{butFree, "dev-*", "v1", false, taken, taken, "because the tag is immutable."},
		{butFree, "dev-*", "x-dev-1", false, taken, taken, "because the tag is immutable."},
		{butFrozen, "v*", "v1", false, taken, taken, "because the tag is immutable."},
		{butFrozen, "v*", "v1", true, exists, taken, ""},
		{butFrozen, "v*", "dev", false, "", "", ""},
		{butFrozen, "v*.*", "v1", false, "", "", ""},
	} {
		t.Run(fmt.Sprintf("%s/%s/%s/%v", test.mutability, test.filter, test.tag, test.same), func(t *testing.T) {
			f := newFixture(t)
			var filters []string
			if test.filter != "" {
				filters = []string{test.filter}
			}
			f.repository(t, "app", mutability(test.mutability, filters...))
			first := f.push(t, "app", test.tag, "first")
			name := "second"
			if test.same {
				name = "first"
			}
			m := imageOf(t, f.registry, "app", name, "linux/amd64")
			message := wantCode(t, f.put(t.Context(), "app", test.tag, m), test.api)
			if test.why != "" && message != "The image tag '"+test.tag+"' already exists in the 'app' repository and cannot be overwritten "+test.why {
				t.Error(message)
			}
			if test.api == exists && message != "Image with digest '"+first+"' and tag '"+test.tag+"' already exists in the repository with name 'app' in registry with id '123456789012'" {
				t.Error(message)
			}
			_, err := f.registry.Push("app", test.tag, "", m)
			refused, _ := errors.AsType[*wire.Error](err)
			if (err == nil) != (test.docker == "") || refused != nil && refused.Code != test.docker {
				t.Errorf("docker: got %v, want %q", err, test.docker)
			}
		})
	}
}

func TestPutImageRefuses(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	f.repository(t, "other")
	good := imageOf(t, f.registry, "app", "good", "linux/amd64")
	elsewhere := imageOf(t, f.registry, "other", "elsewhere", "linux/amd64")
	absent := digestOf([]byte("absent"))
	untyped := strings.Replace(string(good), `"mediaType":"`+ociManifest+`",`, "", 1)

	in := func(change func(*ecr.PutImageInput)) *ecr.PutImageInput {
		in := &ecr.PutImageInput{RepositoryName: aws.String("app"), ImageManifest: aws.String(string(good))}
		change(in)
		return in
	}
	manifest := func(m string) *ecr.PutImageInput {
		return in(func(in *ecr.PutImageInput) { in.ImageManifest = &m })
	}
	for name, test := range map[string]struct {
		in            *ecr.PutImageInput
		code, message string
	}{
		"no repository": {in(func(in *ecr.PutImageInput) { in.RepositoryName = aws.String("none") }), CodeRepositoryNotFound,
			"The repository with name 'none' does not exist in the registry with id '123456789012'"},
		"digest of other bytes": {in(func(in *ecr.PutImageInput) { in.ImageDigest = &absent }), "ImageDigestDoesNotMatchException", ""},
		"layers elsewhere": {manifest(string(elsewhere)), CodeLayersNotFound,
			"required for pushing image into repository with name 'app' in the registry with id '123456789012' do not exist"},
		"missing child": {manifest(string(indexOf(t, map[string][]byte{"linux/amd64": good}))), CodeReferencedNotFound,
			"Images with digests '[" + digestOf(good) + "]' required for pushing image into repository with name 'app' in the registry with id '123456789012' do not exist"},
		"not JSON":       {manifest("{"), CodeInvalidParameter, "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'"},
		"no media type":  {manifest(untyped), CodeInvalidParameter, "mediatype not provided"},
		"schema 1":       {manifest(`{"schemaVersion":1,"mediaType":"application/vnd.docker.distribution.manifest.v1+json"}`), CodeInvalidParameter, "Unsupported manifest type"},
		"no config":      {manifest(`{"schemaVersion":2,"mediaType":"` + ociManifest + `"}`), CodeInvalidParameter, "config"},
		"other type":     {in(func(in *ecr.PutImageInput) { in.ImageManifestMediaType = aws.String(dockerManifest) }), CodeInvalidParameter, ociManifest},
		"tag with colon": {in(func(in *ecr.PutImageInput) { in.ImageTag = aws.String("a:b") }), CodeInvalidParameter, "imageTag"},
		"too large":      {manifest(strings.Repeat(" ", MaxManifest) + "{}"), CodeInvalidParameter, "length"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.PutImage(t.Context(), test.in)
			if got := wantCode(t, err, test.code); !strings.Contains(got, test.message) {
				t.Errorf("message %q, want %q", got, test.message)
			}
		})
	}
	if out, err := f.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("app")}); err != nil || len(out.ImageDetails) != 0 {
		t.Errorf("refused, but stored: %v, %v", out, err)
	}
	_, err := f.PutImage(t.Context(), in(func(in *ecr.PutImageInput) {
		in.ImageManifest, in.ImageManifestMediaType = &untyped, aws.String(ociManifest)
	}))
	wantCode(t, err, "")
}

func TestThousandTags(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	m := imageOf(t, f.registry, "app", "one", "linux/amd64")
	for n := range maxTagsOfImage {
		if _, err := f.registry.Push("app", fmt.Sprint("t", n), "", m); err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, f.put(t.Context(), "app", "one-more", m), "LimitExceededException")
}

func TestDescribeImages(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	amd := imageOf(t, f.registry, "app", "amd", "linux/amd64")
	arm := imageOf(t, f.registry, "app", "a longer arm", "linux/arm64")
	index := indexOf(t, map[string][]byte{"linux/amd64": amd, "linux/arm64": arm})
	for _, put := range []struct {
		tag      string
		manifest []byte
	}{{"", amd}, {"", arm}, {"v1", index}} {
		if err := f.put(t.Context(), "app", put.tag, put.manifest); err != nil {
			t.Fatal(err)
		}
	}
	child, parent := f.image(t, "app", digestOf(arm)), f.image(t, "app", digestOf(index))
	if aws.ToString(child.ArtifactMediaType) != "application/vnd.oci.image.config.v1+json" || child.ImageStatus != "ACTIVE" {
		t.Errorf("child: %+v", child)
	}
	if aws.ToInt64(child.ImageSizeInBytes) == 0 || aws.ToInt64(parent.ImageSizeInBytes) != aws.ToInt64(child.ImageSizeInBytes) {
		t.Errorf("the index has %d bytes, its largest child %d", *parent.ImageSizeInBytes, *child.ImageSizeInBytes)
	}
	if parent.ArtifactMediaType != nil || aws.ToString(parent.ImageManifestMediaType) != ociIndex {
		t.Errorf("parent: %+v", parent)
	}

	count := func(filter *types.DescribeImagesFilter) int {
		out, err := f.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("app"), Filter: filter})
		if err != nil {
			t.Fatal(err)
		}
		return len(out.ImageDetails)
	}
	for _, test := range []struct {
		filter *types.DescribeImagesFilter
		want   int
	}{
		{nil, 3},
		{&types.DescribeImagesFilter{TagStatus: types.TagStatusTagged}, 1},
		{&types.DescribeImagesFilter{TagStatus: types.TagStatusUntagged}, 2},
		{&types.DescribeImagesFilter{TagStatus: types.TagStatusAny}, 3},
		{&types.DescribeImagesFilter{ImageStatus: types.ImageStatusFilterAny}, 3},
		{&types.DescribeImagesFilter{ImageStatus: types.ImageStatusFilterArchived}, 0},
	} {
		if got := count(test.filter); got != test.want {
			t.Errorf("%+v: got %d, want %d", test.filter, got, test.want)
		}
	}

	for name, test := range map[string]struct {
		id   types.ImageIdentifier
		code string
	}{
		"unknown tag":  {types.ImageIdentifier{ImageTag: aws.String("v2")}, CodeImageNotFound},
		"other digest": {types.ImageIdentifier{ImageTag: aws.String("v1"), ImageDigest: aws.String(digestOf(amd))}, CodeImageNotFound},
		"no digest":    {types.ImageIdentifier{ImageDigest: aws.String("sha256")}, CodeInvalidParameter},
		"nothing":      {types.ImageIdentifier{}, CodeInvalidParameter},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("app"), ImageIds: []types.ImageIdentifier{test.id}})
			message := wantCode(t, err, test.code)
			if name == "unknown tag" && message != "The image with imageId {imageDigest:'null', imageTag:'v2'} does not exist within the repository with name 'app' in the registry with id '123456789012'" {
				t.Error(message)
			}
		})
	}
}

func TestListImages(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	var want []string
	for n := range 3 {
		digest := f.push(t, "app", fmt.Sprint("v", n), fmt.Sprint("image", n))
		want = append(want, digest+" v"+fmt.Sprint(n))
		f.clock.Advance(time.Minute)
	}
	m := imageOf(t, f.registry, "app", "image2", "linux/amd64")
	if err := f.put(t.Context(), "app", "latest", m); err != nil {
		t.Fatal(err)
	}
	want = slices.Insert(want, 2, digestOf(m)+" latest")
	bare := imageOf(t, f.registry, "app", "bare", "linux/amd64")
	if err := f.put(t.Context(), "app", "", bare); err != nil {
		t.Fatal(err)
	}
	want = append(want, digestOf(bare)+" ")

	var got []string
	p := ecr.NewListImagesPaginator(f, &ecr.ListImagesInput{RepositoryName: aws.String("app"), MaxResults: aws.Int32(1)})
	for p.HasMorePages() {
		out, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range out.ImageIds {
			got = append(got, aws.ToString(id.ImageDigest)+" "+aws.ToString(id.ImageTag))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	out, err := f.ListImages(t.Context(), &ecr.ListImagesInput{RepositoryName: aws.String("app"), Filter: &types.ListImagesFilter{TagStatus: types.TagStatusUntagged}})
	if err != nil || len(out.ImageIds) != 1 {
		t.Errorf("untagged: %v, %v", out, err)
	}
}

func TestBatchGetImage(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	digest := f.push(t, "app", "v1", "one")
	get := func(accepted []string, ids ...types.ImageIdentifier) *ecr.BatchGetImageOutput {
		t.Helper()
		out, err := f.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{RepositoryName: aws.String("app"), ImageIds: ids, AcceptedMediaTypes: accepted})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	byTag := types.ImageIdentifier{ImageTag: aws.String("v1")}
	out := get([]string{ociManifest, ociIndex}, byTag, types.ImageIdentifier{ImageTag: aws.String("v2")})
	if len(out.Images) != 1 || digestOf([]byte(*out.Images[0].ImageManifest)) != digest || *out.Images[0].ImageId.ImageDigest != digest {
		t.Errorf("got %+v", out.Images)
	}
	if len(out.Failures) != 1 || out.Failures[0].FailureCode != types.ImageFailureCodeImageNotFound || *out.Failures[0].FailureReason != "Requested image not found" {
		t.Errorf("got %+v", out.Failures)
	}
	if out := get([]string{dockerManifest}, byTag); len(out.Images) != 0 || len(out.Failures) != 1 {
		t.Errorf("a media type that is not accepted: %+v", out)
	}
	_, err := f.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{RepositoryName: aws.String("app"), ImageIds: []types.ImageIdentifier{}})
	wantCode(t, err, CodeInvalidParameter)
}

func TestPullTime(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	digest := f.push(t, "app", "v1", "one")
	if got := f.image(t, "app", digest).LastRecordedPullTime; got != nil {
		t.Errorf("never pulled, but at %s", got)
	}
	for _, step := range []struct {
		after time.Duration
		want  time.Duration // after start
	}{{0, 0}, {23 * time.Hour, 0}, {time.Hour, 24 * time.Hour}, {30 * time.Hour, 54 * time.Hour}} {
		f.clock.Advance(step.after)
		if err := f.registry.RecordPull("app", digest); err != nil {
			t.Fatal(err)
		}
		if got := f.image(t, "app", digest).LastRecordedPullTime; !got.Equal(start().Add(step.want)) {
			t.Errorf("got %s, want %s after the start", got, step.want)
		}
	}
}

func TestBatchDeleteImage(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	child := imageOf(t, f.registry, "app", "child", "linux/amd64")
	index := indexOf(t, map[string][]byte{"linux/amd64": child})
	two := imageOf(t, f.registry, "app", "two", "linux/amd64")
	for _, put := range []struct {
		tag      string
		manifest []byte
	}{{"", child}, {"multi", index}, {"a", two}, {"b", two}} {
		if err := f.put(t.Context(), "app", put.tag, put.manifest); err != nil {
			t.Fatal(err)
		}
	}
	type result struct {
		deleted []string
		failure types.ImageFailureCode
	}
	byDigest := func(m []byte) types.ImageIdentifier {
		return types.ImageIdentifier{ImageDigest: aws.String(digestOf(m))}
	}
	byTag := func(tag string) types.ImageIdentifier { return types.ImageIdentifier{ImageTag: &tag} }
	for _, step := range []struct {
		name string
		id   types.ImageIdentifier
		want result
		left int // images in the repository
	}{
		{"nothing", types.ImageIdentifier{}, result{failure: types.ImageFailureCodeMissingDigestAndTag}, 3},
		{"no digest", types.ImageIdentifier{ImageDigest: aws.String("x")}, result{failure: types.ImageFailureCodeInvalidImageDigest}, 3},
		{"no tag", byTag("a:b"), result{failure: types.ImageFailureCodeInvalidImageTag}, 3},
		{"unknown", byTag("none"), result{failure: types.ImageFailureCodeImageNotFound}, 3},
		{"tag of another", types.ImageIdentifier{ImageDigest: aws.String(digestOf(index)), ImageTag: aws.String("a")},
			result{failure: types.ImageFailureCodeImageTagDoesNotMatchDigest}, 3},
		{"one of two tags", byTag("a"), result{deleted: []string{"a"}}, 3},
		{"the last tag", byTag("b"), result{deleted: []string{"b"}}, 2},
		{"child of an index", byDigest(child), result{failure: types.ImageFailureCodeImageReferencedByManifestList}, 2},
		{"the index", byDigest(index), result{deleted: []string{"multi"}}, 1},
		{"its child then", byDigest(child), result{deleted: []string{""}}, 0},
	} {
		out, err := f.BatchDeleteImage(t.Context(), &ecr.BatchDeleteImageInput{RepositoryName: aws.String("app"), ImageIds: []types.ImageIdentifier{step.id}})
		if err != nil {
			t.Fatal(err)
		}
		var got result
		for _, id := range out.ImageIds {
			got.deleted = append(got.deleted, aws.ToString(id.ImageTag))
		}
		for _, failure := range out.Failures {
			got.failure = failure.FailureCode
			if failure.FailureCode == types.ImageFailureCodeImageReferencedByManifestList &&
				*failure.FailureReason != "Requested image referenced by manifest list: ["+digestOf(index)+"]" {
				t.Error(*failure.FailureReason)
			}
		}
		if diff := cmp.Diff(step.want, got, cmp.AllowUnexported(result{})); diff != "" {
			t.Errorf("%s: %s", step.name, diff)
		}
		if left, err := f.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("app")}); err != nil || len(left.ImageDetails) != step.left {
			t.Errorf("%s: %d images are left, %v", step.name, len(left.ImageDetails), err)
		}
	}
	if blobs, err := f.store.Blobs(); err != nil || len(blobs) != 0 {
		t.Errorf("blobs are left: %v, %v", blobs, err)
	}
}

// Immutability does not stop deletion, and frees the tag's name.
func TestDeleteImmutable(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app", mutability(types.ImageTagMutabilityImmutable))
	f.push(t, "app", "v1", "one")
	out, err := f.BatchDeleteImage(t.Context(), &ecr.BatchDeleteImageInput{
		RepositoryName: aws.String("app"), ImageIds: []types.ImageIdentifier{{ImageTag: aws.String("v1")}},
	})
	if err != nil || len(out.Failures) != 0 {
		t.Fatal(out, err)
	}
	f.push(t, "app", "v1", "two")
}

func TestReferrers(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	subject := f.push(t, "app", "v1", "one")
	config := []byte("{}")
	signature := marshal(t, map[string]any{
		"schemaVersion": 2, "mediaType": ociManifest, "artifactType": "application/signature",
		"config":  map[string]any{"mediaType": "application/vnd.oci.empty.v1+json", "digest": addLayer(t, f.registry, "app", config)},
		"subject": map[string]any{"mediaType": ociManifest, "digest": subject},
	})
	if err := f.put(t.Context(), "app", "", signature); err != nil {
		t.Fatal(err)
	}
	got, err := f.registry.Referrers("app", subject)
	if err != nil || len(got) != 1 || got[0].Digest != digestOf(signature) || got[0].ArtifactType != "application/signature" {
		t.Errorf("got %+v, %v", got, err)
	}
	if d := f.image(t, "app", digestOf(signature)); aws.ToString(d.SubjectManifestDigest) != subject {
		t.Errorf("got %+v", d)
	}
}
