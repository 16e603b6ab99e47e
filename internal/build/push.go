package build

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// PushOptions says what to push where. The image comes from one of Layout,
// Tarball and Content; with none of them it is docker's image of that name.
type PushOptions struct {
	Image   image.Reference // needs a tag
	Layout  string          // folder with an OCI layout
	Tarball string          // file written by docker save, or an OCI archive
	Content v1.Image        // an image made by Go code
	Login   *Login          // nil: the user's own logins
	Env     []string        // the environment of docker; nil: our own

	Now func() time.Time // the time of what is told; nil: time.Now
	Log *slog.Logger     // how docker's images are pushed; nil: nobody asks
}

// Pushed is what the registry holds after a push.
type Pushed struct {
	Image   image.Reference // with tag and digest
	Digest  string          // of the manifest, or of the index
	Size    int64           // bytes of its layers and configurations, compressed
	Layers  int
	There   int   // of these, were there before
	Counted int64 // bytes as they were counted on the way; docker counts before it compresses
	Already bool  // all of it was there before: nothing was pushed
}

// Push puts an image into a registry, unless its tag is taken.
//
// A tag that names the same image already is success; one that names another
// is a [*TagExistsError], and nothing has been pushed. Between the question
// and the push someone else may still take the tag: a registry with immutable
// tags refuses then, which is the same error. One with mutable tags offers no
// way to write a tag only if it is free; there the later push wins, and the
// check afterwards tells the loser, again by a TagExistsError.
//
// The other errors worth telling apart are [*AuthError],
// [*RepositoryMissingError] and, for docker's images, [*CLIMissingError],
// [*EngineError] and [*ImageMissingError].
func Push(ctx context.Context, opts PushOptions, tell story.Teller) (Pushed, error) {
	n := newNews(tell, story.Push, opts.Now)
	r, err := newRegistry(ctx, opts.Image, opts.Login)
	if err != nil {
		return Pushed{}, err
	}
	src, err := open(ctx, opts, r)
	if err != nil {
		return Pushed{}, fmt.Errorf("pushing %s: %w", r.ref, err)
	}
	defer src.close()

	n.tell(story.Event{Kind: story.Begin, Message: "pushing " + r.ref.String()})
	pushed, err := push(ctx, r, src, n)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return Pushed{}, fmt.Errorf("pushing %s: %w", r.ref, err)
	}
	n.tell(story.Event{Kind: story.End, Message: pushed.summary()})
	return pushed, nil
}

// summary is what a push came to, in one line.
func (p Pushed) summary() string {
	what, layers := "pushed ", noun.Count(p.Layers, "layer")
	switch {
	case p.Already:
		what = "already there: "
	case p.There > 0 && p.There == p.Layers:
		layers += " (there before)"
	case p.There > 0:
		layers += fmt.Sprintf(" (%d there before)", p.There)
	}
	size := megabytes(p.Size)
	if p.Counted > p.Size+p.Size/20 { // else somebody wonders where the rest is
		size += " compressed"
	}
	return fmt.Sprintf("%s%s, %s, %s", what, layers, size, image.ShortDigest(p.Digest))
}

// source is an image that can be pushed.
type source interface {
	identity() identity
	push(ctx context.Context, r registry, n news) (receipt, error)
	close()
}

// receipt is what a source knows of its push.
type receipt struct {
	digest string // "" when it is not known
	there  int    // layers that the registry had before
	bytes  int64  // of all of it, as they were counted
}

// open finds the image and what it is, without asking the registry.
func open(ctx context.Context, opts PushOptions, r registry) (source, error) {
	if opts.Layout == "" && opts.Tarball == "" && opts.Content == nil {
		return openEngine(ctx, opts, r)
	}
	scratch, err := os.MkdirTemp("", "plimsoll-push-")
	if err != nil {
		return nil, err
	}
	f := files{scratch: scratch}
	switch {
	case opts.Content != nil:
		f.content = opts.Content
	case opts.Layout != "":
		f.content, err = openLayout(opts.Layout, r.tag)
	default:
		f.content, err = openTarball(opts.Tarball, scratch, r.tag)
	}
	if err == nil {
		f.id, err = identityOf(f.content)
	}
	if err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

func push(ctx context.Context, r registry, src source, n news) (Pushed, error) {
	want := src.identity()
	before, err := r.head()
	if err != nil {
		return Pushed{}, err
	}
	if before != nil {
		if err := r.mustHold(before, want); err != nil {
			return Pushed{}, err
		}
		return r.pushed(before, true)
	}

	got, err := src.push(ctx, r, n)
	if err != nil {
		return Pushed{}, err
	}
	after, err := r.head()
	switch {
	case err != nil:
		return Pushed{}, fmt.Errorf("reading the tag back: %w", err)
	case after == nil:
		return Pushed{}, errors.New("reading the tag back: it is not there")
	case after.Digest.String() != got.digest:
		want.digest = cmp.Or(got.digest, want.digest)
		if err := r.mustHold(after, want); err != nil {
			return Pushed{}, err
		}
	}
	pushed, err := r.pushed(after, false)
	pushed.There, pushed.Counted = min(got.there, pushed.Layers), got.bytes
	return pushed, err
}

// mustHold is a [*TagExistsError] unless the manifest that the tag names is
// the wanted image.
//
// Of an image in docker's classic store the digest is not known before it is
// pushed: the layers are compressed on the way. What is known is its ID, which
// is the digest of its configuration, and the manifest in the registry names
// that too. (The containerd image store does know the digest; it is the ID
// there.) Equal configurations are equal images: they list the digests of the
// uncompressed layers.
func (r registry) mustHold(have *v1.Descriptor, want identity) error {
	exists := &TagExistsError{Ref: r.ref, Have: have.Digest.String(), Want: want.digest}
	if exists.Want == "" {
		exists.Want = want.config
	}
	switch have.Digest.String() {
	case want.digest, want.config:
		return nil
	}
	if want.config == "" || !have.MediaType.IsImage() {
		return exists
	}
	desc, err := r.get(have)
	if err != nil {
		return err
	}
	manifest, err := v1.ParseManifest(strings.NewReader(string(desc.Manifest)))
	if err != nil {
		return fmt.Errorf("reading the manifest %s: %w", have.Digest, err)
	}
	if manifest.Config.Digest.String() != want.config {
		return exists
	}
	return nil
}

// pushed describes what the registry holds.
func (r registry) pushed(desc *v1.Descriptor, already bool) (Pushed, error) {
	got, err := r.get(desc)
	if err != nil {
		return Pushed{}, err
	}
	var content remote.Taggable
	if desc.MediaType.IsIndex() {
		content, err = got.ImageIndex()
	} else {
		content, err = got.Image()
	}
	if err != nil {
		return Pushed{}, err
	}
	layers, size, err := contents(content)
	if err != nil {
		return Pushed{}, r.failure(err)
	}
	digest := desc.Digest.String()
	return Pushed{Image: r.ref.WithDigest(digest), Digest: digest, Size: size, Layers: len(layers), Already: already}, nil
}

// files is an image that needs no engine.
type files struct {
	content remote.Taggable
	id      identity
	scratch string
}

func (f files) identity() identity { return f.id }

func (f files) close() { _ = os.RemoveAll(f.scratch) }

func (f files) push(_ context.Context, r registry, n news) (receipt, error) {
	layers, size, _ := contents(f.content) // what cannot be counted is pushed all the same
	c := newCargo(layers, size, n)
	updates := make(chan v1.Update, 16)
	told := c.follow(updates)
	err := remote.Push(r.tag, f.content, append(r.opts[:len(r.opts):len(r.opts)],
		remote.WithProgress(updates), remote.WithTransport(arrivals{r.transport(), c.arrived}))...)
	<-told
	if err != nil {
		return receipt{}, r.failure(err)
	}
	return receipt{f.id.digest, c.had, size}, nil
}

func megabytes(n int64) string {
	if n < 1e6 {
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
