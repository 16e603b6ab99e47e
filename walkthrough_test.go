package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/markdown"
)

// What the README, the guide and the page on settings show is typed into a shell, block by block, as a
// reader would, and what they show of the answers must be what comes. A comment
// above a block says what cannot be seen in it:
//
//	<!-- file: NAME -->       the block is this file, and is written before going on
//	<!-- exit N -->           its last command ends so; any other one ends with 0
//	<!-- not run: REASON -->  it is left alone; that its commands can be parsed, internal/cli tests
//
// In a console block a line … stands for any lines, and … at the end of a line for
// the rest of it. Translations have the same blocks, which package docs tests.
func TestWalkthroughs(t *testing.T) {
	for _, need := range []string{"docker", "aws"} {
		if there, err := condition(need); err != nil {
			t.Fatal(err)
		} else if !there {
			t.Skipf("needs %s", need)
		}
	}
	for _, page := range []string{"README.md", "docs/getting-started.md", "docs/config.md"} {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			walk(t, page, steps(t, markdown.Read(string(text))))
		})
	}
}

// step is something to type.
type step struct {
	line  int
	typed string
	exit  string
	shown []string // what is to be answered; nil where the page shows nothing
}

// steps are what a reader types, in order.
func steps(t *testing.T, page markdown.Page) []step {
	var out []step
	for _, b := range page.Blocks {
		file, isFile := strings.CutPrefix(b.Note, "file: ")
		exit, exits := strings.CutPrefix(b.Note, "exit ")
		switch {
		case strings.HasPrefix(b.Note, "not run: "):
		case isFile:
			out = append(out, step{line: b.Line, typed: "cat >" + file + " <<'END OF FILE'\n" + b.Text + "END OF FILE\n", exit: "0"})
		case b.Language == "sh":
			out = append(out, step{line: b.Line, typed: b.Text, exit: "0"})
		case b.Language == "console":
			for line := range strings.Lines(b.Text) {
				if typed, isTyped := strings.CutPrefix(line, "$ "); isTyped {
					out = append(out, step{line: b.Line, typed: typed, exit: "0"})
				} else if len(out) == 0 {
					t.Fatalf("line %d: a console block begins with a command", b.Line)
				} else {
					last := &out[len(out)-1]
					last.shown = append(last.shown, strings.TrimSuffix(line, "\n"))
				}
			}
		}
		if exits {
			out[len(out)-1].exit = exit
		}
	}
	return out
}

// walk types the steps into one shell, whose stdin the shells that it starts go
// on to read, as on a terminal.
func walk(t *testing.T, page string, steps []step) {
	var script strings.Builder
	script.WriteString("exec 2>&1\n")
	for i, s := range steps {
		// The reader's checkout is what this test was built from. With real
		// containers the demo is demo_docker.txtar's.
		typed := strings.Replace(s.typed, "go run . demo", "plimsoll demo --runtime simulated", 1)
		fmt.Fprintf(&script, "%secho \"=== step %d: $?\"\n", typed, i)
	}
	home := t.TempDir()
	shell := exec.CommandContext(t.Context(), "bash", "--norc")
	shell.Dir = t.TempDir()
	shell.Stdin = strings.NewReader(script.String())
	shell.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "USER=aki", "DOCKER_BUILDKIT=0", "AWS_PAGER="}
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		shell.Env = append(shell.Env, "DOCKER_HOST="+host)
	}
	said, err := shell.CombinedOutput()
	if err != nil {
		t.Errorf("%s: the shell: %v", page, err)
	}
	rest := string(said)
	for i, s := range steps {
		answer, after, found := strings.Cut(rest, fmt.Sprintf("=== step %d: ", i))
		if !found {
			t.Fatalf("%s:%d: the shell never came to:\n%s\nit said:\n%s", page, s.line, s.typed, rest)
		}
		exit, after, _ := strings.Cut(after, "\n")
		if exit != s.exit {
			t.Errorf("%s:%d: exit code %s, the page says %s, of:\n%s%s", page, s.line, exit, s.exit, s.typed, answer)
		}
		if s.shown != nil && !shows(s.shown, strings.Split(strings.TrimSuffix(answer, "\n"), "\n")) {
			t.Errorf("%s:%d: %sshows:\n  %s\nit said:\n%s", page, s.line, s.typed, strings.Join(s.shown, "\n  "), answer)
		}
		rest = after
	}
}

// shows says whether an excerpt is one of what was said.
func shows(excerpt, said []string) bool {
	if len(excerpt) == 0 {
		return len(said) == 0 || len(said) == 1 && said[0] == ""
	}
	if excerpt[0] == "…" {
		for skip := range len(said) + 1 {
			if shows(excerpt[1:], said[skip:]) {
				return true
			}
		}
		return false
	}
	return len(said) > 0 && sameLine(settled(excerpt[0]), settled(said[0])) && shows(excerpt[1:], said[1:])
}

// settled is a line without what differs from run to run: the time, how long
// something took, how well it was compressed, and names that are made up anew.
func settled(line string) string {
	for _, r := range []struct{ find, put string }{
		{`\b\d{4}-\d\d-\d\d\b`, "day"},
		{`\b\d\d:\d\d(:\d\d)?\b`, "time"},
		{`\b(\d+m)?\d+(\.\d+)?m?s\b`, "duration"},
		{`\b\d+(\.\d+)? k?B\b`, "size"},
		{`\b127\.0\.0\.1:\d+\b`, "registry"},
		{`\bsha256:[0-9a-f]{12,}`, "digest"},
		{`\becs-svc/\d+\b`, "deployment"},
		{`\b[0-9a-f]{8}\b`, "task"},
		{` +`, " "},
	} {
		line = regexp.MustCompile(r.find).ReplaceAllString(line, r.put)
	}
	return strings.TrimRight(line, " ")
}

func TestShows(t *testing.T) {
	said := []string{"17:00:01  build", "17:00:09  verdict   ✓ stable  web runs v1.0.0", "took  5.1s"}
	for excerpt, want := range map[string]bool{
		"…\n17:02:20  verdict   ✓ stable  web runs v1.0.0\n…":       true,
		"…\n17:02:20  verdict   ✓ stable  web runs v1.0.1\n…":       false,
		"…\n17:02:20  verdict   ✓ stable  web …\ntook  3.3s":        true,
		"17:02:20  verdict   ✓ stable  web runs v1.0.0\ntook  3.3s": false,
		"…\n17:02:20  verdict   ✓ stable  web runs v1.0.0":          false,
		"…": true,
	} {
		if got := shows(strings.Split(excerpt, "\n"), said); got != want {
			t.Errorf("%q: %v", excerpt, got)
		}
	}
}
