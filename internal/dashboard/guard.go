package dashboard

import (
	"fmt"
	"net/http"

	"github.com/plimsoll-ecs/plimsoll/internal/loopback"
)

// policy allows the pages their own style, script and stream, and nothing else:
// whatever a name or a log line says, it is text. Load lines bring a style of
// their own, which is served as a file.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guarded answers to loopback names only (a page whose own name suddenly
// resolves to 127.0.0.1 is, to the browser, still at home there: the Host
// header is all that gives DNS rebinding away), and takes nothing but reads from
// pages of other origins.
func guarded(next http.Handler) http.Handler {
	same := http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !loopback.Is(loopback.HostOf(r.Host)) {
			http.Error(w, fmt.Sprintf("the dashboard does not answer to the host %q", r.Host), http.StatusForbidden)
			return
		}
		same.ServeHTTP(w, r)
	})
}
