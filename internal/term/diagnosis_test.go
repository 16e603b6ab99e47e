package term

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/plimsoll-ecs/plimsoll/internal/golden"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

func TestDiagnosisGolden(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	ill := Diagnosis{
		Service: "prod/api", State: "0 of 2 running on api:14", At: now,
		Findings: []story.Finding{
			{
				ID: "digest-gone", Certain: true,
				Cause: "the digest this deployment is pinned to, sha256:ab12, is gone from the repository",
				Evidence: []story.Quote{
					{From: "task 0123abcd", At: now.Add(-90 * time.Second), Count: 3, Text: "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref 123456789012.dkr.ecr.eu-west-1.amazonaws.com/api:v1@sha256:ab12: not found"},
					{From: "event", At: now.Add(-72 * time.Hour), Text: "(service api) was unable to place a task. Reason: \x1b[31mCannotPull\u202e"},
					{From: "event", Text: "three"}, {From: "event", Text: "four"},
				},
				Facts: []string{"the tag v1 moved: ECS wants sha256:ab12, the tag points to sha256:cd34", "lifecycle rule 2 (untagged images pushed more than 1 day ago) takes such an image"},
				Check: "does the tag point to another digest now",
				Fix:   "force a new deployment",
				Links: []story.Link{{Name: "images", URL: "https://eu-west-1.console.aws.amazon.com/ecr/repositories/private/123456789012/api?region=eu-west-1"}},
			},
			{
				ID: "exit-error", Past: true, Cause: "the application ended with an error (exit code 42)",
				Evidence: []story.Quote{{From: "task 4567abcd", At: now, Text: "Essential container in task exited (api: exit code 42)"}},
				Log:      []string{"starting", "  at main.go:12"}, LogAt: "log group /ecs/api", Check: "the log", Fix: "see the log",
			},
		},
		Notes: []string{"more could be told with ecr:DescribeImages, which the role that runs this is not allowed"},
	}
	for _, width := range []int{0, 80, 40} {
		var out bytes.Buffer
		term := New(Options{Out: &out, Err: &bytes.Buffer{}, OutWidth: columns(width)})
		if err := term.Diagnosis(ill); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			line = strings.TrimRight(line, "\n")
			if width > 0 && lipgloss.Width(line) > width && !strings.Contains(line, "https://") {
				t.Errorf("%d columns: %q has %d", width, line, lipgloss.Width(line))
			}
		}
		golden.File(t, fmt.Sprintf("testdata/diagnosis-%d.golden", width), out.String())
	}
	var out bytes.Buffer
	if err := New(Options{Out: &out, Err: &bytes.Buffer{}}).Diagnosis(Diagnosis{Service: "prod/api", State: "2 of 2 running; nothing is wrong", Healthy: true}); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "✓ prod/api  2 of 2 running; nothing is wrong\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
