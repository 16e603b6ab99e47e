package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

func failed() Message {
	return Verdicts("deploy", []deploy.Result{{Target: deploy.Target{Cluster: "prod", Service: "api"}, Verdict: story.Verdict{
		Outcome: "rolled-back", ExitCode: 4, ImageTag: "v1.1.0", Summary: "api:7 failed: container <app> exits with 1; the service is back on api:6",
		Next: []string{"plimsoll status --cluster prod --service api"},
	}}}, story.Verdict{}, time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))
}

// hook is a webhook that answers so, one answer a call; the last one stays.
type hook struct {
	*httptest.Server
	mu      sync.Mutex
	answers []int
	after   string
	bodies  []string
}

func newHook(t *testing.T, answers ...int) *hook {
	h := &hook{answers: answers}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		h.bodies = append(h.bodies, string(body))
		if h.after != "" {
			w.Header().Set("Retry-After", h.after)
		}
		if h.answers[0] == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(h.answers[0])
		if len(h.answers) > 1 {
			h.answers = h.answers[1:]
		}
	}))
	t.Cleanup(h.Close)
	return h
}

// waits is a Sleep that only remembers.
type waits struct{ list []time.Duration }

func (w *waits) sleep(_ context.Context, d time.Duration) error {
	w.list = append(w.list, d)
	return nil
}

func TestWebhookIsTriedAgain(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answers []int
		after   string
		calls   int
		waits   string
		err     string
	}{
		{"at once", []int{200}, "", 1, "[]", ""},
		{"busy, then not", []int{503, 500, 204}, "", 3, "[500ms 1s]", ""},
		{"asks for a pause", []int{429, 200}, "3", 2, "[3s]", ""},
		{"asks for an hour", []int{429, 200}, "3600", 2, "[8s]", ""},
		{"asks for what nobody can", []int{429, 200}, "-1", 2, "[500ms]", ""},
		{"always busy", []int{503}, "", 4, "[500ms 1s 2s]", "it answered 503 Service Unavailable"},
		{"wrong URL", []int{404}, "", 1, "[]", "it answered 404 Not Found"},
		{"a redirect is not followed", []int{302}, "", 1, "[]", "it answered 302 Found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, w := newHook(t, tt.answers...), &waits{}
			h.after = tt.after
			s := Sender{To: []Destination{{Kind: Slack, URL: h.URL + "/services/T0/B0/secret"}}, Sleep: w.sleep}
			errs := s.Send(t.Context(), failed())
			if len(h.bodies) != tt.calls || fmt.Sprint(w.list) != tt.waits {
				t.Errorf("%d calls, waited %v", len(h.bodies), w.list)
			}
			if tt.err == "" && len(errs) > 0 || tt.err != "" && (len(errs) != 1 || errs[0].Error() != "notify the slack webhook: "+tt.err) {
				t.Errorf("%v", errs)
			}
		})
	}
}

// Whoever reads a log must not be able to write to the channel.
func TestNoErrorNamesTheURL(t *testing.T) {
	closed := newHook(t, 200)
	closed.Close()
	for _, secret := range []string{closed.URL + "/secret", "http://127.0.0.1:1/secret", "://secret", "secret", "https://\x7f/secret", "http://nobody.invalid/secret"} {
		d := Destination{Kind: Slack, URL: secret}
		errs := Sender{To: []Destination{d}, Sleep: (&waits{}).sleep}.Send(t.Context(), failed())
		if said := fmt.Sprintf("%v %v %+v %#v", errs, d, d, d); len(errs) != 1 || strings.Contains(said, "secret") {
			t.Errorf("%q: %s", secret, said)
		}
	}
}

type topics struct {
	subject, message string
	err              error
}

func (p *topics) Publish(_ context.Context, _, subject, message string) error {
	p.subject, p.message = subject, message
	return p.err
}

func TestWhoIsTold(t *testing.T) {
	h, p := newHook(t, 200), &topics{err: errors.New("no such topic")}
	s := Sender{Topic: p, To: []Destination{
		{Kind: JSON, URL: h.URL},
		{Kind: JSON, URL: h.URL, On: []Event{Success}},
		{Kind: SNS, Topic: "arn:aws:sns:eu-west-1:123456789012:ops", On: []Event{Failure, Maintenance}},
	}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // an interrupted command tells of it all the same
	errs := s.Send(ctx, failed())
	if len(h.bodies) != 1 || len(errs) != 1 || errs[0].Error() != "notify arn:aws:sns:eu-west-1:123456789012:ops: no such topic" {
		t.Errorf("%d calls, %v", len(h.bodies), errs)
	}
	var m Message
	if err := json.Unmarshal([]byte(h.bodies[0]), &m); err != nil || m.Event != Failure || m.OK || m.Verdict != "rolled-back" {
		t.Errorf("%s, %v", h.bodies[0], err)
	}
	if p.subject != "plimsoll: prod/api: rolled-back (v1.1.0)" {
		t.Errorf("subject %q", p.subject)
	}
	want := `✕ prod/api: rolled-back (v1.1.0)

api:7 failed: container <app> exits with 1; the service is back on api:6

Next:
  plimsoll status --cluster prod --service api
`
	if p.message != want {
		t.Errorf("message\n%s", p.message)
	}
}

func TestSlackMessage(t *testing.T) {
	m := failed()
	m.Place, m.Links = "eu-west-1", []Link{{"pipeline", "https://ci.example/1?a=b|c>"}}
	got, err := json.Marshal(slack(m))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"type":"header","text":{"type":"plain_text","text":"✕ prod/api: rolled-back (v1.1.0)"}}`,
		`container \u0026lt;app\u0026gt; exits`, // as Slack wants it, and then as JSON has it
		`https://ci.example/1?a=b%7Cc%3E|pipeline`,
		"plimsoll status --cluster prod --service api```",
		`eu-west-1 · plimsoll deploy`,
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

// However many services, and however long their names, Slack takes it.
func TestMessagesHaveBounds(t *testing.T) {
	var results []deploy.Result
	for i := range 500 {
		v := story.Verdict{Outcome: "stable"}
		if i%7 == 0 {
			v = story.Verdict{Outcome: "failed", ExitCode: 5, Summary: strings.Repeat("<why> ", 200), Next: []string{strings.Repeat("x", 4000)}}
		}
		results = append(results, deploy.Result{Target: deploy.Target{Cluster: strings.Repeat("c", 255), Service: fmt.Sprint("s", i)}, Verdict: v})
	}
	m := Verdicts("deploy", results, deploy.Sum(results), time.Now())
	if !strings.Contains(m.Title, "failed") || m.Lines[0].OK {
		t.Errorf("%s; first %+v", m.Title, m.Lines[0])
	}
	s := slack(m)
	for _, b := range s.Blocks {
		if b.Text != nil && len([]rune(b.Text.Text)) > 3000 {
			t.Errorf("a %s of %d characters", b.Type, len(b.Text.Text))
		}
	}
	m.Title = strings.Repeat("→é", 200)
	if text := subject(m); len(text) > 100 || strings.Trim(text, "plimso: ->?.") != "" {
		t.Errorf("subject %q", text)
	}
}

func TestFindings(t *testing.T) {
	r := audit.Report{Horizon: 14 * 24 * time.Hour, Seen: audit.Seen{Services: 9, Safe: 7}, Findings: []audit.Finding{
		{Code: "PL001", Severity: audit.Error, Object: audit.Object{Name: "prod/api"}, What: "api cannot restart", Fix: []audit.Fix{{Command: "plimsoll rescue"}}},
		{Code: "PL002", Severity: audit.Error, Object: audit.Object{Name: "prod/web"}, Accepted: "known"},
		{Code: "PL003", Severity: audit.Note, Object: audit.Object{Name: "prod/web"}},
	}}
	m, ok := Findings(r, audit.Warning)
	if !ok || m.Title != "audit: 1 finding, of them 1 error" || m.Cause != "7 of 9 services could restart now and within 14 days." || len(m.Next) != 1 {
		t.Errorf("%v %+v", ok, m)
	}
	if _, ok := Findings(audit.Report{}, audit.Note); ok {
		t.Error("no finding is no news")
	}
}
