package completion

import (
	"fmt"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/grammar"
)

// fish has one line for everything that can be completed, with the command
// that it belongs to as its condition.
func fish(program grammar.Command) string {
	var s strings.Builder
	s.WriteString("# fish completion for plimsoll, written by: plimsoll completion fish\n\n")
	fishHas(&s, program)
	s.WriteString(fishWalk)
	for _, f := range program.Flags {
		fishFlag(&s, "", f)
	}
	for _, c := range program.All() {
		at := " -n " + fishQuote("__plimsoll_at "+fishQuote(c.Path))
		for _, below := range c.Commands {
			fmt.Fprintf(&s, "complete -c plimsoll%s -a %s -d %s\n", at, below.Name, fishQuote(below.Help))
		}
		if c.Path == program.Path {
			continue
		}
		for _, f := range c.Flags {
			fishFlag(&s, at, f)
		}
		fishArgs(&s, c)
	}
	return s.String()
}

func fishHas(s *strings.Builder, program grammar.Command) {
	everywhere, _ := split(program.Flags)
	fmt.Fprintf(s, "# The commands of a command, and its flags that take a value.\nfunction __plimsoll_commands -a path\n    switch $path\n")
	for _, c := range program.All() {
		if len(c.Commands) > 0 {
			fmt.Fprintf(s, "        case %s\n            string split ' ' %s\n", fishQuote(c.Path), fishQuote(strings.Join(names(c.Commands), " ")))
		}
	}
	fmt.Fprintf(s, "    end\nend\n\nfunction __plimsoll_valued -a path\n    string split ' ' -- %s\n    switch $path\n", fishQuote(strings.Join(everywhere, " ")))
	for _, c := range program.All()[1:] {
		if valued, _ := split(c.Flags); len(valued) > 0 {
			fmt.Fprintf(s, "        case %s\n            string split ' ' -- %s\n", fishQuote(c.Path), fishQuote(strings.Join(valued, " ")))
		}
	}
	s.WriteString("    end\nend\n\n")
}

func fishFlag(s *strings.Builder, at string, f grammar.Flag) {
	fmt.Fprintf(s, "complete -c plimsoll%s -l %s", at, f.Name)
	if f.Short != "" {
		fmt.Fprintf(s, " -s %s", f.Short)
	}
	if f.Placeholder != "" {
		s.WriteString(fishValues(f.Values))
	}
	fmt.Fprintf(s, " -d %s\n", fishQuote(f.Help))
}

func fishArgs(s *strings.Builder, c grammar.Command) {
	if commandLine(c) {
		fmt.Fprintf(s, "complete -c plimsoll -n %s -x -a '(__plimsoll_rest)'\n", fishQuote("__plimsoll_at "+fishQuote(c.Path+" --")))
	}
	for _, p := range places(c, nil) {
		if p.values.Kind == grammar.AnyCommand {
			continue
		}
		condition := "__plimsoll_at " + fishQuote(c.Path)
		if p.at != "*" {
			condition += " " + p.at
		}
		fmt.Fprintf(s, "complete -c plimsoll -n %s%s\n", fishQuote(condition), strings.Replace(fishValues(p.values), " -r -F", " -F", 1))
	}
}

// fishValues: -x is a value that is no file, -r -F one that is.
func fishValues(v grammar.Values) string {
	switch v.Kind {
	case grammar.Words:
		return " -x -a " + fishQuote(strings.Join(v.Words, " "))
	case grammar.Files:
		return " -r -F"
	case grammar.Directories:
		return " -x -a '(__fish_complete_directories (commandline -ct))'"
	case grammar.Services, grammar.Environments:
		return " -x -a '(__plimsoll_names " + string(v.Kind) + ")'"
	}
	return " -x"
}

// fishQuote puts a text into single quotes, in which fish knows two escapes.
func fishQuote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}

const fishWalk = `# Which command the line is about, how many arguments it has already, and
# which plimsoll.yaml. Done once for a line: every condition below asks.
function __plimsoll_walk
    set -l words (commandline -opc)
    test "$words" = "$__plimsoll_line"; and return
    set -g __plimsoll_line "$words"
    set -g __plimsoll_path plimsoll
    set -g __plimsoll_argument 1
    set -g __plimsoll_given
    set -l pending
    set -e words[1]
    for word in $words
        if test -n "$pending"
            contains -- $pending --config --env; and set -a __plimsoll_given $pending=$word
            set pending
            continue
        end
        switch $word
            case --
                set -g __plimsoll_path "$__plimsoll_path --"
                return
            case '--config=*' '--env=*'
                set -a __plimsoll_given $word
            case '-*'
                contains -- $word (__plimsoll_valued $__plimsoll_path); and set pending $word
            case '*'
                if contains -- $word (__plimsoll_commands $__plimsoll_path)
                    set -g __plimsoll_path "$__plimsoll_path $word"
                else
                    set -g __plimsoll_argument (math $__plimsoll_argument + 1)
                end
        end
    end
end

function __plimsoll_at -a path argument
    __plimsoll_walk
    test "$path" = "$__plimsoll_path"; or return 1
    test -z "$argument" -o "$argument" = "$__plimsoll_argument"
end

# Names of plimsoll.yaml.
function __plimsoll_names -a what
    __plimsoll_walk
    set -l words (commandline -opc)
    command -q $words[1]; or return
    $words[1] configured $what $__plimsoll_given 2>/dev/null
end

# The command line of another program, after --.
function __plimsoll_rest
    set -l words (commandline -opc)
    set -l at (contains -i -- -- $words); or return
    set -e words[1..$at]
    complete -C (string join ' ' -- (string escape -- $words) (commandline -ct))
end

complete -c plimsoll -f
`
