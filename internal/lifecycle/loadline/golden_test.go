package loadline

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/golden"
)

func TestGolden(t *testing.T) {
	for name, r := range map[string]Repository{"shop": shop(t), "port": port(t), "hostile": hostile(t), "empty": {Name: "empty"}} {
		l := Of(r, noon(), 14*day)
		golden.File(t, "testdata/"+name+".plain.txt", Plain(l))
		for _, columns := range []int{40, 80, 120} {
			golden.File(t, fmt.Sprintf("testdata/%s.%d.txt", name, columns), Text(l, Look{Width: columns}))
		}
		golden.File(t, "testdata/"+name+".720.svg", SVG(l, 720))
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
