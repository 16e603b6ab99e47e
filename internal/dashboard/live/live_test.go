package live_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/live"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/tale"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

func board(told tale.Told) live.Board { return live.Board{Told: told, Stream: "/live"} }

// stream opens a stream of a tale and reads its events.
func stream(t *testing.T, streams *live.Streams, from live.Source) (events *bufio.Scanner, status int) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { streams.Serve(w, r, from, board) }))
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
	return bufio.NewScanner(answer.Body), answer.StatusCode
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
	events, _ := stream(t, live.NewStreams(), &told)
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

func TestTheEndOfTheServerEndsStreams(t *testing.T) {
	streams := live.NewStreams()
	var told tale.Tale
	events, _ := stream(t, streams, &told)
	until(t, events, "live-lines")
	streams.Close()
	for events.Scan() {
	}
	if err := events.Err(); err != nil {
		t.Error(err)
	}
}

func TestSoManyStreamsAndNoMore(t *testing.T) {
	streams := live.NewStreams()
	var told tale.Tale
	for i := 0; ; i++ {
		events, status := stream(t, streams, &told)
		if status == http.StatusServiceUnavailable {
			break
		}
		if i > 100 {
			t.Fatal("there is no end to them")
		}
		until(t, events, "live-lines")
	}
	streams.Close()
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

// What can be neither seen nor trusted is not sent.
func TestInvisibleCharactersAreDropped(t *testing.T) {
	var told tale.Tale
	told.Tell(story.Event{Kind: story.Note, Message: "a\u202eb\x1b[31mc"})
	told.Tell(story.Event{Kind: story.Final, Verdict: &story.Verdict{Outcome: "stable"}})
	events, _ := stream(t, live.NewStreams(), &told)
	until(t, events, "ab[31mc")
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
