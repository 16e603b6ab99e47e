// Package registry is ECR as docker and every other OCI client sees it: the
// distribution API under /v2/.
//
// The protocol is ociserver's, the state and the rules are package ecr's;
// what is here is how the two meet. A push to a repository that does not
// exist, over an immutable tag, or of an index without its children is
// refused in ECR's words, and a pull is recorded.
package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecr"

	"cuelabs.dev/go/oci/ociregistry"
	"cuelabs.dev/go/oci/ociregistry/ociref"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
)

// maxListPage is the longest page of tags that ECR gives; a request for more
// is refused (ociserver, Options.MaxListPageSize).
const maxListPage = 1000

// handler does what a request needs before ociserver sees it.
type handler struct {
	registry *ecr.Registry
	guard    Guard
	log      *slog.Logger
	oci      http.Handler
}

// Guard is who may use the registry besides whoever has a token.
type Guard struct {
	// Anonymous lets everybody in who brings no login.
	Anonymous bool
	// Allow tells whether the principal of a token may make a request; nil
	// lets it. The error's text goes to the client, behind "denied: ".
	Allow func(r *http.Request, principal string) error
}

// Handler serves the registry under /v2/. Clients log in as AWS with the
// password of an authorization token; a download address of
// GetDownloadUrlForLayer needs no login. Refusals are logged at debug level,
// failures at error level.
func Handler(registry *ecr.Registry, log *slog.Logger) http.Handler {
	return Guarded(registry, Guard{}, log)
}

// Guarded is [Handler] with a guard.
func Guarded(registry *ecr.Registry, guard Guard, log *slog.Logger) http.Handler {
	h := &handler{registry: registry, guard: guard, log: log}
	h.oci = ociserver.New(&backend{registry: registry}, &ociserver.Options{
		WriteError:      h.refuse,
		MaxListPageSize: maxListPage,
	})
	return h
}

func (h *handler) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	if err := h.authorize(req); errors.Is(err, ociregistry.ErrDenied) {
		h.refuse(w, req, err)
		return
	} else if err != nil {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf("Basic realm=\"http://%s/\",service=\"ecr.amazonaws.com\"", h.registry.Host()))
		h.refuse(w, req, err)
		return
	}
	h.startWhereNoMount(req)
	h.countFromStart(req)
	if err := checkManifest(req); err != nil {
		h.refuse(w, req, err)
		return
	}
	h.oci.ServeHTTP(w, req)
}

// refuse answers with an error in the form of the distribution API.
func (h *handler) refuse(w http.ResponseWriter, req *http.Request, err error) {
	body, status := ociregistry.MarshalError(err)
	if req.Method == http.MethodDelete && errors.Is(err, ociregistry.ErrUnsupported) {
		status = http.StatusMethodNotAllowed // so the distribution spec has it for deletion alone
	}
	level := slog.LevelDebug
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	h.log.Log(req.Context(), level, "registry refused", "method", req.Method, "path", req.URL.Path, "status", status, "error", err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client hung up: nobody is left to tell
}

func (h *handler) authorize(req *http.Request) error {
	if seal := req.URL.Query().Get("seal"); seal != "" && (req.Method == http.MethodGet || req.Method == http.MethodHead) {
		return unauthorized(h.registry.CheckDownload(req.URL.Path, seal))
	}
	username, secret, given := req.BasicAuth()
	if h.guard.Anonymous && !given {
		return nil
	}
	principal, err := h.registry.Login(username, secret)
	if err != nil || h.guard.Allow == nil {
		return unauthorized(err)
	}
	if err := h.guard.Allow(req, principal); err != nil {
		return ociregistry.NewHTTPError(ociregistry.NewError(err.Error(), ociregistry.ErrDenied.Code(), nil), http.StatusForbidden, nil, nil)
	}
	return nil
}

func unauthorized(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ecr.ErrExpired):
		return ociregistry.NewError("Your authorization token has expired. Reauthenticate and try again.",
			ociregistry.ErrUnauthorized.Code(), nil)
	default:
		return ociregistry.NewError("Not Authorized", ociregistry.ErrUnauthorized.Code(), nil)
	}
}

// startWhereNoMount turns a mount whose source does not have the layer, or any
// mount where the account has put mounting off, into the start of an upload, as the distribution spec wants it; ociserver would
// answer with an error.
func (h *handler) startWhereNoMount(req *http.Request) {
	query := req.URL.Query()
	digest := query.Get("mount")
	if req.Method != http.MethodPost || digest == "" {
		return
	}
	if _, err := h.registry.Layer(query.Get("from"), digest); err != nil || !h.registry.MountsLayers() {
		query.Del("mount")
		query.Del("from")
		req.URL.RawQuery = query.Encode()
	}
}

// countFromStart turns a range of the last n bytes of a blob into one that says
// where it starts. ECR sends clients to S3 for blobs, and S3 has such ranges;
// ociserver has not.
func (h *handler) countFromStart(req *http.Request) {
	suffix, ok := strings.CutPrefix(req.Header.Get("Range"), "bytes=-")
	n, err := strconv.ParseInt(suffix, 10, 64)
	if !ok || err != nil || n <= 0 {
		return
	}
	repository, digest, ok := strings.Cut(strings.TrimPrefix(req.URL.Path, "/v2/"), "/blobs/")
	if !ok {
		return
	}
	if size, err := h.registry.Layer(repository, digest); err == nil {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", max(size-n, 0)))
	}
}

// checkManifest refuses what ociserver would read without a limit, or answer
// with another status than the spec's: a manifest that is larger than ECR's, no
// JSON object, or put under a digest that is none.
func checkManifest(req *http.Request) error {
	_, reference, ok := strings.Cut(req.URL.Path, "/manifests/")
	if req.Method != http.MethodPut || !ok {
		return nil
	}
	if strings.Contains(reference, ":") && !ociref.IsValidDigest(reference) {
		return ociregistry.ErrDigestInvalid
	}
	invalid := func(why string) error {
		return ociregistry.NewError(why, ociregistry.ErrManifestInvalid.Code(), nil)
	}
	body, err := io.ReadAll(io.LimitReader(req.Body, ecr.MaxManifest+1))
	if err != nil {
		return invalid(fmt.Sprintf("reading the manifest: %v", err))
	}
	if len(body) > ecr.MaxManifest {
		return invalid(fmt.Sprintf("the manifest is larger than %d bytes", ecr.MaxManifest))
	}
	var doc struct {
		Subject *ociregistry.Descriptor `json:"subject"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return invalid("Invalid JSON syntax")
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}
