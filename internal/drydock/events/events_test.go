package events

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func newStream(keep int) *Stream {
	return New(Options{Account: "123456789012", Region: "ap-northeast-1", Keep: keep, Seed: 1, Log: slog.New(slog.DiscardHandler)})
}

func at() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 123e6, time.UTC) }

// get reads the stream as a client does that does not follow it.
func get(s *Stream, query string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/_drydock/events"+query, nil))
	return answer
}

func TestEnvelope(t *testing.T) {
	s := newStream(0)
	s.From("aws.ecr").Emit(at(), "ECR Image Action", nil, map[string]string{"action-type": "PUSH"})
	want := `{"version":"0","id":"7a26fde4-ba70-4ee7-a4c2-d80ab3d36447","detail-type":"ECR Image Action","source":"aws.ecr","account":"123456789012",` +
		`"time":"2026-11-21T09:00:00Z","region":"ap-northeast-1","resources":[],"detail":{"action-type":"PUSH"}}` + "\n"
	var e struct{ ID string }
	got := get(s, "").Body.String()
	if err := json.Unmarshal([]byte(got), &e); err != nil {
		t.Fatal(err)
	}
	if want = strings.Replace(want, "7a26fde4-ba70-4ee7-a4c2-d80ab3d36447", e.ID, 1); got != want || len(e.ID) != 36 {
		t.Errorf("got %swant %s", got, want)
	}
}

// What is read is always the newest events there were, in order, however many
// are kept, from the oldest one or from a known one on.
func TestStreamKeepsTheNewest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keep := rapid.IntRange(1, 2*page).Draw(t, "keep")
		total := rapid.IntRange(0, 3*page).Draw(t, "total")
		s := newStream(keep)
		source := s.From("test")
		for i := range total {
			source.Emit(at(), "Test", nil, i)
		}
		type numbered struct {
			ID     string
			Detail int
		}
		read := func(query string) (out []numbered) {
			for line := range bytes.Lines(get(s, query).Body.Bytes()) {
				var e numbered
				if err := json.Unmarshal(line, &e); err != nil {
					t.Fatal(err)
				}
				out = append(out, e)
			}
			return out
		}
		all := read("")
		if len(all) != min(keep, total) {
			t.Fatalf("%d events of %d, %d are to be kept", len(all), total, keep)
		}
		for i, e := range all {
			if e.Detail != total-len(all)+i {
				t.Fatalf("event %d is %d", i, e.Detail)
			}
		}
		if len(all) > 0 {
			i := rapid.IntRange(0, len(all)-1).Draw(t, "since")
			if rest := read("?since=" + all[i].ID); len(rest) != len(all)-1-i || len(rest) > 0 && rest[0] != all[i+1] {
				t.Fatalf("after event %d of %d come %d", i, len(all), len(rest))
			}
		}
	})
}

func TestRefusals(t *testing.T) {
	s := newStream(2)
	s.From("test").Emit(at(), "Test", nil, 1)
	var e struct{ ID string }
	if err := json.Unmarshal(get(s, "").Body.Bytes(), &e); err != nil {
		t.Fatal(err)
	}
	s.From("test").Emit(at(), "Test", nil, func() {}) // cannot be rendered: left out
	if got := get(s, "?since="+e.ID); got.Code != http.StatusOK || got.Body.Len() > 0 {
		t.Errorf("nothing new: %d %s", got.Code, got.Body)
	}
	s.From("test").Emit(at(), "Test", nil, 2)
	for query, want := range map[string]int{"?since=" + e.ID: http.StatusGone, "?since=x": http.StatusGone, "?follow=maybe": http.StatusBadRequest} {
		if got := get(s, query); got.Code != want {
			t.Errorf("%s: %d, want %d", query, got.Code, want)
		}
	}
}

func TestFollow(t *testing.T) {
	s := newStream(0)
	server := httptest.NewServer(s)
	defer server.Close()
	source := s.From("test")
	source.Emit(at(), "Test", nil, 0)

	follow := func(ctx context.Context) *bufio.Reader {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"?follow=true", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := server.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = answer.Body.Close() })
		return bufio.NewReader(answer.Body)
	}
	leaving, leave := context.WithCancel(t.Context())
	gone := follow(leaving)
	if _, err := gone.ReadBytes('\n'); err != nil {
		t.Fatal(err)
	}
	leave()

	lines := follow(t.Context())
	for i := range 3 * page {
		line, err := lines.ReadString('\n')
		if err != nil || !strings.Contains(line, fmt.Sprintf(`"detail":%d}`, i)) {
			t.Fatalf("event %d: %s, %v", i, line, err)
		}
		source.Emit(at(), "Test", nil, i+1)
	}
	s.Close()
	s.Close()
	source.Emit(at(), "Test", nil, "after the end")
	if _, err := io.Copy(io.Discard, lines); err != nil {
		t.Errorf("the end of the stream: %v", err)
	}
}

// A reader that falls behind is cut off: a gap that nobody sees would be worse.
func TestFallingBehind(t *testing.T) {
	s := newStream(2)
	source := s.From("test")
	for i := range 3 {
		source.Emit(at(), "Test", nil, i)
	}
	if _, _, lost, _ := s.read(0); !lost {
		t.Error("event 0 was dropped, and nobody says so")
	}
	if docs, _, lost, _ := s.read(1); lost || len(docs) != 2 {
		t.Errorf("%d events, lost: %v", len(docs), lost)
	}
}
