package guard_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/guard"
)

const here = "127.0.0.1:8123"

// gate is a guarded server that counts what comes through.
type gate struct {
	*guard.Guard
	handler http.Handler
	cookie  *http.Cookie
	through int
}

func newGate(t *testing.T) *gate {
	t.Helper()
	g := &gate{Guard: guard.New(here)}
	g.handler = g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.through++
		_, _ = io.WriteString(w, "the fleet")
	}))
	answer := g.ask(httptest.NewRequest(http.MethodGet, g.URL(here), nil))
	cookies := answer.Cookies()
	if answer.StatusCode != http.StatusSeeOther || len(cookies) != 1 {
		t.Fatalf("the address that is printed: %s, cookies %v", answer.Status, cookies)
	}
	g.cookie = cookies[0]
	return g
}

func (g *gate) ask(r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	g.handler.ServeHTTP(w, r)
	return w.Result()
}

// get is a request of a browser that has the cookie.
func (g *gate) get(path string, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "http://"+here+path, nil)
	r.AddCookie(g.cookie)
	set(r, headers)
	return r
}

// post is a form that was filled in, in a page of this server.
func (g *gate) post(path string, form url.Values, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "http://"+here+path, strings.NewReader(form.Encode()))
	r.AddCookie(g.cookie)
	set(r, []string{"Content-Type", "application/x-www-form-urlencoded", "Origin", "http://" + here, "Sec-Fetch-Site", "same-origin"})
	set(r, headers)
	return r
}

func set(r *http.Request, headers []string) {
	for i := 0; i < len(headers); i += 2 {
		r.Header.Del(headers[i])
		if headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
}

func (g *gate) form(path string) url.Values {
	return url.Values{guard.FormField: {g.FormToken(path)}}
}

func TestTheAddressThatIsPrintedOpensTheSession(t *testing.T) {
	g := newGate(t)
	if !g.cookie.HttpOnly || g.cookie.SameSite != http.SameSiteStrictMode || g.cookie.Path != "/" || !strings.HasSuffix(g.cookie.Name, "8123") {
		t.Errorf("cookie %v", g.cookie)
	}
	r := httptest.NewRequest(http.MethodGet, strings.Replace(g.URL(here), "/?", "/services?q=web&", 1), nil)
	if to := g.ask(r).Header.Get("Location"); to != "/services?q=web" {
		t.Errorf("it leads to %q: the rest of the address stays, the token goes", to)
	}
	if answer := g.ask(g.get("/")); answer.StatusCode != http.StatusOK || g.through != 1 {
		t.Errorf("with the cookie: %s", answer.Status)
	}
}

// Nothing is served, and nothing done, without all that is asked for.
func TestNothingForStrangers(t *testing.T) {
	g := newGate(t)
	other := newGate(t)
	good := g.form("/do")
	without := func(r *http.Request) *http.Request { r.Header.Del("Cookie"); return r }
	at := func(host string, r *http.Request) *http.Request { r.Host = host; return r }
	long := g.form("/do")
	long.Set("why", strings.Repeat("x", guard.MaxBody))
	tests := []struct {
		name    string
		request *http.Request
		status  int
	}{
		{"no cookie", without(g.get("/")), 401},
		{"no cookie, a style sheet", without(g.get("/style.css")), 401},
		{"the cookie of another session", other.get("/"), 401},
		{"an old token", httptest.NewRequest("GET", other.URL(here), nil), 401},
		{"an old token beside a good cookie", g.get("/?token=old"), 401},
		{"a cookie that is empty", without(g.get("/")), 401},
		{"a token in a form", without(g.post("/do?token="+url.QueryEscape(g.cookie.Value), good)), 401},
		{"a form without the cookie", without(g.post("/do", good)), 401},

		{"a rebinding name", at("evil.example", g.get("/")), 421},
		{"a rebinding name with our port", at("evil.example:8123", g.get("/")), 421},
		{"a name that begins like ours", at("127.0.0.1.evil.example:8123", g.get("/")), 421},
		{"a name that ends like ours", at("evil-localhost:8123", g.get("/")), 421},
		{"a service of names for addresses", at("127.0.0.1.nip.io", g.get("/")), 421},
		{"the address of another machine", at("10.0.0.1:8123", g.get("/")), 421},
		{"every address", at("0.0.0.0:8123", g.get("/")), 421},
		{"a number that some resolvers take for 127.0.0.1", at("2130706433:8123", g.get("/")), 421},
		{"no host", at("", g.get("/")), 421},
		{"a host with a user", at("127.0.0.1@evil.example", g.get("/")), 421},

		{"another site's form", g.post("/do", good, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"), 403},
		{"a form of another port", g.post("/do", good, "Sec-Fetch-Site", "same-site", "Origin", "http://127.0.0.1:3000"), 403},
		{"a form of localhost by another name", g.post("/do", good, "Sec-Fetch-Site", "", "Origin", "http://localhost:8123"), 403},
		{"a form of a sandbox", g.post("/do", good, "Origin", "null"), 403},
		{"another site's form from an old browser", g.post("/do", good, "Sec-Fetch-Site", "", "Origin", "https://evil.example"), 403},
		{"a form of nowhere", g.post("/do", good, "Sec-Fetch-Site", "", "Origin", ""), 403},
		{"a form that the user typed", g.post("/do", good, "Sec-Fetch-Site", "none", "Origin", ""), 403},
		{"https is not us", g.post("/do", good, "Sec-Fetch-Site", "", "Origin", "https://"+here), 403},
		{"a picture in another port's page", g.get("/", "Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"), 403},
		{"another port's script reads", g.get("/", "Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "cors", "Origin", "http://127.0.0.1:3000"), 403},
		{"a frame in another page", g.get("/", "Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"), 403},

		{"no form token", g.post("/do", url.Values{}), 403},
		{"the form token of another form", g.post("/do", g.form("/other")), 403},
		{"the form token of another session", g.post("/do", other.form("/do")), 403},
		{"a form token in the address", g.post("/do?"+good.Encode(), url.Values{}), 403},
		{"a huge form", g.post("/do", long), 413},
		{"a form in parts", g.post("/do", good, "Content-Type", "multipart/form-data; boundary=x"), 415},
		{"plain text, which needs no leave", g.post("/do", good, "Content-Type", "text/plain"), 415},
		{"a broken form", g.broken("/do"), 413},
		{"another method", httptest.NewRequest("DELETE", "http://"+here+"/do", nil), 405},
		{"a method to see headers with", httptest.NewRequest("TRACE", "http://"+here+"/", nil), 405},
		{"a question for leave", httptest.NewRequest("OPTIONS", "http://"+here+"/do", nil), 405},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answer := g.ask(tt.request)
			if answer.StatusCode != tt.status {
				t.Errorf("%s, want %d", answer.Status, tt.status)
			}
			body, err := io.ReadAll(answer.Body)
			if err != nil || strings.Contains(string(body), "fleet") || strings.Contains(string(body), "evil") || len(answer.Cookies()) > 0 {
				t.Errorf("it says %q, cookies %v, %v", body, answer.Cookies(), err)
			}
			shielded(t, answer.Header)
		})
	}
	if g.through != 0 {
		t.Errorf("%d came through", g.through)
	}
}

func (g *gate) broken(path string) *http.Request {
	r := g.post(path, nil)
	r.Body = io.NopCloser(strings.NewReader("a=%zz"))
	return r
}

// What a browser sends when a person uses the page is let through.
func TestThePagesOwnUse(t *testing.T) {
	for name, r := range map[string]func(*gate) *http.Request{
		"typed": func(g *gate) *http.Request { return g.get("/", "Sec-Fetch-Site", "none") },
		"a link in a chat": func(g *gate) *http.Request {
			return g.get("/", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document")
		},
		"the stream":               func(g *gate) *http.Request { return g.get("/live", "Sec-Fetch-Site", "same-origin") },
		"an old browser":           func(g *gate) *http.Request { return g.get("/") },
		"a form":                   func(g *gate) *http.Request { return g.post("/do", g.form("/do")) },
		"a form of an old browser": func(g *gate) *http.Request { return g.post("/do", g.form("/do"), "Sec-Fetch-Site", "") },
		"by name": func(g *gate) *http.Request {
			r := g.post("/do", g.form("/do"), "Origin", "http://localhost:9000")
			r.Host = "localhost:9000" // a tunnel has another port
			return r
		},
		"IPv6": func(g *gate) *http.Request { r := g.get("/"); r.Host = "[::1]:8123"; return r },
		"a second cookie of the name": func(g *gate) *http.Request {
			r := g.get("/")
			r.Header.Set("Cookie", g.cookie.Name+"=planted; "+r.Header.Get("Cookie"))
			return r
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGate(t)
			answer := g.ask(r(g))
			if answer.StatusCode != http.StatusOK || g.through != 1 {
				t.Errorf("%s", answer.Status)
			}
			shielded(t, answer.Header)
		})
	}
}

// The way out of the token's address stays on this server, whatever path was
// put before it.
func TestNoRedirectElsewhere(t *testing.T) {
	g := newGate(t)
	for _, path := range []string{"//evil.example/", "///evil.example", "/\\evil.example", "/\r\nSet-Cookie: a=b", "/%0d%0aSet-Cookie:%20a=b", "/%5cevil.example", "/%2f/evil.example"} {
		r := httptest.NewRequest(http.MethodGet, g.URL(here), nil)
		if unescaped, err := url.PathUnescape(path); err == nil {
			path = unescaped
		}
		r.URL.Path = path
		answer := g.ask(r)
		to := answer.Header.Get("Location")
		if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n") || len(answer.Cookies()) != 1 {
			t.Errorf("%q leads to %q with cookies %v", path, to, answer.Cookies())
		}
	}
}

func shielded(t *testing.T, h http.Header) {
	t.Helper()
	policy := h.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY"} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
