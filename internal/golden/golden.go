// Package golden holds texts that tests produce to files that people read: what
// a terminal shows, pages of the documentation, schemas. A test that finds a file
// out of date fails with the difference; with UPDATE_GOLDEN=1 in the
// environment it writes the file instead, and the difference is for git to show.
package golden

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// File requires that the file's content is got.
func File(t *testing.T, file, got string) {
	t.Helper()
	edit(t, file, func(string) string { return got })
}

// JSON requires that the file's content is the document, indented.
func JSON(t *testing.T, file string, document []byte) {
	t.Helper()
	var got bytes.Buffer
	if err := json.Indent(&got, document, "", "  "); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	File(t, file, got.String())
}

// Section requires that got, whole lines, is what stands in the file between the
// lines <!-- name --> and <!-- /name -->.
func Section(t *testing.T, file, name, got string) {
	t.Helper()
	edit(t, file, func(page string) string {
		begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
		before, rest, begins := strings.Cut(page, begin)
		_, after, ends := strings.Cut(rest, end)
		if !begins || !ends {
			t.Fatalf("%s has no place between %q and %q", file, strings.TrimSpace(begin), end)
		}
		return before + begin + got + end + after
	})
}

// edit requires that a file is as an edit of it would leave it.
func edit(t *testing.T, file string, want func(string) string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	wanted := want(string(content))
	if err == nil && wanted == string(content) {
		return
	}
	if os.Getenv("UPDATE_GOLDEN") == "" {
		t.Errorf("%s (-is +should be; UPDATE_GOLDEN=1 go test -run '^%s$' accepts):\n%s", file, t.Name(), cmp.Diff(string(content), wanted))
		return
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(wanted), 0o644); err != nil {
		t.Fatal(err)
	}
}
