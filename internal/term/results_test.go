package term

import (
	"fmt"
	"strings"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/golden"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// TestResultScreens shows the tables of the commands on a terminal.
func TestResultScreens(t *testing.T) {
	for _, width := range []int{100, 80, 60, 40} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			screen := newEmulator(width, 140)
			term := New(Options{Out: screen, Err: screen, Mode: Live, Color: true, OutColor: true, Shades: Light, Width: columns(width), OutWidth: columns(width)})
			for _, r := range results() {
				fmt.Fprintf(screen, "$ plimsoll %s\n", r.command)
				if err := r.write(term); err != nil {
					t.Fatal(err)
				}
			}
			var got strings.Builder
			shoot(t, &got, screen, width, fmt.Sprint(width, " columns"))
			golden.File(t, fmt.Sprintf("testdata/screens/results-%d.golden", width), got.String())
		})
	}
}

type result struct {
	command string
	write   func(*Terminal) error
}

// results are what the commands write that show something: as they write it.
func results() []result {
	toned := func(column int, tones ...Tone) func(row, column int) Tone {
		return func(row, c int) Tone {
			if c != column {
				return Neutral
			}
			return tones[row]
		}
	}
	return []result{
		{"status", func(t *Terminal) error {
			if err := t.Line(Busy, "prod/決済サービス  active  3 of 4 running, a rollout is under way"); err != nil {
				return err
			}
			group := rollout.Group{Running: 1, Pending: 1, Tasks: []rollout.TaskState{{Status: "RUNNING", Health: "HEALTHY"}, {Status: "STOPPED"}, {Status: "ACTIVATING"}}}
			return t.Table(Table{
				Header: []string{"REVISION", "TAG", "TASKS", "RUNNING", "PENDING", "FAILED", "ROLLOUT"},
				Rows: [][]string{
					{"payment:42", "v2.0.0", Cells(group, false), "1", "1", "1", "in progress"},
					{"payment:41", "v1.9.3", Cells(rollout.Group{Running: 2}, true), "2", "0", "", "old"},
				},
				Tone: toned(6, Busy, Neutral),
			})
		}},
		{"history", func(t *Terminal) error {
			return t.Table(Table{
				Header: []string{"WHEN", "VERSION", "CHANGE", "REVISION", "TASKS", "COMMIT", "BY", "ENDED", "TOOK"},
				Rows: [][]string{
					{"2026-03-02 12:04", "v2.0.0", "major upgrade", "payment:42", "4", "0123456", "aki", "rolled back to payment:41", "1m12s"},
					{"2026-02-27 17:40", "v1.9.3", "patch upgrade", "payment:41", "4", "89abcde", "aki", "stable", "1m40s"},
					{"2026-02-20 09:12", "v1.9.2", "", "payment:40", "4", "", "", "superseded", "21s"},
				},
				Spare: []string{"TASKS", "COMMIT", "BY", "CHANGE", "TOOK"},
				Tone:  toned(7, Warn, Good, Quiet),
			})
		}},
		{"check", func(t *Terminal) error {
			return t.Checks([]story.Check{
				{Name: "image", State: story.CheckOK, Why: "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/payment:v2.0.0 is sha256:9c0ffee1234a"},
				{Name: "secrets", State: story.CheckFail, Why: "prod/payment has no key DATABASE_URL", Do: "add the key, or take it out of the task definition"},
				{Name: "circuit breaker", State: story.CheckWarn, Why: "it is off: when nobody watches, ECS starts a broken revision again and again", Do: "enable deploymentCircuitBreaker, with rollback, on the service"},
				{Name: "logs", State: story.CheckSkipped, Why: "not allowed to look: logs:DescribeLogGroups"},
			})
		}},
		{"maintenance plan", func(t *Terminal) error {
			return t.Table(Table{
				Header: []string{"SERVICE", "WAVE", "RETIRES", "IN", "TASKS LEFT", "RESTART"},
				Rows: [][]string{
					{"prod/決済サービス", "1", "2026-03-09 12:04", "6d 23h", "2 of 4", "works"},
					{"prod/batch", "2", "2026-03-09 12:04", "6d 23h", "1 of 1", "fails"},
				},
				Tone: toned(5, Good, Bad),
			})
		}},
		{"audit", func(t *Terminal) error { return t.Audit(Audit{Report: auditSample()}) }},
	}
}
