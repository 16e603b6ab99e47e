package term

import (
	"bytes"
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

func TestTable(t *testing.T) {
	table := Table{
		Header: []string{"service", "running", "version", "last event"},
		Rows: [][]string{
			{"api", "2", "v1.1.0", "has reached a steady state"},
			{"決済サービス", "10", "v0.9.0"},
		},
	}
	for _, tc := range []struct {
		name  string
		width int
		want  string
	}{
		{"no limit", 0, "" +
			"service       running  version  last event\n" +
			"api                 2  v1.1.0   has reached a steady state\n" +
			"決済サービス       10  v0.9.0   -\n"},
		{"cut", 45, "" +
			"service       running  version  last event\n" +
			"api                 2  v1.1.0   has reached …\n" +
			"決済サービス       10  v0.9.0   -\n"},
		{"paragraphs", 30, "" +
			"service     api\n" +
			"running     2\n" +
			"version     v1.1.0\n" +
			"last event  has reached a\n" +
			"            steady state\n" +
			"\n" +
			"service     決済サービス\n" +
			"running     10\n" +
			"version     v0.9.0\n" +
			"last event  -\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := New(Options{Out: &out, Err: &out, OutWidth: columns(tc.width)}).Table(table); err != nil {
				t.Fatal(err)
			}
			if out.String() != tc.want {
				t.Errorf("got:\n%s\nwant:\n%s", out.String(), tc.want)
			}
		})
	}
}

// Where there is no room, spare columns go before the rows become paragraphs, and
// what cells mean stays with them.
func TestSpareColumnsGoFirst(t *testing.T) {
	table := Table{
		Header: []string{"WHEN", "BY", "VERSION", "ENDED"},
		Rows:   [][]string{{"2026-03-02 12:04", "somebody-with-a-name", "v1.1.0", "stable"}, {"2026-03-01 09:00", "ann", "v1.0.0"}},
		Spare:  []string{"BY"},
		Tone: func(row, column int) Tone {
			if column == 3 && row == 0 {
				return Good
			}
			return Neutral
		},
	}
	var out bytes.Buffer
	if err := New(Options{Out: &out, Err: &out, OutWidth: columns(40)}).Table(table); err != nil {
		t.Fatal(err)
	}
	want := "" +
		"WHEN              VERSION  ENDED\n" +
		"2026-03-02 12:04  v1.1.0   ✓ stable\n" +
		"2026-03-01 09:00  v1.0.0   -\n"
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

func TestTableFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.StringOfN(rapid.RuneFrom([]rune("ab 1決é")), 0, 40, -1)
		header := rapid.SliceOfN(rapid.StringMatching("[a-z]{1,10}"), 1, 6).Draw(t, "header")
		rows := rapid.SliceOfN(rapid.SliceOfN(cell, 0, len(header)), 0, 4).Draw(t, "rows")
		width := rapid.IntRange(40, 120).Draw(t, "width")
		for line := range strings.Lines(Table{Header: header, Rows: rows}.render(newPalette(true, Dark), width)) {
			if got := lipgloss.Width(strings.TrimRight(line, "\n")); got > width {
				t.Fatalf("%d columns on %d: %q", got, width, line)
			}
		}
	})
}

// A screen that is narrow has what was found below the name of the check.
func TestChecksOnANarrowScreen(t *testing.T) {
	checks := []story.Check{
		{Name: "circuit breaker", State: story.CheckWarn, Why: "it is off: when nobody watches, ECS starts a broken revision again", Do: "enable deploymentCircuitBreaker"},
		{Name: "image", State: story.CheckOK, Why: "v1.1.0 is there"},
	}
	for width, want := range map[int]string{
		40: "" +
			"! WARN  circuit breaker\n" +
			"    it is off: when nobody watches, ECS\n" +
			"    starts a broken revision again\n" +
			"    → enable deploymentCircuitBreaker\n" +
			"✓ OK  image\n" +
			"    v1.1.0 is there\n",
		60: "" +
			"! WARN     circuit breaker  it is off: when nobody watches,\n" +
			"                            ECS starts a broken revision\n" +
			"                            again\n" +
			"                            → enable\n" +
			"                              deploymentCircuitBreaker\n" +
			"✓ OK       image            v1.1.0 is there\n",
	} {
		var out bytes.Buffer
		if err := New(Options{Out: &out, Err: &out, OutWidth: columns(width)}).Checks(checks); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Errorf("%d columns:\n%s\nwant:\n%s", width, out.String(), want)
		}
	}
}
