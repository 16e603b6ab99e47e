package drawn_test

import (
	"testing"

	"github.com/a-h/templ"

	"github.com/plimsoll-ecs/plimsoll/internal/drawn"
)

// What can be neither seen nor trusted is not sent; letters of every language are.
func TestInvisibleCharactersAreDropped(t *testing.T) {
	for given, want := range map[string]string{
		"a\u202eb\x1b[31mc": "ab[31mc",
		"a\u2066b\tc\x00\r": "abc",
		"líne\n船 🚢":         "líne\n船 🚢",
	} {
		if got, err := drawn.HTML(t.Context(), templ.Raw(given)); err != nil || string(got) != want {
			t.Errorf("%q: %q, %v, want %q", given, got, err, want)
		}
	}
}
