package build

import (
	"archive/tar"
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

func randomImage(t *testing.T) v1.Image {
	t.Helper()
	img, err := random.Image(4096, 3)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func digestOf(t *testing.T, described interface{ Digest() (v1.Hash, error) }) string {
	t.Helper()
	digest, err := described.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

func TestPushContent(t *testing.T) {
	r := startRegistry(t, "")
	img := randomImage(t)
	var said told
	pushed, err := Push(t.Context(), PushOptions{Image: r.ref("team/api", "v1"), Content: img}, said.tell)
	if err != nil {
		t.Fatal(err)
	}
	if pushed.Digest != digestOf(t, img) || pushed.Layers != 3 || pushed.Size < 3*4096 || pushed.Already {
		t.Errorf("%+v", pushed)
	}
	if want := r.host + "/team/api:v1@" + pushed.Digest; pushed.Image.String() != want {
		t.Errorf("image %s, want %s", pushed.Image, want)
	}
	if said[0] != "begin pushing "+r.host+"/team/api:v1" || said[len(said)-1] != "end pushed 3 layers, "+megabytes(pushed.Size)+", "+image.ShortDigest(pushed.Digest) {
		t.Errorf("story: %q", said)
	}
	if !slices.ContainsFunc(said, func(s string) bool {
		return strings.HasPrefix(s, "progress ") && strings.HasSuffix(s, " bytes 3/3 layers")
	}) {
		t.Errorf("no progress: %q", said)
	}

	// Again: it is there, and nothing is written.
	said = nil
	again, err := Push(t.Context(), PushOptions{Image: r.ref("team/api", "v1"), Content: img}, said.tell)
	if err != nil || !again.Already || again.Digest != pushed.Digest {
		t.Errorf("%+v, %v", again, err)
	}
	if said[len(said)-1] != "end already there: 3 layers, "+megabytes(pushed.Size)+", "+image.ShortDigest(pushed.Digest) {
		t.Errorf("story: %q", said)
	}
	if n := r.manifests.Load(); n != 1 {
		t.Errorf("%d manifests pushed", n)
	}

	// Under another tag: its layers are there.
	said = nil
	other, err := Push(t.Context(), PushOptions{Image: r.ref("team/api", "v2"), Content: img}, said.tell)
	if err != nil || other.Already || other.There != 3 {
		t.Errorf("%+v, %v", other, err)
	}
	if !strings.HasPrefix(said[len(said)-1], "end pushed 3 layers (there before), ") {
		t.Errorf("story: %q", said)
	}
}

// The total is the image's from the start, however many layers the client has
// come to; a layer is told once.
func TestPushTellsTheWholeTotal(t *testing.T) {
	r := startRegistry(t, "")
	img, err := random.Image(50_000, 12)
	if err != nil {
		t.Fatal(err)
	}
	c, arrived := newClock(), 0
	_, err = Push(t.Context(), PushOptions{Image: r.ref("api", "v1"), Content: img, Now: func() time.Time { return c.now }}, func(e story.Event) {
		switch {
		case e.Kind == story.Change:
			arrived++
		case e.Kind == story.Progress && e.Total < 12*50_000 || e.Done > e.Total:
			t.Errorf("%d of %d bytes", e.Done, e.Total)
		}
	})
	if err != nil || arrived != 12 {
		t.Errorf("%d layers arrived, %v", arrived, err)
	}
}

func TestPushNeverMovesATag(t *testing.T) {
	r := startRegistry(t, "")
	first, second := randomImage(t), randomImage(t)
	if _, err := Push(t.Context(), PushOptions{Image: r.ref("api", "v1"), Content: first}, nil); err != nil {
		t.Fatal(err)
	}
	_, err := Push(t.Context(), PushOptions{Image: r.ref("api", "v1"), Content: second}, nil)
	exists, ok := errors.AsType[*TagExistsError](err)
	if !ok {
		t.Fatalf("%T: %v", err, err)
	}
	if exists.Have != digestOf(t, first) || exists.Want != digestOf(t, second) || exists.Ref != r.ref("api", "v1") {
		t.Errorf("%+v", exists)
	}
	if n := r.manifests.Load(); n != 1 {
		t.Errorf("%d manifests pushed", n)
	}
}

// The same image under another manifest (compressed by another tool) is the
// same image.
func TestPushKnowsAnImageByItsConfiguration(t *testing.T) {
	r := startRegistry(t, "")
	img := randomImage(t)
	if _, err := Push(t.Context(), PushOptions{Image: r.ref("api", "v1"), Content: img}, nil); err != nil {
		t.Fatal(err)
	}
	annotated, ok := mutate.Annotations(img, map[string]string{"built": "elsewhere"}).(v1.Image)
	if !ok {
		t.Fatal("no image")
	}
	pushed, err := Push(t.Context(), PushOptions{Image: r.ref("api", "v1"), Content: annotated}, nil)
	if err != nil || !pushed.Already || pushed.Digest != digestOf(t, img) {
		t.Errorf("%+v, %v", pushed, err)
	}
}

func TestPushLosesARace(t *testing.T) {
	t.Run("immutable tags: refused", func(t *testing.T) {
		r := startRegistry(t, "")
		r.immutable.Store(true) // as if someone had pushed after we asked
		_, err := Push(t.Context(), PushOptions{Image: r.ref("api", "v1"), Content: randomImage(t)}, nil)
		if !is[*TagExistsError](err) {
			t.Errorf("%T: %v", err, err)
		}
	})
	t.Run("mutable tags: found out afterwards", func(t *testing.T) {
		r := startRegistry(t, "")
		theirs := randomImage(t)
		racing := racer{r, theirs, t}
		_, err := push(t.Context(), mustRegistry(t, r), racing, newNews(nil, story.Push, nil))
		exists, ok := errors.AsType[*TagExistsError](err)
		if !ok || exists.Have != digestOf(t, theirs) {
			t.Errorf("%T: %v", err, err)
		}
	})
}

// racer is a source that someone else overtakes.
type racer struct {
	registry *testRegistry
	theirs   v1.Image
	t        *testing.T
}

func (r racer) identity() identity { return identity{config: "sha256:ours"} }
func (r racer) close()             {}
func (r racer) push(ctx context.Context, to registry, _ news) (receipt, error) {
	return receipt{digest: "sha256:ours"}, remote.Write(to.tag, r.theirs, to.opts...)
}

func mustRegistry(t *testing.T, r *testRegistry) registry {
	t.Helper()
	reg, err := newRegistry(t.Context(), r.ref("api", "v1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

func TestPushRefused(t *testing.T) {
	r := startRegistry(t, "")
	_, err := Push(t.Context(), PushOptions{Image: r.ref(missing, "v1"), Content: randomImage(t)}, nil)
	if refused, ok := errors.AsType[*RepositoryMissingError](err); !ok || refused.Repository != r.host+"/none" || !strings.Contains(refused.Message, "'none'") {
		t.Errorf("%T: %v", err, err)
	}

	r = startRegistry(t, "right")
	for _, login := range []*Login{nil, {Registry: r.host, User: "AWS", Password: "wr0ng"}} {
		_, err := Push(t.Context(), PushOptions{Image: r.ref("api", "v1"), Content: randomImage(t), Login: login}, nil)
		if !is[*AuthError](err) || strings.Contains(err.Error(), "wr0ng") {
			t.Errorf("%T: %v", err, err)
		}
	}
	login := &Login{Registry: r.host, User: "AWS", Password: "right"}
	if _, err := Push(t.Context(), PushOptions{Image: r.ref("api", "v1"), Content: randomImage(t), Login: login}, nil); err != nil {
		t.Error(err)
	}

	if _, err := Push(t.Context(), PushOptions{Image: r.ref("api", ""), Content: randomImage(t)}, nil); err == nil {
		t.Error("pushed without a tag")
	}
}

func TestPushRetries(t *testing.T) {
	r := startRegistry(t, "")
	r.flaky.Store(1)
	if _, err := Push(t.Context(), PushOptions{Image: r.ref("api", "v1"), Content: randomImage(t)}, nil); err != nil {
		t.Error(err)
	}
}

func TestPushStops(t *testing.T) {
	r := startRegistry(t, "")
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if _, err := Push(ctx, PushOptions{Image: r.ref("api", "v1"), Content: randomImage(t)}, nil); !errors.Is(err, why) {
		t.Error(err)
	}
}

func TestPushLayout(t *testing.T) {
	r := startRegistry(t, "")
	img := randomImage(t)
	index, err := random.Index(512, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	one, many := t.TempDir(), t.TempDir()
	for dir, content := range map[string]v1.ImageIndex{
		one: mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: index}),
		many: mutate.AppendManifests(empty.Index,
			mutate.IndexAddendum{Add: randomImage(t)},
			mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Annotations: map[string]string{"org.opencontainers.image.ref.name": "v2"}}}),
	} {
		if _, err := layout.Write(dir, content); err != nil {
			t.Fatal(err)
		}
	}

	pushed, err := Push(t.Context(), PushOptions{Image: r.ref("api", "v1"), Layout: one}, nil)
	if err != nil || pushed.Digest != digestOf(t, index) || pushed.Layers != 4 {
		t.Errorf("an index: %+v, %v", pushed, err)
	}
	pushed, err = Push(t.Context(), PushOptions{Image: r.ref("api", "v2"), Layout: many}, nil)
	if err != nil || pushed.Digest != digestOf(t, img) {
		t.Errorf("one of many: %+v, %v", pushed, err)
	}
	if _, err := Push(t.Context(), PushOptions{Image: r.ref("api", "v3"), Layout: many}, nil); err == nil || !strings.Contains(err.Error(), "holds 2 images") {
		t.Errorf("none of many: %v", err)
	}
	if _, err := Push(t.Context(), PushOptions{Image: r.ref("api", "v3"), Layout: filepath.Join(one, "none")}, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no layout: %v", err)
	}
	// An index is not the image that one of its platforms is.
	if _, err := Push(t.Context(), PushOptions{Image: r.ref("api", "v1"), Content: img}, nil); !is[*TagExistsError](err) {
		t.Errorf("image over index: %v", err)
	}
}

func TestPushTarball(t *testing.T) {
	r := startRegistry(t, "")
	img := randomImage(t)
	tag, err := name.NewTag(r.ref("api", "v1").String())
	if err != nil {
		t.Fatal(err)
	}
	saved := filepath.Join(t.TempDir(), "saved.tar")
	if err := tarball.WriteToFile(saved, tag, img); err != nil {
		t.Fatal(err)
	}
	pushed, err := Push(t.Context(), PushOptions{Image: r.ref("api", "v1"), Tarball: saved}, nil)
	if err != nil || pushed.Layers != 3 {
		t.Errorf("docker save: %+v, %v", pushed, err)
	}

	dir := t.TempDir()
	if _, err := layout.Write(dir, mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: img})); err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(t.TempDir(), "oci.tar")
	pack(t, archive, dir)
	pushed, err = Push(t.Context(), PushOptions{Image: r.ref("api", "v2"), Tarball: archive}, nil)
	if err != nil || pushed.Digest != digestOf(t, img) {
		t.Errorf("OCI archive: %+v, %v", pushed, err)
	}

	other := filepath.Join(t.TempDir(), "other.tar")
	pack(t, other, t.TempDir())
	if _, err := Push(t.Context(), PushOptions{Image: r.ref("api", "v3"), Tarball: other}, nil); err == nil || !strings.Contains(err.Error(), "neither") {
		t.Errorf("some tarball: %v", err)
	}
	if _, err := Push(t.Context(), PushOptions{Image: r.ref("api", "v3"), Tarball: other + ".none"}, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no tarball: %v", err)
	}
}

// pack writes a folder into a tarball.
func pack(t *testing.T, file, dir string) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := tar.NewWriter(f)
	if err := w.AddFS(os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestUnpackStaysInside(t *testing.T) {
	file := filepath.Join(t.TempDir(), "evil.tar")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(f)
	if err := errors.Join(
		w.WriteHeader(&tar.Header{Name: "../../escaped", Typeflag: tar.TypeReg, Mode: 0o600}),
		w.Close(), f.Close(),
	); err != nil {
		t.Fatal(err)
	}
	outer := t.TempDir()
	dir := filepath.Join(outer, "a", "b")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unpack(file, dir); err == nil {
		t.Error("unpacked")
	}
	if _, err := os.Stat(filepath.Join(outer, "escaped")); err == nil {
		t.Error("it got out")
	}
}

func TestPlainHTTPOnlyOnThisMachine(t *testing.T) {
	for registry, allowed := range map[string]bool{
		"127.0.0.1:5000": true, "localhost:5000": true, "[::1]:5000": true,
		"10.0.0.1:5000": false, "192.168.1.1:5000": false, "registry.localhost:5000": false, "box.local": false,
		"123456789012.dkr.ecr.eu-west-1.amazonaws.com": false,
	} {
		reg, err := name.NewRegistry(registry)
		if err != nil {
			t.Fatal(err)
		}
		if got := loopback(mustURL(t, "http://"+reg.RegistryStr()+"/v2/")); got != allowed {
			t.Errorf("%s: plain http %v, want %v", registry, got, allowed)
		}
	}
}

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
