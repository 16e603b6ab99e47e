package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
	"github.com/plimsoll-ecs/plimsoll/internal/pipeline"
)

// runner is a job of GitHub Actions that uses the action of this repository.
type runner struct {
	t    *testing.T
	temp string
	env  []string // of the job, besides that of this process
}

func newRunner(t *testing.T) *runner {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil || runtime.GOOS == "windows" {
		t.Skipf("needs bash on Unix: %v", err)
	}
	temp := t.TempDir()
	return &runner{t, temp, []string{"RUNNER_TEMP=" + temp, "RUNNER_OS=Linux", "RUNNER_ARCH=X64", "GITHUB_PATH=" + filepath.Join(temp, "path"), "GITHUB_OUTPUT=" + filepath.Join(temp, "output")}}
}

// use runs the steps of action.yml with inputs, and returns what they print.
func (r *runner) use(action string, inputs map[string]string) (string, error) {
	r.t.Helper()
	text, err := os.ReadFile("action.yml")
	if err != nil {
		r.t.Fatal(err)
	}
	var a struct {
		Inputs map[string]struct{ Default string }
		Runs   struct {
			Steps []struct {
				ID, Run string
				Env     map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(text, &a); err != nil {
		r.t.Fatal(err)
	}
	var out bytes.Buffer
	for _, step := range a.Runs.Steps {
		if step.ID == "run" && inputs["command"] == "" {
			continue
		}
		command := exec.CommandContext(r.t.Context(), "bash", "-e", "-o", "pipefail", "-c", step.Run)
		command.Env = append(os.Environ(), r.env...)
		for variable, value := range step.Env {
			expression := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(value, "${{"), "}}"))
			input, isInput := strings.CutPrefix(expression, "inputs.")
			switch {
			case expression == "github.action_path":
				value = action
			case isInput:
				declared, known := a.Inputs[input]
				if !known {
					r.t.Fatalf("%s is no input", input)
				}
				value = declared.Default
				if given, ok := inputs[input]; ok {
					value = given
				}
			default:
				r.t.Fatalf("%s: what is %s?", variable, value)
			}
			command.Env = append(command.Env, variable+"="+value)
		}
		if added, err := os.ReadFile(filepath.Join(r.temp, "path")); err == nil {
			last := slices.Collect(strings.Lines(string(added)))
			command.Env = append(command.Env, "PATH="+strings.TrimSpace(last[len(last)-1])+":"+os.Getenv("PATH"))
		}
		command.Stdout, command.Stderr = &out, &out
		if err := command.Run(); err != nil {
			return out.String(), err
		}
	}
	return out.String(), nil
}

// release is a place with a release, whose plimsoll prints its arguments, a line
// each, and the environment that it was told.
func (r *runner) release() (sha256sum string) {
	script := "#!/bin/sh\nfor word in \"$@\"; do printf '<%s>\\n' \"$word\"; done\nprintf 'env <%s>\\n' \"$PLIMSOLL_ENV\"\n"
	var archive bytes.Buffer
	zipped := gzip.NewWriter(&archive)
	files := tar.NewWriter(zipped)
	if err := files.WriteHeader(&tar.Header{Name: "plimsoll", Mode: 0o755, Size: int64(len(script))}); err != nil {
		r.t.Fatal(err)
	}
	if _, err := files.Write([]byte(script)); err != nil {
		r.t.Fatal(err)
	}
	if err := files.Close(); err != nil {
		r.t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		r.t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path != "/v1.2.3/plimsoll_1.2.3_linux_amd64.tar.gz" {
			http.NotFound(w, q)
			return
		}
		_, _ = w.Write(archive.Bytes())
	}))
	r.t.Cleanup(server.Close)
	r.env = append(r.env, "PLIMSOLL_RELEASES="+server.URL)
	return fmt.Sprintf("%x", sha256.Sum256(archive.Bytes()))
}

// action is a copy of the action with other checksums.
func (r *runner) action(checksums string) string {
	dir := r.t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "action"), 0o755); err != nil {
		r.t.Fatal(err)
	}
	for _, script := range []string{"install.sh", "run.sh"} {
		text, err := os.ReadFile(filepath.Join("action", script))
		if err != nil {
			r.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "action", script), text, 0o755); err != nil {
			r.t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "action", "checksums.txt"), []byte(checksums), 0o644); err != nil {
		r.t.Fatal(err)
	}
	return dir
}

// The archive that is downloaded has the checksum that is part of the action's own
// commit, or the one that is given; else nothing of it runs.
func TestActionDownloads(t *testing.T) {
	for _, test := range []struct {
		name      string
		checksums func(sum string) string
		inputs    func(sum string) map[string]string
		want      string
		fails     bool
	}{
		{
			name:      "the newest that is known",
			checksums: func(sum string) string { return "# v1.2.3\n" + sum + "  plimsoll_1.2.3_linux_amd64.tar.gz\n" },
			inputs:    func(string) map[string]string { return nil }, want: "<version>",
		}, {
			name:      "one with its checksum",
			checksums: func(string) string { return "# nothing yet\n" },
			inputs:    func(sum string) map[string]string { return map[string]string{"version": "v1.2.3", "sha256": sum} }, want: "<version>",
		}, {
			name:      "one without",
			checksums: func(string) string { return "# nothing yet\n" },
			inputs:    func(string) map[string]string { return map[string]string{"version": "v1.2.3"} },
			want:      "::error title=plimsoll::no checksum is known of plimsoll_1.2.3_linux_amd64.tar.gz", fails: true,
		}, {
			name:      "another archive",
			checksums: func(string) string { return "" },
			inputs: func(string) map[string]string {
				return map[string]string{"version": "v1.2.3", "sha256": strings.Repeat("0", 64)}
			},
			want: "is not what its checksum says", fails: true,
		}, {
			name:      "a version that is a path",
			checksums: func(string) string { return "" },
			inputs: func(sum string) map[string]string {
				return map[string]string{"version": "../../v1.2.3", "sha256": sum}
			},
			want: "want a release, such as v1.2.3", fails: true,
		}, {
			name:      "a release that is not there",
			checksums: func(string) string { return "" },
			inputs:    func(sum string) map[string]string { return map[string]string{"version": "v9.9.9", "sha256": sum} },
			want:      "cannot be downloaded", fails: true,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRunner(t)
			if _, err := exec.LookPath("curl"); err != nil {
				t.Skipf("needs curl: %v", err)
			}
			sum := r.release()
			out, err := r.use(r.action(test.checksums(sum)), test.inputs(sum))
			if (err != nil) != test.fails || !strings.Contains(out, test.want) {
				t.Errorf("%v\n%s", err, out)
			}
			if test.fails && strings.Contains(out, "<version>") {
				t.Errorf("what was refused has run:\n%s", out)
			}
		})
	}
}

// What the jobs of GitLab do before their script: the same, in the shell that their
// image has.
func TestGitLabDownloads(t *testing.T) {
	for _, needed := range []string{"wget", "sha256sum"} {
		if _, err := exec.LookPath(needed); err != nil {
			t.Skipf("needs %s: %v", needed, err)
		}
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("the release of this test is one for linux on amd64")
	}
	file, err := pipeline.GitLab(pipeline.Plan{Images: []pipeline.Image{{}}, Environments: []pipeline.Environment{{Name: "production"}}})
	if err != nil {
		t.Fatal(err)
	}
	var jobs map[string]struct {
		BeforeScript []string `yaml:"before_script"`
	}
	if err := yaml.Unmarshal([]byte(file.Text), &jobs); err != nil {
		t.Fatal(err)
	}
	r := newRunner(t)
	sum := r.release()
	before := strings.Join(jobs[".plimsoll"].BeforeScript, "\n")
	for name, test := range map[string]struct {
		env  []string
		want string
	}{
		"downloaded":  {[]string{"AWS_ROLE_ARN=role", "PLIMSOLL_VERSION=v1.2.3", "PLIMSOLL_SHA256=" + sum}, "<version>\n"},
		"another sum": {[]string{"AWS_ROLE_ARN=role", "PLIMSOLL_VERSION=v1.2.3", "PLIMSOLL_SHA256=" + strings.Repeat("0", 64)}, "FAILED"},
		"no sum":      {[]string{"AWS_ROLE_ARN=role", "PLIMSOLL_VERSION=v1.2.3"}, "no plimsoll in this image"},
		"no role":     {nil, "AWS_ROLE_ARN is not set"},
	} {
		t.Run(name, func(t *testing.T) {
			command := exec.CommandContext(t.Context(), "sh", "-e", "-c", before+"\ntest -s \"$AWS_WEB_IDENTITY_TOKEN_FILE\"\nplimsoll version")
			command.Env = append(append([]string{"PATH=/usr/local/bin:/usr/bin:/bin", "TMPDIR=" + t.TempDir(), "PLIMSOLL_ID_TOKEN=token"}, r.env...), test.env...)
			out, err := command.CombinedOutput()
			if fine := name == "downloaded"; (err == nil) != fine || !strings.Contains(string(out), test.want) || !fine && strings.Contains(string(out), "<version>") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// Every input is one word behind its own flag, whatever is in it.
func TestActionInputs(t *testing.T) {
	const hostile = "v1 --all; $(touch pwned) `id` \" ' \\ *"
	for _, test := range []struct {
		inputs map[string]string
		want   string
	}{
		{map[string]string{"command": "deploy", "image-tag": "v1.2.3", "desired-count": "2", "plimsoll-env": "stage"}, "<deploy>\n<--image-tag=v1.2.3>\n<--desired-count=2>\nenv <stage>\n"},
		{map[string]string{"command": "deploy", "image-tag": hostile}, "<deploy>\n<--image-tag=" + hostile + ">\nenv <>\n"},
		{map[string]string{"command": "release", "image-tag": "v1.2.3", "dockerfile": "a b/Dockerfile"}, "<release>\n<--tag=v1.2.3>\n<--file=a b/Dockerfile>\nenv <>\n"},
		{map[string]string{"command": "rollback", "to": "--help"}, "<rollback>\n<--to=--help>\nenv <>\n"},
		{map[string]string{"command": "stop", "image-tag": "v1.2.3", "count": "3"}, "<stop>\nenv <>\n"},
		{map[string]string{"command": "scale", "count": "--override-protection", "arguments": "--all\n\n--no-wait"}, "<scale>\n<--all>\n<--no-wait>\n<-->\n<--override-protection>\nenv <>\n"},
		{map[string]string{"command": "audit", "arguments": "--format=html=a b.html\n"}, "<audit>\n<--format=html=a b.html>\nenv <>\n"},
	} {
		r := newRunner(t)
		sum := r.release()
		test.inputs["version"], test.inputs["sha256"] = "v1.2.3", sum
		out, err := r.use(r.action(""), test.inputs)
		if err != nil || !strings.HasSuffix(out, test.want) {
			t.Errorf("%v: %v\n%s", test.inputs, err, out)
		}
	}
	if _, err := os.Stat("pwned"); err == nil {
		t.Error("an input has become a command")
	}
	r := newRunner(t)
	sum := r.release()
	if out, err := r.use(r.action(""), map[string]string{"command": "drydock; id", "version": "v1.2.3", "sha256": sum}); err == nil || !strings.Contains(out, "there is release, build") {
		t.Errorf("%v\n%s", err, out)
	}
}

// The action of a commit that knows no release builds that commit, and deploys.
func TestActionDeploys(t *testing.T) {
	r := newRunner(t)
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
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
		r.env = append(r.env, v.Name+"="+v.Value)
	}
	r.env = append(r.env, "GITHUB_ACTIONS=true", "GITHUB_STEP_SUMMARY="+filepath.Join(r.temp, "summary"), "ECR_REPOSITORY=web", "ECS_CLUSTER=prod", "ECS_SERVICE=api", "TASK_DEFINITION=api")
	if out, err := r.use(here, nil); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	plimsoll := filepath.Join(r.temp, "plimsoll-built", "plimsoll")
	seed := exec.CommandContext(t.Context(), plimsoll, "drydock", "seed")
	seed.Env = append(os.Environ(), r.env...)
	if out, err := seed.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	image := filepath.Join(r.temp, "image.tar")
	if err := tarball.WriteToFile(image, name.MustParseReference("image:made"), empty.Image); err != nil {
		t.Fatal(err)
	}
	push := map[string]string{"command": "push", "image-tag": "v1.0.0", "arguments": "--tarball=" + image}
	if out, err := r.use(here, push); err != nil || !strings.Contains(out, "pushed") {
		t.Errorf("%v\n%s", err, out)
	}
	for _, run := range []struct {
		workflow string
		inputs   map[string]string // as somebody fills in the form
		want     string
	}{
		{"deploy", map[string]string{"image-tag": "v1.0.0", "desired-count": "1"}, "stable"},
		{"scale", map[string]string{"action": "stop"}, "0 of 0 running"},
		{"scale", map[string]string{"action": "start"}, "1 of 1 running"},
		{"scale", map[string]string{"action": "scale", "count": "2"}, "2 of 2 running"},
	} {
		if out, err := r.use(here, stepOf(t, run.workflow, run.inputs)); err != nil || !strings.Contains(out, run.want) {
			t.Errorf("%s %v: %v\n%s", run.workflow, run.inputs, err, out)
		}
	}
	left, err := os.ReadFile(filepath.Join(r.temp, "output"))
	for _, output := range []string{"image-tag", "image-digest", "task-definition", "verdict", "url"} {
		if err != nil || !bytes.Contains(left, []byte(output)) {
			t.Errorf("the output %s is not in %q: %v", output, left, err)
		}
	}
	if out, err := r.use(here, map[string]string{"command": "deploy", "image-tag": "v9.9.9"}); err == nil || !strings.Contains(out, "there is no image") {
		t.Errorf("%v\n%s", err, out)
	}
}

// stepOf is what the step that runs plimsoll gives the action, in a workflow that
// init github writes and somebody starts with inputs.
func stepOf(t *testing.T, workflow string, inputs map[string]string) map[string]string {
	t.Helper()
	files, err := pipeline.GitHub(pipeline.Plan{
		Images: []pipeline.Image{{}}, Environments: []pipeline.Environment{{Name: "production"}}, GitHub: pipeline.Actions{Uses: "./"},
	})
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(files, func(f pipeline.File) bool { return strings.HasSuffix(f.Name, "plimsoll-"+workflow+".yml") })
	var w struct {
		Jobs map[string]struct {
			Steps []struct {
				Uses string
				With map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(files[at].Text), &w); err != nil {
		t.Fatal(err)
	}
	with := map[string]string{}
	for _, step := range w.Jobs[workflow].Steps {
		for name, value := range step.With {
			if step.Uses != "./" {
				continue
			}
			if input, isInput := strings.CutPrefix(value, "${{ inputs."); isInput {
				value = inputs[strings.TrimSuffix(input, " }}")]
			}
			with[name] = value
		}
	}
	return with
}
