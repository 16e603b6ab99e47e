package cli

import (
	"io"
	"slices"
	"strconv"

	"github.com/alecthomas/kong"

	"github.com/plimsoll-ecs/plimsoll/internal/grammar"
	"github.com/plimsoll-ecs/plimsoll/internal/manual"
)

// meant are the words for what people ask most programs before they know them.
func meant(args []string) []string {
	switch {
	case len(args) > 0 && args[0] == "help":
		return append(slices.Clone(args[1:]), "--help")
	case len(args) == 1 && args[0] == "--version":
		return []string{"version"}
	}
	return args
}

// help prints the help of the command that was asked about; kong calls it.
func (s *session) help(_ kong.HelpOptions, k *kong.Context) error {
	node := k.Model.Node
	if selected := k.Selected(); selected != nil {
		node = selected
	}
	_, err := io.WriteString(s.sys.Stdout, manual.Help(grammar.Of(k.Model.Node), grammar.Of(node), s.columns()))
	return err
}

// columns is the width of the screen: COLUMNS where it is set, as POSIX has it,
// or what the terminal says, or 80.
func (s *session) columns() int {
	if n, err := strconv.Atoi(s.sys.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if columns := s.termOptions().OutWidth; columns != nil {
		if n := columns(); n > 0 {
			return n
		}
	}
	return 80
}
