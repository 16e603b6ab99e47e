package secretsmanager

import (
	"errors"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
	"github.com/plimsoll-ecs/plimsoll/internal/plainbody"
)

func start() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) }

// fixture is a manager with the AWS SDK's client to it.
type fixture struct {
	*secretsmanager.Client
	manager *Manager
	clock   *clock.Clock
	store   *store.Store
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	return fixtureOn(t, store.Memory(), clock.Manual(start()))
}

func fixtureOn(t *testing.T, st *store.Store, c *clock.Clock) *fixture {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	m, err := New(Options{Account: "123456789012", Region: "eu-west-1", Clock: c, Store: st, Log: log, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(wire.NewMux(log, m.Service()))
	t.Cleanup(server.Close)
	return &fixture{secretsmanager.New(secretsmanager.Options{
		APIOptions: []func(*middleware.Stack) error{plainbody.Add}, BaseEndpoint: &server.URL, Region: "eu-west-1",
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""), RetryMaxAttempts: 1,
	}), m, c, st}
}

// refused checks the code of a refusal, and its message unless that is "".
func refused(t *testing.T, err error, code, message string) {
	t.Helper()
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok || api.ErrorCode() != code || message != "" && api.ErrorMessage() != message {
		t.Errorf("got %v, want %s: %s", err, code, message)
	}
}

// must is the answer of a call that must succeed.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
