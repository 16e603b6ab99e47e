package registry

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
)

// docker is the CLI with a configuration of its own, on an engine that
// answers. Without one the test is skipped, on CI it fails.
func docker(t *testing.T) func(dir, stdin string, args ...string) (string, error) {
	t.Helper()
	config := t.TempDir()
	run := func(dir, stdin string, args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "docker", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "DOCKER_CONFIG="+config, "DOCKER_BUILDKIT=0")
		cmd.Stdin = strings.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run("", "", "version", "--format", "{{.Server.Version}}"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("there is no docker engine: %v\n%s", err, out)
		}
		t.Skipf("there is no docker engine: %v", err)
	}
	return run
}

// program is what the image runs: it needs nothing but itself.
const program = `package main

func main() { println("afloat") }
`

// docker build, login, push, pull and run, for real.
func TestDocker(t *testing.T) {
	run := docker(t)
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f := newFixture(t, s)
	f.repository(t, "team/app")
	f.call(t, "CreateRepository", `{"repositoryName":"frozen","imageTagMutability":"IMMUTABLE"}`)

	dir := t.TempDir()
	for name, content := range map[string]string{
		"main.go":    program,
		"go.mod":     "module app\n",
		"Dockerfile": "FROM scratch\nCOPY app /app\nENTRYPOINT [\"/app\"]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", "app", ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

	tag, frozen, missing := f.host+"/team/app:v1", f.host+"/frozen:v1", f.host+"/none:v1"
	t.Cleanup(func() {
		// The test's context is done by now.
		if out, err := exec.Command("docker", "image", "rm", "-f", tag).CombinedOutput(); err != nil {
			t.Logf("%v\n%s", err, out)
		}
	})
	must := func(stdin string, args ...string) string {
		t.Helper()
		out, err := run(dir, stdin, args...)
		if err != nil {
			t.Fatalf("docker %s: %v\n%s", args[0], err, out)
		}
		return out
	}
	must("", "build", "-q", "-t", tag, "-t", frozen, "-t", missing, ".")
	if out, err := run(dir, "wrong", "login", "-u", "AWS", "--password-stdin", f.host); err == nil {
		t.Error("docker logs in with a wrong secret:", out)
	}
	must(f.secret, "login", "-u", "AWS", "--password-stdin", f.host)
	must("", "push", tag)
	must("", "push", frozen) // docker mounts the layers from the other repository
	out, err := run(dir, "", "push", frozen)
	if err == nil || !strings.Contains(out, "tag invalid: The image tag 'v1' already exists in the 'frozen' repository") {
		t.Errorf("over an immutable tag: %v\n%s", err, out)
	}
	out, err = run(dir, "", "push", missing)
	if err == nil || !strings.Contains(out, "name unknown: The repository with name 'none' does not exist in the registry with id '123456789012'") {
		t.Errorf("to a repository that does not exist: %v\n%s", err, out)
	}

	must("", "image", "rm", tag, frozen, missing) // nothing of it is left here
	must("", "pull", tag)
	if out := must("", "run", "--rm", tag); out != "afloat\n" {
		t.Errorf("the image says %q", out)
	}
	if f.describe(t, "team/app", "v1")["lastRecordedPullTime"] == nil {
		t.Error("the pull is not recorded")
	}
}
