package livepage_test

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/a-h/templ"

	"github.com/plimsoll-ecs/plimsoll/internal/livepage"
)

func pace() livepage.Pace { return livepage.Pace{AtMost: time.Millisecond, AtLeast: time.Hour} }

// still sends one part, and never has news.
func still(_ context.Context, p *livepage.Page) (<-chan struct{}, error) {
	return nil, p.Part("tasks", templ.Raw(`<p id="tasks">2</p>`))
}

// open opens a stream, as a browser does.
func open(t *testing.T, s *livepage.Streams, draw livepage.Draw) (events *bufio.Scanner, status int) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.Serve(w, r, pace(), draw); err != nil {
			t.Errorf("serve: %v", err)
		}
	}))
	t.Cleanup(server.Close)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return bufio.NewScanner(answer.Body), answer.StatusCode
}

func until(t *testing.T, events *bufio.Scanner, text string) {
	t.Helper()
	for events.Scan() {
		if strings.Contains(events.Text(), text) {
			return
		}
	}
	t.Fatalf("the stream ended before %q: %v", text, events.Err())
}

func TestTheEndOfTheServerEndsStreams(t *testing.T) {
	s := livepage.New(1)
	events, _ := open(t, s, still)
	until(t, events, `"id":"tasks"`)
	s.Close()
	for events.Scan() {
	}
	if err := events.Err(); err != nil {
		t.Error(err)
	}
}

// A page too many is told so, and has a place once another has gone.
func TestSoManyPagesAndNoMore(t *testing.T) {
	s := livepage.New(2)
	defer s.Close()
	gone := make(chan struct{})
	ends := func(_ context.Context, p *livepage.Page) (<-chan struct{}, error) {
		select {
		case <-gone:
			return nil, p.End()
		default:
			return gone, p.Part("tasks", templ.Raw(`<p id="tasks">1</p>`))
		}
	}
	for range 2 {
		events, status := open(t, s, ends)
		if status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
		until(t, events, "tasks")
		defer until(t, events, "event: end")
	}
	if _, status := open(t, s, still); status != http.StatusServiceUnavailable {
		t.Errorf("one too many: %d", status)
	}
	close(gone)
}

// wire is a browser in the bubble of a test, which takes what it is sent.
type wire struct {
	http.ResponseWriter
	sent []string
	err  error
}

func (w *wire) Header() http.Header { return http.Header{} }
func (w *wire) WriteHeader(int)     {}
func (w *wire) FlushError() error   { return nil }
func (w *wire) Write(p []byte) (int, error) {
	w.sent = append(w.sent, string(p))
	return len(p), w.err
}

// A part is sent when it has changed, news at most so often, and where there is
// nothing to say a sign of life is.
func TestOnlyWhatChangesIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const often, seldom = 200 * time.Millisecond, 10 * time.Second
		s, w := livepage.New(1), &wire{}
		begun, drawn := time.Now(), []time.Duration(nil)
		bell := make(chan struct{})
		go func() {
			time.Sleep(time.Second)
			close(bell)
		}()
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		err := s.Serve(w, request, livepage.Pace{AtMost: often, AtLeast: seldom}, func(_ context.Context, p *livepage.Page) (<-chan struct{}, error) {
			if drawn = append(drawn, time.Since(begun)); len(drawn) == 4 {
				return nil, p.End()
			}
			more, number := bell, "1"
			if len(drawn) > 1 {
				more, number = nil, "2"
			}
			return more, errors.Join(p.Part("number", templ.Raw(number)), p.Part("name", templ.Raw("web\x1b[1m")))
		})
		if err != nil {
			t.Fatal(err)
		}
		if want := []time.Duration{0, time.Second, time.Second + often + seldom, time.Second + 2*(often+seldom)}; !slices.Equal(drawn, want) {
			t.Errorf("drawn at %v, want %v", drawn, want)
		}
		want := []string{
			"event: part\ndata: {\"id\":\"number\",\"html\":\"1\"}\n\n", "event: part\ndata: {\"id\":\"name\",\"html\":\"web[1m\"}\n\n",
			"event: part\ndata: {\"id\":\"number\",\"html\":\"2\"}\n\n", ": still here\n\n", "event: end\ndata: {}\n\n",
		}
		if strings.Join(w.sent, "") != strings.Join(want, "") {
			t.Errorf("sent %q, want %q", w.sent, want)
		}
	})
}

// Who hangs up is no fault; what cannot be drawn is.
func TestWhatEndsAStream(t *testing.T) {
	s := livepage.New(1)
	request := func() *http.Request { return httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil) }
	if err := s.Serve(&wire{err: errors.New("broken pipe")}, request(), pace(), still); err != nil {
		t.Errorf("who hangs up: %v", err)
	}
	wrong := errors.New("cannot be drawn")
	err := s.Serve(&wire{}, request(), pace(), func(context.Context, *livepage.Page) (<-chan struct{}, error) { return nil, wrong })
	if !errors.Is(err, wrong) {
		t.Errorf("what cannot be drawn: %v", err)
	}
}
