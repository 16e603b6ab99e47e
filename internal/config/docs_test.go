package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/markdown"
)

// What the pages show of plimsoll.yaml is taken as it stands.
func TestDocsShowWhatIsTaken(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, name := range append(pages, "../../README.md", "../../README.ja.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range markdown.Read(string(text)).Blocks {
			if block.Language != "yaml" || !isOurs(block.Text) {
				continue
			}
			shown++
			if _, err := Parse("plimsoll.yaml", []byte(block.Text)); err != nil {
				t.Errorf("%s:%d: %v", name, block.Line, err)
			}
		}
	}
	if shown < 5 {
		t.Errorf("the pages show plimsoll.yaml %d times; there were more", shown)
	}
}

// isOurs tells a piece of plimsoll.yaml from other YAML by its first member.
func isOurs(text string) bool {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		member, _, _ := strings.Cut(line, ":")
		return slices.Contains([]string{
			"account", "region", "registry", "cluster", "tags", "retention", "services", "environments", "maintenance", "notifications", "accounts", "audit",
		}, member)
	}
	return false
}
