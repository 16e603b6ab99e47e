package docker_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"go.uber.org/goleak"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime/docker"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is an engine, a registry with an app in it, and a runtime on both.
type bench struct {
	engine   *client.Client
	runtime  *docker.Runtime
	host     string        // of the registry
	app      string        // the digest of an image with testdata/app
	junk     string        // of one whose program is none
	arm      string        // of an index that has nothing for amd64 and arm64
	secret   string        // what the runtime logs in with
	gate     chan struct{} // pulls of "slow" wait for it
	asked    chan struct{} // such a pull has come
	calendar *clock.Clock
}

// newBench needs an engine: without one the test is skipped, but not in CI.
func newBench(t *testing.T) *bench {
	t.Helper()
	if err := docker.Available(t.Context()); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	b := &bench{secret: "secret", gate: make(chan struct{}), asked: make(chan struct{}, 1), calendar: clock.Real(1)}
	var err error
	if b.engine, err = client.New(client.FromEnv); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.engine.Close() })

	registry := ociserver.New(ocimem.New(), nil)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, secret, _ := r.BasicAuth(); secret != "secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="drydock"`)
			http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"who are you?"}]}`, http.StatusUnauthorized)
			return
		}
		if strings.HasPrefix(r.URL.Path, "/v2/slow/") {
			b.asked <- struct{}{}
			select {
			case <-b.gate:
			case <-r.Context().Done():
			}
		}
		registry.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	b.host = address.Host

	app := makeImage(t, buildApp(t))
	b.app = b.push(t, app)
	b.junk = b.push(t, makeImage(t, []byte("this is no program")))
	b.arm = b.push(t, mutate.AppendManifests(empty.Index, mutate.IndexAddendum{
		Add: app, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "s390x"}},
	}))
	t.Cleanup(func() {
		for _, digest := range []string{b.app, b.junk} {
			_, _ = b.engine.ImageRemove(context.WithoutCancel(t.Context()), b.host+"/web@"+digest, client.ImageRemoveOptions{Force: true})
		}
	})
	b.runtime = b.open(t)
	return b
}

func (b *bench) open(t *testing.T) *docker.Runtime {
	t.Helper()
	r, err := docker.New(t.Context(), docker.Options{
		Host:  func() string { return b.host },
		Auth:  func() (string, string) { return "AWS", b.secret },
		Log:   slog.New(slog.NewTextHandler(t.Output(), nil)),
		Clock: b.calendar,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func buildApp(t *testing.T) []byte {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "app")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, "./testdata/app")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	program, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// makeImage is an image with /app and nothing else.
func makeImage(t *testing.T, program []byte) v1.Image {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "app", Mode: 0o755, Size: int64(len(program))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(program); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	made, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		t.Fatal(err)
	}
	platform := v1.Platform{OS: "linux", Architecture: goarch(t)}
	made, err = mutate.ConfigFile(made, &v1.ConfigFile{
		OS: platform.OS, Architecture: platform.Architecture,
		RootFS: v1.RootFS{Type: "layers", DiffIDs: diffIDs(t, made)},
		Config: v1.Config{
			Entrypoint:  []string{"/app"},
			Cmd:         []string{"say=the image's own command"},
			Healthcheck: &v1.HealthConfig{Test: []string{"CMD", "/nothing"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func goarch(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOARCH").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func diffIDs(t *testing.T, i v1.Image) []v1.Hash {
	t.Helper()
	config, err := i.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	return config.RootFS.DiffIDs
}

// push puts an image or an index into the registry and returns its digest.
func (b *bench) push(t *testing.T, what remote.Taggable) string {
	t.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	options := []remote.Option{
		remote.WithAuth(&authn.Basic{Username: "AWS", Password: "secret"}),
		remote.WithTransport(transport), remote.WithContext(t.Context()),
	}
	tag, err := name.NewTag(b.host+"/web:v1", name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	switch what := what.(type) {
	case v1.ImageIndex:
		err = remote.WriteIndex(tag, what, options...)
	case v1.Image:
		err = remote.Write(tag, what, options...)
	}
	if err != nil {
		t.Fatal(err)
	}
	digest, err := what.(interface{ Digest() (v1.Hash, error) }).Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

// story is what a task's containers did and printed.
type story struct {
	task   runtime.Task
	events chan runtime.Event
	mu     sync.Mutex
	lines  []string // "app: hello"
	times  []time.Time
}

// tell starts a task of containers and writes down what they do.
func (b *bench) tell(t *testing.T, containers ...runtime.Container) *story {
	t.Helper()
	s := &story{events: make(chan runtime.Event, 100)}
	for i := range containers {
		name := containers[i].Name
		containers[i].Log = func(at time.Time, line string) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.lines, s.times = append(s.lines, name+": "+line), append(s.times, at)
		}
	}
	s.task = runtime.Task{ID: strings.ToLower(rand.Text()), Cluster: "quay", Containers: containers}
	b.runtime.Start(s.task, func(e runtime.Event) { s.events <- e })
	t.Cleanup(func() { b.runtime.Stop(s.task.ID, 0) })
	return s
}

// next is the next event, in words.
func (s *story) next(t *testing.T) string {
	t.Helper()
	select {
	case e := <-s.events:
		switch e.Kind {
		case runtime.Started:
			return e.Container + " started"
		case runtime.Failed:
			return e.Container + " failed: " + e.Reason
		case runtime.Exited:
			return strings.TrimSpace(fmt.Sprintf("%s exited %d %s", e.Container, e.ExitCode, e.Reason))
		case runtime.Healthy:
			return e.Container + " healthy"
		case runtime.Unhealthy:
			return e.Container + " unhealthy"
		}
		t.Fatalf("an event of no kind: %+v", e)
	case <-time.After(time.Minute):
		t.Fatalf("nothing happens any more; output so far: %q", s.output())
	}
	return ""
}

func (s *story) wants(t *testing.T, events ...string) {
	t.Helper()
	for _, want := range events {
		if got := s.next(t); !strings.HasPrefix(got, want) {
			t.Fatalf("%q instead of %q; output: %q", got, want, s.output())
		}
	}
}

func (s *story) output() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lines)
}

func (b *bench) container(name string, orders ...string) runtime.Container {
	return runtime.Container{
		Name: name, Digest: b.app, Command: orders,
		Image: image.Reference{Registry: "123456789012.dkr.ecr.eu-west-1.amazonaws.com", Repository: "web", Tag: "v1"},
	}
}

// ours lists the containers of a task that the engine has.
func (b *bench) ours(t *testing.T, taskID string) []container.Summary {
	t.Helper()
	// A test's cleanup asks too, when its context has ended.
	found, err := b.engine.ContainerList(context.WithoutCancel(t.Context()), client.ContainerListOptions{
		All: true, Filters: make(client.Filters).Add("label", "plimsoll.drydock.task="+taskID),
	})
	if err != nil {
		t.Fatal(err)
	}
	return found.Items
}

func TestEngine(t *testing.T) {
	b := newBench(t)

	t.Run("runs what was pushed", func(t *testing.T) {
		c := b.container("app", "say=hello", "complain=oh", "env=COLOUR", "where", "mutter=the end", "exit=3")
		c.Environment = []string{"COLOUR=red"}
		c.WorkingDir, c.User = "/work", "7"
		s := b.tell(t, c)
		s.wants(t, "app started", "app exited 3")
		got := s.output()
		slices.Sort(got) // stdout and stderr have no order between them
		if diff := cmp.Diff([]string{"app: /work 7", "app: hello", "app: oh", "app: red", "app: the end"}, got); diff != "" {
			t.Error(diff)
		}
		for _, at := range s.times {
			if age := time.Since(at); age < 0 || age > time.Minute {
				t.Errorf("a line is %v old", age)
			}
		}
		if left := b.ours(t, s.task.ID); len(left) > 0 {
			t.Errorf("left behind: %+v", left)
		}
	})

	t.Run("a load balancer's requests are real", func(t *testing.T) {
		s := b.tell(t, b.container("web", "answer=8080", "serve"))
		s.wants(t, "web started")
		probe := runtime.Probe{TaskID: s.task.ID, Container: "web", Protocol: "HTTP", Port: 8080, Path: "/204?a=b", Timeout: 30 * time.Second}
		ask := func(p runtime.Probe) runtime.Finding {
			found := make(chan runtime.Finding, 1)
			b.runtime.Probe(p, func(f runtime.Finding) { found <- f })
			return <-found
		}
		for ask(probe).Outcome == runtime.Refused { // until it listens
		}
		slow, gone, elsewhere, tcp, teapot := probe, probe, probe, probe, probe
		slow.Path, slow.Timeout = "/slow", 200*time.Millisecond
		gone.TaskID = "0"
		elsewhere.Port = 8081
		tcp.Protocol = "TCP"
		teapot.Path = "/418"
		for _, tt := range []struct {
			asked runtime.Probe
			want  runtime.Finding
		}{
			{probe, runtime.Finding{Outcome: runtime.Answered, Code: 204}},
			{teapot, runtime.Finding{Outcome: runtime.Answered, Code: 418}},
			{tcp, runtime.Finding{Outcome: runtime.Passed}},
			{slow, runtime.Finding{Outcome: runtime.TimedOut}},
			{gone, runtime.Finding{Outcome: runtime.Refused}},
			{elsewhere, runtime.Finding{Outcome: runtime.Refused}},
		} {
			if got := ask(tt.asked); got != tt.want {
				t.Errorf("%+v: %+v, want %+v", tt.asked, got, tt.want)
			}
		}
	})

	t.Run("the image's own command and entry point", func(t *testing.T) {
		own := b.container("own")
		own.Command = nil
		changed := b.container("changed", "say=b")
		changed.EntryPoint = []string{"/app", "say=a"}
		s := b.tell(t, own)
		s.wants(t, "own started", "own exited 0")
		s2 := b.tell(t, changed)
		s2.wants(t, "changed started", "changed exited 0")
		if diff := cmp.Diff([]string{"own: the image's own command", "changed: a", "changed: b"}, append(s.output(), s2.output()...)); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("long lines stay whole", func(t *testing.T) {
		s := b.tell(t, b.container("app", "ramble=50000", "say=next"))
		s.wants(t, "app started", "app exited 0")
		if diff := cmp.Diff([]string{"app: " + strings.Repeat("x", 50000), "app: next"}, s.output()); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("lines carry the calendar", func(t *testing.T) {
		b.calendar.Advance(14 * 24 * time.Hour)
		s := b.tell(t, b.container("app", "say=hello"))
		s.wants(t, "app started", "app exited 0")
		if ahead := time.Until(s.times[0]); ahead < 14*24*time.Hour-time.Minute {
			t.Errorf("the line is %v ahead of real time", ahead)
		}
	})

	t.Run("names and labels", func(t *testing.T) {
		s := b.tell(t, b.container("app", "serve"))
		s.wants(t, "app started")
		found := b.ours(t, s.task.ID)
		if len(found) != 1 || found[0].Names[0] != "/plimsoll-"+s.task.ID[:8]+"-app" || len(found[0].Ports) > 0 {
			t.Fatalf("found %+v", found)
		}
		for label, want := range map[string]string{"container": "app", "cluster": "quay", "task": s.task.ID} {
			if got := found[0].Labels["plimsoll.drydock."+label]; got != want {
				t.Errorf("label %s is %q", label, got)
			}
		}
		b.runtime.Stop(s.task.ID, time.Minute)
		s.wants(t, "app exited 143")
		if diff := cmp.Diff([]string{"app: serving", "app: bye"}, s.output()); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("who resists is killed", func(t *testing.T) {
		s := b.tell(t, b.container("app", "resist"))
		s.wants(t, "app started")
		b.runtime.Stop(s.task.ID, 300*time.Millisecond)
		b.runtime.Stop(s.task.ID, time.Hour) // the first grace counts
		s.wants(t, "app exited 137")
		b.runtime.Stop(s.task.ID, time.Second) // a task that has ended
		b.runtime.Stop("nothing", time.Second)
	})

	t.Run("one network, in order", func(t *testing.T) {
		server := b.container("server", "listen=8080", "serve")
		server.HealthCheck = &runtime.HealthCheck{Command: []string{"CMD", "/app", "dial=8080"}, Interval: 500 * time.Millisecond, Timeout: 5 * time.Second, Retries: 3}
		app := b.container("app", "dial=8080")
		app.DependsOn = []runtime.Dependency{{Container: "server", Condition: "HEALTHY"}, {Container: "migrate", Condition: "SUCCESS"}}
		server.DependsOn = []runtime.Dependency{{Container: "migrate", Condition: "COMPLETE"}} // the first network is gone by then
		s := b.tell(t, app, server, b.container("migrate", "say=done"))
		s.wants(t, "migrate started", "migrate exited 0", "server started", "server healthy", "app started", "app exited 0")
		b.runtime.Stop(s.task.ID, time.Minute)
		s.wants(t, "server exited 143")
	})

	t.Run("a dependency that cannot be met any more", func(t *testing.T) {
		app, last := b.container("app", "serve"), b.container("last", "serve")
		app.DependsOn = []runtime.Dependency{{Container: "migrate", Condition: "SUCCESS"}}
		last.DependsOn = []runtime.Dependency{{Container: "app", Condition: "START"}}
		s := b.tell(t, last, app, b.container("migrate", "exit=1"))
		s.wants(t, "migrate started", "migrate exited 1", "app failed: CannotStartContainerError: dependency graph: ", "last failed: CannotStartContainerError: dependency graph: ")
	})

	t.Run("unhealthy", func(t *testing.T) {
		c := b.container("app", "serve")
		c.HealthCheck = &runtime.HealthCheck{Command: []string{"CMD", "/app", "dial=8080"}, Interval: 200 * time.Millisecond, Timeout: 5 * time.Second, Retries: 2}
		s := b.tell(t, c)
		s.wants(t, "app started", "app unhealthy")
	})

	t.Run("out of memory", func(t *testing.T) {
		c := b.container("app", "eat=100")
		c.MemoryMiB = 20
		b.tell(t, c).wants(t, "app started", "app exited 137 OutOfMemoryError: Container killed due to memory usage")
	})

	t.Run("what cannot be pulled", func(t *testing.T) {
		gone := b.container("app")
		gone.Digest = "sha256:" + strings.Repeat("a", 64)
		ref := "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:v1@" + gone.Digest
		b.tell(t, gone).wants(t, "app failed: CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "+ref+": "+ref+": not found")

		elsewhere := b.container("app")
		elsewhere.Image.Repository = "nowhere"
		b.tell(t, elsewhere).wants(t, "app failed: CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref ")

		foreign := b.container("app")
		foreign.Digest = b.arm
		b.tell(t, foreign).wants(t, "app failed: CannotPullContainerError: pull image manifest has been retried 1 time(s): image Manifest does not contain descriptor matching platform 'linux/")

		b.secret = "wrong"
		defer func() { b.secret = "secret" }()
		locked := b.container("app")
		locked.Digest = b.junk // one that the engine does not have yet
		if got := b.tell(t, locked).next(t); !strings.HasPrefix(got, "app failed: CannotPullContainerError: ") || !strings.Contains(got, "unauthorized") && !strings.Contains(got, "no basic auth") {
			t.Error(got)
		}
	})

	t.Run("what cannot be started", func(t *testing.T) {
		absent := b.container("app")
		absent.EntryPoint = []string{"/absent"}
		if got := b.tell(t, absent).next(t); !strings.HasPrefix(got, "app failed: CannotStartContainerError: ") || !strings.Contains(got, "no such file or directory") && !strings.Contains(got, "executable file not found") {
			t.Error(got)
		}
		// Older engines notice when they start it; with newer ones it starts,
		// says so and ends, as on Fargate.
		junk := b.container("app")
		junk.Digest = b.junk
		s := b.tell(t, junk)
		got := s.next(t)
		if got == "app started" {
			s.wants(t, "app exited 1")
			got = strings.Join(s.output(), "\n")
		}
		if !strings.Contains(got, "exec format error") {
			t.Error(got)
		}
		tiny := b.container("app")
		tiny.MemoryMiB = 1 // below docker's least
		b.tell(t, tiny).wants(t, "app failed: CannotCreateContainerError: ")
	})

	t.Run("an image from elsewhere", func(t *testing.T) {
		local := b.container("app", "say=local")
		local.Digest = ""
		local.Image = image.Reference{Registry: b.host, Repository: "web", Digest: b.app} // there since the first test
		s := b.tell(t, local)
		s.wants(t, "app started", "app exited 0")

		remote := b.container("app")
		remote.Digest = ""
		remote.Image = image.Reference{Registry: "127.0.0.1:1", Repository: "web", Tag: "v1"}
		if got := b.tell(t, remote).next(t); !strings.HasPrefix(got, "app failed: CannotPullContainerError: ") || !strings.Contains(got, "connection refused") {
			t.Error(got)
		}
	})

	t.Run("stopped while it is pulled", func(t *testing.T) {
		slow, waiting := b.container("slow"), b.container("waiting")
		slow.Image.Repository = "slow"
		waiting.DependsOn = []runtime.Dependency{{Container: "slow", Condition: "START"}}
		s := b.tell(t, slow, waiting)
		<-b.asked
		b.runtime.Stop(s.task.ID, time.Minute)
		got := []string{s.next(t), s.next(t)}
		slices.Sort(got)
		if diff := cmp.Diff([]string{"slow exited 0", "waiting exited 0"}, got); diff != "" {
			t.Error(diff)
		}
		close(b.gate)
	})

	t.Run("leftovers", func(t *testing.T) {
		machine, err := os.Hostname()
		if err != nil {
			t.Fatal(err)
		}
		// A process that has certainly ended.
		ended := exec.CommandContext(t.Context(), "go", "version")
		if err := ended.Run(); err != nil {
			t.Fatal(err)
		}
		s := b.tell(t, b.container("app", "serve"))
		s.wants(t, "app started")
		leave := func(owner string) string {
			made, err := b.engine.ContainerCreate(t.Context(), client.ContainerCreateOptions{Config: &container.Config{
				Image: b.host + "/web@" + b.app, Labels: map[string]string{"plimsoll.drydock": owner},
			}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				_, _ = b.engine.ContainerRemove(context.WithoutCancel(t.Context()), made.ID, client.ContainerRemoveOptions{Force: true})
			})
			return made.ID
		}
		crashed := leave(fmt.Sprintf("%s/%d/X", machine, ended.Process.Pid))
		others := leave(fmt.Sprintf("elsewhere/%d/X", ended.Process.Pid))
		strange := leave("what?")
		if err := b.open(t).Close(); err != nil {
			t.Fatal(err)
		}
		for id, stays := range map[string]bool{crashed: false, others: true, strange: true, b.ours(t, s.task.ID)[0].ID: true} {
			if _, err := b.engine.ContainerInspect(t.Context(), id, client.ContainerInspectOptions{}); (err == nil) != stays {
				t.Errorf("%s: %v, want it to stay: %v", id, err, stays)
			}
		}
	})

	t.Run("close", func(t *testing.T) {
		s := b.tell(t, b.container("app", "resist"), b.container("other", "serve"))
		got := []string{s.next(t), s.next(t)}
		slices.Sort(got)
		if diff := cmp.Diff([]string{"app started", "other started"}, got); diff != "" {
			t.Fatal(diff)
		}
		if err := b.runtime.Close(); err != nil {
			t.Fatal(err)
		}
		if left := b.ours(t, s.task.ID); len(left) > 0 {
			t.Errorf("left behind: %+v", left)
		}
		b.runtime.Start(s.task, func(e runtime.Event) { s.events <- e })
		if len(s.events) > 0 {
			t.Errorf("reported after Close: %+v", <-s.events)
		}
	})
}

func TestAvailableSaysWhyNot(t *testing.T) {
	t.Setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
	err := docker.Available(t.Context())
	if err == nil || !strings.Contains(err.Error(), "no docker engine") {
		t.Errorf("got %v", err)
	}
	if _, err := docker.New(t.Context(), docker.Options{}); err == nil {
		t.Error("New works without an engine")
	}
}
