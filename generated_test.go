package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What templ generates is committed; where templ is installed it must be what
// the templates give now.
func TestGenerated(t *testing.T) {
	templ, err := exec.LookPath("templ")
	if err != nil {
		t.Skipf("needs templ: %v", err)
	}
	err = filepath.WalkDir("internal", func(name string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(name) == ".templ" {
			t.Run(name, func(t *testing.T) { generated(t, templ, name) })
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func generated(t *testing.T, templ, name string) {
	source, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	dir, made := t.TempDir(), strings.TrimSuffix(name, ".templ")+"_templ.go"
	if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), source, 0o644); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), templ, "generate")
	command.Dir = dir
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("templ generate: %v\n%s", err, out)
	}
	want, err := os.ReadFile(filepath.Join(dir, filepath.Base(made)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what %s gives: go generate ./%s", made, name, filepath.ToSlash(filepath.Dir(name)))
	}
}
