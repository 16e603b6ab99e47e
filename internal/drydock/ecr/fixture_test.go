package ecr

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
	"github.com/plimsoll-ecs/plimsoll/internal/plainbody"
)

const (
	account = "123456789012"
	region  = "eu-west-1"
	host    = "127.0.0.1:4566"
)

// start is when every test begins.
func start() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) }

// fixture is a registry with the AWS SDK's client to it.
type fixture struct {
	*ecr.Client
	registry *Registry
	clock    *clock.Clock
	store    *store.Store
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	return fixtureOn(t, store.Memory(), clock.Manual(start()))
}

func fixtureOn(t *testing.T, s *store.Store, c *clock.Clock) *fixture {
	t.Helper()
	r := newRegistry(t, s, c)
	server := httptest.NewServer(wire.NewMux(slog.New(slog.DiscardHandler), r.Service()))
	t.Cleanup(server.Close)
	client := ecr.New(ecr.Options{
		APIOptions:       []func(*middleware.Stack) error{plainbody.Add},
		BaseEndpoint:     &server.URL,
		Region:           region,
		Credentials:      credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		RetryMaxAttempts: 1,
	})
	return &fixture{Client: client, registry: r, clock: c, store: s}
}

// fatal is what testing.T and rapid.T have in common here.
type fatal interface {
	Helper()
	Fatal(...any)
}

func newRegistry(t fatal, s *store.Store, c *clock.Clock) *Registry {
	t.Helper()
	r, err := New(Options{Account: account, Region: region, Host: func() string { return host }, Clock: c, Store: s, Events: new(told)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// told is the events that a registry sent, each as one line of JSON behind its
// type and resources.
type told []string

func (l *told) Emit(_ time.Time, detailType string, resources []string, detail any) {
	doc, err := json.Marshal(detail)
	if err != nil {
		doc = []byte(err.Error())
	}
	*l = append(*l, strings.TrimSpace(detailType+" "+strings.Join(resources, ","))+" "+string(doc))
}

// events is what was told since the last call.
func (f *fixture) events() []string {
	all := f.registry.events.(*told)
	f.registry.mu.Lock()
	defer f.registry.mu.Unlock()
	out := *all
	*all = nil
	return out
}

// repository creates a repository; the options change the request.
func (f *fixture) repository(t *testing.T, name string, change ...func(*ecr.CreateRepositoryInput)) *types.Repository {
	t.Helper()
	in := &ecr.CreateRepositoryInput{RepositoryName: &name}
	for _, c := range change {
		c(in)
	}
	out, err := f.CreateRepository(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out.Repository
}

func mutability(m types.ImageTagMutability, filters ...string) func(*ecr.CreateRepositoryInput) {
	return func(in *ecr.CreateRepositoryInput) {
		in.ImageTagMutability = m
		in.ImageTagMutabilityExclusionFilters = exclusions(filters...)
	}
}

func exclusions(filters ...string) []types.ImageTagMutabilityExclusionFilter {
	var list []types.ImageTagMutabilityExclusionFilter
	for _, f := range filters {
		list = append(list, types.ImageTagMutabilityExclusionFilter{
			Filter: aws.String(f), FilterType: types.ImageTagMutabilityExclusionFilterTypeWildcard,
		})
	}
	return list
}

func digestOf(content []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(content)) }

func addLayer(t fatal, r *Registry, repository string, content []byte) string {
	t.Helper()
	u, err := r.StartUpload(repository)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(content); err != nil {
		t.Fatal(err)
	}
	digest := digestOf(content)
	if err := u.Commit(digest); err != nil {
		t.Fatal(err)
	}
	return digest
}

// imageOf uploads the layer and configuration of an image that is told apart
// by its name, and answers with its manifest. "NAME finds critical:1" is one
// whose label says what a scan finds.
func imageOf(t fatal, r *Registry, repository, name, platform string) []byte {
	t.Helper()
	os, arch, _ := strings.Cut(platform, "/")
	name, findings, some := strings.Cut(name, " finds ")
	labels := map[string]string{"name": name}
	if some {
		labels[findingsLabel] = findings
	}
	config := fmt.Appendf(nil, `{"os":%q,"architecture":%q,"config":{"Labels":%s,"Env":["A=1"],"Cmd":["run"],"ExposedPorts":{"80/tcp":{},"443/tcp":{}}}}`, os, arch, marshal(t, labels))
	layer := []byte("layer of " + name)
	return marshal(t, map[string]any{
		"schemaVersion": 2,
		"mediaType":     ociManifest,
		"config": map[string]any{
			"mediaType": "application/vnd.oci.image.config.v1+json", "digest": addLayer(t, r, repository, config), "size": len(config),
		},
		"layers": []any{map[string]any{
			"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": addLayer(t, r, repository, layer), "size": len(layer),
		}},
	})
}

// indexOf is an index of manifests by their platforms, as "linux/arm64".
func indexOf(t fatal, children map[string][]byte) []byte {
	t.Helper()
	list := []any{}
	for platform, child := range children {
		os, arch, _ := strings.Cut(platform, "/")
		list = append(list, map[string]any{
			"mediaType": ociManifest, "digest": digestOf(child), "size": len(child),
			"platform": map[string]any{"os": os, "architecture": arch},
		})
	}
	return marshal(t, map[string]any{"schemaVersion": 2, "mediaType": ociIndex, "manifests": list})
}

func marshal(t fatal, v any) []byte {
	t.Helper()
	doc, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// put is PutImage.
func (f *fixture) put(ctx context.Context, repository, tag string, manifest []byte) error {
	in := &ecr.PutImageInput{RepositoryName: &repository, ImageManifest: aws.String(string(manifest))}
	if tag != "" {
		in.ImageTag = &tag
	}
	_, err := f.PutImage(ctx, in)
	return err
}

// push makes an image and puts it; the digest is the answer.
func (f *fixture) push(t *testing.T, repository, tag, name string) string {
	t.Helper()
	m := imageOf(t, f.registry, repository, name, "linux/amd64")
	if err := f.put(t.Context(), repository, tag, m); err != nil {
		t.Fatal(err)
	}
	return digestOf(m)
}

// image is DescribeImages of one digest.
func (f *fixture) image(t *testing.T, repository, digest string) types.ImageDetail {
	t.Helper()
	out, err := f.DescribeImages(t.Context(), &ecr.DescribeImagesInput{
		RepositoryName: &repository, ImageIds: []types.ImageIdentifier{{ImageDigest: &digest}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.ImageDetails[0]
}

// wantCode checks the code of an AWS error; "" is none. It answers with the
// message.
func wantCode(t *testing.T, err error, code string) string {
	t.Helper()
	var api smithy.APIError
	switch {
	case err == nil && code == "":
		return ""
	case !errors.As(err, &api) || api.ErrorCode() != code:
		t.Fatalf("got error %v, want %q", err, code)
	}
	return api.ErrorMessage()
}
