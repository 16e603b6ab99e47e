package manual

import (
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/grammar"
)

// Widths of a help text, in columns. Lines longer than that are hard to read,
// and in fewer two columns find no room.
const (
	widest    = 100
	narrowest = 50
	leftmost  = 30 // what is longer than that in the left column has a line of its own
)

// Help is the text of --help for one command, for a screen of so many columns.
func Help(program, c grammar.Command, columns int) string {
	width := min(max(columns, narrowest), widest)
	h := help{width: width}
	h.line("Usage: " + c.Usage)
	h.paragraph(c.Help)
	if c.Path != program.Path {
		h.blocks(c.Detail)
	}
	for _, section := range c.CommandSections() {
		h.table(title(section.Title, "Commands"), commandRows(section.Items), widestLeft(commandRows(c.Commands), leftmost))
	}
	left := h.left(program, c)
	h.table("Arguments", argRows(c.Args), left)
	for _, section := range c.FlagSections() {
		if c.Path != program.Path {
			h.table(title(section.Title, "Flags"), flagRows(section.Items), left)
		}
	}
	h.table(everywhere, flagRows(program.Flags), left)
	if c.Path == program.Path { // the list of commands is what most people came for
		h.blocks(c.Detail)
	}
	if len(c.Commands) > 0 {
		h.paragraph(c.Path + " <command> --help has the flags and examples of a command.")
	}
	return h.text.String()
}

// help is a text that grows.
type help struct {
	width int
	text  strings.Builder
}

// row is one line of a table, or more where the right side is long.
type row struct{ left, right string }

func (h *help) line(s string) { h.text.WriteString(strings.TrimRight(s, " ") + "\n") }

func (h *help) paragraph(s string) {
	h.line("")
	for _, line := range fill(s, h.width) {
		h.line(line)
	}
}

func (h *help) blocks(text string) {
	for _, b := range grammar.Blocks(text) {
		if !b.Example {
			h.paragraph(b.Text)
			continue
		}
		h.line("")
		for line := range strings.SplitSeq(b.Text, "\n") {
			h.line("  " + line)
		}
	}
}

// left is how wide the left column of all tables of a command is, so that the
// texts stand below one another.
func (h *help) left(program, c grammar.Command) int {
	rows := append(argRows(c.Args), flagRows(c.Flags)...)
	return widestLeft(append(rows, flagRows(program.Flags)...), leftmost)
}

func widestLeft(rows []row, most int) int {
	left := 0
	for _, r := range rows {
		if n := len([]rune(r.left)); n <= most {
			left = max(left, n)
		}
	}
	return left
}

// table writes rows in two columns below a heading.
func (h *help) table(heading string, rows []row, left int) {
	if len(rows) == 0 {
		return
	}
	h.line("")
	h.line(heading + ":")
	for _, r := range rows {
		lines := fill(r.right, h.width-left-4)
		n := len([]rune(r.left))
		if n > left {
			h.line("  " + r.left)
		} else {
			h.line("  " + r.left + strings.Repeat(" ", left-n+2) + lines[0])
			lines = lines[1:]
		}
		for _, line := range lines {
			h.line(strings.Repeat(" ", left+4) + line)
		}
	}
}

func commandRows(commands []grammar.Command) []row {
	var rows []row
	for _, c := range commands {
		rows = append(rows, row{c.Name, c.Help})
	}
	return rows
}

func argRows(args []grammar.Arg) []row {
	var rows []row
	for _, arg := range args {
		rows = append(rows, row{arg.Summary, arg.Help})
	}
	return rows
}

// flagRows leaves room for the short names, so that all long ones stand below
// one another.
func flagRows(flags []grammar.Flag) []row {
	var rows []row
	for _, f := range flags {
		name := flagName(f)
		if f.Short == "" {
			name = "    " + name
		}
		rows = append(rows, row{name, f.Help})
	}
	return rows
}
