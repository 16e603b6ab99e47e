package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"plimsoll": main})
}

// The scripts are the specification of the command line: one promise a file.
func TestScripts(t *testing.T) {
	application := sync.OnceValues(func() (string, error) { return buildApp(t) })
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setUp,
		Condition:           condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   exits,
			"drydock": startDrydock,
			"places":  startPlaces,
			"image":   makeImage,
			"lambda":  invokeLambda,
			"told":    told,
			"app": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg || len(args) != 1 {
					ts.Fatalf("usage: app file")
				}
				binary, err := application()
				ts.Check(err)
				content, err := os.ReadFile(binary)
				ts.Check(err)
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), content, 0o755))
			},
		},
	})
}

func setUp(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, "home")
	env.Setenv("HOME", home)
	env.Setenv("AWS_PAGER", "")
	env.Setenv("USER", "aki")
	env.Setenv("TERRAFORM_MIRROR", terraformMirror())
	scenarios, err := filepath.Abs("testdata/scenarios")
	if err != nil {
		return err
	}
	env.Setenv("SCENARIOS", scenarios)
	// The legacy builder's notice of its end is not ours to test.
	env.Setenv("DOCKER_BUILDKIT", "0")
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		env.Setenv("DOCKER_HOST", host)
	}
	return os.Mkdir(home, 0o755)
}

// condition knows the real parts that a script needs. On a bare machine such
// a script is skipped; in CI a missing part is a failure.
func condition(cond string) (bool, error) {
	var err error
	switch cond {
	case "ci":
		return os.Getenv("CI") == "true", nil
	case "terraform": // CI cannot install it: the script says what it does there
		_, err := exec.LookPath("terraform")
		return err == nil && terraformMirror() != "", nil
	case "gitlab-ci-local": // npm install -g gitlab-ci-local@4.73.0, the last one for Node 20; it copies by rsync
		_, err = exec.LookPath("gitlab-ci-local")
		if _, rsync := exec.LookPath("rsync"); err == nil {
			err = rsync
		}
	case "docker":
		err = exec.Command("docker", "version").Run()
	case "bash", "zsh", "fish", "mandoc":
		_, err = exec.LookPath(cond)
	case "aws":
		_, err = exec.LookPath("aws")
		if _, jq := exec.LookPath("jq"); err == nil {
			err = jq
		}
	default:
		return false, fmt.Errorf("unknown condition %q", cond)
	}
	if err != nil && os.Getenv("CI") == "true" {
		return false, fmt.Errorf("CI needs %s: %w", cond, err)
	}
	return err == nil, nil
}

// terraformMirror is the folder that holds Terraform's AWS provider, of the
// version that terraform.txtar asks for, or "": Terraform's plugin cache, one
// of the folders it looks into by itself, or one that an image of a CI runner
// brings.
func terraformMirror() string {
	home, _ := os.UserHomeDir()
	places := []string{os.Getenv("TF_PLUGIN_CACHE_DIR"), filepath.Join(home, ".terraform.d/plugins")}
	for _, data := range append([]string{os.Getenv("XDG_DATA_HOME"), filepath.Join(home, ".local/share")}, filepath.SplitList(os.Getenv("XDG_DATA_DIRS"))...) {
		places = append(places, filepath.Join(data, "terraform/plugins"))
	}
	places = append(places, "/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins")
	images, _ := filepath.Glob("/opt/*") // a constant pattern is never bad
	for _, place := range append(places, images...) {
		provider := filepath.Join(place, "registry.terraform.io/hashicorp/aws/5.100.0", runtime.GOOS+"_"+runtime.GOARCH)
		if _, err := os.Stat(provider); err == nil && filepath.IsAbs(place) {
			return place
		}
	}
	return ""
}

// exits runs a command and checks its exit code: exits 3 plimsoll deploy …
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code command [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exited *exec.ExitError
	if errors.As(err, &exited) {
		got = exited.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// startDrydock starts a drydock for the rest of the script, fast and
// simulated, with a service to deploy to, and sets the variables of the
// article's pipeline.
func startDrydock(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: drydock")
	}
	d, err := drydock.Start(context.Background(), drydock.Options{Runtime: drydock.Simulated, TimeScale: 1000})
	ts.Check(err)
	ts.Defer(func() { ts.Check(d.Close()) })
	for _, v := range d.Env() {
		ts.Setenv(v.Name, v.Value)
	}
	ts.Setenv("ECR_REPOSITORY", "web")
	ts.Setenv("ECS_CLUSTER", "prod")
	ts.Setenv("ECS_SERVICE", "api")
	ts.Setenv("TASK_DEFINITION", "api")
	ts.Check(ts.Exec("plimsoll", "drydock", "seed"))
}

// makeImage writes images without content, whose labels say what the
// simulated runtime makes of them: image v1.tar v2.tar exit-after=1s exit-code=1.
// A name that does not end in .tar is a folder with an OCI layout.
func makeImage(ts *testscript.TestScript, neg bool, args []string) {
	files := len(args)
	for i, arg := range args {
		if strings.Contains(arg, "=") {
			files = min(files, i)
		}
	}
	if neg || files == 0 {
		ts.Fatalf("usage: image file.tar|dir... [label=value...]")
	}
	for _, file := range args[:files] {
		makeOne(ts, file, args[files:])
	}
}

func makeOne(ts *testscript.TestScript, file string, behaviour []string) {
	labels := map[string]string{"file": file} // makes every image another one
	for _, label := range behaviour {
		key, value, _ := strings.Cut(label, "=")
		labels["plimsoll.drydock."+key] = value
	}
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		OS: "linux", Architecture: "amd64", RootFS: v1.RootFS{Type: "layers"}, Config: v1.Config{Labels: labels},
	})
	ts.Check(err)
	file = ts.MkAbs(file)
	if !strings.HasSuffix(file, ".tar") {
		path, err := layout.Write(file, empty.Index)
		ts.Check(err)
		ts.Check(path.AppendImage(image))
		return
	}
	tag, err := name.NewTag("image:made")
	ts.Check(err)
	ts.Check(tarball.WriteToFile(file, tag, image))
}

// buildApp builds testdata/app for images FROM scratch.
func buildApp(t *testing.T) (string, error) {
	binary := filepath.Join(t.TempDir(), "app")
	build := exec.Command("go", "build", "-o", binary, "./testdata/app")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build testdata/app: %w: %s", err, out)
	}
	return binary, nil
}
