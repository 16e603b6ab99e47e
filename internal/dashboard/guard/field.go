package guard

import (
	"context"
	"io"

	"github.com/a-h/templ"
)

// Field is the hidden field of a form that has the token.
func Field(token string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, `<input type="hidden" name="`+FormField+`" value="`+templ.EscapeString(token)+`">`)
		return err
	})
}
