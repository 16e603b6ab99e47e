package build

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// CopyOptions says which image is copied where.
type CopyOptions struct {
	From   image.Reference // needs a digest
	To     image.Reference // without a tag it arrives under its digest alone
	FromAs *Login          // nil: the user's own logins, else as nobody
	ToAs   *Login

	Now func() time.Time // the time of what is told; nil: time.Now
}

// ErrNotThere is what [Copy] returns when the source does not have the image.
var ErrNotThere = errors.New("the image is not there")

// Copy brings an image, or an index with all its images, from one registry to
// another. Manifests and layers travel byte for byte and are checked by their
// digests; layers that the other side has are not sent. A source that is without
// the image, or without the repository, is [ErrNotThere].
func Copy(ctx context.Context, opts CopyOptions, tell story.Teller) error {
	n := newNews(tell, story.Push, opts.Now)
	digest := opts.From.Digest
	n.tell(story.Event{Kind: story.Begin, Message: fmt.Sprintf("copying %s from %s", image.ShortDigest(digest), opts.From.Name())})
	err := copyImage(ctx, opts, n)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	switch {
	case errors.Is(err, ErrNotThere):
		n.tell(story.Event{Kind: story.End, Message: opts.From.Name() + " does not have it"})
		return err
	case err != nil:
		n.tell(story.Event{Kind: story.Failed, Message: fmt.Sprintf("copying from %s: %v", opts.From.Name(), err)})
		return fmt.Errorf("copying %s from %s: %w", image.ShortDigest(digest), opts.From.Name(), err)
	}
	n.tell(story.Event{Kind: story.End, Message: fmt.Sprintf("copied %s from %s", image.ShortDigest(digest), opts.From.Name())})
	return nil
}

func copyImage(ctx context.Context, opts CopyOptions, n news) error {
	from, err := name.NewDigest(opts.From.Name() + "@" + opts.From.Digest)
	if err != nil {
		return fmt.Errorf("reading image reference %s: %w", opts.From, err)
	}
	to, err := newRegistry(ctx, opts.To.WithTag(cmp.Or(opts.To.Tag, "none")), opts.ToAs)
	if err != nil {
		return err
	}
	auth := remote.WithAuthFromKeychain(authn.DefaultKeychain)
	if opts.FromAs != nil {
		auth = remote.WithAuth(&authn.Basic{Username: opts.FromAs.User, Password: opts.FromAs.Password})
	}
	got, err := remote.Get(from, remote.WithContext(ctx), auth, remote.WithTransport(httpsUnlessLoopback{remote.DefaultTransport}))
	if failed, ok := errors.AsType[*transport.Error](err); ok && failed.StatusCode == http.StatusNotFound {
		return ErrNotThere
	}
	if err != nil {
		return registry{ref: opts.From}.failure(err)
	}
	var content remote.Taggable
	if got.MediaType.IsIndex() {
		content, err = got.ImageIndex()
	} else {
		content, err = got.Image()
	}
	if err != nil {
		return err
	}
	if opts.To.Tag == "" {
		if err := remote.Push(to.tag.Digest(opts.From.Digest), content, to.opts...); err != nil {
			return to.failure(err)
		}
		return nil
	}
	id := identity{digest: opts.From.Digest}
	if _, err := (files{content: content, id: id}).push(ctx, to, n); err != nil {
		return err
	}
	after, err := to.head()
	if err == nil && (after == nil || after.Digest.String() != id.digest) {
		err = fmt.Errorf("%s does not stand for it afterwards", opts.To)
	}
	return err
}
