package completion

import (
	"fmt"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/grammar"
)

// zsh is a function for every command, each of which leaves the work to zsh's
// own _arguments (zshcompsys(1)). The script can be autoloaded from fpath as
// _plimsoll, or sourced.
func zsh(program grammar.Command) string {
	var s strings.Builder
	s.WriteString("#compdef plimsoll\n# zsh completion for plimsoll, written by: plimsoll completion zsh\n\n")
	for _, c := range program.All()[1:] {
		zshCommand(&s, zshFunction(c), c, c.Flags)
	}
	s.WriteString(zshNames)
	s.WriteString("_plimsoll() {\n    local plimsoll_at=$CURRENT\n    local -a plimsoll_line=(\"${words[@]}\") everywhere=(\n")
	for _, f := range program.Flags {
		fmt.Fprintf(&s, "        %s\n", zshFlag(f))
	}
	s.WriteString("    )\n    _plimsoll_ \"$@\"\n}\n\n")
	zshCommand(&s, "_plimsoll_", program, nil)
	s.WriteString(zshEnd)
	return s.String()
}

func zshFunction(c grammar.Command) string { return "_" + strings.ReplaceAll(c.Path, " ", "_") }

func zshCommand(s *strings.Builder, function string, c grammar.Command, flags []grammar.Flag) {
	fmt.Fprintf(s, "%s() {\n", function)
	if len(c.Commands) > 0 {
		s.WriteString("    local state line curcontext=$curcontext ret=1\n    typeset -A opt_args\n    _arguments -C -s -S : $everywhere")
	} else {
		s.WriteString("    _arguments -s -S : $everywhere")
	}
	for _, f := range flags {
		fmt.Fprintf(s, " \\\n        %s", zshFlag(f))
	}
	if len(c.Commands) > 0 {
		zshCommands(s, c)
		return
	}
	for i, arg := range c.Args {
		fmt.Fprintf(s, " \\\n        %s", zshArg(i+1, arg))
	}
	s.WriteString("\n}\n\n")
}

// zshCommands is the end of a function whose command has others below it.
func zshCommands(s *strings.Builder, c grammar.Command) {
	s.WriteString(" \\\n        '1: :->command' \\\n        '*::: :->below' && ret=0\n    case $state in\n    command)\n        local -a commands=(\n")
	for _, below := range c.Commands {
		fmt.Fprintf(s, "            %s\n", quote(below.Name+":"+below.Help))
	}
	s.WriteString("        )\n        _describe -t commands command commands && ret=0\n        ;;\n    below)\n        words=($line[1] \"${words[@]}\")\n        ((CURRENT += 1))\n        curcontext=${curcontext%:*}-$line[1]:\n        case $line[1] in\n")
	for _, below := range c.Commands {
		fmt.Fprintf(s, "        %s) %s && ret=0 ;;\n", below.Name, zshFunction(below))
	}
	s.WriteString("        esac\n        ;;\n    esac\n    return ret\n}\n\n")
}

func zshFlag(f grammar.Flag) string {
	head, name := "", "--"+f.Name
	if f.Repeated {
		head = "*"
	}
	value := ""
	if f.Placeholder != "" {
		value = ":" + zshWord(f.Placeholder) + ":" + zshAction(f.Values)
	}
	help := "[" + strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`).Replace(f.Help) + "]"
	mark := ""
	if value != "" {
		mark = "="
	}
	if f.Short == "" {
		return quote(head + name + mark + help + value)
	}
	if mark != "" {
		mark = "+"
	}
	// Either spelling stands for both.
	short := quote("-" + f.Short + mark + help + value)
	long := quote(name + strings.Replace(mark, "+", "=", 1) + help + value)
	return "'(-" + f.Short + " " + name + ")'" + short + " '(-" + f.Short + " " + name + ")'" + long
}

func zshArg(n int, arg grammar.Arg) string {
	at := fmt.Sprint(n)
	switch {
	case arg.Values.Kind == grammar.AnyCommand:
		return quote("(-)*::" + zshWord(arg.Name) + ": _normal")
	case arg.Repeated:
		at = "*"
	case !strings.HasPrefix(arg.Summary, "<"):
		at += ":" // may be left out
	}
	return quote(at + ":" + zshWord(arg.Name) + ":" + zshAction(arg.Values))
}

func zshAction(v grammar.Values) string {
	switch v.Kind {
	case grammar.Words:
		return "(" + strings.Join(v.Words, " ") + ")"
	case grammar.Files:
		return "_files"
	case grammar.Directories:
		return "_files -/"
	case grammar.Services, grammar.Environments:
		return "__plimsoll_names " + string(v.Kind)
	}
	return " "
}

// zshWord is a text between the colons of a specification.
func zshWord(s string) string { return strings.NewReplacer(`\`, `\\`, ":", `\:`).Replace(s) }

const zshNames = `# Names of plimsoll.yaml: the one that the command line is about. What to ask
# for is the last argument, for _arguments puts options of compadd before it.
__plimsoll_names() {
    local -a found given
    local i
    for ((i = 2; i < plimsoll_at; i++)); do
        case $plimsoll_line[i] in
        --config | --env) ((i + 1 < plimsoll_at)) && given+=("$plimsoll_line[i]=$plimsoll_line[i+1]") ;;
        --config=* | --env=*) given+=("$plimsoll_line[i]") ;;
        esac
    done
    found=(${(f)"$(_call_program names $plimsoll_line[1] configured $argv[-1] ${(q)given} 2>/dev/null)"})
    compadd "${@[1,-2]}" -a found
}

`

const zshEnd = `if [[ $funcstack[1] == _plimsoll ]]; then
    _plimsoll "$@"
else
    compdef _plimsoll plimsoll
fi
`
