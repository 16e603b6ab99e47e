package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/scenario"
	"github.com/plimsoll-ecs/plimsoll/internal/strictyaml"
)

type drydockRun struct {
	Files  []string `arg:"" optional:"" help:"Scenario files, played one after the other." placeholder:"FILE"`
	Schema bool     `help:"Print the JSON schema of scenario files, for editors, and play nothing."`
}

// Help goes below the usage.
func (c *drydockRun) Help() string {
	return `A scenario says what is there, what happens and what is expected to come of
it. Each is played on a drydock of its own whose calendar moves only by the
steps: a month takes no time. Exit 0 when all came out as expected, 1 when not,
2 when a file is wrong.

  plimsoll drydock run scenarios/*.yaml

  name: A restart after the image is gone
  given:
    repositories: {app: {images: [v1.0.0]}}
    services: {web: {image: "app:v1.0.0", desired: 2}}
  steps:
    - delete: {image: "app:v1.0.0"}
    - stopTask: {service: web}
    - advance: 30m
    - expect: {service: web, running: 1}

docs/scenarios.md has every step.`
}

// Run plays the scenarios of the files.
func (c *drydockRun) Run(ctx context.Context, s *session) error {
	if c.Schema {
		schema, err := scenario.Schema()
		if err == nil {
			_, err = s.sys.Stdout.Write(schema)
		}
		return err
	}
	if len(c.Files) == 0 {
		return &usageError{errors.New("which scenario? No file is given"), "plimsoll drydock run FILE..."}
	}
	var all []*scenario.Scenario
	for _, file := range c.Files { // every file is read before the first one is played
		read, err := scenario.Read(file)
		if _, missing := errors.AsType[*os.PathError](err); missing {
			return &usageError{err, ""}
		}
		if err != nil {
			return &usageError{err, "docs/scenarios.md has every step"}
		}
		all = append(all, read...)
	}
	failed := 0
	for _, one := range all {
		err := scenario.Run(ctx, one, scenario.Options{Log: s.log(), Tell: func(e scenario.Event) { s.tellScenario(e) }})
		if _, unexpected := errors.AsType[*scenario.Failure](err); unexpected {
			failed++
			continue
		}
		if err != nil {
			return err
		}
	}
	if len(all) > 1 && !s.json() {
		fmt.Fprintf(s.sys.Stdout, "%d of %d scenarios came out as expected\n", len(all)-failed, len(all))
	}
	if failed > 0 {
		return &exitError{1}
	}
	return nil
}

// scenarioEvent is a line of the story as --output json has it.
type scenarioEvent struct {
	Kind     string   `json:"kind"` // began, note, done, failed or ended
	File     string   `json:"file"`
	Scenario string   `json:"scenario"`
	Line     int      `json:"line,omitempty"`
	Seconds  float64  `json:"seconds"` // on the calendar, since the story began
	Text     string   `json:"text,omitempty"`
	Place    string   `json:"place,omitempty"` // file:line:column of what was not as expected
	Error    string   `json:"error,omitempty"`
	Details  []string `json:"details,omitempty"`
}

func (s *session) tellScenario(e scenario.Event) {
	if s.json() {
		out := scenarioEvent{Kind: string(e.Kind), File: e.File, Scenario: e.Scenario, Line: e.Line, Seconds: e.At.Seconds(), Text: e.Text}
		if f := e.Failure; f != nil {
			out.Place, out.Error, out.Details = place(f.File, f.Position), f.Text, f.Details
		}
		s.object(out)
		return
	}
	out := s.sys.Stdout
	at := scenario.Elapsed(e.At)
	switch e.Kind {
	case scenario.Began:
		fmt.Fprintf(out, "%s\n", e.Scenario)
		if e.Text != "" && s.globals.Verbose {
			fmt.Fprintf(out, "  %s\n", strings.ReplaceAll(strings.TrimSpace(e.Text), "\n", "\n  "))
		}
	case scenario.Noted:
		fmt.Fprintf(out, "  ·  %s  %s\n", at, e.Text)
	case scenario.Done:
		fmt.Fprintf(out, "  ✓  %s  %s\n", at, e.Text)
	case scenario.Failed:
		fmt.Fprintf(out, "  ✕  %s  %s\n     %s\n", at, e.Text, e.Failure.Error())
		for _, detail := range e.Failure.Details {
			fmt.Fprintf(out, "     %s\n", detail)
		}
	case scenario.Ended:
		fmt.Fprintf(out, "  ✓  %s  as expected, %d steps\n", at, e.Steps)
	}
}

func place(file string, at strictyaml.Position) string {
	return fmt.Sprintf("%s:%d:%d", cmp.Or(file, "-"), at.Line, at.Column)
}
