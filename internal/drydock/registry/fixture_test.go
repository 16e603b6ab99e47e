package registry

import (
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecr"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

const account = "123456789012"

// fixture is a registry that listens on loopback.
type fixture struct {
	registry *ecr.Registry
	clock    *clock.Clock
	host     string // host:port
	secret   string // of a token that holds
}

// onEveryStore runs a test with blobs in memory and on disk.
func onEveryStore(t *testing.T, test func(*testing.T, *fixture)) {
	t.Run("memory", func(t *testing.T) { test(t, newFixture(t, store.Memory())) })
	t.Run("folder", func(t *testing.T) {
		s, err := store.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		test(t, newFixture(t, s))
	})
}

func newFixture(t *testing.T, s *store.Store) *fixture {
	t.Helper()
	f := &fixture{clock: clock.Manual(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))}
	var err error
	f.registry, err = ecr.New(ecr.Options{
		Account: account, Region: "eu-west-1", Host: func() string { return f.host }, Clock: f.clock, Store: s,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(Handler(f.registry, slog.New(slog.DiscardHandler)))
	t.Cleanup(server.Close)
	f.host = strings.TrimPrefix(server.URL, "http://")
	_, f.secret = f.registry.Credentials()
	return f
}

// call is an operation of the AWS API, past its protocol, which package ecr
// tests with the SDK. It answers with the document.
func (f *fixture) call(t *testing.T, operation, in string) map[string]any {
	t.Helper()
	out, err := f.registry.Service().Operations[operation](t.Context(), wire.Call{Operation: operation, Body: []byte(in)})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := wire.Encode(out)
	if err != nil {
		t.Fatal(err)
	}
	var answer map[string]any
	if err := json.Unmarshal(doc, &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func (f *fixture) repository(t *testing.T, name string) {
	t.Helper()
	f.call(t, "CreateRepository", `{"repositoryName":"`+name+`"}`)
}

// describe is DescribeImages of one tag.
func (f *fixture) describe(t *testing.T, repository, tag string) map[string]any {
	t.Helper()
	out := f.call(t, "DescribeImages", `{"repositoryName":"`+repository+`","imageIds":[{"imageTag":"`+tag+`"}]}`)
	return out["imageDetails"].([]any)[0].(map[string]any)
}

// ref is repository:tag or repository@digest in this registry.
func (f *fixture) ref(t *testing.T, s string) name.Reference {
	t.Helper()
	ref, err := name.ParseReference(f.host + "/" + s)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func (f *fixture) login() remote.Option {
	return remote.WithAuth(&authn.Basic{Username: "AWS", Password: f.secret})
}

// randomImage is an image of two layers.
func randomImage(t *testing.T) v1.Image {
	t.Helper()
	i, err := random.Image(1<<16, 2)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func digestOf(t *testing.T, i interface{ Digest() (v1.Hash, error) }) string {
	t.Helper()
	h, err := i.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return h.String()
}
