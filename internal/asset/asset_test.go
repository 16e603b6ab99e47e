package asset_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/asset"
)

// A browser keeps what it asked for by an address that has its version, and
// nothing that was asked for otherwise.
func TestFilesAreKept(t *testing.T) {
	const kind = "text/css; charset=utf-8"
	f := asset.New("/assets/style.css", kind, []byte("a{}"), []byte("b{}"))
	if other := asset.New("/assets/style.css", kind, []byte("a{}")); other.Address() == f.Address() || !strings.HasPrefix(f.Address(), f.Path()+"?") {
		t.Errorf("%s and %s", f.Address(), other.Address())
	}
	for address, kept := range map[string]bool{f.Address(): true, f.Path(): false, f.Path() + "?v=0": false} {
		w := httptest.NewRecorder()
		w.Header().Set("Cache-Control", "no-store") // as everything else has it
		f.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, address, nil))
		if got := w.Header().Get("Cache-Control"); strings.Contains(got, "immutable") != kept || !kept && got != "no-store" {
			t.Errorf("%s: Cache-Control %q", address, got)
		}
		if w.Body.String() != "a{}b{}" || w.Header().Get("Content-Type") != kind {
			t.Errorf("%s: %q, %v", address, w.Body, w.Header())
		}
	}
}
