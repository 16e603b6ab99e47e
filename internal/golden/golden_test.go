package golden

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSectionKeepsTheRestOfThePage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(file, []byte("before\n<!-- list -->\nold\n<!-- /list -->\nafter\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("UPDATE_GOLDEN", "1")
	Section(t, file, "list", "new\n")
	t.Setenv("UPDATE_GOLDEN", "")
	File(t, file, "before\n<!-- list -->\nnew\n<!-- /list -->\nafter\n")
}

func TestJSONIsIndented(t *testing.T) {
	file := filepath.Join(t.TempDir(), "testdata", "doc.json")
	t.Setenv("UPDATE_GOLDEN", "1")
	JSON(t, file, []byte(`{"a":[1]}`))
	t.Setenv("UPDATE_GOLDEN", "")
	File(t, file, "{\n  \"a\": [\n    1\n  ]\n}")
}
