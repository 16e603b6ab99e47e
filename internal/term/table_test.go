package term

import (
	"bytes"
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
	"pgregory.net/rapid"
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

func TestTableFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.StringOfN(rapid.RuneFrom([]rune("ab 1決é")), 0, 40, -1)
		header := rapid.SliceOfN(rapid.StringMatching("[a-z]{1,10}"), 1, 6).Draw(t, "header")
		rows := rapid.SliceOfN(rapid.SliceOfN(cell, 0, len(header)), 0, 4).Draw(t, "rows")
		width := rapid.IntRange(40, 120).Draw(t, "width")
		for line := range strings.Lines(Table{header, rows}.render(newPalette(true), width)) {
			if got := lipgloss.Width(strings.TrimRight(line, "\n")); got > width {
				t.Fatalf("%d columns on %d: %q", got, width, line)
			}
		}
	})
}
