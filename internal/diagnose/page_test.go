package diagnose

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// UPDATE_GOLDEN=1 go test ./internal/diagnose writes the page.
func TestThePageIsUpToDate(t *testing.T) {
	const file = "../../docs/diagnoses.md"
	want := load(t).Page()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s: run UPDATE_GOLDEN=1 go test ./internal/diagnose\n%s", file, diff)
	}
}
