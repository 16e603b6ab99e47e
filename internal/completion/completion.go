// Package completion writes shell scripts that complete a command line.
//
//	script, err := completion.Script("bash", program)
//
// A script knows the whole grammar by itself and starts no other program, but
// for the names in plimsoll.yaml: those it asks "plimsoll configured" for, which
// reads that file and nothing else.
package completion

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/grammar"
)

// Shells are the shells that scripts are written for.
func Shells() []string { return []string{"bash", "zsh", "fish", "powershell"} }

// Script is the script of one shell. Its first line says where it came from.
func Script(shell string, program grammar.Command) (string, error) {
	switch shell {
	case "bash":
		return bash(program), nil
	case "zsh":
		return zsh(program), nil
	case "fish":
		return fish(program), nil
	case "powershell":
		return powershell(program), nil
	}
	return "", fmt.Errorf("no completion for %s: there is one for %s", shell, strings.Join(Shells(), ", "))
}

// spellings are how a flag is typed, the long way first.
func spellings(f grammar.Flag) []string {
	if f.Short == "" {
		return []string{"--" + f.Name}
	}
	return []string{"--" + f.Name, "-" + f.Short}
}

// split are the flags that take a value, and those that do not, as they are typed.
func split(flags []grammar.Flag) (valued, switches []string) {
	for _, f := range flags {
		if f.Placeholder == "" {
			switches = append(switches, spellings(f)...)
		} else {
			valued = append(valued, spellings(f)...)
		}
	}
	return valued, switches
}

func names(commands []grammar.Command) []string {
	out := make([]string, len(commands))
	for i, c := range commands {
		out[i] = c.Name
	}
	return out
}

// place is where a value stands: after a flag, or the n-th argument ("*": any
// from there on).
type place struct {
	at     string
	values grammar.Values
}

// places are the values of a command's own flags and arguments that a shell can
// help with.
func places(c grammar.Command, flags []grammar.Flag) []place {
	var out []place
	for _, f := range flags {
		if f.Values.Kind != grammar.Anything {
			for _, name := range spellings(f) {
				out = append(out, place{name, f.Values})
			}
		}
	}
	for i, arg := range c.Args {
		if arg.Values.Kind == grammar.Anything {
			continue
		}
		at := fmt.Sprint(i + 1)
		if arg.Repeated {
			at = "*"
		}
		out = append(out, place{at, arg.Values})
	}
	return out
}

// commandLine reports whether a command ends with the command line of another
// program.
func commandLine(c grammar.Command) bool {
	return slices.ContainsFunc(c.Args, func(a grammar.Arg) bool { return a.Values.Kind == grammar.AnyCommand })
}

// quote puts a text into single quotes, for bash and zsh.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
