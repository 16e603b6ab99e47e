package build

import (
	"context"
	"errors"
	"strings"
	"testing"

	"cuelabs.dev/go/oci/ociregistry"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// copied is a copy from one registry into another, whose tag is keep-a.
func copied(t *testing.T, from, to *testRegistry, digest string) error {
	t.Helper()
	return Copy(t.Context(), CopyOptions{
		From: from.ref("web", "").WithDigest(digest), To: to.ref("api", "keep-a"),
		FromAs: &Login{User: "AWS", Password: from.password}, ToAs: &Login{User: "AWS", Password: to.password},
	}, (&told{}).tell)
}

// planted puts content into the repository web, without a tag.
func planted(t *testing.T, r *testRegistry, content remote.Taggable, digest string) {
	t.Helper()
	ref, err := name.NewDigest(r.host + "/web@" + digest)
	if err != nil {
		t.Fatal(err)
	}
	password := r.password
	r.password = ""
	defer func() { r.password = password }()
	if err := remote.Push(ref, content); err != nil {
		t.Fatal(err)
	}
}

// An image, or an index with all its parts, arrives byte for byte, also one
// without a tag, and between registries that want different logins.
func TestCopy(t *testing.T) {
	index, err := random.Index(1024, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	single := randomImage(t)
	for _, c := range []struct {
		name    string
		content interface {
			remote.Taggable
			Digest() (v1.Hash, error)
		}
	}{{"image", single}, {"index", index}} {
		t.Run(c.name, func(t *testing.T) {
			from, to := startRegistry(t, "there"), startRegistry(t, "here")
			digest := digestOf(t, c.content)
			planted(t, from, c.content, digest)
			for range 2 { // again: it is there
				if err := copied(t, from, to, digest); err != nil {
					t.Fatal(err)
				}
			}
			to.password = ""
			ref, err := name.ParseReference(to.host + "/api:keep-a")
			if err != nil {
				t.Fatal(err)
			}
			got, err := remote.Get(ref)
			if err != nil || got.Digest.String() != digest {
				t.Fatalf("%v, %v", got, err)
			}
			if c.name == "image" {
				arrived, err := got.Image()
				if err == nil {
					err = validate.Image(arrived)
				}
				if err != nil {
					t.Error(err)
				}
				return
			}
			arrived, err := got.ImageIndex()
			if err == nil {
				err = validate.Index(arrived)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCopyOfWhatIsNotThere(t *testing.T) {
	from, to := startRegistry(t, ""), startRegistry(t, "")
	if err := copied(t, from, to, "sha256:"+strings.Repeat("0", 64)); !errors.Is(err, ErrNotThere) {
		t.Error(err)
	}
}

// liar has other bytes under the digests of layers.
type liar struct{ ociregistry.Interface }

func (l liar) GetBlob(ctx context.Context, repo string, digest ociregistry.Digest) (ociregistry.BlobReader, error) {
	r, err := l.Interface.GetBlob(ctx, repo, digest)
	if err != nil {
		return nil, err
	}
	return lie{r}, nil
}

type lie struct{ ociregistry.BlobReader }

func (l lie) Read(p []byte) (int, error) {
	n, err := l.BlobReader.Read(p)
	if n > 0 {
		p[0] ^= 1
	}
	return n, err
}

// What is not what its digest says never becomes the image.
func TestCopyFromALiar(t *testing.T) {
	from, to := startRegistry(t, ""), startRegistry(t, "")
	img := randomImage(t)
	planted(t, from, img, digestOf(t, img))
	from.Interface = liar{from.Interface}
	err := copied(t, from, to, digestOf(t, img))
	if err == nil {
		t.Fatal("taken")
	}
	if _, err := to.GetTag(t.Context(), "api", "keep-a"); err == nil {
		t.Error("the tag is there")
	}
}

// A part of an index arrives under its digest alone.
func TestCopyWithoutATag(t *testing.T) {
	from, to := startRegistry(t, ""), startRegistry(t, "")
	img := randomImage(t)
	digest := digestOf(t, img)
	planted(t, from, img, digest)
	err := Copy(t.Context(), CopyOptions{From: from.ref("web", "").WithDigest(digest), To: to.ref("api", "")}, (&told{}).tell)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := to.GetManifest(t.Context(), "api", ociregistry.Digest(digest)); err != nil {
		t.Error(err)
	}
	if _, err := to.GetTag(t.Context(), "api", "none"); err == nil {
		t.Error("it has a tag")
	}
}
