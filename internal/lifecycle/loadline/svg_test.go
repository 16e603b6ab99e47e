package loadline

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The picture is XML whatever the names are, has no elements but its own, tells
// what it shows, and stays small.
func TestSVG(t *testing.T) {
	for name, r := range map[string]Repository{"shop": shop(t), "port": port(t), "hostile": hostile(t), "empty": {}} {
		l := Of(r, noon(), 14*day)
		for _, columns := range []int{0, 320, 720, 1200, 9999} {
			svg := SVG(l, columns)
			if len(svg) > 60<<10 {
				t.Errorf("%s, %d: %d bytes", name, columns, len(svg))
			}
			elements := elementsOf(t, svg)
			for element := range elements {
				if !strings.Contains(" svg title desc style rect path circle text tspan ", " "+element+" ") {
					t.Errorf("%s: element %s", name, element)
				}
			}
			if elements["title"] == 0 || elements["desc"] != 1 {
				t.Errorf("%s: %v", name, elements)
			}
			if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
				t.Errorf("%s, %d: a length is not a number", name, columns)
			}
		}
	}
}

func elementsOf(t *testing.T, svg string) map[string]int {
	t.Helper()
	elements := map[string]int{}
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return elements
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok {
			elements[start.Name.Local]++
			for _, a := range start.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Name.Local, "href") {
					t.Errorf("<%s %s>", start.Name.Local, a.Name.Local)
				}
			}
		}
	}
}

// WCAG 2.2 asks for a contrast of 4.5 for text and 3 for what pictures are read
// by; each theme has it on every ground that it may lie on.
func TestContrast(t *testing.T) {
	light, dark, ok := strings.Cut(style, "prefers-color-scheme: dark")
	if !ok {
		t.Fatal("no dark theme")
	}
	for theme, css := range map[string]string{"light": light, "dark": dark} {
		colors := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z]+): (#[0-9a-f]{6})`).FindAllStringSubmatch(css, -1) {
			colors[m[1]] = m[2]
		}
		hold := func(least float64, fore string, grounds ...string) {
			for _, ground := range grounds {
				if c := contrast(t, colors[fore], colors[ground]); c < least {
					t.Errorf("%s: %s on %s has a contrast of %.2f, want %g", theme, fore, ground, c, least)
				}
			}
		}
		hold(4.5, "ink", "page", "sea", "later", "perhaps")
		hold(4.5, "soft", "page", "perhaps")
		for _, state := range []string{"good", "warn"} {
			hold(4.5, state, "page", "later", "perhaps")
			hold(3, state, "hull")
		}
		hold(4.5, "bad", "page", "sea", "later", "perhaps")
		hold(3, "bad", "hull")
		hold(3, "plank", "hull")
		hold(3, "deep", "hull")
		hold(3, "line", "page", "hull", "later", "perhaps")
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	la, lb := luminance(t, a), luminance(t, b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func luminance(t *testing.T, color string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		if len(color) != 7 {
			t.Fatalf("color %q", color)
		}
		v, err := strconv.ParseUint(color[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(v) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
