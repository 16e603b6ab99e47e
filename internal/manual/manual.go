// Package manual writes what there is to read about the command line: the text
// of --help, man pages, and the reference in Markdown, all of one [grammar.Command].
package manual

import (
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/grammar"
)

// everywhere heads the flags of the program, which every command takes.
const everywhere = "Flags of every command"

// title is the heading of a section of flags or commands.
func title(given, otherwise string) string {
	if given == "" {
		return otherwise
	}
	return given
}

// flagName is how a flag is typed: "-f, --file=FILE".
func flagName(f grammar.Flag) string {
	name := "--" + f.Name
	if f.Placeholder != "" {
		name += "=" + f.Placeholder
	}
	if f.Short != "" {
		name = "-" + f.Short + ", " + name
	}
	return name
}

// fill breaks a paragraph into lines of at most width columns. A word that is
// longer has a line of its own.
func fill(paragraph string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(paragraph) {
		switch {
		case line == "":
			line = word
		case len([]rune(line))+1+len([]rune(word)) > width:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
