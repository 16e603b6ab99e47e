package manual

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/grammar"
)

func example() (program, c grammar.Command) {
	c = grammar.Command{
		Path: "plimsoll sail", Name: "sail", Usage: "plimsoll sail <port> [flags]", Help: "Go to a port.",
		Detail: ".dots and 'quotes' begin lines.\n\n  plimsoll sail lisbon --crew 3\n\nRead on…",
		Flags: []grammar.Flag{
			{Name: "crew", Short: "c", Placeholder: "N", Help: "How many sail."},
			{Name: "cargo", Placeholder: "[TON|BARREL]", Help: "What *all* of them carry.", Group: "Holds"},
		},
		Args: []grammar.Arg{{Name: "port", Summary: "<port>", Help: `Where to; \ is no port.`}},
	}
	program = grammar.Command{
		Path: "plimsoll", Name: "plimsoll", Usage: "plimsoll <command> [flags]", Help: "Shows the mark.",
		Flags: []grammar.Flag{{Name: "help", Short: "h", Help: "Show this."}}, Commands: []grammar.Command{c},
	}
	return program, c
}

func TestHelp(t *testing.T) {
	want := `Usage: plimsoll sail <port> [flags]

Go to a port.

.dots and 'quotes' begin lines.

  plimsoll sail lisbon --crew 3

Read on…

Arguments:
  <port>                    Where to; \ is no port.

Flags:
  -c, --crew=N              How many sail.

Holds:
      --cargo=[TON|BARREL]  What *all* of them carry.

Flags of every command:
  -h, --help                Show this.
`
	program, c := example()
	if got := Help(program, c, 80); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestPage(t *testing.T) {
	program, c := example()
	got := Page(program, c, Edition{Version: "v1.2.0", Date: "2026-11-21"})
	for _, want := range []string{
		`.TH "PLIMSOLL\-SAIL" 1 "2026-11-21" "plimsoll v1.2.0"` + "\n",
		".SH NAME\nplimsoll\\-sail \\- Go to a port\n",
		".SH DESCRIPTION\n\\&.dots and 'quotes' begin lines.\n",
		".PP\n.RS 4\n.nf\nplimsoll sail lisbon \\-\\-crew 3\n.fi\n.RE\n",
		".PP\nRead on\\[u2026]\n",
		".TP\n\\fB<port>\\fR\nWhere to; \\e is no port.\n",
		".SH HOLDS\n.TP\n\\fB\\-\\-cargo=[TON|BARREL]\\fR\n",
		".SH SEE ALSO\n\\fBplimsoll\\fR(1)\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestMarkdownKeepsWhatLooksLikeItsOwn(t *testing.T) {
	program, _ := example()
	got := Markdown(program)
	for _, want := range []string{
		"| [`plimsoll sail`](#plimsoll-sail) | Go to a port. |",
		"```sh\nplimsoll sail lisbon --crew 3\n```",
		"| `--cargo=[TON\\|BARREL]` | What \\*all\\* of them carry. |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// Filling loses no word, and is as narrow as the words allow.
func TestFill(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, width := rapid.String().Draw(t, "text"), rapid.IntRange(1, 40).Draw(t, "width")
		lines := fill(text, width)
		if got := strings.Fields(strings.Join(lines, " ")); !slices.Equal(got, strings.Fields(text)) {
			t.Fatalf("words %q became %q", strings.Fields(text), got)
		}
		for _, line := range lines {
			if len([]rune(line)) > width && strings.ContainsFunc(line, unicode.IsSpace) {
				t.Fatalf("%q is longer than %d", line, width)
			}
		}
	})
}
