package pipeline

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/rhysd/actionlint"
)

// lint is what actionlint finds in the workflows of a repository. Its action.yml is
// that of this one, so the inputs of every step are held to it.
func lint(t *testing.T, files []File) []*actionlint.Error {
	t.Helper()
	root := t.TempDir()
	for _, file := range append(files, File{"action.yml", read(t, "../../action.yml")}) {
		name := filepath.Join(root, filepath.FromSlash(file.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(file.Text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(root, ".git"), 0o755); err != nil { // which makes it a repository
		t.Fatal(err)
	}
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{WorkingDir: root})
	if err != nil {
		t.Fatal(err)
	}
	found, err := linter.LintRepository(root)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// local are the workflows of a plan with the action of this repository.
func local(t *testing.T, plan Plan) []File {
	t.Helper()
	plan.GitHub.Uses, plan.GitHub.Comment = "./", ""
	files, err := GitHub(plan)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestWorkflowsPassActionlint(t *testing.T) {
	for name, plan := range plans() {
		for _, found := range lint(t, local(t, plan)) {
			t.Errorf("%s: %v", name, found)
		}
	}
}

// The linter that finds nothing above finds what is wrong: an input that the action
// does not have, and a title in a script.
func TestActionlintFinds(t *testing.T) {
	for what, spoil := range map[string][2]string{
		"image-tga": {"image-tag: ${{ inputs.image-tag }}", "image-tga: ${{ inputs.image-tag }}"},
		"needs":     {"needs: build", "needs: bulid"},
	} {
		files := local(t, plans()["services"])
		for i := range files {
			files[i].Text = strings.ReplaceAll(files[i].Text, spoil[0], spoil[1])
		}
		if len(lint(t, files)) == 0 {
			t.Errorf("%s: actionlint sees nothing wrong", what)
		}
	}
}

// composite is action.yml.
type composite struct {
	Inputs map[string]struct{ Default string }
	Runs   struct {
		Using string
		Steps []yaml.MapSlice
	}
}

func readAction(t *testing.T) composite {
	t.Helper()
	var a composite
	if err := yaml.Unmarshal([]byte(read(t, "../../action.yml")), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// actionlint knows workflows; the steps of the action are linted as those of one
// that has its inputs.
func TestActionPassesActionlint(t *testing.T) {
	a := readAction(t)
	inputs := yaml.MapSlice{}
	for name := range a.Inputs {
		inputs = append(inputs, yaml.MapItem{Key: name, Value: map[string]string{"type": "string"}})
	}
	workflow, err := yaml.Marshal(yaml.MapSlice{
		{Key: "name", Value: "action"},
		{Key: "on", Value: yaml.MapSlice{{Key: "workflow_call", Value: yaml.MapSlice{{Key: "inputs", Value: inputs}}}}},
		{Key: "jobs", Value: yaml.MapSlice{{Key: "run", Value: yaml.MapSlice{{Key: "runs-on", Value: "ubuntu-24.04"}, {Key: "steps", Value: a.Runs.Steps}}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range lint(t, []File{{".github/workflows/action.yml", string(workflow)}}) {
		t.Errorf("%v", found)
	}
}

// What an input says is never part of a script.
func TestNoExpressionsInScripts(t *testing.T) {
	a := readAction(t)
	if a.Runs.Using != "composite" || len(a.Runs.Steps) != 2 {
		t.Fatalf("%+v", a.Runs)
	}
	for _, step := range a.Runs.Steps {
		if run, _ := step.ToMap()["run"].(string); run == "" || strings.Contains(run, "${{") {
			t.Errorf("run: %q", run)
		}
	}
	for _, plan := range plans() {
		for _, file := range local(t, plan) {
			if strings.Contains(file.Text, "run:") {
				t.Errorf("%s has a script of its own", file.Name)
			}
		}
	}
}

// A tag can be moved by whoever owns the action; a commit cannot.
func TestActionsArePinned(t *testing.T) {
	pinned := regexp.MustCompile(`^[\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	for name, plan := range plans() {
		files, err := GitHub(plan)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			for line := range strings.Lines(file.Text) {
				_, uses, found := strings.Cut(strings.TrimSpace(line), "uses: ")
				if found && !pinned.MatchString(uses) && !strings.HasPrefix(uses, "./") && plan.GitHub.Comment != "" {
					t.Errorf("%s: %s: %s", name, file.Name, uses)
				}
			}
		}
	}
}

// No workflow may do more than it needs, and only the audit's writes findings.
func TestPermissions(t *testing.T) {
	for _, file := range local(t, plans()["services"]) {
		var w struct {
			Permissions map[string]string
			Jobs        map[string]struct{ Permissions map[string]string }
		}
		if err := yaml.Unmarshal([]byte(file.Text), &w); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"contents": "read", "id-token": "write"}
		if strings.HasSuffix(file.Name, "audit.yml") {
			want["security-events"], want["actions"] = "write", "read"
		}
		for scope, level := range w.Permissions {
			if want[scope] != level {
				t.Errorf("%s: %s: %s", file.Name, scope, level)
			}
		}
		if len(w.Permissions) != len(want) {
			t.Errorf("%s: %v", file.Name, w.Permissions)
		}
	}
}
