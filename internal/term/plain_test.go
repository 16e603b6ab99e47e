package term

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/golden"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// Plain mode is for ears: every story and every result in sentences.
func TestPlainGolden(t *testing.T) {
	for _, name := range stories() {
		t.Run(name, func(t *testing.T) {
			var out, err bytes.Buffer
			term := New(Options{Out: &out, Err: &err, Mode: Plain, Color: true, OutColor: true, Shades: Dark, OutWidth: columns(40)})
			for _, e := range readStory(t, name) {
				term.Tell(e)
			}
			if err := term.Close(); err != nil {
				t.Fatal(err)
			}
			got := "--- stderr\n" + err.String() + "--- stdout\n" + out.String()
			golden.File(t, "testdata/plain-"+name+".golden", got)
			requireWords(t, got)
		})
	}
}

func TestPlainResults(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	code := 1
	var out bytes.Buffer
	term := New(Options{Out: &out, Err: &bytes.Buffer{}, Mode: Plain, OutColor: true, OutWidth: columns(40)})
	for _, write := range []func() error{
		func() error {
			return term.Checks([]story.Check{
				{Name: "image", State: story.CheckOK, Why: "v1.1.0 → sha256:9c0f"},
				{Name: "circuit breaker", State: story.CheckWarn, Why: "it is off", Do: "enable it"},
				{Name: "secrets", State: story.CheckSkipped},
			})
		},
		func() error {
			return term.Table(Table{
				Header: []string{"SERVICE", "VERSION", "OUTCOME"},
				Rows:   [][]string{{"api", "v1.0.0 → v1.1.0", "stable"}, {"決済サービス", "", "rolled-back"}},
				Tone:   func(int, int) Tone { return Good },
			})
		},
		func() error {
			return term.Paragraphs(Table{Header: []string{"when", "reason"}, Rows: [][]string{{"today", ""}}})
		},
		func() error {
			return term.Diff(Diff{From: "api:41", To: "api:42", Changes: []Changed{{"image", "v1", "v2"}, {"env A", "", "1"}, {"env B", "1", ""}}})
		},
		func() error {
			return term.Diagnosis(Diagnosis{Service: "prod/api", State: "1 of 2 running", At: now, Findings: []story.Finding{{
				ID: "exit-error", Cause: "it exits", Certain: true, Evidence: []story.Quote{{From: "task 0123abcd", At: now.Add(-time.Minute), Text: "exited", Count: 3}},
				Log: []string{"starting"}, Links: []story.Link{{Name: "task", URL: "https://example.com"}},
			}}, Notes: []string{"more could be told"}})
		},
		func() error {
			return term.Audit(Audit{Report: audit.Report{Horizon: 14 * 24 * time.Hour, Seen: audit.Seen{Services: 2}, Findings: []audit.Finding{{
				Code: "PL001", Severity: audit.Error, Object: audit.Object{Kind: audit.ServiceObject, Name: "prod/web"}, What: "prod/web cannot restart",
				Fix: []audit.Fix{{Say: "deploy again", Command: "plimsoll deploy --image-tag v1.1.0"}},
			}}}})
		},
		func() error {
			term.Tell(story.Event{Time: now, Kind: story.Failed, Step: story.Watch, Failure: &story.Failure{TaskID: "0123456789", StoppedReason: "exited", ExitCode: &code, Log: []string{"fatal"}}})
			return nil
		},
	} {
		if err := write(); err != nil {
			t.Fatal(err)
		}
		out.WriteString("---\n")
	}
	golden.File(t, "testdata/plain-results.golden", out.String())
	requireWords(t, out.String())
}

// requireWords fails for whatever is drawn: boxes, cells, marks, colours.
func requireWords(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		for _, r := range strings.TrimRight(line, "\n") {
			if unicode.IsControl(r) || unicode.IsSymbol(r) && !strings.ContainsRune("+$<>=|`^~", r) || strings.ContainsRune("…·•", r) {
				t.Errorf("%q is drawn in %q", r, line)
			}
		}
	}
}
