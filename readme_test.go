package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/cli"
)

// The scenario that both READMEs show comes out as they say.
func TestReadmeScenario(t *testing.T) {
	for _, readme := range []string{"README.md", "README.ja.md"} {
		text, err := os.ReadFile(readme)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile("(?s)```yaml\n(name: .*?)```").FindSubmatch(text)
		if found == nil {
			t.Fatalf("%s shows no scenario", readme)
		}
		file := filepath.Join(t.TempDir(), "scenario.yaml")
		if err := os.WriteFile(file, found[1], 0o600); err != nil {
			t.Fatal(err)
		}
		none := func(string) string { return "" }
		if code := cli.Run(context.Background(), []string{"drydock", "run", file}, cli.System{Getenv: none, Stdout: io.Discard, Stderr: os.Stderr}); code != 0 {
			t.Errorf("%s: exit code %d", readme, code)
		}
	}
}
