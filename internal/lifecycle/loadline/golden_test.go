package loadline

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// golden compares got with a file in testdata; UPDATE_GOLDEN=1 writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; UPDATE_GOLDEN=1 accepts):\n%s", path, diff)
	}
}

func TestGolden(t *testing.T) {
	for name, r := range map[string]Repository{"shop": shop(t), "port": port(t), "hostile": hostile(t), "empty": {Name: "empty"}} {
		l := Of(r, noon(), 14*day)
		golden(t, name+".plain.txt", Plain(l))
		for _, columns := range []int{40, 80, 120} {
			golden(t, fmt.Sprintf("%s.%d.txt", name, columns), Text(l, Look{Width: columns}))
		}
		golden(t, name+".720.svg", SVG(l, 720))
	}
}

// Colour adds nothing but colour, and no line is wider than the screen.
func TestText(t *testing.T) {
	codes := regexp.MustCompile("\x1b\\[[0-9;]*m")
	for name, r := range map[string]Repository{"shop": shop(t), "port": port(t), "hostile": hostile(t)} {
		l := Of(r, noon(), 14*day)
		for _, columns := range []int{40, 41, 47, 59, 60, 72, 79, 80, 99, 100, 133, 200} {
			plain := Text(l, Look{Width: columns})
			for line := range strings.Lines(plain) {
				if n := width(strings.TrimSuffix(line, "\n")); n > columns {
					t.Errorf("%s: %d columns on a screen of %d: %s", name, n, columns, line)
				}
			}
			colored := Text(l, Look{Width: columns, Color: true})
			bare := regexp.MustCompile(` +\n`).ReplaceAllString(codes.ReplaceAllString(colored, ""), "\n")
			if diff := cmp.Diff(plain, bare); diff != "" {
				t.Errorf("%s, %d columns, with colour (-without +with):\n%s", name, columns, diff)
			}
			if strings.ContainsAny(bare, "\x1b\x00\r\a\u202e\u2028") {
				t.Errorf("%s: control characters in %q", name, bare)
			}
		}
	}
}
