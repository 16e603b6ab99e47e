package rollout

import "testing"

func TestShortEvent(t *testing.T) {
	for message, want := range map[string]string{
		"(service api) has started 1 tasks: (task 0123456789abcdef0123456789abcdef).": "has started 1 tasks: (task 01234567).",
		"(service api) has reached a steady state.":                                   "has reached a steady state.",
		"(service api":   "(service api",
		"(task 0123456)": "(task 0123456)",
		"":               "",
	} {
		if got := ShortEvent(message); got != want {
			t.Errorf("%q: %q, want %q", message, got, want)
		}
	}
}
