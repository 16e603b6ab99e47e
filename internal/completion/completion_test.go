package completion

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/grammar"
)

// hostile has every character in its texts that some shell reads as its own.
func hostile() grammar.Command {
	text := "It's \"so\" $HOME, `date`, $(date), [a:b] {c} \\ # | & ; < > ! % ~ * ? and a ship’s Straße."
	port := grammar.Command{
		Path: "plimsoll sail port", Name: "port", Help: text,
		Flags: []grammar.Flag{
			{Name: "crew", Short: "c", Help: text, Placeholder: "NAME[=N[:M]]", Repeated: true, Values: grammar.Values{Kind: grammar.Services}},
			{Name: "chart", Help: text, Placeholder: "FILE", Values: grammar.Values{Kind: grammar.Files}},
			{Name: "calm", Short: "q", Help: text},
		},
		Args: []grammar.Arg{
			{Name: "name", Summary: "<name>", Help: text, Values: grammar.Values{Kind: grammar.Words, Words: []string{"lisbon", "oslo"}}},
			{Name: "orders", Summary: "[<orders> ...]", Help: text, Repeated: true, Values: grammar.Values{Kind: grammar.AnyCommand}},
		},
	}
	sail := grammar.Command{Path: "plimsoll sail", Name: "sail", Help: text, Commands: []grammar.Command{port}}
	return grammar.Command{
		Path: "plimsoll", Name: "plimsoll", Help: text, Commands: []grammar.Command{sail},
		Flags: []grammar.Flag{{Name: "env", Help: text, Placeholder: "NAME", Values: grammar.Values{Kind: grammar.Environments}}},
	}
}

// Shells read the scripts, whatever stands in a help text, and run nothing of it.
func TestScriptsAreQuoted(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		t.Run(shell, func(t *testing.T) {
			path, err := exec.LookPath(shell)
			if err != nil && os.Getenv("CI") == "true" {
				t.Fatalf("CI needs %s: %v", shell, err)
			} else if err != nil {
				t.Skipf("needs %s: %v", shell, err)
			}
			script, err := Script(shell, hostile())
			if err != nil {
				t.Fatal(err)
			}
			command := exec.CommandContext(t.Context(), path, "-n")
			command.Stdin = strings.NewReader(script)
			if out, err := command.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%v\n%s\n%s", err, out, script)
			}
		})
	}
}

// PowerShell is at hand nowhere that these tests run: its quotes and brackets at
// least end where they begin.
func TestPowerShellIsBalanced(t *testing.T) {
	var open []rune
	quoted, comment := false, false
	closes := map[rune]rune{')': '(', ']': '[', '}': '{'}
	for _, r := range powershell(hostile()) {
		switch {
		case r == '\n' && quoted:
			t.Fatal("a quote goes beyond its line")
		case r == '\n':
			comment = false
		case comment:
		case strings.ContainsRune("'‘’‚‛", r):
			quoted = !quoted // '' within quotes ends and begins one
		case quoted:
		case r == '#':
			comment = true
		case strings.ContainsRune("([{", r):
			open = append(open, r)
		case closes[r] != 0:
			if len(open) == 0 || open[len(open)-1] != closes[r] {
				t.Fatalf("%c closes %q", r, open)
			}
			open = open[:len(open)-1]
		}
	}
	if quoted || len(open) > 0 {
		t.Errorf("left open: %q, quoted: %t", open, quoted)
	}
}

func TestScriptOfAnUnknownShell(t *testing.T) {
	if _, err := Script("tcsh", hostile()); err == nil || !strings.Contains(err.Error(), "bash, zsh, fish, powershell") {
		t.Errorf("%v", err)
	}
}
