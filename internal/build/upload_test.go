package build

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// clock is a time that tests turn.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)} }

func (c *clock) news(said *told) news {
	return newNews(said.tell, story.Push, func() time.Time { return c.now })
}

func TestUpload(t *testing.T) {
	var said told
	c := newClock()
	u := newUpload(nil)
	for line := range strings.Lines(`The push refers to repository [127.0.0.1:5999/t]
5f70bf18a086: Preparing
e16a3f9b2c44: Preparing
e16a3f9b2c44: Layer already exists
5f70bf18a086: Pushing [==>      ]  512B/1.5MB
5f70bf18a086: Pushing [=======> ]  1.2MB/1.5MB
5f70bf18a086: Retrying in 5 seconds
5f70bf18a086: Retrying in 4 seconds
5f70bf18a086: Pushed
v1: digest: sha256:ab12 size: 528
`) {
		u.read(strings.TrimSuffix(line, "\n"), c.news(&said))
		c.now = c.now.Add(time.Second)
	}
	want := told{
		"change layer e16a3f9b2c44 was there before", "progress 1/2 layers 1/2 layers",
		"progress 512/1500000 bytes 1/2 layers", "progress 1200000/1500000 bytes 1/2 layers",
		"change layer 5f70bf18a086 is retried in 5 seconds",
		"change layer 5f70bf18a086 pushed, 1.5 MB", "progress 1500000/1500000 bytes 2/2 layers",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Error(diff)
	}
	if u.digest != "sha256:ab12" {
		t.Errorf("digest %q", u.digest)
	}
}

func TestUploadRefusals(t *testing.T) {
	r := registry{ref: image.Reference{Registry: "123456789012.dkr.ecr.eu-west-1.amazonaws.com", Repository: "api", Tag: "v1"}}
	for _, tc := range []struct {
		line  string
		match func(error) bool
	}{
		{"tag invalid: The image tag 'v1' already exists in the 'api' repository and cannot be overwritten because the repository is immutable.", is[*TagExistsError]},
		{"tag invalid: The image tag 'v1' already exists in the 'api' repository and cannot be overwritten because the tag is immutable.", is[*TagExistsError]},
		{"name unknown: The repository with name 'api' does not exist in the registry with id '123456789012'", is[*RepositoryMissingError]},
		{"no basic auth credentials", is[*AuthError]},
		{"denied: Your authorization token has expired. Reauthenticate and try again.", is[*AuthError]},
		{"denied: User: arn:aws:iam::123456789012:user/ci is not authorized to perform: ecr:InitiateLayerUpload", is[*AuthError]},
		{"unauthorized: authentication required", is[*AuthError]},
		{"error from registry: The image tag 'v1' already exists in the 'api' repository and cannot be overwritten because the repository is immutable.", is[*TagExistsError]},
		{"error from registry: The repository with name 'api' does not exist in the registry with id '123456789012'", is[*RepositoryMissingError]},
		{"error from registry: Your authorization token has expired. Reauthenticate and try again.", is[*AuthError]},
		{"push access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials", is[*AuthError]},
		{"unexpected status from HEAD request to https://123456789012.dkr.ecr.eu-west-1.amazonaws.com/v2/api/manifests/v1: 403 Forbidden", is[*AuthError]},
		{"An image does not exist locally with the tag: api", is[*ImageMissingError]},
		{"received unexpected HTTP status: 500 Internal Server Error", func(err error) bool { return strings.Contains(err.Error(), "500") }},
	} {
		u := newUpload(nil)
		u.read(tc.line, newNews(nil, story.Push, nil))
		if err := u.failure(r); !tc.match(err) {
			t.Errorf("%q gives %T: %v", tc.line, err, err)
		}
	}
	if newUpload(nil).failure(r) == nil {
		t.Error("no error for a docker that says nothing")
	}
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func FuzzUpload(f *testing.F) {
	f.Add("5f70bf18a086: Pushing [=>]  1.2MB/3.4GB\n5f70bf18a086: Pushed\nv1: digest: sha256:ab size: 1")
	f.Add("5f70bf18a086: Pushing [=>]  NaNB/InfTB")
	f.Fuzz(func(t *testing.T, text string) {
		u := newUpload(nil)
		n := newNews(func(e story.Event) {
			if e.Kind == story.Progress && (e.Done < 0 || e.Total > 0 && e.Done > e.Total || e.There > e.Done) {
				t.Errorf("progress %d of %d %s", e.Done, e.Total, e.Unit)
			}
		}, story.Push, time.Now)
		for line := range strings.Lines(text) {
			u.read(line, n)
		}
		if u.failure(registry{}) == nil {
			t.Error("no error")
		}
	})
}
