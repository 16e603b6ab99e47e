package ciout

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/ci"
	"github.com/plimsoll-ecs/plimsoll/internal/golden"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

func at() time.Time { return time.Date(2026, 11, 21, 17, 4, 5, 0, time.UTC) }

func pipeline() ci.Run {
	return ci.Run{System: ci.GitHub, Actor: "aki", Commit: "0123456789abcdef", Pipeline: "https://github.com/acme/api/actions/runs/7"}
}

// record is of the services with these verdicts.
func record(events ...story.Event) *Record {
	r := &Record{}
	for _, e := range events {
		e.Time = at()
		r.Hear(e)
	}
	return r
}

func verdictEvent(service string, v story.Verdict) story.Event {
	return story.Event{Kind: story.Final, Service: service, Verdict: &v}
}

func good(service string) story.Event {
	return verdictEvent(service, story.Verdict{
		Outcome: "stable", Summary: "api runs v1.1.0 (minor upgrade v1.0.0 -> v1.1.0)", TaskDefinition: "api:42", ImageTag: "v1.1.0", From: "v1.0.0",
		ImageDigest: "sha256:0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c", Duration: 42 * time.Second,
		Changes: []taskdef.Change{{Path: "containerDefinitions[api].image", Before: "web:v1.0.0", After: "web:v1.1.0"}, {Path: "memory", After: "1024"}},
	})
}

func bad(service string) []story.Event {
	code := 1
	return []story.Event{
		{Kind: story.Warning, Step: story.Preflight, Service: service, Message: "repository: tag v1.1.0 of web can be overwritten"},
		{Kind: story.Failed, Step: story.Watch, Service: service, Failure: &story.Failure{
			TaskID: "5f2aee8d00000000", StopCode: "EssentialContainerExited", StoppedReason: "Essential container in task exited", Container: "api", ExitCode: &code,
			ExitMeaning: "the application's own error", Cause: "the application wants DATABASE_URL", Fix: "add the key", Check: "keys of environment",
			Facts: []string{"DATABASE_URL is in neither"}, Links: []story.Link{{Name: "task", URL: "https://console.aws.amazon.com/ecs"}},
			Log: []string{"starting", "\x1b[31m::error::pwned\x1b[0m", "```", "</details><script>alert(1)</script>", "\tat main.go:7"},
		}},
		verdictEvent(service, story.Verdict{
			Outcome: "rolled-back", ExitCode: 4, Summary: "api:43 failed: it crashes; the service is back on api:42", TaskDefinition: "api:43", ImageTag: "v1.2.0", From: "v1.1.0",
			Duration: 8 * time.Second, Next: []string{"plimsoll status --cluster prod --service api"},
		}),
	}
}

func TestSummaryGolden(t *testing.T) {
	refused := story.Event{Kind: story.Final, Service: "prod/api", Verdict: &story.Verdict{Outcome: "refused", ExitCode: 3, Summary: "refused by preflight; nothing was changed"},
		Checks: []story.Check{
			{Name: "cluster", State: story.CheckOK, Why: "prod is active"},
			{Name: "image", State: story.CheckFail, Why: "there is no image web:v9|9", Do: "push it first"},
			{Name: "circuit breaker", State: story.CheckWarn, Why: "it is off", Do: "enable it"},
		}}
	pushed := &Record{}
	pushed.Pushed("v1.1.0", "sha256:0c0c")
	stableURL := record(good("prod/api"))
	stableURL.URL("prod/api", "https://api.example.com")
	for name, tt := range map[string]struct {
		record  *Record
		trouble *Trouble
	}{
		"stable":  {record: stableURL},
		"failed":  {record: record(bad("prod/api")...)},
		"refused": {record: record(refused)},
		"fleet":   {record: record(append(bad("prod/api"), good("prod/web"), good("prod/worker"))...)},
		"pushed":  {record: pushed},
		"error":   {record: record(), trouble: &Trouble{Message: "plimsoll.yaml:4:5: unknown member \"containr\"\nplimsoll.yaml:9:1: ``` <b>", Hint: "see docs/config.md"}},
	} {
		t.Run(name, func(t *testing.T) {
			golden.File(t, "testdata/summary-"+name+".golden", tt.record.Summary(pipeline(), "deploy", tt.trouble, MostSummary))
		})
	}
}

func TestAuditSummaryGolden(t *testing.T) {
	service := func(name string) audit.Object { return audit.Object{Kind: audit.ServiceObject, Name: "prod/" + name} }
	found := audit.Report{At: at(), Seen: audit.Seen{Services: 4, Safe: 1}, Findings: []audit.Finding{
		{Code: "PL001", Severity: audit.Error, Object: service("checkout"), What: "prod/checkout cannot restart: its image is gone", Fix: []audit.Fix{{Say: "bring the image back", Command: "plimsoll rescue --service checkout"}}},
		{Code: "PL011", Severity: audit.Warning, Object: service("web"), What: "prod/web sinks", When: &audit.When{Likely: at().AddDate(0, 0, 3), Pushes: 3}},
		{Code: "PL021", Severity: audit.Warning, Object: service("batch"), What: "prod/batch runs | a floating tag", Accepted: "the vendor has none"},
		{Code: "PL050", Severity: audit.Note, Object: service("web"), What: "web has <no> lifecycle policy"},
	}}
	golden.File(t, "testdata/summary-audit.golden", AuditSummary(found, true, []string{"shop   21 Nov 2026 17:04 UTC\n~~~~~ line\n"}, MostSummary))
}

func TestChecksSummaryGolden(t *testing.T) {
	golden.File(t, "testdata/summary-check.golden", ChecksSummary("prod/api", "3 checks, 1 warning", false, []story.Check{
		{Name: "cluster", State: story.CheckOK, Why: "prod is active"},
		{Name: "circuit breaker", State: story.CheckWarn, Why: "it is off", Do: "enable it"},
		{Name: "logs", State: story.CheckSkipped, Why: "no permission to look", Do: "allow logs:DescribeLogGroups"},
	}, MostSummary))
}

// A summary is never longer than there is room for, however much there is to say,
// and says that something is missing.
func TestSummaryFitsIntoItsRoom(t *testing.T) {
	events := []story.Event{}
	for i := range 60 {
		events = append(events, bad(fmt.Sprintf("prod/service-%03d", i))...)
	}
	r := record(events...)
	whole := len(r.Summary(pipeline(), "deploy", nil, MostSummary))
	rapid.Check(t, func(t *rapid.T) {
		room := rapid.IntRange(-10, whole+100).Draw(t, "room")
		got := r.Summary(pipeline(), "deploy", nil, room)
		if len(got) > max(room, 0) {
			t.Fatalf("%d bytes in room for %d", len(got), room)
		}
		if got != "" && room < whole/2 && !strings.Contains(got, "did not fit") {
			t.Fatalf("%d of %d bytes, and not a word", len(got), whole)
		}
	})
}

// Texts of others are words: no tag, no fence that ends early, no row of a table
// that is two.
func TestMarkdownProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := hostile().Draw(t, "text")
		if got := text(s); strings.ContainsAny(got, "\n\r<>") {
			t.Fatalf("%q", got)
		}
		row := table([]string{"a", "b"}, [][]string{{text(s), code(s)}})
		if n := strings.Count(strings.ReplaceAll(strings.ReplaceAll(row, `\\`, ""), `\|`, ""), "|"); n != 9 || strings.Count(row, "\n") != 3 {
			t.Fatalf("%q has %d bars", row, n)
		}
		lines := strings.Split(strings.TrimSuffix(fence("text", []string{s, "last"}), "\n"), "\n")
		mark := strings.TrimSuffix(lines[0], "text")
		for i, l := range lines[1:] {
			if ends := strings.HasPrefix(strings.TrimSpace(l), mark); ends != (i == len(lines)-2) {
				t.Fatalf("%q at line %d of %q", l, i, lines)
			}
		}
	})
}

// Several services are summed up as one outcome.
func TestOutcome(t *testing.T) {
	two := record(append(bad("prod/api"), good("prod/web"))...)
	two.URL("prod/api", "https://api.example.com")
	two.URL("prod/web", "https://www.example.com")
	pushed := &Record{}
	pushed.Pushed("v1.0.0", "sha256:ab")
	unchanged := record(verdictEvent("prod/api", story.Verdict{Outcome: "unchanged"}), good("prod/web"))
	for _, tt := range []struct {
		name   string
		record *Record
		code   int
		want   Outcome
	}{
		{"nothing", &Record{}, 0, Outcome{}},
		{"an error", &Record{}, 1, Outcome{Verdict: "error"}},
		{"interrupted before anything", &Record{}, 130, Outcome{Verdict: "interrupted"}},
		{"pushed", pushed, 0, Outcome{ImageTag: "v1.0.0", ImageDigest: "sha256:ab", Verdict: "pushed"}},
		{"pushed, and then an error", pushed, 1, Outcome{ImageTag: "v1.0.0", ImageDigest: "sha256:ab", Verdict: "error"}},
		{
			"the worst of two", two, 4,
			Outcome{
				ImageTag: "v1.2.0,v1.1.0", ImageDigest: "sha256:0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
				TaskDefinition: "api:43,api:42", Verdict: "rolled-back",
			},
		},
		{
			"refused is more than not begun",
			record(verdictEvent("prod/api", story.Verdict{Outcome: "not-begun", ExitCode: 3}), verdictEvent("prod/web", story.Verdict{Outcome: "refused", ExitCode: 3})), 3,
			Outcome{Verdict: "refused"},
		},
		{
			"a change is more than none", unchanged, 0,
			Outcome{ImageTag: "v1.1.0", ImageDigest: "sha256:0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c", TaskDefinition: "api:42", Verdict: "stable"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.record.Outcome(tt.code); got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}
