package iam

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
	"github.com/plimsoll-ecs/plimsoll/internal/plainbody"
)

// recorder keeps what it passes on.
type recorder struct {
	http.ResponseWriter
	body io.Writer
}

func (r *recorder) Write(p []byte) (int, error) {
	return io.MultiWriter(r.ResponseWriter, r.body).Write(p)
}

func atNine() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) }

func newIAM(t testing.TB, s *store.Store) *IAM {
	t.Helper()
	i, err := New(Options{Account: "123456789012", Clock: clock.Manual(atNine()), Store: s, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestGetCallerIdentity(t *testing.T) {
	var answer strings.Builder
	mux := wire.NewMux(slog.New(slog.DiscardHandler), newIAM(t, store.Memory()).STS())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(&recorder{w, &answer}, r)
	}))
	defer server.Close()
	client := sts.New(sts.Options{
		APIOptions:   []func(*middleware.Stack) error{plainbody.Add},
		BaseEndpoint: &server.URL,
		Region:       "eu-west-1",
		Credentials:  credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
	})
	got, err := client.GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for what, pair := range map[string][2]string{
		"ARN":     {aws.ToString(got.Arn), "arn:aws:iam::123456789012:user/drydock"},
		"account": {aws.ToString(got.Account), "123456789012"},
		"user":    {aws.ToString(got.UserId), localUserID},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %q, want %q", what, pair[0], pair[1])
		}
	}
	// The SDK for Go reads names in any case, the aws CLI does not.
	for _, name := range []string{"<Arn>", "<UserId>", "<Account>"} {
		if !strings.Contains(answer.String(), name) {
			t.Errorf("no %s in %s", name, answer.String())
		}
	}
}
