package dashboard

import (
	_ "embed"
	"net/http"

	"github.com/plimsoll-ecs/plimsoll/internal/asset"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/actions"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/live"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle/loadline"
	"github.com/plimsoll-ecs/plimsoll/internal/livepage"
	"github.com/plimsoll-ecs/plimsoll/internal/panel"
)

//go:embed script.js
var script []byte

//go:embed style.css
var style []byte

// assets are the files of all pages: one of each kind, for nothing is painted
// before the last style sheet is there.
type assets struct{ style, script, icon *asset.File }

func newAssets() assets {
	return assets{
		style: asset.New("/assets/style.css", "text/css; charset=utf-8",
			[]byte(panel.Style()), []byte(loadline.Style()), style, live.Style(), actions.Style()),
		script: asset.New("/assets/script.js", "text/javascript; charset=utf-8", livepage.Script(), script, live.Script()),
		icon:   asset.New("/assets/mark.svg", "image/svg+xml", []byte(panel.Icon())),
	}
}

func (a assets) routes(mux *http.ServeMux) {
	for _, file := range []*asset.File{a.style, a.script, a.icon} {
		mux.Handle("GET "+file.Path(), file)
	}
}
