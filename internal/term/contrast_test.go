package term

import (
	"fmt"
	"image/color"
	"math"
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
)

// background is what a terminal may have behind its text.
type background struct {
	name string
	at   color.RGBA
}

func dark() []background {
	return []background{
		{"black", color.RGBA{0, 0, 0, 255}}, {"Windows Terminal", color.RGBA{0x0c, 0x0c, 0x0c, 255}}, {"VS Code", color.RGBA{0x1e, 0x1e, 0x1e, 255}},
		{"Solarized dark", color.RGBA{0x00, 0x2b, 0x36, 255}}, {"Ubuntu", color.RGBA{0x30, 0x0a, 0x24, 255}}, {"One Dark", color.RGBA{0x28, 0x2c, 0x34, 255}},
	}
}

func light() []background {
	return []background{
		{"white", color.RGBA{255, 255, 255, 255}}, {"One Light", color.RGBA{0xfa, 0xfa, 0xfa, 255}},
		{"Solarized light", color.RGBA{0xfd, 0xf6, 0xe3, 255}}, {"grey", color.RGBA{0xee, 0xee, 0xee, 255}},
	}
}

// Every colour can be read: at 4.5 to 1, WCAG's AA, where the background is
// known; where it is not, at 3.9 to 1 on black and on white, and never below
// 2.9 on what lies between, while AA wants 3 of what only repeats a word.
func TestContrast(t *testing.T) {
	for _, tc := range []struct {
		shades Shades
		name   string
		on     []background
		least  float64
	}{
		{Dark, "dark", dark(), 4.5},
		{Light, "light", light(), 4.5},
		{Either, "either", []background{dark()[0], light()[0]}, 3.9},
		{Either, "either", append(dark(), light()...), 2.9},
	} {
		h := tc.shades.hues()
		for name, c := range map[string]lipgloss.ANSIColor{"good": h.good, "bad": h.bad, "warn": h.warn, "busy": h.busy, "faint": h.faint} {
			if c < 16 {
				t.Errorf("%s, %s: the theme decides on colour %d", tc.name, name, c)
			}
			for _, b := range tc.on {
				if got := contrast(c, b.at); got < tc.least {
					t.Errorf("%s, %s: colour %d has %.2f to 1 on %s, want %v", tc.name, name, c, got, b.name, tc.least)
				}
			}
		}
	}
}

// contrast is WCAG 2's ratio of two colours.
func contrast(a, b color.Color) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func luminance(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	linear := func(v uint32) float64 {
		s := float64(v) / 0xffff
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}

func TestContrastAsWCAGHasIt(t *testing.T) {
	for _, tc := range []struct {
		a, b color.RGBA
		want string
	}{
		{color.RGBA{0, 0, 0, 255}, color.RGBA{255, 255, 255, 255}, "21.00"},
		{color.RGBA{0x76, 0x76, 0x76, 255}, color.RGBA{255, 255, 255, 255}, "4.54"},
	} {
		if got := fmt.Sprintf("%.2f", contrast(tc.a, tc.b)); got != tc.want {
			t.Errorf("%v on %v: %s, want %s", tc.a, tc.b, got, tc.want)
		}
	}
}

func TestShades(t *testing.T) {
	for _, tc := range []struct {
		env  map[string]string
		want Shades
	}{
		{map[string]string{"TERM": "xterm"}, Own},
		{map[string]string{"TERM": "xterm", "COLORTERM": "truecolor"}, Either},
		{map[string]string{"TERM": "tmux-256color"}, Either},
		{map[string]string{"TERM": "xterm-256color", "COLORFGBG": "15;0"}, Dark},
		{map[string]string{"TERM": "xterm-256color", "COLORFGBG": "12;8"}, Dark},
		{map[string]string{"TERM": "xterm-256color", "COLORFGBG": "0;15"}, Light},
		{map[string]string{"TERM": "rxvt-unicode-256color", "COLORFGBG": "0;default;7"}, Light},
		{map[string]string{"TERM": "xterm-256color", "COLORFGBG": "0;default"}, Either},
		{map[string]string{"TERM": "xterm-256color", "COLORFGBG": "7"}, Either},
		{map[string]string{"TERM": "xterm-256color", "COLORFGBG": "0;99"}, Either},
		{map[string]string{"TERM": "xterm-256color", "COLORFGBG": "15;0", "PLIMSOLL_BACKGROUND": "light"}, Light},
		{map[string]string{"TERM": "xterm", "PLIMSOLL_BACKGROUND": "light"}, Own},
	} {
		if got := shades(env(tc.env)); got != tc.want {
			t.Errorf("%v: %d, want %d", tc.env, got, tc.want)
		}
	}
}

// Without colour nothing is missing but the colour.
func TestColourSaysNothingAlone(t *testing.T) {
	for _, name := range stories() {
		if plain, colored := drawn(t, name, false, Own), drawn(t, name, true, Dark); plain != colored {
			t.Errorf("%s is not the same without colour:\n%s\nand with it:\n%s", name, plain, colored)
		}
	}
}

// drawn is all that Live mode draws of a story, without colour.
func drawn(t *testing.T, name string, color bool, as Shades) string {
	var b strings.Builder
	s := screen{palette: newPalette(color, as)}
	for _, e := range readStory(t, name) {
		lines := s.take(e, e.Time, 80)
		for _, line := range append(lines, s.block(e.Time, 80, 24)...) {
			b.WriteString(plain(line) + "\n")
		}
	}
	return b.String()
}

func env(m map[string]string) func(string) string { return func(k string) string { return m[k] } }
