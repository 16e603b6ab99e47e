// Package guard decides who may ask a server on loopback anything. [New] draws
// a secret for the session, [Guard.URL] is the address to print once, and
// [Guard.Wrap] goes around the whole server: what it lets through comes from a
// browser that was given that address, and not from a page of somebody else's.
//
// Four things are held, each enough for an attack of its own kind:
//
//   - The Host header is loopback. A web page whose own name suddenly resolves
//     to 127.0.0.1 (DNS rebinding) is, to the browser, still at home there; the
//     header is all that gives it away.
//   - The session's secret is there, as a cookie that scripts cannot read and
//     that no other site's page can have sent. Reading needs it too: other users
//     of this machine reach loopback as well, and a fleet is a company's secret.
//   - The browser says that a page of this very server asks (Sec-Fetch-Site and
//     Origin). Other ports of this machine are the same site to a cookie, and
//     another origin to these.
//   - A form has the token that was drawn into it ([Guard.FormToken]).
//
// Whatever is answered has headers that keep it out of frames, caches and other
// pages, and let no script run but the server's own.
package guard

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/loopback"
)

const (
	// MaxBody bounds what a form may send; the longest has a reason and a name.
	MaxBody = 64 << 10

	// FormField is the field of every form that has its token.
	FormField = "formtoken"

	parameter = "token"          // of the address that is printed
	patience  = 10 * time.Second // for the whole of a form
)

// Guard is one session: as long as the server runs.
type Guard struct {
	secret string // in the address and the cookie
	key    []byte // of the tokens in forms
	cookie string // its name
}

// New begins a session of the server that listens at address. Cookies know no
// ports, so its name has the port: two dashboards do not take each other's.
func New(address string) *Guard {
	_, port, _ := net.SplitHostPort(address)
	key := make([]byte, 32)
	rand.Read(key) // never fails, says crypto/rand
	return &Guard{secret: rand.Text(), key: key, cookie: "plimsoll-dashboard-" + port}
}

// URL is the address that opens the session in a browser.
func (g *Guard) URL(address string) string {
	return "http://" + address + "/?" + url.Values{parameter: {g.secret}}.Encode()
}

// FormToken is the token of a form that posts to the path.
func (g *Guard) FormToken(path string) string {
	mac := hmac.New(sha256.New, g.key)
	mac.Write([]byte(path))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Wrap lets through what may be answered.
func (g *Guard) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protect(w.Header())
		if !loopback.Is(loopback.HostOf(r.Host)) {
			refuse(w, http.StatusMisdirectedRequest, "This server answers to localhost alone.")
			return
		}
		reading := r.Method == http.MethodGet || r.Method == http.MethodHead
		if !reading && r.Method != http.MethodPost {
			w.Header().Set("Allow", "GET, HEAD, POST")
			refuse(w, http.StatusMethodNotAllowed, "This server reads, and takes forms.")
			return
		}
		if given := r.URL.Query().Get(parameter); reading && given != "" {
			g.open(w, r, given)
			return
		}
		if !g.known(r) {
			refuse(w, http.StatusUnauthorized, "No session: open the address that plimsoll dashboard printed in its terminal. If you have just done so by a link in another page, reload this one.")
			return
		}
		if !fromHere(r, reading) {
			refuse(w, http.StatusForbidden, "This was asked by a page of another origin.")
			return
		}
		if !reading && !g.readable(w, r) {
			return
		}
		next.ServeHTTP(w, r)
	})
}

// open gives the browser the cookie, and takes the secret out of its address.
func (g *Guard) open(w http.ResponseWriter, r *http.Request, given string) {
	if !same(given, g.secret) {
		refuse(w, http.StatusUnauthorized, "That token is not of this session: open the address that plimsoll dashboard printed last.")
		return
	}
	http.SetCookie(w, &http.Cookie{Name: g.cookie, Value: g.secret, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	rest := r.URL.Query()
	rest.Del(parameter)
	to := url.URL{Path: local(r.URL.Path), RawQuery: rest.Encode()}
	w.Header().Set("Location", to.String())
	w.WriteHeader(http.StatusSeeOther)
}

// local is a path that leads nowhere else: //host and /\host are other
// servers to a browser.
func local(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n") {
		return "/"
	}
	return path
}

// known reports whether the request has the session's cookie.
func (g *Guard) known(r *http.Request) bool {
	for _, c := range r.CookiesNamed(g.cookie) {
		if same(c.Value, g.secret) {
			return true
		}
	}
	return false
}

// same compares in a time that says nothing of either, their lengths neither.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// fromHere reports whether the browser says that a page of this server asks, or
// its user: an address that was typed, a link that was followed. A form is never
// anybody's but ours, and says so. It is stricter than [http.CrossOriginProtection],
// which lets every request through that reads, and one that says nothing of where
// it is from.
func fromHere(r *http.Request, reading bool) bool {
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	if origin != "" && origin != "http://"+r.Host {
		return false
	}
	switch site {
	case "same-origin":
		return true
	case "": // browsers before 2023, and what is none
		return reading || origin != ""
	case "none":
		return reading
	}
	return reading && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

// readable reads the form, and holds it to its token.
func (g *Guard) readable(w http.ResponseWriter, r *http.Request) bool {
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind != "application/x-www-form-urlencoded" {
		refuse(w, http.StatusUnsupportedMediaType, "Forms are taken as application/x-www-form-urlencoded.")
		return false
	}
	r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Now().Add(patience)) // a connection that knows none, as in tests, cannot stall
	defer func() { _ = connection.SetReadDeadline(time.Time{}) }()
	if err := r.ParseForm(); err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "That form cannot be read, or is too long.")
		return false
	}
	if !same(r.PostForm.Get(FormField), g.FormToken(r.URL.Path)) {
		refuse(w, http.StatusForbidden, "That form is not of this session: go back, reload the page and send it again.")
		return false
	}
	return true
}

// protect sets what every answer has.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "+
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin") // with no-referrer, forms have the origin "null" (Fetch, "append a request Origin header")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// refuse answers with nothing of what was asked: what a stranger sends is not
// shown to anybody.
func refuse(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(why + "\n")) // one who hangs up has his answer
}
