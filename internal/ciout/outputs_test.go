package ciout

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func stable() Outcome {
	return Outcome{ImageTag: "v1.1.0", ImageDigest: "sha256:ab", TaskDefinition: "api:42", Verdict: "stable", URL: "https://api.example.com/?a=b#c"}
}

func TestDotenv(t *testing.T) {
	got, err := stable().Dotenv()
	if err != nil {
		t.Fatal(err)
	}
	want := `PLIMSOLL_IMAGE_TAG=v1.1.0
PLIMSOLL_IMAGE_DIGEST=sha256:ab
PLIMSOLL_TASK_DEFINITION=api:42
PLIMSOLL_VERDICT=stable
PLIMSOLL_URL=https://api.example.com/?a=b#c
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, err := (Outcome{Verdict: "error"}).Dotenv(); got != "PLIMSOLL_VERDICT=error\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestDotenvLeavesOutWhatCannotStandThere(t *testing.T) {
	for _, bad := range []string{"a b", "a\nPLIMSOLL_VERDICT=stable", `a"b`, "a'b", "$HOME", `a\b`, "é", "`id`"} {
		got, err := Outcome{ImageTag: bad, Verdict: "failed"}.Dotenv()
		var value *ValueError
		if !errors.As(err, &value) || value.Name != "PLIMSOLL_IMAGE_TAG" || value.Hint() == "" {
			t.Errorf("%q: %v", bad, err)
		}
		if got != "PLIMSOLL_VERDICT=failed\n" {
			t.Errorf("%q gave %q", bad, got)
		}
	}
}

// What GitLab reads (/^(.*?)=(.*)$/ of every line) is what was meant, whatever
// the values are.
func TestDotenvProperty(t *testing.T) {
	line := regexp.MustCompile(`^(PLIMSOLL_[A-Z_]+)=(\S+)$`)
	rapid.Check(t, func(t *rapid.T) {
		o := Outcome{ImageTag: hostile().Draw(t, "tag"), URL: hostile().Draw(t, "url"), Verdict: "stable"}
		text, _ := o.Dotenv()
		meant := map[string]string{"PLIMSOLL_IMAGE_TAG": o.ImageTag, "PLIMSOLL_URL": o.URL, "PLIMSOLL_VERDICT": "stable"}
		for _, l := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
			if m := line.FindStringSubmatch(l); m == nil || meant[m[1]] != m[2] {
				t.Fatalf("%q of %q", l, text)
			}
		}
	})
}

// Values cannot end themselves and begin others.
func TestOutputsProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := Outcome{
			ImageTag: hostile().Draw(t, "tag"), Verdict: rapid.SampledFrom([]string{"stable", "x\nplimsoll_A\nverdict=stable", "a<<b\nc\nb"}).Draw(t, "verdict"),
		}
		want := map[string]string{"image-tag": o.ImageTag, "image-digest": "", "task-definition": "", "verdict": o.Verdict, "url": ""}
		if diff := cmp.Diff(want, runnerOutputs(o.Outputs())); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestReplaceIsAtOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "deploy.env")
	for _, text := range []string{"a=1\n", "a=2\n"} {
		if err := Replace(file, text); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != text {
			t.Fatalf("%q, %v", got, err)
		}
	}
	// What is not a folder holds no file, and nothing is left lying about.
	if err := Replace(filepath.Join(file, "x"), "a=3\n"); err == nil {
		t.Error("no error")
	}
	if left, err := os.ReadDir(filepath.Dir(file)); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
}

func TestAppendBeginsALine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "output")
	for _, text := range []string{"a=1", "b=2\n", "c=3\n"} {
		if err := Append(file, text); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if diff := cmp.Diff("a=1\nb=2\nc=3\n", string(got)); diff != "" || err != nil {
		t.Error(diff, err)
	}
}
