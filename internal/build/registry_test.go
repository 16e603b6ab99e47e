package build

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"cuelabs.dev/go/oci/ociregistry"
	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// testRegistry is a real OCI registry on loopback that refuses what ECR does.
type testRegistry struct {
	ociregistry.Interface
	host string

	immutable atomic.Bool  // tags cannot be overwritten
	password  string       // "" lets everyone in
	manifests atomic.Int64 // how many were pushed
	flaky     atomic.Int64 // how many requests fail first
}

// missing is the repository that does not exist; all others do.
const missing = "none"

func startRegistry(t *testing.T, password string) *testRegistry {
	t.Helper()
	r := &testRegistry{Interface: ocimem.New(), password: password}
	oci := ociserver.New(r, nil)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if r.flaky.Add(-1) >= 0 {
			http.Error(w, "try again", http.StatusServiceUnavailable)
			return
		}
		if _, password, _ := req.BasicAuth(); r.password != "" && password != r.password {
			w.Header().Set("WWW-Authenticate", `Basic realm="ecr"`)
			http.Error(w, "Not Authorized", http.StatusUnauthorized) // ECR's own text
			return
		}
		oci.ServeHTTP(w, req)
	}))
	t.Cleanup(server.Close)
	r.host = strings.TrimPrefix(server.URL, "http://")
	return r
}

// ref is an image in this registry.
func (r *testRegistry) ref(repository, tag string) image.Reference {
	return image.Reference{Registry: r.host, Repository: repository, Tag: tag}
}

func nameUnknown(repo string) error {
	if repo != missing {
		return nil
	}
	return ociregistry.NewError("The repository with name '"+repo+"' does not exist in the registry with id '123456789012'", "NAME_UNKNOWN", nil)
}

// PushBlob implements ociregistry.Interface.
func (r *testRegistry) PushBlob(ctx context.Context, repo string, desc ociregistry.Descriptor, content io.Reader) (ociregistry.Descriptor, error) {
	if err := nameUnknown(repo); err != nil {
		return ociregistry.Descriptor{}, err
	}
	return r.Interface.PushBlob(ctx, repo, desc, content)
}

// PushBlobChunked implements ociregistry.Interface.
func (r *testRegistry) PushBlobChunked(ctx context.Context, repo string, size int) (ociregistry.BlobWriter, error) {
	if err := nameUnknown(repo); err != nil {
		return nil, err
	}
	return r.Interface.PushBlobChunked(ctx, repo, size)
}

// PushManifest implements ociregistry.Interface.
func (r *testRegistry) PushManifest(ctx context.Context, repo, tag string, data []byte, mediaType string) (ociregistry.Descriptor, error) {
	r.manifests.Add(1)
	if r.immutable.Load() && tag != "" {
		return ociregistry.Descriptor{}, ociregistry.NewHTTPError(ociregistry.NewError("The image tag '"+tag+"' already exists in the '"+repo+
			"' repository and cannot be overwritten because the repository is immutable.", "TAG_INVALID", nil), http.StatusBadRequest, nil, nil)
	}
	return r.Interface.PushManifest(ctx, repo, tag, data, mediaType)
}
