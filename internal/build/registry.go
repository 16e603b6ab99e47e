package build

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// registry is the repository and the tag that something is pushed to.
type registry struct {
	ref  image.Reference
	tag  name.Tag
	opts []remote.Option
}

func newRegistry(ctx context.Context, ref image.Reference, login *Login) (registry, error) {
	full, err := tagged(ref)
	if err != nil {
		return registry{}, err
	}
	tag, err := name.NewTag(full)
	if err != nil {
		return registry{}, fmt.Errorf("reading image reference %s: %w", full, err)
	}
	auth := remote.WithAuthFromKeychain(authn.DefaultKeychain)
	if login != nil {
		auth = remote.WithAuth(&authn.Basic{Username: login.User, Password: login.Password})
	}
	r := registry{ref: ref.WithTag(ref.Tag), tag: tag}
	r.opts = []remote.Option{remote.WithContext(ctx), auth, remote.WithTransport(r.transport())}
	return r, nil
}

// transport is how requests to the registry go.
func (r registry) transport() http.RoundTripper { return httpsUnlessLoopback{remote.DefaultTransport} }

// head is what the tag names now; nil when nothing. A repository that does
// not exist looks the same here: the answer to HEAD has no text.
func (r registry) head() (*v1.Descriptor, error) {
	desc, err := remote.Head(r.tag, r.opts...)
	if failed, ok := errors.AsType[*transport.Error](err); ok && failed.StatusCode == http.StatusNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, r.failure(err)
	}
	return desc, nil
}

// get fetches the manifest that a descriptor names.
func (r registry) get(desc *v1.Descriptor) (*remote.Descriptor, error) {
	got, err := remote.Get(r.tag.Digest(desc.Digest.String()), r.opts...)
	if err != nil {
		return nil, r.failure(err)
	}
	return got, nil
}

// failure makes the registry's refusals the errors of this package.
func (r registry) failure(err error) error {
	failed, ok := errors.AsType[*transport.Error](err)
	if !ok {
		return err
	}
	for _, d := range failed.Errors {
		if refusal := r.refusal(string(d.Code), d.Message); refusal != nil {
			return refusal
		}
	}
	if failed.StatusCode == http.StatusUnauthorized || failed.StatusCode == http.StatusForbidden {
		return &AuthError{Registry: r.ref.Registry, Message: http.StatusText(failed.StatusCode)}
	}
	return err
}

// refusal is the error for a code of the OCI distribution spec; nil for one
// that has no meaning of its own here.
func (r registry) refusal(code, message string) error {
	switch code {
	case "TAG_INVALID":
		// ECR's words for a tag that is immutable; since 2025, when single
		// tags can be, "… because the tag is immutable".
		if strings.Contains(message, "immutable") {
			return &TagExistsError{Ref: r.ref}
		}
	case "NAME_UNKNOWN":
		return &RepositoryMissingError{Repository: r.ref.Name(), Message: message}
	case "UNAUTHORIZED", "DENIED":
		return &AuthError{Registry: r.ref.Registry, Message: message}
	}
	return nil
}

// httpsUnlessLoopback allows plain http where docker does without being told:
// on this machine. go-containerregistry would also fall back to it in private
// networks, and send the password along.
type httpsUnlessLoopback struct{ next http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (t httpsUnlessLoopback) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" && !loopback(req.URL) {
		return nil, fmt.Errorf("registry %s does not speak https", req.URL.Host)
	}
	return t.next.RoundTrip(req)
}

func loopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
