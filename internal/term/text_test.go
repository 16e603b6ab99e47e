package term

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"charm.land/lipgloss/v2"
)

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second:                "0.0s",
		340 * time.Millisecond:      "0.3s",
		9999 * time.Millisecond:     "9.9s",
		42 * time.Second:            "42s",
		3*time.Minute + time.Second: "3m01s",
		2*time.Hour + 9*time.Minute: "2h09m",
	} {
		if got := age(d); got != want {
			t.Errorf("age(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestAmount(t *testing.T) {
	for _, tc := range []struct {
		done, total int64
		unit, want  string
	}{
		{3, 5, "steps", "3/5 steps"}, {3, 0, "steps", "3 steps"},
		{8_100_000, 12_400_000, "bytes", "8.1/12.4 MB"}, {512, 2_000, "bytes", "0.5/2.0 kB"}, {8_100_000, 0, "bytes", "8.1 MB"},
	} {
		if got := amount(tc.done, tc.total, tc.unit); got != tc.want {
			t.Errorf("amount(%d, %d, %q) = %q, want %q", tc.done, tc.total, tc.unit, got, tc.want)
		}
	}
}

func TestShortRevision(t *testing.T) {
	for in, want := range map[string]string{
		"api:42": "api:42",
		"arn:aws:ecs:eu-west-1:123456789012:task-definition/api:42":   "api:42",
		"a-family-with-a-name-that-nobody-can-read-at-a-glance:12345": "a-family-with-a-name-…:12345",
	} {
		if got := shortRevision(in); got != want {
			t.Errorf("shortRevision(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzForeignText(f *testing.F) {
	f.Add("plain", 10)
	f.Add("\x1b[31mred\x1b[0m\tand 決済\x00", 4)
	f.Add("\x1b", 1)
	f.Add("-0000000000000", 4)
	f.Add("\xc2\x9b31m", 3)
	f.Fuzz(func(t *testing.T, s string, width int) {
		text := clean(s)
		if i := strings.IndexFunc(text, unicode.IsControl); i >= 0 {
			t.Errorf("clean(%q) = %q has a control character", s, text)
		}
		width = 1 + width&0x7f
		if got := lipgloss.Width(cut(text, width)); got > width {
			t.Errorf("cut(%q, %d) is %d columns wide", text, width, got)
		}
		for _, line := range hang("", text, 0, width) {
			if got := lipgloss.Width(line); got > max(width, 10) {
				t.Errorf("hang(%q, %d) has a line of %d columns: %q", text, width, got, line)
			}
		}
	})
}

func TestECSEvent(t *testing.T) {
	for message, want := range map[string]string{
		"(service api) has started 2 tasks: (task 3113edab4626c5cce01322cde878619d) (task e355326cbf887ec4233ec61898280540).": "has started 2 tasks: 3113edab e355326c.",
		"(service api) has reached a steady state.":     "has reached a steady state.",
		"(service api) (task x) (port 80) is unhealthy": "x (port 80) is unhealthy",
		"asked ECS to roll back":                        "",
		"(service api":                                  "",
	} {
		if got, ok := ecsEvent(message); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v; want %q", message, got, ok, want)
		}
	}
}
