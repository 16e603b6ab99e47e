package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// goreleaser is what these tests hold .goreleaser.yaml to. What is not here is
// goreleaser's own to check.
type goreleaser struct {
	Before   struct{ Hooks []string }
	Builds   []releaseBuild
	Archives []struct {
		Files []struct{ Src, Dst string }
	}
	SBOMs []struct {
		Artifacts string
		Documents []string
	} `yaml:"sboms"`
	Checksum struct{ Algorithm string }
	Images   []struct {
		Dockerfile string
		IDs        []string `yaml:"ids"`
		Platforms  []string
		ExtraFiles []string `yaml:"extra_files"`
	} `yaml:"dockers_v2"`
	Casks []struct {
		Binaries, Manpages []string
		Completions        map[string]string
	} `yaml:"homebrew_casks"`
}

type releaseBuild struct {
	ID           string `yaml:"id"`
	Env          []string
	GOOS         []string `yaml:"goos"`
	GOARCH       []string `yaml:"goarch"`
	Flags        []string
	LDFlags      []string `yaml:"ldflags"`
	ModTimestamp string   `yaml:"mod_timestamp"`
}

func readGoreleaser(t *testing.T) goreleaser {
	t.Helper()
	text, err := os.ReadFile(".goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var g goreleaser
	if err := yaml.Unmarshal(text, &g); err != nil {
		t.Fatal(yaml.FormatError(err, false, true))
	}
	if len(g.Builds) != 1 {
		t.Fatalf("%d builds, want one", len(g.Builds))
	}
	return g
}

// targets are the platforms that are released, as "linux/amd64".
func (b releaseBuild) targets() []string {
	var out []string
	for _, goos := range b.GOOS {
		for _, arch := range b.GOARCH {
			out = append(out, goos+"/"+arch)
		}
	}
	return out
}

func TestReleaseConfiguration(t *testing.T) {
	g := readGoreleaser(t)
	b := g.Builds[0]
	if want := []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}; !slices.Equal(b.targets(), want) {
		t.Errorf("releases are for %q, want %q", b.targets(), want)
	}
	for what, holds := range map[string]bool{
		"static":                    slices.Contains(b.Env, "CGO_ENABLED=0"),
		"without paths":             slices.Contains(b.Flags, "-trimpath"),
		"stamped":                   slices.Contains(b.Flags, "-buildvcs=true"),
		"of the time of the commit": b.ModTimestamp == "{{ .CommitTimestamp }}",
		"of one version":            !strings.Contains(strings.Join(b.LDFlags, " "), "-X"),
		"with SHA-256":              g.Checksum.Algorithm == "sha256",
		"with an SBOM each":         len(g.SBOMs) == 1 && g.SBOMs[0].Artifacts == "archive" && strings.HasSuffix(g.SBOMs[0].Documents[0], ".spdx.json"),
	} {
		if !holds {
			t.Errorf("releases are not %s", what)
		}
	}

	var sources []string
	for _, f := range g.Archives[0].Files {
		sources = append(sources, f.Src)
		if !strings.HasPrefix(f.Src, "release/") && !exists(f.Src) {
			t.Errorf("archives have %s, which is not there", f.Src)
		}
	}
	for _, want := range []string{"LICENSE", "README.md", "release/completions/*", "release/man/*"} {
		if !slices.Contains(sources, want) {
			t.Errorf("archives lack %s", want)
		}
	}
	if !slices.Equal(g.Before.Hooks, []string{"sh packaging/prepare.sh"}) {
		t.Errorf("hooks %q do not make release/", g.Before.Hooks)
	}
	for _, image := range g.Images {
		if !slices.Equal(image.IDs, []string{b.ID}) || !slices.Equal(image.Platforms, []string{"linux/amd64", "linux/arm64"}) {
			t.Errorf("%s is of %q for %q", image.Dockerfile, image.IDs, image.Platforms)
		}
		for _, source := range copied(t, image.Dockerfile) {
			if source != "$TARGETPLATFORM/plimsoll" && !slices.Contains(image.ExtraFiles, strings.TrimSuffix(source, "/")) {
				t.Errorf("%s copies %s, which goreleaser does not put there", image.Dockerfile, source)
			}
		}
	}
}

// copied are the sources of a Dockerfile's COPY instructions.
func copied(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var sources []string
	for _, m := range regexp.MustCompile(`(?m)^COPY (?:--\S+ )*(\S+) \S+$`).FindAllSubmatch(text, -1) {
		sources = append(sources, string(m[1]))
	}
	return sources
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// Every system of a release compiles, in one architecture each: no code of this
// module is of an architecture.
func TestEverySystemCompiles(t *testing.T) {
	if testing.Short() {
		t.Skip("not in -short: reads all dependencies for every system")
	}
	t.Parallel()
	args := []string{"run", "./testdata/compiles"}
	for _, goos := range readGoreleaser(t).Builds[0].GOOS {
		if goos != runtime.GOOS { // this one compiles: these tests run
			args = append(args, goos+"/"+runtime.GOARCH)
		}
	}
	output(t, ".", "go", args...)
}

// What is released can be built again by anyone, from the commit alone, to the
// same bytes; and it says which commit that is.
func TestReproducible(t *testing.T) {
	if testing.Short() {
		t.Skip("not in -short: builds twice")
	}
	t.Parallel()
	if err := exec.Command("git", "rev-parse", "HEAD").Run(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI needs git and a clone: %v", err)
		}
		t.Skipf("needs git and a clone: %v", err)
	}
	b := readGoreleaser(t).Builds[0]
	first, second := cloned(t, "one"), cloned(t, "another/place")
	if one, other := built(t, b, first), built(t, b, second); one != other {
		t.Errorf("two builds of a commit have SHA-256 %x and %x", one, other)
	}
	binary := filepath.Join(first, "plimsoll")
	t.Run("stamp", func(t *testing.T) { stamped(t, first, binary) })
	t.Run("beside the binary", func(t *testing.T) { prepared(t, first, binary) })
	t.Run("image", func(t *testing.T) { image(t, first, binary) })
}

// cloned is a clone of this repository at its HEAD.
func cloned(t *testing.T, place string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), filepath.FromSlash(place))
	output(t, ".", "git", "clone", "--quiet", ".", dir)
	return dir
}

// built builds a clone as goreleaser would, for this machine.
func built(t *testing.T, b releaseBuild, dir string) [sha256.Size]byte {
	t.Helper()
	args := append([]string{"build", "-o", "plimsoll", "-ldflags=" + strings.Join(b.LDFlags, " ")}, b.Flags...)
	command := exec.CommandContext(t.Context(), "go", append(args, ".")...)
	command.Dir = dir
	command.Env = append(append(os.Environ(), "GOFLAGS="), b.Env...)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	content, err := os.ReadFile(filepath.Join(dir, "plimsoll"))
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(content)
}

func stamped(t *testing.T, dir, binary string) {
	var got struct {
		Revision, Date, Go, Platform string
		Modified                     bool
	}
	if err := json.Unmarshal(output(t, dir, binary, "version", "--output", "json"), &got); err != nil {
		t.Fatal(err)
	}
	if head := strings.TrimSpace(string(output(t, dir, "git", "rev-parse", "HEAD"))); got.Revision != head || got.Modified {
		t.Errorf("built from %s, and it says %+v", head, got)
	}
	if got.Platform != runtime.GOOS+"/"+runtime.GOARCH || got.Go != runtime.Version() || got.Date == "" {
		t.Errorf("%+v", got)
	}
}

// prepared makes what is released beside the binary: all that the archives and
// the cask name.
func prepared(t *testing.T, dir, binary string) {
	output(t, dir, "sh", "packaging/prepare.sh", binary)
	g := readGoreleaser(t)
	for _, cask := range g.Casks {
		for _, name := range append(cask.Manpages, cask.Completions["bash"], cask.Completions["zsh"], cask.Completions["fish"]) {
			if !exists(filepath.Join(dir, "release", filepath.FromSlash(name))) {
				t.Errorf("the cask has %s, which packaging/prepare.sh does not make", name)
			}
		}
	}
	if left := output(t, dir, "git", "status", "--porcelain"); len(left) > 0 {
		t.Errorf("a release would be of a modified clone:\n%s", left)
	}
}

// image builds the image FROM scratch with the context that goreleaser lays
// out, and runs it: as nobody, with certificates, with a /tmp of its own.
func image(t *testing.T, dir, binary string) {
	if err := exec.Command("docker", "version").Run(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI needs docker: %v", err)
		}
		t.Skipf("needs docker: %v", err)
	}
	platform := "linux/" + runtime.GOARCH
	context := t.TempDir()
	for _, part := range []struct{ from, to string }{
		{"release/root", "release/root"}, {"Dockerfile", "Dockerfile"}, {".dockerignore", ".dockerignore"}, {"plimsoll", platform + "/plimsoll"},
	} {
		to := filepath.Join(context, filepath.FromSlash(part.to))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		output(t, dir, "cp", "-a", part.from, to)
	}
	output(t, context, "docker", "build", "--quiet", "--tag", "plimsoll:release-test", "--build-arg", "TARGETPLATFORM="+platform, ".")
	t.Cleanup(func() { output(t, dir, "docker", "image", "rm", "--force", "plimsoll:release-test") })
	if got := output(t, dir, "docker", "run", "--rm", "plimsoll:release-test", "version"); !bytes.HasPrefix(got, []byte("plimsoll ")) {
		t.Errorf("version: %s", got)
	}
	if user := strings.TrimSpace(string(output(t, dir, "docker", "inspect", "--format", "{{.Config.User}}", "plimsoll:release-test"))); user != "65532:65532" {
		t.Errorf("it runs as %q", user)
	}
	// The demo pushes images, which go through /tmp.
	output(t, dir, "docker", "run", "--rm", "plimsoll:release-test", "demo", "--runtime", "simulated")
	rootFS := output(t, dir, "sh", "-c", `id=$(docker create plimsoll:release-test) && docker export "$id" | tar -tv; docker rm "$id" >/dev/null`)
	for _, want := range []string{`-rwxr-xr-x .* plimsoll`, `drwxrwxrwt 65532/65532 .* tmp/`, `.* etc/ssl/certs/ca-certificates\.crt`} {
		if !regexp.MustCompile(`(?m)^` + want + `$`).Match(rootFS) {
			t.Errorf("no %q in the image:\n%s", want, rootFS)
		}
	}
}

// output runs a program and is what it wrote to stdout.
func output(t *testing.T, dir string, name string, args ...string) []byte {
	t.Helper()
	command := exec.Command(name, args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "DOCKER_BUILDKIT=0") // a bare engine has no buildx
	var problem bytes.Buffer
	command.Stderr = &problem
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, problem.Bytes())
	}
	return out
}
