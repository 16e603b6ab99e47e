package console_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/console"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecr"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecs"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/faults"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/news"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Without a script the page says it all.
func TestPageReadsWithoutScript(t *testing.T) {
	page := busy(t).get("/_drydock/")
	for _, want := range []string{
		"Wed 25 Nov 2026 17:30:28", "Rolling out", "Rollout failed", "ECS deployment circuit breaker: tasks failed to start.",
		"running, healthy, v1.4.0", "provisioning, v1.5.0", "6 stopped tasks", "Essential container in task exited",
		"Retirement upcoming", "in 7\u00a0days", "struck 0 of 0", "SERVICE_DEPLOYMENT_IN_PROGRESS",
		"next lifecycle run in 24\u00a0h takes 2 images", "1 image in use below the line", "beyond the count, rule 1; what uses it cannot restart then",
		"prod/mailer", "no lifecycle policy", "<noscript>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, never := range []string{" style=", " onclick", "javascript:", "https://", "<script>"} {
		if strings.Contains(page, never) {
			t.Errorf("the page has %q", never)
		}
	}
}

func TestPageIsSmallAndClosed(t *testing.T) {
	y := newYard(t)
	bytes := 0
	for _, path := range []string{"", "page/style.css", "page/script.js", "page/mark.svg"} {
		bytes += len(y.get("/_drydock/" + path))
	}
	if bytes > 100<<10 {
		t.Errorf("the empty page and its files are %d bytes", bytes)
	}
	for _, test := range []struct {
		method, path string
		header       http.Header
		status       int
	}{
		{http.MethodGet, "/_drydock/", nil, http.StatusOK},
		{http.MethodGet, "/_drydock/?page=-3&shelf=x&show=nothing&q=%00%ff", nil, http.StatusOK},
		{http.MethodGet, "/_drydock/page/", nil, http.StatusNotFound},
		{http.MethodGet, "/_drydock/page/page.html", nil, http.StatusNotFound},
		{http.MethodGet, "/_drydock/page/..%2f..%2fstatus", nil, http.StatusNotFound},
		{http.MethodPost, "/_drydock/", nil, http.StatusNotFound},
		{http.MethodGet, "/_drydock/advance", nil, http.StatusMethodNotAllowed},
		{http.MethodGet, "/_drydock/", http.Header{"Sec-Fetch-Site": {"cross-site"}}, http.StatusForbidden},
		{http.MethodGet, "/_drydock/page/live", http.Header{"Origin": {"http://evil.example"}}, http.StatusForbidden},
		{http.MethodGet, "/_drydock/state", http.Header{"Sec-Fetch-Site": {"same-site"}}, http.StatusForbidden},
	} {
		request, err := http.NewRequestWithContext(t.Context(), test.method, y.Endpoint()+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, values := range test.header {
			request.Header[name] = values
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Body.Close(); answer.StatusCode != test.status {
			t.Errorf("%s %s %v: %d, want %d", test.method, test.path, test.header, answer.StatusCode, test.status)
		}
		if p := answer.Header.Get("Content-Security-Policy"); test.status == http.StatusOK && (!strings.HasPrefix(p, "default-src 'none';") || strings.Contains(p, "unsafe")) {
			t.Errorf("%s: policy %q", test.path, p)
		}
	}
}

// A page that shows a thousand services is no larger than its first twenty.
func TestAThousandServices(t *testing.T) {
	y := newYard(t)
	y.ecs("CreateCluster", `{"clusterName":"prod"}`)
	y.ecr("CreateRepository", `{"repositoryName":"web"}`)
	y.push("web", "v1", 0, nil)
	y.define("web", "web:v1")
	for n := range 1000 {
		y.serve("prod", fmt.Sprintf("service-%04d", n), "web", 2)
	}
	y.advance(5 * time.Minute)
	y.get("/_drydock/") // task definitions are read once
	page := y.get("/_drydock/?page=2")
	t.Logf("%d bytes", len(page))
	if len(page) > 100<<10 || strings.Count(page, "<article class=\"service\"") != 20 || !strings.Contains(page, "page 2 of 50") || !strings.Contains(page, "service-0020") {
		t.Errorf("%d bytes with %d services", len(page), strings.Count(page, "<article class=\"service\""))
	}
	if found := y.get("/_drydock/?q=service-0777&page=9"); strings.Count(found, "<article class=\"service\"") != 1 {
		t.Error("the filter finds not one")
	}
	if none := y.get("/_drydock/?show=failed"); !strings.Contains(none, "No service is like that") {
		t.Error("services that have not failed are shown as failed")
	}
}

// The stream says what changed and nothing twice, and ends with the drydock.
func TestStreamOfChanges(t *testing.T) {
	y := newYard(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, y.Endpoint()+"/_drydock/page/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if kind := answer.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Fatalf("it is %s", kind)
	}
	lines := bufio.NewScanner(answer.Body)
	part := func() (id, html string) {
		t.Helper()
		for lines.Scan() {
			var news struct{ ID, HTML string }
			if data, is := strings.CutPrefix(lines.Text(), "data: "); is {
				if err := json.Unmarshal([]byte(data), &news); err != nil {
					t.Fatal(err)
				}
				if news.ID != "" {
					return news.ID, news.HTML
				}
			}
		}
		t.Fatal("the stream has ended")
		return "", ""
	}
	for _, want := range []string{"summary", "fleet", "weather", "events", "repositories"} {
		if id, html := part(); id != want || !strings.Contains(html, `id="`+want+`"`) {
			t.Fatalf("%s: %s", id, html)
		}
	}
	y.control("faults", `{"kind":"throttle","match":"ecs:*"}`)
	if id, _ := part(); id != "summary" {
		t.Errorf("a fault changes %s", id)
	}
	if id, html := part(); id != "weather" || !strings.Contains(html, "ecs:*") {
		t.Errorf("a fault changes %s: %s", id, html)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, answer.Body)
		ended <- err
	}()
	if err := y.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the end of the stream: %v", err)
	}
}

// heard is an answer that counts how often it was sent on.
type heard struct {
	*httptest.ResponseRecorder
	mu    sync.Mutex
	times int
}

func (h *heard) Flush() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.times++
}

func (h *heard) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.times
}

// However much changes, a page is drawn four times a second at most; and
// when nothing does, four times a minute.
func TestStreamIsCoalesced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := slog.New(slog.DiscardHandler)
		images, err := ecr.New(ecr.Options{Clock: clock.Manual(time.Now()), Store: store.Memory(), Log: log, Host: func() string { return "" }})
		if err != nil {
			t.Fatal(err)
		}
		var bell news.Bell
		page := console.New(console.Views{
			API: wire.NewLocal(images.Service()), Clock: func() console.Clock { return console.Clock{Now: time.Now()} }, Changed: &bell,
			Fleet: func() ecs.Fleet { return ecs.Fleet{} }, Outlook: images.Outlook, Events: func(int) []json.RawMessage { return nil },
			Faults: func() []faults.Report { return nil }, Retirements: func() []ecs.Retirement { return nil }, Log: log,
		})
		answer := &heard{ResponseRecorder: httptest.NewRecorder()}
		ctx, leave := context.WithCancel(t.Context())
		var watching sync.WaitGroup
		watching.Go(func() {
			page.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, http.MethodGet, "/_drydock/page/live", nil))
		})
		synctest.Wait()
		for range 1000 {
			time.Sleep(10 * time.Millisecond) // of the bubble's time
			bell.Ring()
			synctest.Wait()
		}
		if n := answer.count(); n < 39 || n > 42 {
			t.Errorf("drawn %d times in 10 s of changes", n)
		}
		before := answer.count()
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := answer.count() - before; n < 3 || n > 4 {
			t.Errorf("drawn %d times in a quiet minute", n)
		}
		leave()
		watching.Wait()
	})
}
