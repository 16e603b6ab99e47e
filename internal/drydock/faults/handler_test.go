package faults

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/plimsoll-ecs/plimsoll/internal/plainbody"
)

// struckServer answers 200 to everything that the rules let through, and
// counts it.
func struckServer(t *testing.T, identify func(*http.Request) Call, rules ...Rule) (server *httptest.Server, made *int) {
	t.Helper()
	made = new(int)
	server = httptest.NewServer(set(t, rules...).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*made++
		_, _ = io.WriteString(w, "{}")
	}), identify))
	t.Cleanup(server.Close)
	return server, made
}

func always(c Call) func(*http.Request) Call { return func(*http.Request) Call { return c } }

// The SDKs read from a fault what they read from AWS.
func TestClientsReadTheErrors(t *testing.T) {
	throttle := Rule{Kind: Throttle, Match: "*"}
	fails := Rule{Kind: Error, Match: "*"}
	own := Rule{Kind: Error, Match: "*", Status: 400, Code: "AccessDeniedException", Message: "not <you> \"there\""}
	for _, c := range []struct {
		service string
		rule    Rule
		want    string
	}{
		{"ecs", throttle, "ThrottlingException: Rate exceeded"},
		{"ecr", throttle, "ThrottlingException: Rate exceeded"},
		{"sts", throttle, "Throttling: Rate exceeded"},
		{"registry", throttle, "TOOMANYREQUESTS: Rate exceeded"},
		{"ecs", fails, "ServerException: Internal Server Error"},
		{"sts", fails, "InternalFailure: Internal Server Error"},
		{"registry", Rule{Kind: Error, Match: "*", Status: 503}, "UNAVAILABLE: Service Unavailable"},
		{"ecs", own, `AccessDeniedException: not <you> "there"`},
		{"sts", own, `AccessDeniedException: not <you> "there"`},
		{"sts", Rule{Kind: Error, Match: "*", Status: 403}, "AccessDenied: Forbidden"},
		{"registry", Rule{Kind: Error, Match: "*", Status: 403}, "DENIED: Forbidden"},
	} {
		server, made := struckServer(t, always(Call{c.service, "X"}), c.rule)
		if err := callOnce(t, c.service, server.URL); err == nil || codeAndMessage(err) != c.want {
			t.Errorf("%s, %s: the client reads %q of %v, want %q", c.service, c.rule.Kind, codeAndMessage(err), err, c.want)
		}
		if *made != 0 {
			t.Errorf("%s, %s: the call was made", c.service, c.rule.Kind)
		}
	}
}

func callOnce(t *testing.T, service, url string) error {
	t.Helper()
	config := aws.Config{
		APIOptions: []func(*middleware.Stack) error{plainbody.Add},
		Region:     "eu-west-1", BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("x", "x", ""),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
	var err error
	switch service {
	case "ecs":
		_, err = ecs.NewFromConfig(config).ListClusters(t.Context(), nil)
	case "ecr":
		_, err = ecr.NewFromConfig(config).DescribeRepositories(t.Context(), nil)
	case "sts":
		_, err = sts.NewFromConfig(config).GetCallerIdentity(t.Context(), nil)
	case "registry":
		ref, parse := name.ParseReference(strings.TrimPrefix(url, "http://") + "/web:v1")
		if parse != nil {
			t.Fatal(parse)
		}
		_, err = remote.Get(ref, remote.WithContext(t.Context()), remote.WithRetryStatusCodes(), remote.WithRetryBackoff(remote.Backoff{Steps: 1}))
	}
	return err
}

func codeAndMessage(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode() + ": " + e.ErrorMessage()
	}
	if e, ok := errors.AsType[*transport.Error](err); ok && len(e.Errors) == 1 {
		return string(e.Errors[0].Code) + ": " + e.Errors[0].Message
	}
	return ""
}

// A dropped call was not made, a lost one was; the client can tell neither
// from the other.
func TestDropAndLose(t *testing.T) {
	for kind, want := range map[Kind]int{Drop: 0, Lose: 1} {
		server, made := struckServer(t, always(Call{"ecs", "X"}), Rule{Kind: kind, Match: "*"})
		err := callOnce(t, "ecs", server.URL)
		if err == nil || codeAndMessage(err) != "" {
			t.Errorf("%s: the client hears %v", kind, err)
		}
		server.Close() // waits for the handler
		if *made != want {
			t.Errorf("%s: the call was made %d times", kind, *made)
		}
	}
}

func TestLatency(t *testing.T) {
	const delay = 50 * time.Millisecond
	server, made := struckServer(t, always(Call{"ecs", "X"}), Rule{Kind: Latency, Match: "*", DelaySeconds: delay.Seconds()})
	began := time.Now()
	if err := callOnce(t, "ecs", server.URL); err != nil || *made != 1 {
		t.Errorf("%d calls, %v", *made, err)
	}
	if took := time.Since(began); took < delay {
		t.Errorf("answered after %v", took)
	}
}

// A client that does not wait for the end of a delay leaves nothing behind.
func TestDelayEndsWithItsClient(t *testing.T) {
	server, made := struckServer(t, always(Call{"ecs", "X"}), Rule{Kind: Latency, Match: "*", DelaySeconds: 300})
	client := &http.Client{Timeout: 20 * time.Millisecond}
	for _, body := range []string{"", strings.Repeat("x", 100_000)} {
		if answer, err := client.Post(server.URL, "", strings.NewReader(body)); err == nil {
			t.Errorf("answered %s", answer.Status)
			_ = answer.Body.Close()
		}
	}
	server.Close() // would wait for the handler
	if *made != 0 {
		t.Error("the call was made, without anybody to hear of it")
	}
}

// A body is what it was, whether it is read before the delay or after.
func TestDelayedBodyArrives(t *testing.T) {
	s := set(t, Rule{Kind: Latency, Match: "*", DelaySeconds: 0.001})
	server := httptest.NewServer(s.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	}), always(Call{})))
	defer server.Close()
	for _, size := range []int{0, 1, 100_000, 3 << 20} {
		body := strings.Repeat("x", size)
		answer, err := http.Post(server.URL, "", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(answer.Body)
		if err := errors.Join(err, answer.Body.Close()); err != nil || string(got) != body {
			t.Errorf("%d bytes of %d, %v", len(got), size, err)
		}
	}
}

func TestNoRulesNoChange(t *testing.T) {
	server, made := struckServer(t, always(Call{"ecs", "X"}))
	if err := callOnce(t, "ecs", server.URL); err != nil || *made != 1 {
		t.Errorf("%d calls, %v", *made, err)
	}
}
