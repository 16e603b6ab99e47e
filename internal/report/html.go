package report

import (
	"context"
	_ "embed"
	"io"

	"github.com/plimsoll-ecs/plimsoll/internal/drawn"
)

//go:generate go run github.com/a-h/templ/cmd/templ@v0.3.977 generate

//go:embed style.css
var style string

// HTML writes a document as one page that needs nothing else: no script, no
// request. It is drawn by templ, which generates plain Go: html/template would
// keep every method of the binary alive through reflection.
func HTML(w io.Writer, d Document) error {
	page, err := drawn.HTML(context.Background(), pageOf(d.page()))
	if err == nil {
		_, err = w.Write(page)
	}
	return err
}
