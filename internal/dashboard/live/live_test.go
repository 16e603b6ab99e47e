package live_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/live"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/tale"
	"github.com/plimsoll-ecs/plimsoll/internal/livepage"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

func board(told tale.Told) live.Board { return live.Board{Told: told, Stream: "/live"} }

// stream opens a stream of a tale and reads its events.
func stream(t *testing.T, streams *livepage.Streams, from live.Source) *bufio.Scanner {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := live.Serve(streams, w, r, from, board); err != nil {
			t.Errorf("serve: %v", err)
		}
	}))
	t.Cleanup(server.Close)
	ctx, cancel := context.WithCancel(t.Context())
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
	return bufio.NewScanner(answer.Body)
}

// until reads on to a line with a text.
func until(t *testing.T, events *bufio.Scanner, text string) {
	t.Helper()
	for events.Scan() {
		if strings.Contains(events.Text(), text) {
			return
		}
	}
	t.Fatalf("the stream ended before %q: %v", text, events.Err())
}

func TestAStreamEndsWithTheLastWord(t *testing.T) {
	var told tale.Tale
	events := stream(t, livepage.New(1), &told)
	until(t, events, "live-lines")
	told.Tell(story.Event{Time: time.Unix(0, 0), Kind: story.Note, Message: "one of <b>two</b>"})
	until(t, events, `one of \u0026lt;b\u0026gt;two`) // as text, in HTML, in JSON
	told.Tell(story.Event{Kind: story.Final, Verdict: &story.Verdict{Outcome: "stable"}})
	until(t, events, "event: end")
	for events.Scan() {
		if strings.HasPrefix(events.Text(), "event:") {
			t.Errorf("after the end: %q", events.Text())
		}
	}
}

// A watch that has told nothing yet takes nothing away from the page, which has what
// was known when it was drawn.
func TestAWatchBeginsQuietly(t *testing.T) {
	var told tale.Tale
	streams := livepage.New(1)
	defer streams.Close()
	var sent bytes.Buffer
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := live.Serve(streams, w, r, &told, func(told tale.Told) live.Board { return live.Board{Told: told, Endless: true, Waiting: "Looking."} }); err != nil {
			t.Errorf("serve: %v", err)
		}
	}))
	defer server.Close()
	answer, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	events := bufio.NewScanner(io.TeeReader(answer.Body, &sent))
	until(t, events, "still here")
	if strings.Contains(sent.String(), "event:") {
		t.Errorf("sent %q", sent.String())
	}
	told.Tell(story.Event{Kind: story.Change, Rollout: &rollout.View{DeploymentID: "d", Desired: 2}})
	until(t, events, "live-rollout")
}

// What containers and ECS say is text, and what cannot be seen is not there.
func TestWhatOthersSayIsText(t *testing.T) {
	const hostile = "<script>alert(1)</script>\u202e\x1b[31m"
	code := 1
	told := tale.Told{
		Lines:   []story.Event{{Kind: story.Note, Message: hostile}},
		Rollout: &rollout.View{LastEvent: hostile, New: rollout.Group{ImageTag: hostile, TaskDefinition: hostile, Tasks: []rollout.TaskState{{ID: hostile, Status: hostile}}}},
		Failures: []story.Failure{{TaskID: hostile, Cause: hostile, Container: hostile, ExitCode: &code, Log: []string{hostile}, Facts: []string{hostile}, Fix: hostile,
			Links: []story.Link{{Name: "log", URL: "javascript:alert(1)"}, {Name: "task", URL: "https://console.aws.amazon.com/x"}}}},
		Verdict: &story.Verdict{Outcome: hostile, Summary: hostile, Next: []string{hostile}},
	}
	var page bytes.Buffer
	if err := board(told).Draw().Render(t.Context(), &page); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script>", "javascript:"} {
		if strings.Contains(page.String(), bad) {
			t.Errorf("it has %q:\n%s", bad, page.String())
		}
	}
	if !strings.Contains(page.String(), "https://console.aws.amazon.com/x") {
		t.Error("the console's link is gone")
	}
}

// ECS's events are told without what the reader knows.
func TestEventsAreBrief(t *testing.T) {
	var page bytes.Buffer
	told := tale.Told{Lines: []story.Event{{Kind: story.Note, Message: "(service web) has started 1 tasks: (task 0123456789abcdef0123456789abcdef)."}, {Kind: story.Note, Message: "v1 -> v2"}}}
	if err := board(told).Draw().Render(t.Context(), &page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{">has started 1 tasks: (task 01234567).<", "v1 → v2"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("%q is not in\n%s", want, page.String())
		}
	}
}

// Many tasks are numbers: a page stays small.
func TestManyTasksAreFolded(t *testing.T) {
	var tasks []rollout.TaskState
	for i := range 5000 {
		tasks = append(tasks, rollout.TaskState{ID: fmt.Sprint("task", i), Status: "RUNNING", Health: "HEALTHY"})
	}
	var page bytes.Buffer
	if err := board(tale.Told{Rollout: &rollout.View{DeploymentID: "d", Desired: 5000, New: rollout.Group{Running: 5000, Tasks: tasks}}}).Draw().Render(t.Context(), &page); err != nil {
		t.Fatal(err)
	}
	if page.Len() > 8<<10 || !strings.Contains(page.String(), "×5000") {
		t.Errorf("%d bytes:\n%.2000s", page.Len(), page.String())
	}
}
