package cli

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/golden"
	"github.com/plimsoll-ecs/plimsoll/internal/grammar"
	"github.com/plimsoll-ecs/plimsoll/internal/manual"
)

// program is the grammar of the whole command line.
func program(t *testing.T) grammar.Command {
	t.Helper()
	var c commands
	s := &session{sys: System{Getenv: func(string) string { return "" }, Stdout: io.Discard, Stderr: io.Discard}, globals: &c.Globals}
	parser, err := newParser(&c, s)
	if err != nil {
		t.Fatal(err)
	}
	return grammar.Of(parser.Model.Node)
}

// docs/commands.md is what --help says, on one page.
func TestCommandReference(t *testing.T) {
	golden.Section(t, "../../docs/commands.md", "commands", manual.Markdown(program(t)))
}

// Every command says what it does, shows how it is typed, and fits a screen.
func TestHelp(t *testing.T) {
	program := program(t)
	for _, c := range program.All() {
		if !strings.HasSuffix(c.Help, ".") {
			t.Errorf("%s: its help is no sentence: %q", c.Path, c.Help)
		}
		example := func(b grammar.Block) bool {
			return b.Example && strings.Contains(b.Text, strings.TrimPrefix(c.Path, program.Path))
		}
		if len(c.Commands) == 0 && !slices.ContainsFunc(grammar.Blocks(c.Detail), example) {
			t.Errorf("%s has no example: indent one by two spaces in its Help()", c.Path)
		}
		for _, f := range c.Flags {
			if !strings.HasSuffix(f.Help, ".") {
				t.Errorf("%s --%s: its help is no sentence: %q", c.Path, f.Name, f.Help)
			}
		}
		for _, columns := range []int{80, 100} {
			for n, line := range strings.Split(manual.Help(program, c, columns), "\n") {
				if len([]rune(line)) > columns && strings.Contains(strings.TrimSpace(line), " ") {
					t.Errorf("%s --help in %d columns: line %d is %d long: %q", c.Path, columns, n+1, len([]rune(line)), line)
				}
			}
		}
	}
}

// A flag is never taken for another: completion and documentation know flags of
// every command by their names alone.
func TestFlagNamesAreOfOneKind(t *testing.T) {
	program := program(t)
	for _, c := range program.All()[1:] {
		for _, f := range c.Flags {
			for _, global := range program.Flags {
				if f.Name == global.Name || f.Short != "" && f.Short == global.Short {
					t.Errorf("%s --%s hides the flag of every command", c.Path, f.Name)
				}
			}
		}
	}
	if n := len(program.All()); n < 40 {
		t.Errorf("only %d commands were found", n)
	}
}
