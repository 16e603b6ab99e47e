package signature

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"pgregory.net/rapid"
)

func nine() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) }

const body = "Action=ListRoles&Version=2010-05-08"

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// received is a request as a server has it, signed by the SDK's own signer.
func received(t testing.TB, target, content string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "http://127.0.0.1:4566"+target, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Amz-Target", "  two   spaces ")
	who := aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret", SessionToken: "token"}
	if err := v4.NewSigner().SignHTTP(context.Background(), who, r, hashOf(content), "iam", "us-east-1", nine()); err != nil {
		t.Fatal(err)
	}
	var wire bytes.Buffer
	if err := r.Write(&wire); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(wire.Bytes(), []byte("\r\n\r\n"))
	out := httptest.NewRequest(r.Method, r.URL.RequestURI(), bytes.NewReader(rest))
	out.Host, out.Header = r.URL.Host, r.Header.Clone()
	return out
}

func check(r *http.Request, secret string, clocks ...time.Time) error {
	s, err := Read(r)
	if err != nil {
		return err
	}
	return s.Check(r, secret, 1<<20, clocks...)
}

func TestSignedByTheSDK(t *testing.T) {
	for _, target := range []string{"/", "/?b=2&a=1%2F2&a=0&empty", "/a%20b/c+d"} {
		r := received(t, target, body)
		s, err := Read(r)
		if err != nil || s.AccessKey != "AKIDEXAMPLE" || s.Region != "us-east-1" || s.Service != "iam" || s.Token != "token" {
			t.Fatalf("%+v, %v", s, err)
		}
		if err := check(r, "secret", nine().Add(time.Minute)); err != nil {
			t.Errorf("%s: %v", target, err)
		}
		if again, _ := io.ReadAll(r.Body); string(again) != body {
			t.Errorf("the body is %q afterwards", again)
		}
	}
}

// Whatever is changed after it was signed is noticed.
func TestTampering(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"method":     func(r *http.Request) { r.Method = http.MethodPut },
		"path":       func(r *http.Request) { r.URL.Path = "/x" },
		"query":      func(r *http.Request) { r.URL.RawQuery = "Action=DeleteRole" },
		"host":       func(r *http.Request) { r.Host = "127.0.0.1:1" },
		"header":     func(r *http.Request) { r.Header.Set("X-Amz-Target", "other") },
		"body":       func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("Action=DeleteRole")) },
		"scope":      func(r *http.Request) { replace(r, "us-east-1", "eu-west-1") },
		"token":      func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "other") },
		"no host":    func(r *http.Request) { replace(r, "host;", "") },
		"the secret": func(r *http.Request) { replace(r, "Signature=", "Signature=0") },
		"stated": func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader("Action=DeleteRole"))
			r.Header.Set("X-Amz-Content-Sha256", hashOf(body))
		},
	} {
		r := received(t, "/", body)
		change(r)
		if err := check(r, "secret", nine()); !errors.Is(err, ErrMismatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := check(received(t, "/", body), "Secret", nine()); !errors.Is(err, ErrMismatch) {
		t.Errorf("another secret: %v", err)
	}
}

func replace(r *http.Request, old, with string) {
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, with, 1))
}

func TestTime(t *testing.T) {
	late := nine().Add(Tolerance + time.Second)
	if err := check(received(t, "/", body), "secret", late, nine().Add(-Tolerance-time.Second)); !errors.Is(err, ErrSkewed) {
		t.Errorf("out of time by both clocks: %v", err)
	}
	if err := check(received(t, "/", body), "secret", late, nine()); err != nil {
		t.Errorf("in time by one clock: %v", err)
	}
}

func TestPresigned(t *testing.T) {
	presigned := func() *http.Request {
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:4566/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=60", nil)
		who := aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret", SessionToken: "to/ken"}
		address, _, err := v4.NewSigner().PresignHTTP(t.Context(), who, r, hashOf(""), "sts", "us-east-1", nine())
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		return httptest.NewRequest(http.MethodGet, u.String(), nil)
	}
	if err := check(presigned(), "secret", nine().Add(59*time.Second)); err != nil {
		t.Error(err)
	}
	if err := check(presigned(), "secret", nine().Add(61*time.Second)); !errors.Is(err, ErrSkewed) {
		t.Errorf("expired: %v", err)
	}
	r := presigned()
	r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "GetCallerIdentity", "AssumeRole", 1)
	if err := check(r, "secret", nine()); !errors.Is(err, ErrMismatch) {
		t.Errorf("another action: %v", err)
	}
}

// Whatever stands in the header is one clear error.
func TestAnyHeader(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header["Authorization"] = []string{rapid.SampledFrom([]string{"", "AWS4-HMAC-SHA256 ", "Basic "}).Draw(t, "scheme") + rapid.StringOf(rapid.RuneFrom([]rune("Credential=/,Signature SgndHrs;20261121"))).Draw(t, "rest")}
		r.Header["X-Amz-Date"] = []string{rapid.SampledFrom([]string{"", "20261121T090000Z", "x"}).Draw(t, "date")}
		err := check(r, "secret", nine())
		if !errors.Is(err, ErrUnsigned) && !errors.Is(err, ErrIncomplete) && !errors.Is(err, ErrMismatch) && !errors.Is(err, ErrSkewed) {
			t.Fatalf("%v", err)
		}
	})
}
