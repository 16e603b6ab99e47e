package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// needEngine skips a test where no docker engine runs. In CI one must.
func needEngine(t *testing.T) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "docker", "version").CombinedOutput()
	if err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("no docker engine: %v: %s", err, out)
	}
	t.Skip("no docker engine:", err)
}

// program is a folder with a static program, app, to build images FROM
// scratch with, as nothing can be pulled. It prints its arguments; told to
// sleep it sleeps; told a number it exits with it. A label makes the images
// differ from those of every other build, and finds what is left of them.
func program(t *testing.T, dockerfile string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("main.go", `package main

import ("fmt"; "os"; "strconv"; "time")

func main() {
	fmt.Println(os.Args[1:], os.Getenv("TOKEN"))
	if len(os.Args) > 1 && os.Args[1] == "sleep" { time.Sleep(time.Minute) }
	if len(os.Args) > 1 { code, _ := strconv.Atoi(os.Args[1]); os.Exit(code) }
}
`)
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", "app", "main.go")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GO111MODULE=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the program: %v: %s", err, out)
	}
	label := fmt.Sprintf("plimsoll.test=%s-%d", t.Name(), time.Now().UnixNano())
	write("Dockerfile", strings.ReplaceAll(dockerfile, "FROM scratch\n", "FROM scratch\nLABEL "+label+"\n"))
	t.Cleanup(func() { _ = exec.Command("docker", "image", "prune", "--force", "--filter", "label="+label).Run() })
	return dir
}

// forget removes an image after the test.
func forget(t *testing.T, name string) {
	t.Cleanup(func() { _ = exec.Command("docker", "image", "rm", "--force", name).Run() })
}

func TestBuildAndPush(t *testing.T) {
	needEngine(t)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	r := startRegistry(t, "right")
	user := userFolder(t)
	// A store that would fail if docker asked it for this registry.
	config := `{"credsStore":"does-not-exist"}`
	if err := os.WriteFile(filepath.Join(user, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	// Builders and plugins that are only there to be looked at.
	if err := errors.Join(os.RemoveAll(filepath.Join(user, "buildx")), os.RemoveAll(filepath.Join(user, "cli-plugins"))); err != nil {
		t.Fatal(err)
	}
	before := fingerprint(t, user)
	env := append(os.Environ(), "DOCKER_CONFIG="+user)
	login := &Login{Registry: r.host, User: "AWS", Password: "right"}
	ref := r.ref("shop/api", "v1")
	opts := Options{
		Context: program(t, "FROM scratch\nARG TOKEN\nCOPY app /app\nRUN [\"/app\", \"hello\"]\n"),
		Image:   ref, Labels: map[string]string{"changed": "no"}, Login: login, Env: env,
		Args: []string{"TOKEN=s3cret-token"},
	}
	forget(t, ref.String())

	var said told
	built, err := Image(t.Context(), opts, said.tell)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(built.ID, "sha256:") || built.Steps == 0 {
		t.Errorf("%+v", built)
	}
	// The two builders count differently.
	ran := func(s string) bool {
		return strings.HasPrefix(s, "change ") && strings.HasSuffix(s, `RUN ["/app", "hello"]`)
	}
	if !slices.ContainsFunc(said, ran) || !strings.HasPrefix(said[len(said)-1], fmt.Sprintf("end built %d steps, ", built.Steps)) {
		t.Errorf("story: %q", said)
	}

	said = nil
	push := PushOptions{Image: ref, Login: login, Env: env}
	pushed, err := Push(t.Context(), push, said.tell)
	if err != nil {
		t.Fatal(err)
	}
	over := func(s string) bool { return strings.HasSuffix(s, fmt.Sprintf("%d/%[1]d layers", pushed.Layers)) }
	if pushed.Layers == 0 || pushed.Already || !slices.ContainsFunc(said, over) {
		t.Errorf("%+v, story: %q", pushed, said)
	}
	again, err := Push(t.Context(), push, nil)
	if err != nil || !again.Already || again.Digest != pushed.Digest {
		t.Errorf("again: %+v, %v", again, err)
	}

	// The same tag for another image.
	opts.Labels["changed"] = "yes"
	rebuilt, err := Image(t.Context(), opts, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Push(t.Context(), push, nil)
	exists, ok := errors.AsType[*TagExistsError](err)
	if !ok || exists.Have != pushed.Digest || exists.Want == "" || built.ID == rebuilt.ID {
		t.Errorf("%T: %v", err, err)
	}

	// docker's refusals are ours.
	none := r.ref(missing, "v1")
	tag(t, ref, none)
	push.Image = none
	if _, err := Push(t.Context(), push, nil); !is[*RepositoryMissingError](err) {
		t.Errorf("%T: %v", err, err)
	}
	r.immutable.Store(true)
	push.Image = r.ref("shop/api", "v2")
	tag(t, ref, push.Image)
	if _, err := Push(t.Context(), push, nil); !is[*TagExistsError](err) {
		t.Errorf("%T: %v", err, err)
	}
	push.Image = r.ref("shop/api", "never-built")
	if _, err := Push(t.Context(), push, nil); !is[*ImageMissingError](err) {
		t.Errorf("%T: %v", err, err)
	}

	if diff := cmp.Diff(before, fingerprint(t, user)); diff != "" {
		t.Errorf("the user's docker configuration changed:\n%s", diff)
	}
	if left, _ := filepath.Glob(filepath.Join(temp, "plimsoll-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func tag(t *testing.T, from, to image.Reference) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "docker", "tag", from.String(), to.String()).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	forget(t, to.String())
}

// What docker save writes goes into a registry without docker, as the image
// that docker itself would have pushed.
func TestPushOfASavedImage(t *testing.T) {
	needEngine(t)
	r := startRegistry(t, "")
	ref := r.ref("api", "v1")
	forget(t, ref.String())
	if _, err := Image(t.Context(), Options{Context: program(t, "FROM scratch\nCOPY app /app\n"), Image: ref}, nil); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "saved.tar")
	if out, err := exec.CommandContext(t.Context(), "docker", "save", "--output", file, ref.String()).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if pushed, err := Push(t.Context(), PushOptions{Image: ref, Tarball: file}, nil); err != nil || pushed.Already {
		t.Fatalf("%+v, %v", pushed, err)
	}
	if pushed, err := Push(t.Context(), PushOptions{Image: ref}, nil); err != nil || !pushed.Already {
		t.Errorf("docker's own: %+v, %v", pushed, err)
	}
}

func TestBuildFails(t *testing.T) {
	needEngine(t)
	dir := program(t, "FROM scratch\nARG TOKEN\nCOPY app /app\nRUN [\"/app\", \"3\"]\n")
	ref := image.Reference{Registry: "127.0.0.1:5000", Repository: "api", Tag: "v1"}
	_, err := Image(t.Context(), Options{Context: dir, Image: ref, Args: []string{"TOKEN=s3cret-token"}}, nil)
	failed, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("%T: %v", err, err)
	}
	if !strings.HasSuffix(failed.Step, `RUN ["/app", "3"]`) || failed.ExitCode != 3 || !slices.Contains(failed.Lines, "[3] •••") {
		t.Errorf("%+v", failed)
	}
}

func TestBuildStops(t *testing.T) {
	needEngine(t)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	dir := program(t, "FROM scratch\nCOPY app /app\nRUN [\"/app\", \"sleep\"]\n")
	ref := image.Reference{Registry: "127.0.0.1:5000", Repository: "api", Tag: "v1"}
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	var stopped time.Time
	_, err := Image(ctx, Options{Context: dir, Image: ref, Login: &Login{Registry: "r", Password: "p"}}, func(e story.Event) {
		if strings.Contains(e.Message, "sleep") {
			if entries, _ := filepath.Glob(filepath.Join(temp, "plimsoll-docker-*", "config", "config.json")); len(entries) != 1 {
				t.Errorf("private configurations while docker runs: %q", entries)
			}
			stopped = time.Now()
			cancel(why)
		}
	})
	if !errors.Is(err, why) {
		t.Errorf("%T: %v", err, err)
	}
	if took := time.Since(stopped); took > patience {
		t.Errorf("it took %v", took)
	}
	if left, _ := filepath.Glob(filepath.Join(temp, "plimsoll-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestBuildWithoutWhatItNeeds(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\nLABEL a=b\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	ref := image.Reference{Registry: "127.0.0.1:5000", Repository: "api", Tag: "v1"}

	for _, opts := range []Options{
		{Image: ref, Context: filepath.Join(dir, "none")},
		{Image: ref, Context: dir, File: filepath.Join(dir, "Dockerfile.none")},
		{Image: ref, Context: dir, File: dir},
	} {
		if _, err := Image(t.Context(), opts, nil); !is[*DockerfileError](err) {
			t.Errorf("%+v: %T: %v", opts, err, err)
		}
	}
	if _, err := Image(t.Context(), Options{Image: ref.WithTag(""), Context: dir}, nil); err == nil {
		t.Error("built without a tag")
	}
	if _, err := Image(t.Context(), Options{Image: ref}, nil); err == nil {
		t.Error("built without a context")
	}

	t.Run("engine", func(t *testing.T) {
		if _, err := exec.LookPath("docker"); err != nil {
			t.Skip("no docker command:", err)
		}
		host := "unix://" + filepath.Join(dir, "none.sock")
		env := append(os.Environ(), "DOCKER_HOST="+host)
		_, err := Image(t.Context(), Options{Image: ref, Context: dir, Env: env}, nil)
		if engine, ok := errors.AsType[*EngineError](err); !ok || engine.Host != host || !strings.Contains(engine.Hint(), "docker:dind") {
			t.Errorf("%T: %v", err, err)
		}
		r := startRegistry(t, "")
		if _, err := Push(t.Context(), PushOptions{Image: r.ref("api", "v1"), Env: env}, nil); !is[*EngineError](err) {
			t.Errorf("%T: %v", err, err)
		}
	})
	t.Run("buildx", func(t *testing.T) {
		if out, err := exec.CommandContext(t.Context(), "docker", "version").CombinedOutput(); err != nil {
			t.Skipf("no docker engine: %v: %s", err, out)
		}
		if exec.CommandContext(t.Context(), "docker", "buildx", "version").Run() == nil {
			t.Skip("docker has buildx")
		}
		env := append(os.Environ(), "DOCKER_BUILDKIT=1")
		if _, err := Image(t.Context(), Options{Image: ref, Context: dir, Env: env}, nil); !is[*BuildxMissingError](err) {
			t.Errorf("%T: %v", err, err)
		}
	})
	t.Run("docker", func(t *testing.T) {
		t.Setenv("PATH", "")
		if _, err := Image(t.Context(), Options{Image: ref, Context: dir}, nil); !is[*CLIMissingError](err) {
			t.Errorf("%T: %v", err, err)
		}
		if _, err := Push(t.Context(), PushOptions{Image: ref}, nil); !is[*CLIMissingError](err) {
			t.Errorf("%T: %v", err, err)
		}
	})
}

func TestLineWriter(t *testing.T) {
	var lines []string
	w := &lineWriter{line: func(s string) { lines = append(lines, s) }}
	for _, piece := range []string{"one\ntw", "o\r\nthree\rfour", ""} {
		if n, err := w.Write([]byte(piece)); n != len(piece) || err != nil {
			t.Fatal(n, err)
		}
	}
	w.flush()
	w.flush()
	if want := []string{"one", "two", "", "three", "four"}; !slices.Equal(lines, want) {
		t.Errorf("%q", lines)
	}
	lines = nil
	if _, err := w.Write(bytes.Repeat([]byte("x"), 3*longest)); err != nil {
		t.Fatal(err)
	}
	w.flush()
	if len(strings.Join(lines, "")) != 3*longest {
		t.Error("a long line lost something")
	}
}
