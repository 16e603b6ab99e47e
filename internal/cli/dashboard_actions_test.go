package cli

import (
	"bufio"
	"bytes"
	"context"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/client"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/seed"
)

// fleetOf is a drydock with the service prod/web, which runs v1.0.0 twice, and
// with others to deploy: v1.2.0 crashes, v1.3.0 takes for ever to start, v1.4.0
// takes long and crashes.
func fleetOf(t *testing.T, scale float64) *drydock.Server {
	t.Helper()
	d, err := drydock.Start(t.Context(), drydock.Options{Runtime: drydock.Simulated, TimeScale: scale})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, v := range d.Env() {
		t.Setenv(v.Name, v.Value)
	}
	t.Setenv("USER", "ann")
	t.Setenv("CI", os.Getenv("CI"))
	names := seed.Names{Cluster: "prod", Service: "web", Family: "web", Container: "app", Repository: "shop/web"}
	if _, err := seed.Plant(t.Context(), d.Endpoint(), drydock.DefaultRegion, names); err != nil {
		t.Fatal(err)
	}
	push := client.New(d.Endpoint(), drydock.DefaultRegion, nil)
	for tag, labels := range map[string]map[string]string{
		"v1.0.0": {"health": "healthy"}, "v1.1.0": {"health": "healthy"},
		"v1.3.0": {"start-delay": "20h"},
		"v1.5.0": {"health": "healthy", "start-delay": "4h"}, // under way until somebody moves the calendar
		"v1.4.0": {"start-delay": "8m", "exit-after": "1s", "exit-code": "1", "log": "panic: DATABASE_URL is not set"},
		"v1.2.0": {"exit-after": "1s", "exit-code": "1", "log": "panic: DATABASE_URL is not set"},
	} {
		if _, err := push.Push(t.Context(), d.Addr, "shop/web:"+tag, client.Image{Labels: labels, Content: tag}); err != nil {
			t.Fatal(err)
		}
	}
	mustRun(t, "deploy", "--cluster", "prod", "--service", "web", "--repository", "shop/web", "--image-tag", "v1.0.0", "--desired-count", "2")
	return d
}

// desk is somebody at a browser without JavaScript, with a dashboard open.
type desk struct {
	*http.Client
	t     *testing.T
	base  string // http://127.0.0.1:PORT
	first string // the address that was printed
	stop  func() (code int, said string)
}

// sitDown starts plimsoll dashboard and opens what it prints.
func sitDown(t *testing.T, args ...string) *desk {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	var said bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- Run(ctx, append([]string{"dashboard"}, args...), System{Getenv: os.Getenv, Environ: os.Environ(), Stdin: strings.NewReader(""), Stdout: in, Stderr: &said})
		in.Close()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the dashboard printed nothing: %v\n%s", err, said.String())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{Client: &http.Client{Jar: jar}, t: t, first: strings.TrimSpace(line)}
	d.base, _, _ = strings.Cut(d.first, "/?")
	stopped := false
	d.stop = func() (int, string) {
		stopped = true
		cancel()
		return <-ended, said.String()
	}
	t.Cleanup(func() {
		if !stopped {
			d.stop()
		}
		d.CloseIdleConnections()
	})
	if status, _ := d.get("/?" + strings.SplitN(d.first, "?", 2)[1]); status != http.StatusOK {
		t.Fatalf("%s: %d", d.first, status)
	}
	return d
}

// page is what the browser shows.
type page struct {
	path string
	text string
}

func (d *desk) get(path string) (int, page) {
	d.t.Helper()
	answer, err := d.Get(d.base + path)
	if err != nil {
		d.t.Fatal(err)
	}
	return d.read(answer)
}

func (d *desk) read(answer *http.Response) (int, page) {
	d.t.Helper()
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return answer.StatusCode, page{answer.Request.URL.Path, html.UnescapeString(string(body))}
}

// send fills in the form of a page that posts to a path, and sends it.
func (d *desk) send(p page, path string, values url.Values) (int, page) {
	d.t.Helper()
	form := regexp.MustCompile(`(?s)<form method="post" action="` + regexp.QuoteMeta(path) + `".*?</form>`).FindString(p.text)
	token := regexp.MustCompile(`name="formtoken" value="([^"]+)"`).FindStringSubmatch(form)
	if token == nil {
		d.t.Fatalf("%s has no form for %s:\n%s", p.path, path, p.text)
	}
	full := url.Values{"formtoken": {token[1]}}
	for name, value := range values {
		full[name] = value
	}
	return d.post(path, full)
}

func (d *desk) post(path string, form url.Values) (int, page) {
	d.t.Helper()
	request, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		d.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", d.base)
	answer, err := d.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	return d.read(answer)
}

// propose fills in the form of a verb, and is shown what would be done.
func (d *desk) propose(verb string, values url.Values) page {
	d.t.Helper()
	path := d.act(verb)
	status, form := d.get(path)
	if status != http.StatusOK {
		d.t.Fatalf("%s: %d\n%s", path, status, form.text)
	}
	status, shown := d.send(form, path, values)
	if status != http.StatusOK || !strings.HasPrefix(shown.path, "/confirm/") {
		d.t.Fatalf("%s leads to %s: %d\n%s", path, shown.path, status, shown.text)
	}
	return shown
}

func (d *desk) act(verb string) string { return "/act/" + verb + "/" + d.service() }

// service is the end of the addresses of the service prod/web.
func (d *desk) service() string {
	return drydock.DefaultAccount + "/" + drydock.DefaultRegion + "/prod/web"
}

// confirm types the service's name, and waits for the end of the run.
func (d *desk) confirm(p page) page {
	d.t.Helper()
	status, run := d.send(p, p.path, url.Values{"name": {"web"}})
	if status != http.StatusOK || !strings.HasPrefix(run.path, "/runs/") {
		d.t.Fatalf("confirmed, it leads to %s: %d\n%s", run.path, status, run.text)
	}
	return d.await(run.path, "last-card")
}

// await loads a page until it has a text, as a browser without JavaScript does.
func (d *desk) await(path, text string) page {
	d.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var p page
	for patience := time.Now().Add(2 * time.Minute); time.Now().Before(patience); <-tick.C {
		if _, p = d.get(path); strings.Contains(p.text, text) {
			return p
		}
	}
	d.t.Fatalf("%s never says %q:\n%s", path, text, p.text)
	return p
}

func (p page) says(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(p.text, text) {
			_, main, _ := strings.Cut(p.text, "<main")
			main, _, _ = strings.Cut(main, "</main>")
			t.Errorf("%s does not say %q:\n%s", p.path, text, main)
		}
	}
}

// Everything that can be done to a service is done by forms alone, with the
// checks, the verdicts and the words of the command line.
func TestDashboardActs(t *testing.T) {
	fleetOf(t, 1000)
	d := sitDown(t, "--allow-actions")

	shown := d.propose("deploy", url.Values{"tag": {"v1.1.0"}})
	shown.says(t, "Deploy v1.1.0 to web?", "would deploy v1.1.0 (minor upgrade v1.0.0 → v1.1.0)", "containerDefinitions[app].image",
		"shop/web:v1.1.0", "is as the policy asks", "plimsoll deploy --cluster prod --service web --image-tag v1.1.0")
	if status, again := d.send(shown, shown.path, url.Values{"name": {"wbe"}}); status != http.StatusUnprocessableEntity || !strings.Contains(again.text, "not the name") {
		t.Errorf("another name: %d", status)
	}
	d.confirm(shown).says(t, "stable", "v1.0.0 → v1.1.0 (minor upgrade)", "web runs v1.1.0", "by ann")
	if out, _ := mustRun(t, "history", "--cluster", "prod", "--service", "web", "--long"); !strings.Contains(out, "dashboard") || !strings.Contains(out, "ann") {
		t.Errorf("history does not say who:\n%s", out)
	}
	// Confirmed once more, it is the same run, and nothing is begun.
	if _, run := d.send(shown, shown.path, url.Values{"name": {"web"}}); !strings.HasPrefix(run.path, "/runs/") {
		t.Errorf("a replay leads to %s", run.path)
	}
	if _, list := d.get("/runs"); strings.Count(list.text, `<a href="/runs/`) != 1 {
		t.Errorf("runs:\n%s", list.text)
	}

	d.confirm(d.propose("deploy", url.Values{"other": {"v1.2.0"}})).says(t, "rolled-back", "DATABASE_URL is not set", "exit code 1", "<dd>4</dd>")
	d.propose("rollback", url.Values{"to": {""}}).says(t, "Refused", "to go back further, name the revision")
	d.confirm(d.propose("rollback", url.Values{"to": {"web:2"}})).says(t, "stable", "v1.1.0 → v1.0.0 (")
	d.propose("scale", url.Values{"count": {"3"}}).says(t, "desired count", "<del>2</del>", "<ins>3</ins>", "Checks")
	d.confirm(d.propose("scale", url.Values{"count": {"3"}})).says(t, "3 of 3 running")
	d.confirm(d.propose("stop", nil)).says(t, "stable")
	if _, form := d.get(d.act("start")); !strings.Contains(form.text, "start brings back 3") {
		t.Errorf("the form of start:\n%s", form.text)
	}
	d.confirm(d.propose("start", nil)).says(t, "3 of 3 running")
	d.confirm(d.propose("pin", nil)).says(t, "keep-prod-web-", "<dd>0</dd>")
	d.confirm(d.propose("unpin", nil)).says(t, "released", "<dd>0</dd>")

	if code, said := d.stop(); code != 0 {
		t.Errorf("exit %d\n%s", code, said)
	}
}

// What the command line refuses is refused, in its words, and cannot be
// confirmed.
func TestDashboardRefuses(t *testing.T) {
	fleetOf(t, 1000)
	name := filepath.Join(t.TempDir(), "plimsoll.yaml")
	if err := os.WriteFile(name, []byte("cluster: prod\nservices:\n  web:\n    containers: {app: shop/web}\n    protected: true\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PLIMSOLL_CONFIG", name)
	d := sitDown(t, "--allow-actions")
	for verb, tt := range map[string]struct {
		form url.Values
		says string
	}{
		"deploy": {url.Values{"other": {"latest"}}, "latest"},
		"stop":   {nil, "web is protected by the configuration"},
		"start":  {nil, ""},
		"scale":  {url.Values{"count": {"0"}}, "web is protected by the configuration"},
	} {
		p := d.propose(verb, tt.form)
		if verb == "start" { // nothing stands against it: it runs already
			continue
		}
		p.says(t, "Refused", "exit 3", tt.says)
		if strings.Contains(p.text, `name="name"`) {
			t.Errorf("%s: it can be confirmed all the same", verb)
		}
		if status, _ := d.post(p.path, url.Values{"name": {"web"}}); status != http.StatusForbidden {
			t.Errorf("%s: confirmed without a form: %d", verb, status)
		}
	}
	missing := d.propose("deploy", url.Values{"other": {"v9.9.9"}})
	missing.says(t, "there is no image")
	for path, want := range map[string]int{
		"/act/destroy/" + d.service(): 404, "/act/deploy/x/y/prod": 404, "/act/deploy/" + drydock.DefaultAccount + "/" + drydock.DefaultRegion + "/prod/w%2F..%2Feb": 404,
		"/act/deploy/" + drydock.DefaultAccount + "/" + drydock.DefaultRegion + "/prod/none": 502, "/act/deploy/111111111111/" + drydock.DefaultRegion + "/prod/web": 502,
		"/confirm/none": 410, "/runs/none": 404, "/runs/none/live": 404, "/act/deploy/../../../etc/passwd": 404,
	} {
		if status, p := d.get(path); status != want {
			t.Errorf("%s: %d, want %d\n%s", path, status, want, p.text)
		}
	}
	form := func(verb string, values url.Values) int {
		_, p := d.get(d.act(verb))
		status, _ := d.send(p, d.act(verb), values)
		return status
	}
	for i, values := range []url.Values{{}, {"other": {"a b"}}, {"tag": {"v1.1.0"}, "desired": {"-1"}}, {"tag": {"v1.1.0"}, "desired": {"99999999999"}}, {"other": {strings.Repeat("x", 200)}}, {"other": {"v1\r\nSet-Cookie: a=b"}}} {
		if status := form("deploy", values); status != http.StatusUnprocessableEntity {
			t.Errorf("form %d: %d", i, status)
		}
	}
	if status := form("rollback", url.Values{"to": {"--help"}}); status != http.StatusUnprocessableEntity {
		t.Errorf("a revision that is a flag: %d", status)
	}
}

// A confirmation is for what was shown: when somebody deploys meanwhile, nothing
// is done and it is shown anew.
func TestDashboardConfirmsWhatWasShown(t *testing.T) {
	fleetOf(t, 1000)
	d := sitDown(t, "--allow-actions")
	web := []string{"--cluster", "prod", "--service", "web"}
	shown := d.propose("deploy", url.Values{"tag": {"v1.1.0"}})
	mustRun(t, append([]string{"scale", "1"}, web...)...)
	status, anew := d.send(shown, shown.path, url.Values{"name": {"web"}})
	if status != http.StatusOK || !strings.HasPrefix(anew.path, "/confirm/") || anew.path == shown.path {
		t.Fatalf("a stale confirmation leads to %s: %d", anew.path, status)
	}
	anew.says(t, "Nothing was done", "the desired count was 2 and is 1")
	if status, _ := d.get(shown.path); status != http.StatusGone {
		t.Errorf("what was shown can still be confirmed: %d", status)
	}
	mustRun(t, append([]string{"deploy", "--repository", "shop/web", "--image-tag", "v1.1.0"}, web...)...)
	_, third := d.send(anew, anew.path, url.Values{"name": {"web"}})
	third.says(t, "the service's revision was web:", "the newest revision was", "already runs")
	if _, list := d.get("/runs"); !strings.Contains(list.text, "Nothing has been done") {
		t.Errorf("something was begun:\n%s", list.text)
	}
}

// Without --allow-actions nothing can be done, and nothing suggests that it can.
func TestDashboardReadsOnly(t *testing.T) {
	fleetOf(t, 1000)
	d := sitDown(t)
	for _, path := range []string{d.act("deploy"), "/runs", "/confirm/x", "/runs/x/live"} {
		if status, _ := d.get(path); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, _ := d.post(d.act("stop"), url.Values{}); status != http.StatusForbidden && status != http.StatusNotFound {
		t.Errorf("a form of nowhere: %d", status)
	}
	p := d.await("/service/"+d.service(), "v1.0.0")
	if strings.Contains(p.text, "/act/") || strings.Contains(p.text, ">Runs<") {
		t.Errorf("it suggests what cannot be done:\n%s", p.text)
	}
}

// The end of the dashboard leaves the rollout to ECS, and says how it is taken
// up again.
func TestDashboardLetsGo(t *testing.T) {
	fleetOf(t, 1000)
	d := sitDown(t, "--allow-actions")
	shown := d.propose("deploy", url.Values{"tag": {"v1.3.0"}})
	status, run := d.send(shown, shown.path, url.Values{"name": {"web"}})
	if status != http.StatusOK {
		t.Fatalf("%d\n%s", status, run.text)
	}
	d.await(run.path, "deployment ecs-svc/")
	if _, busy := d.get("/service/" + d.service()); !strings.Contains(busy.text, "Under way here") {
		t.Errorf("the page of the service:\n%s", busy.text)
	}
	other := d.propose("scale", url.Values{"count": {"5"}})
	if status, p := d.send(other, other.path, url.Values{"name": {"web"}}); status != http.StatusConflict || !strings.Contains(p.text, "is under way here") {
		t.Errorf("a second act: %d", status)
	}
	code, said := d.stop()
	if code != 0 || !strings.Contains(said, "interrupted; the deployment goes on") || !strings.Contains(said, "plimsoll wait --cluster prod --service web --revision web:") {
		t.Errorf("exit %d, it says\n%s", code, said)
	}
	if out, _ := mustRun(t, "status", "--cluster", "prod", "--service", "web"); !strings.Contains(out, "v1.3.0") {
		t.Errorf("the rollout is gone:\n%s", out)
	}
}
