// Package drawn is what components draw, without what can be neither seen nor
// trusted: names, events and log lines are other people's.
package drawn

import (
	"bytes"
	"context"
	"unicode"

	"github.com/a-h/templ"
)

// HTML is a component as it is sent.
func HTML(ctx context.Context, c templ.Component) ([]byte, error) {
	var b bytes.Buffer
	if err := c.Render(ctx, &b); err != nil {
		return nil, err
	}
	return bytes.Map(visible, b.Bytes()), nil
}

// visible drops control characters, and those that turn the direction of the
// text around.
func visible(r rune) rune {
	switch {
	case r == '\n':
		return r
	case unicode.IsControl(r), r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return -1
	}
	return r
}
