package registry

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecr"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

func TestPushAndPull(t *testing.T) {
	onEveryStore(t, func(t *testing.T, f *fixture) {
		f.repository(t, "team/app")
		pushed := randomImage(t)
		if err := remote.Write(f.ref(t, "team/app:v1"), pushed, f.login()); err != nil {
			t.Fatal(err)
		}
		image := f.describe(t, "team/app", "v1")
		if image["imageDigest"] != digestOf(t, pushed) || image["imagePushedAt"] != float64(f.clock.Now().Unix()) || image["lastRecordedPullTime"] != nil {
			t.Errorf("after the push: %v", image)
		}

		if _, err := remote.Head(f.ref(t, "team/app:v1"), f.login()); err != nil {
			t.Fatal(err)
		}
		if image := f.describe(t, "team/app", "v1"); image["lastRecordedPullTime"] != nil {
			t.Error("a HEAD counts as a pull")
		}

		f.clock.Advance(time.Hour)
		for _, ref := range []string{"team/app:v1", "team/app@" + digestOf(t, pushed)} {
			pulled, err := remote.Image(f.ref(t, ref), f.login())
			if err != nil {
				t.Fatal(err)
			}
			if err := validate.Image(pulled); err != nil { // reads and checks every layer
				t.Error(err)
			}
		}
		if image := f.describe(t, "team/app", "v1"); image["lastRecordedPullTime"] != float64(f.clock.Now().Unix()) {
			t.Errorf("after the pull: %v", image)
		}

		if err := remote.Tag(f.ref(t, "team/app:stable").(name.Tag), pushed, f.login()); err != nil {
			t.Fatal(err)
		}
		tags, err := remote.List(f.ref(t, "team/app").Context(), f.login())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"stable", "v1"}, tags); diff != "" {
			t.Error(diff)
		}
	})
}

func TestIndex(t *testing.T) {
	f := newFixture(t, store.Memory())
	f.repository(t, "app")
	index, err := random.Index(1<<10, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(f.ref(t, "app:multi"), index, f.login()); err != nil {
		t.Fatal(err)
	}
	pulled, err := remote.Index(f.ref(t, "app:multi"), f.login())
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(pulled); err != nil {
		t.Error(err)
	}

	f.repository(t, "other")
	body, err := index.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	status, answer := f.do(t, http.MethodPut, "/v2/other/manifests/multi", body, "Content-Type", "application/vnd.oci.image.index.v1+json")
	if status != http.StatusNotFound || !strings.HasPrefix(answer, "MANIFEST_BLOB_UNKNOWN: Images with digests '[sha256:") {
		t.Errorf("an index without its children: %d %s", status, answer)
	}
}

// do sends a request with the login and answers with the status and either
// the body or "CODE: message" of the error.
func (f *fixture) do(t *testing.T, method, path string, body []byte, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+f.host+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("AWS", f.secret)
	for pair := range slices.Chunk(header, 2) {
		req.Header.Set(pair[0], pair[1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Errors []struct{ Code, Message string }
	}
	if json.Unmarshal(content, &doc) == nil && len(doc.Errors) == 1 {
		return resp.StatusCode, doc.Errors[0].Code + ": " + doc.Errors[0].Message
	}
	if location := resp.Header.Get("Location"); location != "" {
		return resp.StatusCode, location
	}
	return resp.StatusCode, string(content)
}

// refusedWith checks the one error that a registry answered with.
func refusedWith(t *testing.T, err error, status int, code, message string) {
	t.Helper()
	var refused *transport.Error
	if !errors.As(err, &refused) || len(refused.Errors) != 1 {
		t.Fatalf("got %v, want %s", err, code)
	}
	got := refused.Errors[0]
	if refused.StatusCode != status || string(got.Code) != code || got.Message != message {
		t.Errorf("got %d %s %q, want %d %s %q", refused.StatusCode, got.Code, got.Message, status, code, message)
	}
}

func TestRepositoryMustExist(t *testing.T) {
	f := newFixture(t, store.Memory())
	const words = "The repository with name 'none' does not exist in the registry with id '123456789012'"
	refusedWith(t, remote.Write(f.ref(t, "none:v1"), randomImage(t), f.login()), http.StatusNotFound, "NAME_UNKNOWN", words)
	_, err := remote.Get(f.ref(t, "none:v1"), f.login())
	refusedWith(t, err, http.StatusNotFound, "NAME_UNKNOWN", words)
}

func TestImageMustExist(t *testing.T) {
	f := newFixture(t, store.Memory())
	f.repository(t, "app")
	for _, ref := range []string{"app:v1", "app@sha256:" + strings.Repeat("0", 64)} {
		_, err := remote.Get(f.ref(t, ref), f.login())
		refusedWith(t, err, http.StatusNotFound, "MANIFEST_UNKNOWN", "Requested image not found")
	}
}

func TestImmutableTag(t *testing.T) {
	f := newFixture(t, store.Memory())
	f.call(t, "CreateRepository", `{"repositoryName":"app","imageTagMutability":"IMMUTABLE"}`)
	first := randomImage(t)
	if err := remote.Write(f.ref(t, "app:v1"), first, f.login()); err != nil {
		t.Fatal(err)
	}
	const words = "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the repository is immutable."
	refusedWith(t, remote.Write(f.ref(t, "app:v1"), randomImage(t), f.login()), http.StatusBadRequest, "TAG_INVALID", words)
	if image := f.describe(t, "app", "v1"); image["imageDigest"] != digestOf(t, first) {
		t.Error("the tag has moved")
	}
}

func TestTagMoves(t *testing.T) {
	f := newFixture(t, store.Memory())
	f.repository(t, "app")
	first, second := randomImage(t), randomImage(t)
	if err := remote.Write(f.ref(t, "app:v1"), first, f.login()); err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(f.ref(t, "app:v1"), second, f.login()); err != nil {
		t.Fatal(err)
	}
	if image := f.describe(t, "app", "v1"); image["imageDigest"] != digestOf(t, second) {
		t.Error("the tag has not moved")
	}
	if _, err := remote.Get(f.ref(t, "app@"+digestOf(t, first)), f.login()); err != nil {
		t.Error("the image that had the tag is gone:", err)
	}
}

func TestMount(t *testing.T) {
	onEveryStore(t, func(t *testing.T, f *fixture) {
		f.repository(t, "base")
		f.repository(t, "app")
		image := randomImage(t)
		if err := remote.Write(f.ref(t, "base:v1"), image, f.login()); err != nil {
			t.Fatal(err)
		}
		layers, err := image.Layers()
		if err != nil {
			t.Fatal(err)
		}
		digest := digestOf(t, layers[0])
		if status, _ := f.do(t, http.MethodHead, "/v2/app/blobs/"+digest, nil); status != http.StatusNotFound {
			t.Errorf("before the mount: %d", status)
		}
		for from, want := range map[string]int{"base": http.StatusCreated, "none": http.StatusAccepted} {
			status, where := f.do(t, http.MethodPost, "/v2/app/blobs/uploads/?mount="+digest+"&from="+from, nil)
			if status != want {
				t.Errorf("from %s: %d %s", from, status, where)
			}
		}
		if status, _ := f.do(t, http.MethodHead, "/v2/app/blobs/"+digest, nil); status != http.StatusOK {
			t.Errorf("after the mount: %d", status)
		}
	})
}

// The ways of sending a layer that clients have.
func TestBlobUploads(t *testing.T) {
	onEveryStore(t, func(t *testing.T, f *fixture) {
		f.repository(t, "app")
		start := func() string {
			status, where := f.do(t, http.MethodPost, "/v2/app/blobs/uploads/", nil)
			if status != http.StatusAccepted {
				t.Fatalf("start: %d %s", status, where)
			}
			return where
		}
		step := func(want int, method, path string, body []byte, header ...string) string {
			t.Helper()
			status, answer := f.do(t, method, path, body, header...)
			if status != want {
				t.Fatalf("%s: got %d %s, want %d", method, status, answer, want)
			}
			return answer
		}
		content := func(name string) ([]byte, string) {
			body := bytes.Repeat([]byte(name), 10_000)
			return body, fmt.Sprintf("sha256:%x", sha256.Sum256(body))
		}

		body, digest := content("one PUT")
		step(http.StatusCreated, http.MethodPut, start()+"?digest="+digest, body)

		body, digest = content("one POST")
		step(http.StatusCreated, http.MethodPost, "/v2/app/blobs/uploads/?digest="+digest, body)

		body, digest = content("one PATCH")
		where := step(http.StatusAccepted, http.MethodPatch, start(), body) // as docker does
		step(http.StatusCreated, http.MethodPut, where+"?digest="+digest, nil)

		body, digest = content("chunks")
		where = step(http.StatusAccepted, http.MethodPatch, start(), body[:1000], "Content-Range", "0-999")
		step(http.StatusRequestedRangeNotSatisfiable, http.MethodPatch, where, body[500:], "Content-Range", fmt.Sprintf("500-%d", len(body)-1))
		step(http.StatusNoContent, http.MethodGet, where, nil)
		step(http.StatusRequestedRangeNotSatisfiable, http.MethodPut, where+"?digest="+digest, body[500:], "Content-Range", fmt.Sprintf("500-%d", len(body)-1))
		step(http.StatusCreated, http.MethodPut, where+"?digest="+digest, body[1000:], "Content-Range", fmt.Sprintf("1000-%d", len(body)-1))

		step(http.StatusOK, http.MethodHead, "/v2/app/blobs/"+digest, nil)
		if got := step(http.StatusOK, http.MethodGet, "/v2/app/blobs/"+digest, nil); got != string(body) {
			t.Error("other bytes came back")
		}
		if got := step(http.StatusPartialContent, http.MethodGet, "/v2/app/blobs/"+digest, nil, "Range", "bytes=6-11"); got != "chunks" {
			t.Errorf("range: %q", got)
		}
		if got := step(http.StatusPartialContent, http.MethodGet, "/v2/app/blobs/"+digest, nil, "Range", "bytes=59994-"); got != "chunks" {
			t.Errorf("open range: %q", got)
		}
		if got := step(http.StatusPartialContent, http.MethodGet, "/v2/app/blobs/"+digest, nil, "Range", "bytes=-6"); got != "chunks" {
			t.Errorf("range of the end: %q", got)
		}
		if got := step(http.StatusPartialContent, http.MethodGet, "/v2/app/blobs/"+digest, nil, "Range", "bytes=-70000"); got != string(body) {
			t.Errorf("range of more than there is: %d bytes", len(got))
		}
		step(http.StatusRequestedRangeNotSatisfiable, http.MethodGet, "/v2/app/blobs/"+digest, nil, "Range", "bytes=60001-")

		_, other := content("other")
		answer := step(http.StatusBadRequest, http.MethodPut, start()+"?digest="+other, body)
		if !strings.HasPrefix(answer, "DIGEST_INVALID: ") {
			t.Error(answer)
		}
		step(http.StatusNotFound, http.MethodPut, where+"?digest="+digest, nil) // it has ended
		step(http.StatusNotFound, http.MethodGet, "/v2/app/blobs/"+other, nil)
		step(http.StatusMethodNotAllowed, http.MethodDelete, "/v2/app/blobs/"+digest, nil)
	})
}

// A DELETE does what BatchDeleteImage does.
func TestDelete(t *testing.T) {
	f := newFixture(t, store.Memory())
	f.repository(t, "app")
	image := randomImage(t)
	for _, tag := range []string{"v1", "v2", "v3"} {
		if err := remote.Write(f.ref(t, "app:"+tag), image, f.login()); err != nil {
			t.Fatal(err)
		}
	}
	index, err := random.Index(1<<10, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(f.ref(t, "app:multi"), index, f.login()); err != nil {
		t.Fatal(err)
	}
	list, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	child := list.Manifests[0].Digest.String()
	for _, step := range []struct {
		method, reference string
		status            int
		answer            string
	}{
		{http.MethodDelete, "v1", http.StatusAccepted, ""},
		{http.MethodHead, "v1", http.StatusNotFound, ""},
		{http.MethodHead, "v2", http.StatusOK, ""},
		{http.MethodDelete, "v1", http.StatusNotFound, "MANIFEST_UNKNOWN: "},
		{http.MethodDelete, digestOf(t, image), http.StatusAccepted, ""},
		{http.MethodHead, "v2", http.StatusNotFound, ""},
		{http.MethodDelete, child, http.StatusForbidden, "DENIED: Requested image referenced by manifest list: ["},
		{http.MethodDelete, "multi", http.StatusAccepted, ""}, // with the last tag the image goes
		{http.MethodHead, digestOf(t, index), http.StatusNotFound, ""},
		{http.MethodDelete, child, http.StatusAccepted, ""},
	} {
		status, answer := f.do(t, step.method, "/v2/app/manifests/"+step.reference, nil)
		if status != step.status || !strings.HasPrefix(answer, step.answer) {
			t.Errorf("%s %s: got %d %s", step.method, step.reference, status, answer)
		}
	}
	if status, _ := f.do(t, http.MethodDelete, "/v2/none/manifests/v1", nil); status != http.StatusNotFound {
		t.Errorf("of a repository that does not exist: %d", status)
	}
}

// An archived image cannot be pulled, and a push brings it back.
func TestArchivedImage(t *testing.T) {
	f := newFixture(t, store.Memory())
	f.repository(t, "app")
	image := randomImage(t)
	if err := remote.Write(f.ref(t, "app:v1"), image, f.login()); err != nil {
		t.Fatal(err)
	}
	f.call(t, "UpdateImageStorageClass", `{"repositoryName":"app","imageId":{"imageTag":"v1"},"targetStorageClass":"ARCHIVE"}`)
	_, err := remote.Get(f.ref(t, "app:v1"), f.login())
	refusedWith(t, err, http.StatusNotFound, "MANIFEST_UNKNOWN", "Requested image not found")
	if err := remote.Write(f.ref(t, "app:v1"), image, f.login()); err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Get(f.ref(t, "app:v1"), f.login()); err != nil {
		t.Error(err)
	}
}

func TestManifestIsChecked(t *testing.T) {
	f := newFixture(t, store.Memory())
	f.repository(t, "app")
	const kind = "application/vnd.oci.image.index.v1+json"
	index := []byte(`{"schemaVersion":2,"mediaType":"` + kind + `","manifests":[]}`)
	largest := append(slices.Clone(index), bytes.Repeat([]byte(" "), ecr.MaxManifest-len(index))...)
	for name, test := range map[string]struct {
		body   []byte
		status int
		answer string
	}{
		"largest":   {largest, http.StatusCreated, "/v2/app/"},
		"too large": {append(largest, ' '), http.StatusBadRequest, "MANIFEST_INVALID: "},
		"not JSON":  {[]byte(`[`), http.StatusBadRequest, "MANIFEST_INVALID: "},
		"a list":    {[]byte(`[]`), http.StatusBadRequest, "MANIFEST_INVALID: "},
		"schema 1":  {[]byte(`{"schemaVersion":1}`), http.StatusBadRequest, "MANIFEST_INVALID: "},
	} {
		t.Run(name, func(t *testing.T) {
			status, answer := f.do(t, http.MethodPut, "/v2/app/manifests/v1", test.body, "Content-Type", kind)
			if status != test.status || !strings.HasPrefix(answer, test.answer) {
				t.Errorf("got %d %s", status, answer)
			}
		})
	}
}

// A digest that is none is refused as such, not as a page that is not there.
func TestDigestIsChecked(t *testing.T) {
	f := newFixture(t, store.Memory())
	f.repository(t, "app")
	for _, reference := range []string{"sha256:abc", "sha257:" + strings.Repeat("0", 64), "sha256:" + strings.Repeat("0", 64)} {
		status, answer := f.do(t, http.MethodPut, "/v2/app/manifests/"+reference, []byte(`{}`), "Content-Type", "application/vnd.oci.image.index.v1+json")
		if status != http.StatusBadRequest || !strings.HasPrefix(answer, "DIGEST_INVALID: ") {
			t.Errorf("%s: got %d %s", reference, status, answer)
		}
	}
}

func TestLogin(t *testing.T) {
	f := newFixture(t, store.Memory())
	ping := func(user, secret string) (*http.Response, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+f.host+"/v2/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if user != "" {
			req.SetBasicAuth(user, secret)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(body)
	}
	if resp, _ := ping("AWS", f.secret); resp.StatusCode != http.StatusOK {
		t.Errorf("with a token: %s", resp.Status)
	}
	for what, login := range map[string][2]string{
		"no login": {"", ""}, "another user": {"root", f.secret}, "another secret": {"AWS", "secret"},
	} {
		resp, _ := ping(login[0], login[1])
		want := `Basic realm="http://` + f.host + `/",service="ecr.amazonaws.com"`
		if resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("WWW-Authenticate") != want {
			t.Errorf("%s: %s, %s", what, resp.Status, resp.Header.Get("WWW-Authenticate"))
		}
	}
	f.clock.Advance(12 * time.Hour)
	resp, body := ping("AWS", f.secret)
	if resp.StatusCode != http.StatusUnauthorized || !strings.Contains(body, "Your authorization token has expired. Reauthenticate and try again.") {
		t.Errorf("after 12 hours: %s %s", resp.Status, body)
	}
}

// A download address needs no login, and opens nothing else.
func TestDownload(t *testing.T) {
	f := newFixture(t, store.Memory())
	f.repository(t, "app")
	content := []byte("layer")
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(content))
	if status, answer := f.do(t, http.MethodPost, "/v2/app/blobs/uploads/?digest="+digest, content); status != http.StatusCreated {
		t.Fatal(status, answer)
	}
	address := f.call(t, "GetDownloadUrlForLayer", `{"repositoryName":"app","layerDigest":"`+digest+`"}`)["downloadUrl"].(string)
	other, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	other.Path = "/v2/app/tags/list"
	for address, want := range map[string]int{address: http.StatusOK, other.String(): http.StatusUnauthorized} {
		resp, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err := errors.Join(err, resp.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != want || want == http.StatusOK && string(body) != "layer" {
			t.Errorf("%s: %s %q", address, resp.Status, body)
		}
	}
}

func TestCatalog(t *testing.T) {
	f := newFixture(t, store.Memory())
	for _, name := range []string{"c", "a/b"} {
		f.repository(t, name+"x")
	}
	registry, err := name.NewRegistry(f.host)
	if err != nil {
		t.Fatal(err)
	}
	got, err := remote.Catalog(t.Context(), registry, f.login())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a/bx", "cx"}, got); diff != "" {
		t.Error(diff)
	}
}
