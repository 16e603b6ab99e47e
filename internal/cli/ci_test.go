package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/ci"
	"github.com/plimsoll-ecs/plimsoll/internal/ciout"
	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/strictyaml"
	"github.com/plimsoll-ecs/plimsoll/internal/term"
)

// In a job nothing is redrawn, though Jenkins and others set no CI and may have a
// terminal. Outside of one a terminal is a terminal.
func TestNothingIsRedrawnInAJob(t *testing.T) {
	for _, tt := range []struct {
		system  ci.System
		dialect ci.Dialect
		want    term.Mode
	}{
		{"", ci.PlainDialect, term.Live},
		{ci.Jenkins, ci.PlainDialect, term.Lines},
		{ci.GitHub, ci.GitHubDialect, term.Lines},
		{"", ci.GitLabDialect, term.Lines}, // asked for
	} {
		o := term.Options{Mode: term.Live}
		(&ciJob{run: ci.Run{System: tt.system}, dialect: tt.dialect, log: ciout.NewLog(ciout.Options{})}).shape(&o)
		if o.Mode != tt.want {
			t.Errorf("%q in %s: mode %d, want %d", tt.system, tt.dialect, o.Mode, tt.want)
		}
	}
}

// Errors of plimsoll.yaml are found wherever they are wrapped, each at its line.
func TestErrorsAtTheirLines(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(root, "deploy", "plimsoll.yaml")
	shape := &strictyaml.Error{File: file, Position: strictyaml.Position{Line: 4, Column: 5}, Text: "unknown member"}
	value := &config.InvalidError{Source: file + ":12:7", Value: "v1", Why: "there is no such tag"}
	err := fmt.Errorf("reading: %w", errors.Join(shape, fmt.Errorf("resolving: %w", value), &config.InvalidError{Source: "ECS_CLUSTER", Value: "x", Why: "y"}))
	want := []ciout.Annotation{
		{Level: ciout.Error, Title: "plimsoll.yaml", File: "deploy/plimsoll.yaml", Line: 4, Column: 5, Text: "unknown member"},
		{Level: ciout.Error, Title: "plimsoll.yaml", File: "deploy/plimsoll.yaml", Line: 12, Column: 7, Text: `"v1": there is no such tag`},
	}
	if diff := cmp.Diff(want, (&session{}).lineErrors(err)); diff != "" {
		t.Error(diff)
	}
}
