package build

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// told collects a story as short lines.
type told []string

func (t *told) tell(e story.Event) {
	line := string(e.Kind)
	if e.Kind == story.Progress {
		line += fmt.Sprintf(" %d/%d %s", e.Done, e.Total, e.Unit)
	}
	if e.There > 0 {
		line += fmt.Sprintf(" (%d there)", e.There)
	}
	if e.Layers != nil {
		line += fmt.Sprintf(" %d/%d layers", e.Layers.Done, e.Layers.Total)
	}
	if e.Message != "" {
		line += " " + e.Message
	}
	*t = append(*t, line)
}

func (t *told) news(step story.Step) news { return newNews(t.tell, step, time.Now) }

// The recordings in testdata are of docker 28.2 with engine 20.10, with and
// without buildx 0.21.
func recording(t testing.TB, name string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(data), "\n")
}

func TestOutput(t *testing.T) {
	for _, tc := range []struct {
		file   string
		story  []string
		cached int
		err    *Error
	}{
		{
			file: "buildkit-ok.txt",
			story: []string{
				"change tools 1/1 COPY app /app", "progress 1/1 steps",
				"change stage-1 1/2 COPY --from=tools /app /app", "progress 2/3 steps",
				`change stage-1 2/2 RUN ["/app"]`, "progress 3/3 steps",
				"progress 3/3 steps exporting to image",
			},
			cached: 1,
		},
		{
			file: "buildkit-cached.txt",
			story: []string{
				"change tools 1/1 COPY app /app", "progress 1/1 steps",
				"change stage-1 1/2 COPY --from=tools /app /app", "progress 2/3 steps",
				`change stage-1 2/2 RUN ["/app"]`, "progress 3/3 steps",
				"progress 3/3 steps exporting to image",
			},
			cached: 3,
		},
		{
			file: "buildkit-fail.txt",
			story: []string{
				"change build context sent, 1.6 MB", "change stage-1 1/4 COPY app /app", "progress 1/4 steps",
				"change tools 1/1 COPY fail /check", "progress 2/5 steps",
				"change stage-1 2/4 COPY --from=tools /check /check", "progress 3/5 steps",
				`change stage-1 3/4 RUN ["/app"]`, "progress 4/5 steps",
				`change stage-1 4/4 RUN ["/check"]`,
			},
			cached: 1,
			err: &Error{
				Step: `stage-1 4/4 RUN ["/check"]`, ExitCode: 3,
				Lines: []string{"schema: column total is missing", "checking the schema", "executor failed running [/check]: exit code: 3"},
			},
		},
		{
			file: "buildkit-syntax.txt",
			err: &Error{Lines: []string{
				`#0 building with "default" instance using docker driver`,
				"ERROR: failed to solve: rpc error: code = Unknown desc = failed to solve with frontend dockerfile.v0: " +
					"failed to create LLB definition: dockerfile parse error line 1: unknown instruction: FROMM",
			}},
		},
		{
			file: "legacy-ok.txt",
			story: []string{
				"progress 0/0 steps sending the build context", "change build context sent, 3.4 MB", "change 1/6 FROM scratch AS tools",
				"progress 1/6 steps 2/6 COPY app /app", "change 2/6 COPY app /app",
				"progress 2/6 steps 3/6 FROM scratch", "change 3/6 FROM scratch",
				"progress 3/6 steps 4/6 COPY --from=tools /app /app", "change 4/6 COPY --from=tools /app /app",
				`progress 4/6 steps 5/6 RUN ["/app"]`, `change 5/6 RUN ["/app"]`,
				"progress 5/6 steps 6/6 LABEL a=b", "change 6/6 LABEL a=b",
				"progress 6/6 steps",
			},
			cached: 1,
		},
		{
			file: "legacy-fail.txt",
			err: &Error{
				Step: `7/7 RUN ["/check"]`, ExitCode: 3,
				Lines: []string{"schema: column total is missing", "checking the schema"},
			},
		},
		{
			file: "legacy-mount.txt",
			err: &Error{
				Step:  `2/2 RUN --mount=type=cache,target=/x ["/app"]`,
				Lines: []string{"the --mount option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/ to learn how to build images with BuildKit enabled"},
			},
		},
		{
			file: "legacy-syntax.txt",
			err:  &Error{Lines: []string{"Error response from daemon: dockerfile parse error line 1: unknown instruction: FROMM"}},
		},
	} {
		t.Run(tc.file, func(t *testing.T) {
			var said told
			out := newOutput(strings.NewReplacer())
			for _, line := range recording(t, tc.file) {
				out.read(line, said.news(story.Build))
			}
			if tc.story != nil {
				if diff := cmp.Diff(tc.story, []string(said)); diff != "" {
					t.Errorf("story (-want +got):\n%s", diff)
				}
				if out.cached != tc.cached {
					t.Errorf("%d steps from the cache, want %d", out.cached, tc.cached)
				}
			}
			if tc.err == nil {
				return
			}
			got, ok := out.failure().(*Error)
			if !ok {
				t.Fatalf("failure is %T", out.failure())
			}
			if got.Step == "" { // everything is evidence; the end of it counts
				got.Lines = slices.DeleteFunc(got.Lines, func(s string) bool {
					return !strings.Contains(s, "instruction") && !strings.HasPrefix(s, "#0")
				})
			}
			if diff := cmp.Diff(tc.err, got); diff != "" {
				t.Errorf("failure (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBuildKitFailureWithoutBuildkitIsExplained(t *testing.T) {
	e := &Error{Lines: []string{"the --mount option requires BuildKit. Refer to …"}}
	if !strings.Contains(e.Hint(), "docker-buildx") {
		t.Errorf("hint %q", e.Hint())
	}
}

func TestDockerfileWarnings(t *testing.T) {
	var said told
	out := newOutput(strings.NewReplacer())
	for _, line := range []string{
		"#8 DONE 0.1s", "",
		" 1 warning found (use docker --debug to expand):",
		` - SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ARG "TOKEN") (line 3)`,
	} {
		out.read(line, said.news(story.Build))
	}
	want := told{`warning SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ARG "TOKEN") (line 3)`}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Error(diff)
	}
}

func TestSecretsAreHidden(t *testing.T) {
	hide := secretsOf(
		[]string{"TOKEN=hunter2", "LONGER=hunter2-and-more", "SHORT=abc", "KEY=line one\nline two", "FROM_ENV", "UNSET"},
		[]string{"FROM_ENV=s3cret"})
	got := hide.Replace("hunter2 hunter2-and-more abc line one/line two s3cret")
	if want := "••• ••• abc •••/••• •••"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBuildArg(t *testing.T) {
	env := []string{"PATH=/bin", "TOKEN_OF_ENV=x"}
	for _, tc := range []struct{ arg, flag, variable string }{
		{"TOKEN=s3cret", "TOKEN", "TOKEN=s3cret"},
		{"EMPTY=", "EMPTY", "EMPTY="},
		{"TOKEN_OF_ENV", "TOKEN_OF_ENV", ""},
		{"PATH=/evil", "PATH=/evil", ""},
		{"HTTPS_PROXY=http://p", "HTTPS_PROXY=http://p", ""},
		{"http_proxy=http://p", "http_proxy=http://p", ""},
		{"DOCKER_HOST=tcp://x", "DOCKER_HOST=tcp://x", ""},
		{"BUILDKIT_INLINE_CACHE=1", "BUILDKIT_INLINE_CACHE=1", ""},
		{"=x", "=x", ""},
	} {
		if flag, variable := buildArg(tc.arg, env); flag != tc.flag || variable != tc.variable {
			t.Errorf("buildArg(%q) = %q, %q, want %q, %q", tc.arg, flag, variable, tc.flag, tc.variable)
		}
	}
}

func FuzzOutput(f *testing.F) {
	for _, name := range []string{"buildkit-ok.txt", "buildkit-fail.txt", "legacy-ok.txt", "legacy-fail.txt", "legacy-cached.txt"} {
		f.Add(strings.Join(recording(f, name), "\n"))
	}
	f.Add("Step 3/2 : x\nStep 1/9999999999999999999 : x\n#1 [a 1/2] x\n#1 [a 2/2] x\n#1 DONE\n#1 DONE\nSuccessfully built x")
	f.Fuzz(func(t *testing.T, text string) {
		var done, total int64
		n := newNews(func(e story.Event) {
			if e.Kind != story.Progress {
				return
			}
			if e.Done < 0 || e.Done > e.Total {
				t.Errorf("progress %d of %d", e.Done, e.Total)
			}
			done, total = e.Done, e.Total
		}, story.Build, time.Now)
		out := newOutput(strings.NewReplacer())
		w := &lineWriter{line: func(line string) { out.read(line, n) }}
		for len(text) > 0 { // in pieces, as a pipe delivers it
			piece := text[:min(7, len(text))]
			if _, err := w.Write([]byte(piece)); err != nil {
				t.Fatal(err)
			}
			text = text[len(piece):]
		}
		w.flush()
		if len(out.lines) > keep || done > total {
			t.Errorf("%d lines kept, %d of %d", len(out.lines), done, total)
		}
		if out.failure() == nil || out.failure().Error() == "" {
			t.Error("a failure without words")
		}
	})
}

// What BuildKit says in plain mode of a build context that takes its time, and
// of steps that go on at the same time. (buildkit, util/progress/progressui)
func TestOutputOfSeveralAtOnce(t *testing.T) {
	var said told
	out := newOutput(strings.NewReplacer())
	for line := range strings.Lines(`#4 [internal] load build context
#4 transferring context: 12.58MB 5.0s
#4 transferring context: 25.17MB 10.1s
#4 ...

#5 [builder 1/2] FROM docker.io/library/golang:1.26@sha256:ab12
#5 DONE 11.0s

#4 [internal] load build context
#4 transferring context: 31.46MB 12.3s done
#4 DONE 12.4s

#6 [builder 2/2] RUN go build
#6 ...

#7 [stage-1 1/1] COPY assets /assets
#7 DONE 0.1s

#6 [builder 2/2] RUN go build
#6 DONE 20.3s
`) {
		out.read(strings.TrimSuffix(line, "\n"), said.news(story.Build))
	}
	want := told{
		"progress 12580000/0 bytes build context", "progress 25170000/0 bytes build context",
		"change builder 1/2 FROM docker.io/library/golang:1.26@sha256:ab12", "progress 1/2 steps",
		"change build context sent, 31.5 MB",
		"change builder 2/2 RUN go build", "change stage-1 1/1 COPY assets /assets",
		"progress 2/3 steps builder 2/2 RUN go build", // the other one is done
		"progress 3/3 steps",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Error(diff)
	}
}
