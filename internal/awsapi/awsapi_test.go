package awsapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// wire is an endpoint that answers with given bytes and keeps what it got. It
// shows what goes over the wire; what AWS makes of it is tested on drydock.
type wire struct {
	*httptest.Server
	mu      sync.Mutex
	answers []answer // one a request; the last one stays
	got     []received
}

type answer struct {
	status int
	body   string
}

type received struct {
	operation string
	header    http.Header
	host      string
	body      string
}

func newWire(t *testing.T, answers ...answer) *wire {
	w := &wire{answers: answers}
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.mu.Lock()
		defer w.mu.Unlock()
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		w.got = append(w.got, received{operation, r.Header, r.Host, string(body)})
		a := w.answers[0]
		if len(w.answers) > 1 {
			w.answers = w.answers[1:]
		}
		rw.Header().Set("Content-Type", "application/x-amz-json-1.1")
		rw.WriteHeader(a.status)
		_, _ = io.WriteString(rw, a.body)
	}))
	t.Cleanup(w.Close)
	return w
}

// environment is a shell with nothing of AWS in it but keys and a region.
func environment(t *testing.T) {
	for _, name := range []string{"AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_SESSION_TOKEN"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
}

func client(t *testing.T, w *wire) *Client {
	t.Helper()
	environment(t)
	t.Setenv("AWS_ENDPOINT_URL", w.URL)
	c, err := New(t.Context(), Options{Attempts: 3})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A document with members that no SDK knows, an odd order, odd spaces, and
// numbers that a float would not keep.
const odd = `{ "zeta":{"new":[1.50,12345678901234567890]},"family":"web" ,"containerDefinitions":[{"image":"x","name":"web","brandNew":null}]}`

func TestTaskDefinitionsPassThroughByteForByte(t *testing.T) {
	reply := `{"taskDefinition":` + odd + `, "tags":[]}`
	w := newWire(t, answer{200, reply})
	c := client(t, w)
	got, err := c.TaskDefinition(t.Context(), "web")
	if err != nil || string(got) != reply {
		t.Errorf("read %s, %v", got, err)
	}
	got, err = c.Register(t.Context(), []byte(odd))
	if err != nil || string(got) != reply {
		t.Errorf("registered %s, %v", got, err)
	}
	sent := w.got[1]
	if sent.operation != "RegisterTaskDefinition" || sent.body != odd {
		t.Errorf("sent %s %s", sent.operation, sent.body)
	}
	checkSignature(t, sent, "ecs", "eu-west-1")
}

// checkSignature signs what arrived again: the signature must cover the bytes
// that were sent, not those that they replaced.
func checkSignature(t *testing.T, got received, service, region string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, "http://"+got.host+"/", strings.NewReader(got.body))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(got.header.Get("Authorization"), "SignedHeaders=")
	signed, _, _ := strings.Cut(rest, ",")
	for name := range strings.SplitSeq(signed, ";") {
		if name != "host" && name != "content-length" {
			request.Header.Set(name, got.header.Get(name))
		}
	}
	at, err := time.Parse("20060102T150405Z", got.header.Get("X-Amz-Date"))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(got.body))
	err = v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "not-a-secret"},
		request, hex.EncodeToString(sum[:]), service, region, at)
	if err != nil {
		t.Fatal(err)
	}
	if want := request.Header.Get("Authorization"); got.header.Get("Authorization") != want {
		t.Errorf("signature %s\nwant %s", got.header.Get("Authorization"), want)
	}
}

func TestRegisterIsRetriedWithItsWholeBody(t *testing.T) {
	w := newWire(t, answer{500, `{"__type":"ServerException","message":"try again"}`}, answer{200, `{"taskDefinition":` + odd + `}`})
	if _, err := client(t, w).Register(t.Context(), []byte(odd)); err != nil {
		t.Fatal(err)
	}
	if len(w.got) != 2 || w.got[0].body != odd || w.got[1].body != odd {
		t.Errorf("got %+v", w.got)
	}
}

func TestRegisterTakesOnlyJSON(t *testing.T) {
	w := newWire(t, answer{200, `{}`})
	if _, err := client(t, w).Register(t.Context(), []byte(`{"family":`)); err == nil || len(w.got) != 0 {
		t.Errorf("%v, %d requests", err, len(w.got))
	}
}

func TestErrorsHaveTheirKind(t *testing.T) {
	for _, tc := range []struct {
		code, message string
		kind          deploy.Kind
	}{
		{"ClusterNotFoundException", "Cluster not found.", deploy.NotFound},
		{"ServiceNotFoundException", "Service not found.", deploy.NotFound},
		{"ClientException", "Unable to describe task definition.", deploy.NotFound},
		{"ClientException", "TaskDefinition is inactive", ""},
		{"AccessDeniedException", "User: x is not authorized to perform: ecs:DescribeServices", deploy.Denied},
		{"ThrottlingException", "Rate exceeded", deploy.Throttled},
		{"ConflictException", "too late", deploy.Conflict},
		{"UnknownOperationException", "drydock has no operation X", deploy.Unsupported},
		{"InvalidParameterException", "no", ""},
	} {
		t.Run(tc.code+" "+tc.message, func(t *testing.T) {
			w := newWire(t, answer{400, fmt.Sprintf(`{"__type":%q,"message":%q}`, tc.code, tc.message)})
			environment(t)
			c, err := New(t.Context(), Options{Endpoint: w.URL, Attempts: 1})
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Service(t.Context(), "prod", "web")
			var e *Error
			if !errors.As(err, &e) || e.Code != tc.code || err.Error() != "read service prod/web: "+tc.code+": "+tc.message {
				t.Fatalf("error %v", err)
			}
			for _, kind := range []deploy.Kind{deploy.NotFound, deploy.Denied, deploy.Throttled, deploy.Conflict, deploy.Unsupported} {
				if errors.Is(err, kind) != (kind == tc.kind) {
					t.Errorf("is %q: %t", kind, errors.Is(err, kind))
				}
			}
		})
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	w := newWire(t, answer{200, `{"services":[],"failures":[{"arn":"x","reason":"MISSING"}]}`}, answer{200, `{"clusters":[]}`})
	c := client(t, w)
	if _, err := c.Service(t.Context(), "prod", "web"); !errors.Is(err, deploy.NotFound) {
		t.Errorf("service: %v", err)
	}
	if _, err := c.Cluster(t.Context(), "prod"); !errors.Is(err, deploy.NotFound) {
		t.Errorf("cluster: %v", err)
	}
}

func TestService(t *testing.T) {
	w := newWire(t, answer{200, `{"services":[{"serviceArn":"arn:s","serviceName":"web","status":"ACTIVE","desiredCount":2,"runningCount":1,"pendingCount":1,
		"taskDefinition":"arn:td:7","currentServiceDeployment":"arn:sd","tags":[{"key":"a","value":"b"}],
		"deployments":[{"id":"ecs-svc/1","status":"PRIMARY","taskDefinition":"arn:td:7","rolloutState":"IN_PROGRESS","rolloutStateReason":"in progress","desiredCount":2,"runningCount":1,"pendingCount":1,"failedTasks":3,"createdAt":1760000000.5}],
		"events":[{"id":"e1","createdAt":1760000001,"message":"hello"}]}]}`})
	s, err := client(t, w).Service(t.Context(), "prod", "web")
	if err != nil {
		t.Fatal(err)
	}
	d := s.Deployments[0]
	if s.Controller != "ECS" || s.Desired != 2 || s.Record != "arn:sd" || s.Tags["a"] != "b" || s.Events[0].Message != "hello" ||
		d.ID != "ecs-svc/1" || d.FailedTasks != 3 || d.RolloutReason != "in progress" || d.CreatedAt.UnixMilli() != 1760000000500 {
		t.Errorf("%+v", s)
	}
}

func TestUpdateSendsNothingButWhatWasAsked(t *testing.T) {
	w := newWire(t, answer{200, `{"service":{"serviceName":"web"}}`})
	zero := 0
	if _, err := client(t, w).UpdateService(t.Context(), deploy.Update{Cluster: "prod", Service: "web", Desired: &zero}); err != nil {
		t.Fatal(err)
	}
	if got := w.got[0].body; strings.Contains(got, "taskDefinition") || !strings.Contains(got, `"desiredCount":0`) || strings.Contains(got, "Configuration") {
		t.Errorf("sent %s", got)
	}
}

func TestDigestGoesToTheRegistryOfTheImage(t *testing.T) {
	w := newWire(t, answer{200, `{"imageDetails":[{"imageDigest":"sha256:1"}]}`})
	c := client(t, w)
	own := strings.TrimPrefix(w.URL, "http://")
	for _, tc := range []struct {
		registry string
		want     string // a part of the request
	}{
		{"123456789012.dkr.ecr.us-east-2.amazonaws.com", `"registryId":"123456789012"`},
		{own, `"imageTag":"v1"`},
	} {
		digest, err := c.Digest(t.Context(), image.Reference{Registry: tc.registry, Repository: "web", Tag: "v1"})
		if err != nil || digest != "sha256:1" {
			t.Fatalf("%s: %s, %v", tc.registry, digest, err)
		}
		if got := w.got[len(w.got)-1].body; !strings.Contains(got, tc.want) {
			t.Errorf("sent %s, want %s", got, tc.want)
		}
	}
	if got := w.got[0].header.Get("Authorization"); !strings.Contains(got, "/us-east-2/ecr/") {
		t.Errorf("signed for %s", got)
	}
	if _, err := c.Digest(t.Context(), image.Reference{Registry: "ghcr.io", Repository: "web", Tag: "v1"}); !errors.Is(err, deploy.Unsupported) {
		t.Errorf("ghcr.io: %v", err)
	}
}

func TestLoginDoesNotShowItsPassword(t *testing.T) {
	token := base64.StdEncoding.EncodeToString([]byte("AWS:hunter2"))
	w := newWire(t, answer{200, `{"authorizationData":[{"authorizationToken":"` + token + `","expiresAt":1760000000,"proxyEndpoint":"http://127.0.0.1:5000"}]}`})
	login, err := client(t, w).Login(t.Context(), "123456789012.dkr.ecr.eu-west-1.amazonaws.com")
	if err != nil || login.User != "AWS" || login.Password != "hunter2" || login.Endpoint != "http://127.0.0.1:5000" {
		t.Fatalf("%q %q, %v", login.User, login.Endpoint, err)
	}
	for _, form := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(form, login); strings.Contains(got, "hunter2") {
			t.Errorf("%s shows %s", form, got)
		}
	}
}

func FuzzParseLogin(f *testing.F) {
	f.Add(base64.StdEncoding.EncodeToString([]byte("AWS:x")), "https://r.example")
	f.Add("not base64", "::")
	f.Add("QVdTOg==", "")
	f.Fuzz(func(t *testing.T, token, endpoint string) {
		login, err := parseLogin(types.AuthorizationData{AuthorizationToken: &token, ProxyEndpoint: &endpoint}, "r.example")
		if err == nil && (login.User == "" || login.Password == "" || login.Endpoint == "") {
			t.Errorf("accepted %q as %v", token, login)
		}
		if err != nil && len(token) > 12 && strings.Contains(err.Error(), token) {
			t.Errorf("the error shows the token: %v", err)
		}
	})
}

func TestSetupErrorsSayWhatToSet(t *testing.T) {
	environment(t)
	t.Setenv("AWS_REGION", "")
	var setup *SetupError
	if _, err := New(t.Context(), Options{}); !errors.As(err, &setup) || !strings.Contains(setup.Hint(), "AWS_REGION") {
		t.Errorf("no region: %v", err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	c, err := New(t.Context(), Options{Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Caller(t.Context()); !errors.As(err, &setup) || !strings.Contains(setup.Hint(), "AWS_WEB_IDENTITY_TOKEN_FILE") || !errors.Is(err, deploy.Setup) {
		t.Errorf("no credentials: %v", err)
	}
}

func TestBudgetIsHalfOfTheBucketAndSharedByItsOperations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget()
		call := func(operation string) {
			stack := middleware.NewStack(operation, func() any { return nil })
			if err := stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("Retry", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				return next.HandleFinalize(ctx, in)
			}), middleware.After); err != nil {
				t.Fatal(err)
			}
			if err := stack.Initialize.Add(&awsmiddleware.RegisterServiceMetadata{OperationName: operation}, middleware.Before); err != nil {
				t.Fatal(err)
			}
			if err := b.add(stack); err != nil {
				t.Fatal(err)
			}
			handler := middleware.DecorateHandler(middleware.HandlerFunc(func(context.Context, any) (any, middleware.Metadata, error) {
				return nil, middleware.Metadata{}, nil
			}), stack)
			if _, _, err := handler.Handle(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		for range 10 {
			call("RegisterTaskDefinition")
		}
		call("ExecuteCommand") // in no bucket of ours
		if d := time.Since(began); d != 0 {
			t.Errorf("the burst took %s", d)
		}
		call("DeregisterTaskDefinition")
		if d := time.Since(began); d != 2*time.Second {
			t.Errorf("the next call came after %s, want 2s", d)
		}
	})
}

func TestDeniedAccessNamesTheAction(t *testing.T) {
	for message, action := range map[string]string{
		"User: arn:aws:iam::123456789012:user/ci is not authorized to perform: ecs:DescribeServices on resource: *":           "ecs:DescribeServices",
		"User: arn:aws:iam::123456789012:user/ci is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:role": "iam:PassRole",
		"": "ecs:DescribeServices",
	} {
		w := newWire(t, answer{400, fmt.Sprintf(`{"__type":"AccessDeniedException","message":%q}`, message)})
		_, err := client(t, w).Service(t.Context(), "prod", "web")
		var e *Error
		if !errors.As(err, &e) || e.Hint() != "allow "+action+" to the role that runs this" {
			t.Errorf("%q: %v", message, err)
		}
	}
}

func TestLogHasCallsAndNoContents(t *testing.T) {
	w := newWire(t, answer{500, `{"__type":"ServerException","message":"try again"}`},
		answer{200, `{"authorizationData":[{"authorizationToken":"` + base64.StdEncoding.EncodeToString([]byte("AWS:hunter2")) + `"}]}`},
		answer{400, `{"__type":"ClientException","message":"no"}`})
	environment(t)
	var log strings.Builder
	c, err := New(t.Context(), Options{Endpoint: w.URL, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Login(t.Context(), strings.TrimPrefix(w.URL, "http://")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Register(t.Context(), []byte(odd)); err == nil {
		t.Fatal("registered")
	}
	for _, want := range []string{
		"operation=GetAuthorizationToken", "took=", "attempts=2", "try again", "operation=RegisterTaskDefinition", "error=", "ClientException",
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in\n%s", want, log.String())
		}
	}
	for _, never := range []string{"QVdTOm", "hunter2", "not-a-secret", "12345678901234567890"} {
		if strings.Contains(log.String(), never) {
			t.Errorf("%s is in\n%s", never, log.String())
		}
	}
}

func TestTheSDKsRemarksGoToTheLog(t *testing.T) {
	environment(t)
	var out bytes.Buffer
	c, err := New(t.Context(), Options{Log: slog.New(slog.NewTextHandler(&out, nil))})
	if err != nil {
		t.Fatal(err)
	}
	c.cfg.Logger.Logf(logging.Warn, "body of %d bytes", 7)
	if got := out.String(); !strings.Contains(got, `level=WARN msg="body of 7 bytes" from="aws sdk"`) {
		t.Errorf("log: %q", got)
	}
}
