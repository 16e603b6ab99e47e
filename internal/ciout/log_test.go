package ciout

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/ci"
	"github.com/plimsoll-ecs/plimsoll/internal/golden"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// stories are what commands tell, shortened.
func stories() map[string][]story.Event {
	say := func(kind story.Kind, step story.Step, message string) story.Event {
		return story.Event{Kind: kind, Step: step, Service: "prod/api", Message: message}
	}
	fleet := func(kind story.Kind, step story.Step, message string) story.Event {
		return story.Event{Kind: kind, Step: step, Message: message}
	}
	final := func(service, outcome string, code int) story.Event {
		return story.Event{Kind: story.Final, Service: service, Verdict: &story.Verdict{Outcome: outcome, ExitCode: code}}
	}
	failed := say(story.Failed, story.Watch, "")
	failed.Failure = &story.Failure{TaskID: "0123"}
	return map[string][]story.Event{
		"release": {
			fleet(story.Begin, story.Build, "building web:v1.1.0"), fleet(story.Change, story.Build, "COPY . ."), fleet(story.End, story.Build, "built 5 steps"),
			fleet(story.Begin, story.Push, "pushing web:v1.1.0"), fleet(story.End, story.Push, "pushed 5 layers"),
			say(story.Begin, story.Preflight, "checking prod/api"), say(story.Warning, story.Preflight, "circuit breaker: it is off"), say(story.End, story.Preflight, "18 checks"),
			say(story.Note, story.Register, "what runs already"),
			say(story.Begin, story.Update, "updating api"), say(story.End, story.Update, "deployment ecs-svc/1"),
			say(story.Begin, story.Watch, "watching api:3"), say(story.Change, story.Watch, "1/2 new running"), failed, say(story.Change, story.Watch, "0/2 new running"),
			say(story.Failed, story.Watch, "the rollout failed"),
			say(story.Begin, story.Rollback, "putting api back"), say(story.Begin, story.Rollback, "watching where ECS goes"), say(story.End, story.Rollback, "back on api:2"),
			final("prod/api", "rolled-back", 4),
		},
		"refused": {
			say(story.Begin, story.Preflight, "checking prod/api"), say(story.Warning, story.Preflight, "image: there is none"), final("prod/api", "refused", 3),
		},
		"fleet": {
			fleet(story.Begin, story.Preflight, "checking 2 services"), say(story.Begin, story.Preflight, "checking prod/api"), say(story.End, story.Preflight, "18 checks"),
			fleet(story.End, story.Preflight, "2 services can go"),
			fleet(story.Begin, story.Wave, "1 of 1: api, web"), say(story.Begin, story.Watch, "watching api:3"), final("prod/web", "stable", 0), say(story.End, story.Watch, "done"),
			final("prod/api", "stable", 0), fleet(story.End, story.Wave, "1 of 1 is done"),
		},
		"run": {
			say(story.Begin, story.Run, "starting a task"), say(story.Output, story.Run, "::error::x"), say(story.End, story.Run, "exited with 0"),
		},
		"killed": {say(story.Begin, story.Watch, "watching api:3"), say(story.Change, story.Watch, "1/2 new running")},
	}
}

// told is the log of a story in a dialect: its lines stand for themselves.
func told(d ci.Dialect, events []story.Event) string {
	var b strings.Builder
	log := NewLog(Options{Dialect: d, Marks: &b, ID: "a_"})
	at := time.Date(2026, 11, 21, 17, 0, 0, 0, time.UTC)
	for _, e := range events {
		at = at.Add(time.Second)
		e.Time = at
		log.Around(e, func() {
			message := e.Message
			if e.Verdict != nil {
				message = e.Verdict.Outcome
			}
			if e.Failure != nil {
				message = "task " + e.Failure.TaskID
			}
			fmt.Fprintf(&b, "%-9s %-9s %s\n", e.Kind, e.Step, message)
		})
	}
	log.Close(story.Event{Time: at})
	return b.String()
}

func TestLogGolden(t *testing.T) {
	for _, d := range []ci.Dialect{ci.GitLabDialect, ci.GitHubDialect} {
		var all strings.Builder
		for _, name := range []string{"release", "refused", "fleet", "run", "killed"} {
			all.WriteString("--- " + name + "\n" + strings.NewReplacer("\x1b", "^[", "\r", "^M").Replace(told(d, stories()[name])))
		}
		golden.File(t, "testdata/log-"+string(d)+".golden", all.String())
	}
}

func TestLogOfNoSystemIsTheStory(t *testing.T) {
	if text := told(ci.PlainDialect, stories()["release"]); strings.Contains(text, "::") || strings.Contains(text, "section_") {
		t.Error(text)
	}
}

// Whatever is told in whatever order: marks come in pairs, one at a time, no name
// of a section comes twice, and evidence of a failure is never inside.
func TestLogProperty(t *testing.T) {
	start, end := regexp.MustCompile(`^\x1b\[0Ksection_start:\d+:([a-zA-Z0-9_.-]+)(\[collapsed=true\])?\r\x1b\[0K`), regexp.MustCompile(`^\x1b\[0Ksection_end:\d+:([a-zA-Z0-9_.-]+)\r\x1b\[0K$`)
	event := rapid.Custom(func(t *rapid.T) story.Event {
		e := story.Event{
			Kind:    rapid.SampledFrom([]story.Kind{story.Begin, story.End, story.Change, story.Warning, story.Failed, story.Final}).Draw(t, "kind"),
			Step:    rapid.SampledFrom([]story.Step{story.Build, story.Preflight, story.Watch, story.Rollback, story.Wave, story.Run}).Draw(t, "step"),
			Service: rapid.SampledFrom([]string{"", "prod/api", "prod/web"}).Draw(t, "service"),
			Message: hostile().Draw(t, "message"),
		}
		if e.Kind == story.Failed {
			e.Failure = &story.Failure{TaskID: "0123"}
		}
		if e.Kind == story.Final {
			e.Verdict = &story.Verdict{Outcome: "x", ExitCode: rapid.SampledFrom([]int{0, 4}).Draw(t, "code")}
		}
		e.Message = line(e.Message) // the terminal's own lines are not the matter here
		return e
	})
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOf(event).Draw(t, "events")
		for _, d := range []ci.Dialect{ci.GitLabDialect, ci.GitHubDialect} {
			open, names := "", []string{}
			for _, l := range strings.Split(told(d, events), "\n") {
				begins, ends := strings.HasPrefix(l, "::group::"), l == "::endgroup::"
				name := "group"
				if m := start.FindStringSubmatch(l); m != nil {
					begins, name = true, m[1]
					if slices.Contains(names, name) {
						t.Fatalf("%s comes twice", name)
					}
					names = append(names, name)
				}
				if m := end.FindStringSubmatch(l); m != nil {
					ends, name = true, m[1]
				}
				switch {
				case begins && open == "":
					open = name
				case ends && open == name:
					open = ""
				case begins || ends:
					t.Fatalf("%q while %q is open", l, open)
				case open != "" && strings.HasSuffix(l, " task 0123"):
					t.Fatalf("%q is folded away", l)
				}
			}
			if open != "" {
				t.Fatalf("%q is never closed", open)
			}
		}
	})
}
