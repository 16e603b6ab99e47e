package panel

import (
	"context"
	"io"
	"strings"

	"github.com/a-h/templ"
)

// Words is a text whose options and dates are not broken at their hyphens:
// "--image-tag", "2026-11-26".
func Words(text string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		var b strings.Builder
		for i, word := range strings.Split(text, " ") {
			if i > 0 {
				b.WriteByte(' ')
			}
			if isWhole(word) {
				b.WriteString(`<span class="whole">` + templ.EscapeString(word) + `</span>`)
			} else {
				b.WriteString(templ.EscapeString(word))
			}
		}
		_, err := io.WriteString(w, b.String())
		return err
	})
}

// isWhole reports whether a word is an option or a date. One that is too long for a
// phone is broken all the same.
func isWhole(word string) bool {
	const longest = 32
	date := strings.TrimRight(word, ".,:;)")
	isDate := len(date) == len("2006-01-02") && date[4] == '-' && date[7] == '-' && strings.Trim(date, "0123456789-") == ""
	return len(word) <= longest && (isDate || strings.HasPrefix(word, "--"))
}
