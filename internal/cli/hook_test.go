package cli

import (
	"slices"
	"strings"
	"testing"
)

func TestParseHook(t *testing.T) {
	for _, tc := range []struct {
		text, container string
		run             []string // nil: refused
	}{
		{"migrate", "", []string{"migrate"}},
		{"api: bin/migrate up", "api", []string{"bin/migrate", "up"}},
		{`sh -c 'a && "b"'`, "", []string{"sh", "-c", `a && "b"`}},
		{`say "a \"b\" \n" ''`, "", []string{"say", `a "b" \n`, ""}},
		{`a\ b`, "", []string{"a b"}},
		{"curl http://localhost:8080", "", []string{"curl", "http://localhost:8080"}},
		{"", "", nil},
		{"api:", "", nil},
		{`say 'x`, "", nil},
		{`say \`, "", nil},
	} {
		h, err := parseHook(tc.text)
		if (err == nil) != (tc.run != nil) || h.Container != tc.container || !slices.Equal(h.Run, tc.run) {
			t.Errorf("%s: %+v, %v", tc.text, h, err)
		}
	}
}

func FuzzSplitWords(f *testing.F) {
	f.Add("api: sh -c 'echo x'")
	f.Add(`a\ "b c" ''`)
	f.Fuzz(func(t *testing.T, text string) {
		words, err := splitWords(text)
		if err != nil {
			return
		}
		// What was split and is quoted again is split the same way.
		var quoted []string
		for _, w := range words {
			quoted = append(quoted, "'"+strings.ReplaceAll(w, "'", `'\''`)+"'")
		}
		again, err := splitWords(strings.Join(quoted, " "))
		if err != nil || !slices.Equal(again, words) {
			t.Errorf("%q: %q, then %q, %v", text, words, again, err)
		}
	})
}
