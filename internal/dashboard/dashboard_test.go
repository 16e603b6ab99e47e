package dashboard_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/guard"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

func now() time.Time { return time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC) }

func tokyo() audit.Place { return audit.Place{Account: "123456789012", Region: "ap-northeast-1"} }

// many is a fleet of n services, ten to a repository, some of which are lost and
// some of which will be.
func many(n int) audit.Fleet {
	const registry = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/"
	f := audit.Fleet{TakenAt: now(), Places: []audit.Place{tokyo()}}
	digest := func(repo, image int) string { return fmt.Sprintf("sha256:%064x", repo*1000+image+1) }
	for r := range (n + 9) / 10 {
		repo := audit.Repository{Place: tokyo(), Name: fmt.Sprintf("team-%02d/app-%03d", r%7, r), Mutability: "IMMUTABLE",
			Policy: `{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":120},"action":{"type":"expire"}}]}`}
		repo.URI, repo.ARN = registry+repo.Name, "arn:aws:ecr:ap-northeast-1:123456789012:repository/"+repo.Name
		for i := range 110 + r%10 {
			repo.Images = append(repo.Images, audit.Image{
				Image: lifecycle.Image{Digest: digest(r, i), Tags: []string{fmt.Sprintf("v1.%d.0", i)}, PushedAt: now().AddDate(0, 0, i-140)}, Bytes: 52_000_000,
			})
		}
		f.Repositories = append(f.Repositories, repo)
	}
	for i := range n {
		r := i / 10
		image := []int{0, 3, 40, 90, 105, 108, 70, 80, 100, 999}[i%10]
		if i%10 == 9 && i%50 != 9 {
			image = 60
		}
		s := audit.Service{Place: tokyo(), Cluster: []string{"prod", "staging"}[i%2], Name: fmt.Sprintf("service-%04d", i), Controller: "ECS", Desired: 3, Running: 3}
		s.ARN = "arn:aws:ecs:ap-northeast-1:123456789012:service/" + s.Cluster + "/" + s.Name
		s.Runs = []audit.Release{{TaskDefinition: fmt.Sprintf("arn:aws:ecs:ap-northeast-1:123456789012:task-definition/%s:7", s.Name), At: now().AddDate(0, 0, -3), Containers: []audit.Container{
			{Name: s.Name, Image: fmt.Sprintf("%s%s:v1.%d.0", registry, f.Repositories[r].Name, image), Digest: digest(r, image)},
		}}}
		f.Services = append(f.Services, s)
		for k := range 3 {
			f.Tasks = append(f.Tasks, audit.Task{Place: tokyo(), Cluster: s.Cluster, ARN: fmt.Sprintf("arn:aws:ecs:ap-northeast-1:123456789012:task/%s/%032x", s.Cluster, i*10+k),
				Group: "service:" + s.Name, TaskDefinition: s.Runs[0].TaskDefinition, StartedAt: now().AddDate(0, 0, -3), Containers: s.Runs[0].Containers})
		}
		if i%5 == 0 {
			f.Retirements = append(f.Retirements, audit.Retirement{Place: tokyo(), Event: fmt.Sprintf("arn:aws:health:ap-northeast-1::event/ECS/X/%d", i), At: now().AddDate(0, 0, 2+i%17), Cluster: s.Cluster, Service: s.Name})
		}
	}
	return f
}

// kept are the options of a dashboard of a fleet.
func kept(f audit.Fleet) dashboard.Options {
	return dashboard.Options{
		Survey: func(context.Context, story.Teller) (audit.Fleet, error) { return f, nil }, From: "fleet.json.gz",
		Judge: audit.Options{Horizon: 14 * day, Cadence: audit.PushCadence, Lint: audit.PolicyRemarks}, Now: now, Guard: guard.New("127.0.0.1:80"),
	}
}

// visited is a dashboard with the cookie of its session.
type visited struct {
	*dashboard.Server
	cookie *http.Cookie
}

// enter opens the session of a dashboard.
func enter(t testing.TB, s *dashboard.Server, g *guard.Guard) visited {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, g.URL("127.0.0.1"), nil))
	cookies := w.Result().Cookies()
	if len(cookies) != 1 {
		t.Fatalf("%d cookies", len(cookies))
	}
	return visited{s, cookies[0]}
}

func (v visited) request(ctx context.Context, path string) *http.Request {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1"+path, nil)
	r.AddCookie(v.cookie)
	return r
}

// board serves a fleet that was read.
func board(t testing.TB, o dashboard.Options) visited {
	t.Helper()
	s := enter(t, dashboard.New(o), o.Guard)
	t.Cleanup(s.Close)
	s.Refresh()
	for seen := false; !seen; { // the stream tells when it is there
		ctx, cancel := context.WithCancel(t.Context())
		s.ServeHTTP(&until{ResponseRecorder: httptest.NewRecorder(), text: `"number":"1"`, other: `"failed":"`, found: func() { seen = true; cancel() }}, s.request(ctx, "/live"))
		cancel()
	}
	return s
}

// until is an answer that is read until it has a text.
type until struct {
	*httptest.ResponseRecorder
	text, other string
	found       func()
}

func (u *until) Write(p []byte) (int, error) {
	if text := string(p); strings.Contains(text, u.text) || strings.Contains(text, u.other) && !strings.Contains(text, `"failed":""`) {
		u.found()
	}
	return len(p), nil
}

func (u *until) FlushError() error { return nil }

func get(t testing.TB, s visited, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, s.request(t.Context(), path))
	return w.Code, w.Body.String()
}

// The pages of a thousand services stay below 100 KB.
func TestPagesStaySmall(t *testing.T) {
	s := board(t, kept(many(1000)))
	const at = "/123456789012/ap-northeast-1/"
	for _, path := range []string{
		"/", "/?page=20", "/?show=losing", "/?q=service-09", "/repositories", "/repository" + at + "team-00/app-000", "/repository" + at + "team-01/app-008?page=2",
		"/maintenance", "/maintenance?page=4", "/findings", "/findings?code=PL011", "/codes", "/service" + at + "prod/service-0000", "/assets/style.css", "/assets/script.js", "/assets/mark.svg",
	} {
		code, body := get(t, s, path)
		t.Logf("%s: %d bytes", path, len(body))
		if code != http.StatusOK || len(body) > 100_000 {
			t.Errorf("%s: %d, %d bytes", path, code, len(body))
		}
	}
}

func BenchmarkFleet(b *testing.B) {
	s := board(b, kept(many(1000)))
	for b.Loop() {
		get(b, s, "/")
	}
}

// Lists show what is asked for, the worst first, and pages follow one another.
func TestListsShowWhatIsAskedFor(t *testing.T) {
	s := board(t, kept(many(200)))
	for _, c := range []struct{ path, has, hasNot string }{
		{"/", "1 to 50 of 200", "service-0199"},
		{"/?page=4", "151 to 200 of 200", ""},
		{"/?page=99", "151 to 200 of 200", ""},
		{"/?page=x&show=%3Cscript%3E", "No service is like that", "<script>"},
		{"/?q=SERVICE-0123", "service-0123", "service-0124"},
		{"/?q=staging+v1.108", "service-0005", "service-0000"},
		{"/?show=lost", "cannot restart: its image is gone", "may lose its image"},
		{"/?q=%22%3E%3Cb%3E", `value="&#34;&gt;&lt;b&gt;"`, `""><b>`},
		{"/findings?show=error", "PL001", "may lose its image"},
		{"/findings?code=pl011", "may lose its image", "cannot restart: its image is gone"},
		{"/findings?q=service-0009", "staging/service-0009", "service-0010"},
		{"/repositories?q=app-007", "team-00/app-007", "app-008"},
		{"/maintenance", "prod/service-0000", "service-0001"},
		{"/codes/pl011", "To mend", ""},
		{"/service/123456789012/ap-northeast-1/staging/service-0009", "would not come back", "Diagnose"},
	} {
		_, body := get(t, s, c.path)
		if !strings.Contains(body, c.has) || c.hasNot != "" && strings.Contains(body, c.hasNot) {
			t.Errorf("%s: wants %q and not %q:\n%s", c.path, c.has, c.hasNot, body[strings.Index(body, "<main"):])
		}
	}
	if _, body := get(t, s, "/"); strings.Index(body, "cannot restart</span>") > strings.Index(body, "may not restart</span>") {
		t.Error("the worst is not first")
	}
}

// What is not there is said so, with a page.
func TestNothingThere(t *testing.T) {
	s := board(t, kept(many(10)))
	for path, want := range map[string]string{
		"/nothing": "Nothing is here", "/codes/PL999": "no finding has the code", "/service/1/eu/a/b": "a/b is not there", "/repository/1/eu/x/y": "x/y is not there",
		"/service/123456789012/ap-northeast-1/prod/service-0000/diagnosis": "from a file", "/assets/": "",
	} {
		if code, body := get(t, s, path); path != "/assets/" && (code != http.StatusNotFound || !strings.Contains(body, want)) {
			t.Errorf("%s: %d, no %q", path, code, want)
		}
	}
}

// hinted is an error that says what to do.
type hinted struct{ error }

func (hinted) Hint() string { return "set AWS_REGION" }

// A fleet that cannot be read is said, with what to do.
func TestFleetThatCannotBeRead(t *testing.T) {
	o := kept(audit.Fleet{})
	o.From = ""
	o.Survey = func(context.Context, story.Teller) (audit.Fleet, error) {
		return audit.Fleet{}, hinted{errors.New("no region is set")}
	}
	s := board(t, o)
	if _, body := get(t, s, "/"); !strings.Contains(body, "no region is set") || !strings.Contains(body, "set AWS_REGION") {
		t.Errorf("the page says:\n%s", body)
	}
}

// A service that cannot be asked is shown as it was read, with why and what to do; of
// one that was not read there is nothing else to show.
func TestServiceThatCannotBeAsked(t *testing.T) {
	o := kept(many(10))
	o.From = ""
	o.Reach = func(context.Context, audit.Place, string, string) (dashboard.Reach, error) {
		return dashboard.Reach{}, hinted{errors.New("no credentials")}
	}
	s := board(t, o)
	for path, c := range map[string]struct {
		status int
		hasNot string
	}{"prod/service-0000": {http.StatusOK, "cannot be shown"}, "prod/other": {http.StatusBadGateway, "not there"}} {
		code, body := get(t, s, "/service/123456789012/ap-northeast-1/"+path)
		if code != c.status || !strings.Contains(body, "no credentials") || !strings.Contains(body, "set AWS_REGION") || strings.Contains(body, c.hasNot) {
			t.Errorf("%s: %d:\n%s", path, code, body[strings.Index(body, "<main"):])
		}
	}
	if _, body := get(t, s, "/service/123456789012/ap-northeast-1/prod/service-0000"); !strings.Contains(body, "team-00/app-000") {
		t.Error("what was read is not shown")
	}
}

// Of a long list those rows that a window shows are in a part of their own, and all
// of them in the page.
func TestFirstScreenOfTheFleet(t *testing.T) {
	for n, want := range map[int]int{20: 0, 21: 1, 200: 1} {
		_, body := get(t, board(t, kept(many(n))), "/")
		if rows := strings.Count(body, `class="row `); strings.Count(body, `class="later"`) != want || rows != min(n, 50) {
			t.Errorf("%d services: %d rows, %d later parts", n, rows, strings.Count(body, `class="later"`))
		}
	}
}

// An empty account is nothing to be afraid of.
func TestEmptyFleet(t *testing.T) {
	s := board(t, kept(audit.Fleet{TakenAt: now(), Places: []audit.Place{tokyo()}}))
	for _, path := range []string{"/", "/repositories", "/maintenance", "/findings"} {
		if code, _ := get(t, s, path); code != http.StatusOK {
			t.Errorf("%s: %d", path, code)
		}
	}
}

// Names from outside are text, and addresses made of them lead to their pages.
func TestHostileNames(t *testing.T) {
	const hostile = `"><img src=x onerror=alert(1)>` + "\x1b[31m\u202e" + `/..//%2f?a=b#c`
	f := many(10)
	f.Services[0].Name, f.Services[0].Runs[0].Containers[0].Image = hostile, hostile
	f.Repositories[0].Images[0].Tags = []string{hostile}
	f.Blind = []audit.Blind{{Place: tokyo(), Action: hostile, About: hostile, Reason: hostile}}
	s := board(t, kept(f))
	for _, path := range []string{"/", "/findings", "/repositories", "/repository/123456789012/ap-northeast-1/team-00/app-000", "/maintenance"} {
		_, body := get(t, s, path)
		if strings.Contains(body, "<img") || strings.ContainsAny(body, "\x1b\u202e") {
			t.Errorf("%s: what comes from outside is not text", path)
		}
	}
}

// Nobody without the session's cookie is answered. The rest of the guard is tested with
// it.
func TestStrangersAreRefused(t *testing.T) {
	s := board(t, kept(many(10)))
	s.cookie = &http.Cookie{Name: s.cookie.Name, Value: "guessed"}
	for _, path := range []string{"/", "/findings", "/assets/style.css", "/live", "/watch/123456789012/ap-northeast-1/prod/service-0000", "/nothing"} {
		if code, body := get(t, s, path); code != http.StatusUnauthorized || strings.Contains(body, "service-0") {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
}

// After the fleet was asked for again, a browser goes back to a page of this server.
func TestRefreshLeadsBack(t *testing.T) {
	o := kept(many(10))
	s := board(t, o)
	for back, want := range map[string]string{"/findings?q=a": "/findings?q=a", "//evil.example/": "/", "https://evil.example": "/", "": "/"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/refresh",
			strings.NewReader(url.Values{"back": {back}, guard.FormField: {o.Guard.FormToken("/refresh")}}.Encode()))
		r.AddCookie(s.cookie)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != want {
			t.Errorf("%q: %d to %q, want %q", back, w.Code, w.Header().Get("Location"), want)
		}
	}
}

// The pages refer to nothing outside, and have no script or style inside, but for
// links of AWS's console.
func TestPagesAreStrict(t *testing.T) {
	s := board(t, kept(many(20)))
	for _, path := range []string{"/", "/findings", "/repository/123456789012/ap-northeast-1/team-00/app-000", "/maintenance", "/service/123456789012/ap-northeast-1/prod/service-0000"} {
		_, body := get(t, s, path)
		for _, never := range []string{" style=", "<style", "<script>", "javascript:", " onclick=", "https://"} {
			if strings.Contains(body, never) {
				t.Errorf("%s has %q", path, never)
			}
		}
	}
}
