package report

import (
	"bytes"
	"context"
	_ "embed"
	"io"
	"strings"
	"unicode"
)

//go:generate go run github.com/a-h/templ/cmd/templ@v0.3.977 generate

//go:embed style.css
var style string

// HTML writes a document as one page that needs nothing else: no script, no
// request. It is drawn by templ, which generates plain Go: html/template would
// keep every method of the binary alive through reflection.
func HTML(w io.Writer, d Document) error {
	var b bytes.Buffer
	if err := pageOf(d.page()).Render(context.Background(), &b); err != nil {
		return err
	}
	_, err := w.Write(bytes.Map(visible, b.Bytes()))
	return err
}

// visible drops what can be neither seen nor trusted: control characters, and
// those that turn the direction of the text around.
func visible(r rune) rune {
	switch {
	case r == '\n':
		return r
	case unicode.IsControl(r), r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return -1
	}
	return r
}

// drawing is an SVG as HTML has it: without the declarations of a file.
func drawing(svg string) string {
	if at := strings.Index(svg, "<svg"); at > 0 {
		return svg[at:]
	}
	return svg
}
