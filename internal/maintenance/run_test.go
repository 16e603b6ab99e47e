package maintenance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

func TestWhenAServiceHasItsTurn(t *testing.T) {
	const office = "Mon-Fri 10:00-16:00 UTC"
	for _, tt := range []struct {
		name, window, now, retires string
		ahead                      time.Duration
		outcome, says              string
	}{
		{"any time", "", "2026-11-21T12:00:00Z", "2026-11-28T12:00:00Z", 0, "", ""},
		{"open", office, "2026-11-20T12:00:00Z", "2026-11-28T12:00:00Z", 0, "", ""},
		{"closed", office, "2026-11-21T12:00:00Z", "2026-11-28T12:00:00Z", 0, Waiting, "the window opens on Mon 2026-11-23 10:00 UTC"},
		{"closed until it is too late", office, "2026-11-21T12:00:00Z", "2026-11-22T12:00:00Z", 0, deploy.Refused, "no window opens before its tasks retire on Sun 2026-11-22 12:00 UTC"},
		{"closed, and retiring already", office, "2026-11-21T12:00:00Z", "2026-11-20T12:00:00Z", 0, Waiting, "the window opens on Mon"},
		{"no date", office, "2026-11-21T12:00:00Z", "0001-01-01T00:00:00Z", 0, Waiting, "the window opens on Mon"},
		{"not yet", "", "2026-11-21T12:00:00Z", "2026-11-28T12:00:00Z", 24 * time.Hour, Waiting, "its turn comes on Fri 2026-11-27 12:00 UTC"},
		{"not yet, and then with the window", office, "2026-11-20T12:00:00Z", "2026-11-27T12:00:00Z", 20 * time.Hour, Waiting, "its turn comes on Fri 2026-11-27 10:00 UTC"},
		{"near enough", "", "2026-11-27T13:00:00Z", "2026-11-28T12:00:00Z", 24 * time.Hour, "", ""},
		// On Friday: Sunday is no working day, so that is the last window before.
		{"the last window", office, "2026-11-20T12:00:00Z", "2026-11-22T23:00:00Z", time.Hour, "", ""},
	} {
		w := &run{Ports: Ports{Deploy: deploy.Ports{Now: func() time.Time { return at(t, tt.now) }}}, RunRequest: RunRequest{Ahead: tt.ahead}}
		if tt.window != "" {
			w.Windows = window(t, tt.window)
		}
		item := Item{Cluster: "prod", Service: "api"}
		item.At = at(t, tt.retires)
		v, waits := w.wait(item)
		if v.Outcome != tt.outcome || waits != (tt.outcome != "") || !strings.Contains(v.Summary, tt.says) {
			t.Errorf("%s: %v %+v", tt.name, waits, v)
		}
	}
}

func TestWaves(t *testing.T) {
	wave := WavesOf([]string{"stage/*", "canary-*", "prod/a*"})
	for name, want := range map[string]int{"stage/api": 1, "stage/canary-1": 1, "prod/canary-1": 2, "prod/api": 3, "prod/web": 4} {
		cluster, service, _ := strings.Cut(name, "/")
		if got := wave(cluster, service); got != want {
			t.Errorf("%s: wave %d, want %d", name, got, want)
		}
	}
}

func TestTagNotesEvents(t *testing.T) {
	const prefix = "arn:aws:health:eu-west-1::event/ECS/AWS_ECS_TASK_PATCHING_RETIREMENT/AWS_ECS_TASK_PATCHING_RETIREMENT_"
	tag := marker([]string{prefix + "b", prefix + "a"})
	if tag != "a b" {
		t.Errorf("tag %q", tag)
	}
	for _, tt := range []struct {
		events []string
		noted  bool
	}{
		{[]string{prefix + "a"}, true},
		{[]string{prefix + "a", prefix + "b"}, true},
		{[]string{prefix + "a", prefix + "c"}, false},
		{nil, false},
		{[]string{""}, false},
	} {
		if got := noted(tag, tt.events); got != tt.noted {
			t.Errorf("%v: %v", tt.events, got)
		}
	}
	if noted("", []string{prefix + "a"}) || noted("", []string{""}) {
		t.Error("no tag notes nothing")
	}
	var many []string
	for i := range 40 {
		many = append(many, fmt.Sprintf("%s%032x", prefix, i))
	}
	if got := marker(many); len(got) > 256 || strings.HasSuffix(got, " ") {
		t.Errorf("%d characters: %q", len(got), got)
	}
}

// A rollout ends its watch before Lambda ends the process.
func TestTimeLeft(t *testing.T) {
	now := time.Now()
	ctx, cancel := context.WithDeadline(t.Context(), now.Add(10*time.Minute))
	defer cancel()
	for timeout, want := range map[time.Duration]time.Duration{0: 10*time.Minute - reserve, 5 * time.Minute: 5 * time.Minute, time.Hour: 10*time.Minute - reserve} {
		if got := TimeLeft(ctx, now, timeout); got != want {
			t.Errorf("%s: %s, want %s", timeout, got, want)
		}
	}
	if got := TimeLeft(t.Context(), now, time.Hour); got != time.Hour {
		t.Errorf("without a deadline: %s", got)
	}
}

// A message comes again unless all that it is about is done with.
func TestInvocationOfABatch(t *testing.T) {
	message := func(id, event, service string) string {
		body, _ := json.Marshal(fmt.Sprintf(`{"detail-type":"AWS Health Event","resources":["prod|%s"],"detail":{"eventArn":%q,"eventTypeCode":%q}}`, service, event, retirementCode))
		return fmt.Sprintf(`{"messageId":%q,"eventSource":"aws:sqs","body":%s}`, id, body)
	}
	batch := json.RawMessage(`{"Records":[` + strings.Join([]string{
		message("done", "e1", "api"), message("waiting", "e2", "web"), message("refused", "e3", "old"), message("gone", "e4", "gone"),
		`{"messageId":"broken","eventSource":"aws:sqs","body":"hello"}`,
	}, ",") + `]}`)
	outcome := Outcome{
		items: []Item{{Events: []string{"e1"}}, {Events: []string{"e2"}}, {Events: []string{"e3"}}},
		Results: []deploy.Result{
			{Verdict: story.Verdict{Outcome: deploy.Stable}},
			{Verdict: story.Verdict{Outcome: Waiting}},
			{Verdict: story.Verdict{Outcome: deploy.Refused, ExitCode: 3}},
		},
	}
	answer, err := Invoke(t.Context(), batch, func(_ context.Context, notices []Notice) (Outcome, error) {
		if len(notices) != 4 {
			t.Errorf("%d notices", len(notices))
		}
		return outcome, nil
	})
	if err != nil || fmt.Sprint(answer.BatchItemFailures) != "[{waiting} {refused} {broken}]" {
		t.Errorf("%+v, %v", answer, err)
	}
	// What cannot be found out for all comes again for all.
	if _, err := Invoke(t.Context(), batch, func(context.Context, []Notice) (Outcome, error) { return Outcome{}, errors.New("no") }); err == nil {
		t.Error("no error")
	}
	// An event by itself has no queue to wait in.
	alone := json.RawMessage(`{"detail-type":"AWS Health Event","resources":["prod|web"],"detail":{"eventArn":"e2","eventTypeCode":"` + retirementCode + `"}}`)
	_, err = Invoke(t.Context(), alone, func(context.Context, []Notice) (Outcome, error) { return outcome, nil })
	if _, unsettled := errors.AsType[*UnsettledError](err); !unsettled {
		t.Errorf("%v", err)
	}
	// Another wave has its turn in another run.
	skipped := Outcome{skipped: []Item{{Events: []string{"e2"}}}}
	if skipped.Settled([]string{"e2"}) || !skipped.Settled([]string{"e1"}) {
		t.Error("what was not meant is settled")
	}
}

// What is refused is told once a day, not every half hour.
func TestMessagesThatComeAgain(t *testing.T) {
	batch := func(counts ...string) json.RawMessage {
		var records []string
		for _, c := range counts {
			records = append(records, `{"messageId":"1","eventSource":"aws:sqs","attributes":{"ApproximateReceiveCount":"`+c+`"}}`)
		}
		return json.RawMessage(`{"Records":[` + strings.Join(records, ",") + `]}`)
	}
	for _, tt := range []struct {
		input   json.RawMessage
		repeats bool
	}{
		{batch("1"), false}, {batch("2"), true}, {batch("48"), true}, {batch("49"), false}, {batch("2", "1"), false}, {batch("2", "3"), true},
		{batch("x"), false}, {json.RawMessage(`{}`), false}, {json.RawMessage(`[]`), false},
	} {
		if got := Repeats(tt.input); got != tt.repeats {
			t.Errorf("%s: %v", tt.input, got)
		}
	}
}

func TestGroupOfSeveralNotices(t *testing.T) {
	say := func(event string, announced, retires int) Notice {
		var n Notice
		n.Event, n.Cluster, n.Service = event, "prod", "api"
		n.Announced, n.At = time.Date(2026, 11, announced, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, retires, 0, 0, 0, 0, time.UTC)
		return n
	}
	g := group([]Notice{say("e1", 2, 20), say("e2", 5, 12), say("e1", 2, 20)})
	if len(g) != 1 || g[0].At.Day() != 12 || g[0].Announced.Day() != 5 || fmt.Sprint(g[0].Events) != "[e1 e2]" {
		t.Errorf("%+v", g)
	}
}
