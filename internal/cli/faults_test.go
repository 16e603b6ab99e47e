package cli

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/client"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/seed"
	"github.com/plimsoll-ecs/plimsoll/internal/plainbody"
)

// registry is drydock's under the name that AWS would give it: it does not
// depend on the port, and so not on the proxy.
const registry = drydock.DefaultAccount + ".dkr.ecr." + drydock.DefaultRegion + ".amazonaws.com"

// weather is a reverse proxy before a drydock that makes the network and AWS
// as bad as they can be.
type weather struct {
	*httptest.Server
	drydock *drydock.Server
	ahead   *httputil.ReverseProxy
	images  *ecr.Client

	mu    sync.Mutex
	calls map[string]int // by operation
	// strike answers a call in drydock's place, or does not: the number is
	// how often the operation has been called, from 1.
	strike func(w http.ResponseWriter, r *http.Request, operation string, n int) bool
}

// newWeather is a service prod/api that runs web:v1.0.0, with v1.1.0 pushed;
// from then on it strikes.
func newWeather(t *testing.T) *weather {
	t.Helper()
	d, err := drydock.Start(t.Context(), drydock.Options{Runtime: drydock.Simulated, TimeScale: 1000})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, v := range d.Env() {
		t.Setenv(v.Name, v.Value)
	}
	names := seed.Names{Cluster: "prod", Service: "api", Family: "api", Container: "api", Repository: "web"}
	if _, err := seed.Plant(t.Context(), d.Endpoint(), drydock.DefaultRegion, names); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"ECS_CLUSTER": "prod", "ECS_SERVICE": "api", "ECR_REPOSITORY": "web", "CI": "true"} {
		t.Setenv(name, value)
	}
	for _, tag := range []string{"v1.0.0", "v1.1.0"} {
		mustRun(t, "push", "--tag", tag, "--tarball", tarballOf(t, tag))
	}
	t.Setenv("ECR_REGISTRY", registry)
	mustRun(t, "deploy", "--image-tag", "v1.0.0", "--desired-count", "1")

	target, err := url.Parse(d.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	w := &weather{drydock: d, calls: map[string]int{}, ahead: httputil.NewSingleHostReverseProxy(target)}
	w.images = ecr.New(ecr.Options{
		APIOptions:   []func(*middleware.Stack) error{plainbody.Add},
		BaseEndpoint: aws.String(d.Endpoint()), Region: drydock.DefaultRegion, Credentials: credentials.NewStaticCredentialsProvider("x", "x", ""),
	})
	w.Server = httptest.NewServer(w)
	t.Cleanup(w.Close)
	t.Setenv("AWS_ENDPOINT_URL", w.URL)
	return w
}

// pace changes drydock's clock.
func (w *weather) pace(t *testing.T, change drydock.ClockChange) {
	if err := client.New(w.drydock.Endpoint(), drydock.DefaultRegion, nil).Control(t.Context(), "POST", "clock", change, nil); err != nil {
		t.Error(err)
	}
}

func (w *weather) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	w.mu.Lock()
	w.calls[operation]++
	n := w.calls[operation]
	w.mu.Unlock()
	if w.strike == nil || !w.strike(rw, r, operation, n) {
		w.ahead.ServeHTTP(rw, r)
	}
}

// refuse answers in AWS's form.
func refuse(w http.ResponseWriter, status int, code, message string) bool {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"__type":%q,"message":%q}`, code, message)
	return true
}

func deny(w http.ResponseWriter, operation string) bool {
	return refuse(w, 400, "AccessDeniedException", "User: arn:aws:sts::123456789012:assumed-role/ci/x is not authorized to perform: ecs:"+operation+" on resource: *")
}

// struck picks some calls of every kind; the SDK waits longer before each new
// attempt, so a few must do.
func struck(operation string, n int) bool {
	switch operation {
	case "DescribeServices", "UpdateService", "RegisterTaskDefinition", "DescribeImages":
		return n == 1
	case "ListTasks":
		return n == 3
	}
	return false
}

// drop ends the connection without a word.
func drop() bool { panic(http.ErrAbortHandler) }

func tarballOf(t *testing.T, tag string) string {
	t.Helper()
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		OS: "linux", Architecture: "amd64", RootFS: v1.RootFS{Type: "layers"}, Config: v1.Config{Labels: map[string]string{"version": tag}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.NewTag("image:" + tag)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), tag+".tar")
	if err := tarball.WriteToFile(file, ref, image); err != nil {
		t.Fatal(err)
	}
	return file
}

// run is a command line, as the process would run it.
func run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = Run(t.Context(), args, System{Getenv: outsideOfCI, Environ: os.Environ(), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err})
	return code, out.String(), err.String()
}

func mustRun(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	code, stdout, stderr := run(t, args...)
	if code != 0 {
		t.Fatalf("plimsoll %s: exit %d\n%s%s", strings.Join(args, " "), code, stdout, stderr)
	}
	return stdout, stderr
}

func TestDeploySurvives(t *testing.T) {
	for name, strike := range map[string]func(*weather) func(http.ResponseWriter, *http.Request, string, int) bool{
		"throttling": func(*weather) func(http.ResponseWriter, *http.Request, string, int) bool {
			return func(w http.ResponseWriter, _ *http.Request, operation string, n int) bool {
				return struck(operation, n) && refuse(w, 400, "ThrottlingException", "Rate exceeded")
			}
		},
		"errors of the server": func(*weather) func(http.ResponseWriter, *http.Request, string, int) bool {
			return func(w http.ResponseWriter, _ *http.Request, operation string, n int) bool {
				return struck(operation, n) && refuse(w, 500, "ServerException", "Service Unavailable")
			}
		},
		"connections that drop": func(*weather) func(http.ResponseWriter, *http.Request, string, int) bool {
			return func(_ http.ResponseWriter, _ *http.Request, operation string, n int) bool {
				return struck(operation, n) && drop()
			}
		},
		// The update is made, but nobody hears of it: it is sent once more, and
		// its second deployment is the one to follow.
		"an answer that is lost": func(weather *weather) func(http.ResponseWriter, *http.Request, string, int) bool {
			return func(_ http.ResponseWriter, r *http.Request, operation string, n int) bool {
				if (operation != "UpdateService" && operation != "RegisterTaskDefinition") || n != 1 {
					return false
				}
				weather.ahead.ServeHTTP(httptest.NewRecorder(), r)
				return drop()
			}
		},
		"stale reads": func(weather *weather) func(http.ResponseWriter, *http.Request, string, int) bool {
			var earlier [][]byte
			return func(w http.ResponseWriter, r *http.Request, operation string, n int) bool {
				if operation != "DescribeServices" {
					return false
				}
				now := httptest.NewRecorder()
				weather.ahead.ServeHTTP(now, r)
				body, _ := io.ReadAll(now.Body)
				weather.mu.Lock()
				earlier = append(earlier, body)
				if n%2 == 0 { // half of the answers are of a while ago
					body = earlier[max(0, len(earlier)-4)]
				}
				weather.mu.Unlock()
				w.Header().Set("Content-Type", "application/x-amz-json-1.1")
				_, _ = w.Write(body)
				return true
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWeather(t)
			w.strike = strike(w)
			out, _ := mustRun(t, "deploy", "--image-tag", "v1.1.0")
			if !strings.Contains(out, "api runs v1.1.0") {
				t.Errorf("%s", out)
			}
			w.strike = nil
			out, _ = mustRun(t, "status")
			if !strings.Contains(out, "1 of 1 running\n") || !strings.Contains(out, "web:v1.1.0") {
				t.Errorf("%s", out)
			}
		})
	}
}

// outsideOfCI is the environment without what the CI system that runs the tests
// would be told.
func outsideOfCI(name string) string {
	if name == "PLIMSOLL_CI" {
		return "none"
	}
	return os.Getenv(name)
}

func TestWatchSurvivesAnOutageOfAWS(t *testing.T) {
	w := newWeather(t)
	w.strike = func(_ http.ResponseWriter, _ *http.Request, operation string, n int) bool {
		return operation == "DescribeServices" && n > 2 && n < 5 && drop() // the first is the preflight's
	}
	out, _ := mustRun(t, "deploy", "--image-tag", "v1.1.0")
	if !strings.Contains(out, "api runs v1.1.0") || w.calls["DescribeServices"] < 5 {
		t.Errorf("%d reads\n%s", w.calls["DescribeServices"], out)
	}
}

func TestWhatMayNotBeReadAndIsNotNeededIsANote(t *testing.T) {
	w := newWeather(t)
	optional := []string{"DescribeClusters", "ListTasks", "DescribeTasks", "DescribeServiceDeployments", "DescribeImages", "TagResource"}
	var waits atomic.Bool
	w.strike = func(rw http.ResponseWriter, _ *http.Request, operation string, _ int) bool {
		switch {
		case operation == "UpdateService": // the rollout moves with each look, until the tasks are asked for
			w.pace(t, drydock.ClockChange{TimeScale: 1})
			waits.Store(true)
		case operation == "DescribeServices" && waits.Load():
			w.pace(t, drydock.ClockChange{AdvanceSeconds: 10})
		case operation == "ListTasks" && waits.Swap(false):
			w.pace(t, drydock.ClockChange{TimeScale: 1000, AdvanceSeconds: 60})
		}
		return slices.Contains(optional, operation) && deny(rw, operation)
	}
	out, story := mustRun(t, "deploy", "--image-tag", "v1.1.0", "--until", "healthy")
	if !strings.Contains(out, "api runs v1.1.0") {
		t.Errorf("%s", out)
	}
	for _, want := range []string{
		"note: api: could not look at: cluster, image, rollback target (plimsoll check says why)",
		"note: api: watching with less detail: read the tasks of prod/api", "warning: api: could not note the verdict",
	} {
		if !strings.Contains(story, want) {
			t.Errorf("no %q in\n%s", want, story)
		}
	}
	if n := strings.Count(story, "read the tasks of"); n != 1 {
		t.Errorf("the tasks are complained of %d times", n)
	}
	mustRun(t, "status")
}

func TestWhatIsNeededAndNotAllowedNamesTheAction(t *testing.T) {
	for operation, code := range map[string]int{
		"DescribeServices": 3, "DescribeTaskDefinition": 3, "RegisterTaskDefinition": 1, "UpdateService": 1,
	} {
		t.Run(operation, func(t *testing.T) {
			w := newWeather(t)
			w.strike = func(rw http.ResponseWriter, _ *http.Request, called string, _ int) bool {
				return called == operation && deny(rw, operation)
			}
			got, out, story := run(t, "deploy", "--image-tag", "v1.1.0")
			if got != code || !strings.Contains(story, "allow ecs:"+operation+" to the role that runs this") {
				t.Errorf("exit %d, want %d\n%s%s", got, code, out, story)
			}
		})
	}
}

func TestImageThatIsLostAfterThePreflight(t *testing.T) {
	w := newWeather(t)
	w.strike = func(_ http.ResponseWriter, _ *http.Request, operation string, _ int) bool {
		if operation == "UpdateService" {
			_, err := w.images.BatchDeleteImage(t.Context(), &ecr.BatchDeleteImageInput{
				RepositoryName: aws.String("web"), ImageIds: []types.ImageIdentifier{{ImageTag: aws.String("v1.1.0")}},
			})
			if err != nil {
				t.Error(err)
			}
		}
		return false
	}
	code, out, story := run(t, "deploy", "--image-tag", "v1.1.0", "--desired-count", "3")
	if code != 4 || !strings.Contains(out, "the service is back on api:2") || !strings.Contains(story, "the registry has no image") {
		t.Errorf("exit %d\n%s%s", code, out, story)
	}
	w.strike = nil
	if out, _ := mustRun(t, "status"); !strings.Contains(out, "1 of 1 running\n") {
		t.Errorf("%s", out)
	}
}
