package completion

import (
	"fmt"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/grammar"
)

// bash needs nothing newer than bash 3.2, which is what macOS has, and no
// bash-completion beside it.
func bash(program grammar.Command) string {
	var s strings.Builder
	s.WriteString("# bash completion for plimsoll, written by: plimsoll completion bash\n\n")
	bashHas(&s, program)
	bashTakes(&s, program)
	valued, switches := split(program.Flags)
	s.WriteString(strings.NewReplacer("VALUED", strings.Join(valued, " "), "SWITCHES", strings.Join(switches, " ")).Replace(bashWalk))
	return s.String()
}

func bashHas(s *strings.Builder, program grammar.Command) {
	s.WriteString("# What a command has: commands, flags with a value, flags without.\n__plimsoll_has() {\n    commands='' valued='' switches=''\n    case $1 in\n")
	for _, c := range program.All() {
		var own []grammar.Flag
		if c.Path != program.Path {
			own = c.Flags
		}
		valued, switches := split(own)
		fmt.Fprintf(s, "    %s)\n", quote(c.Path))
		for _, list := range []struct {
			name  string
			words []string
		}{{"commands", names(c.Commands)}, {"valued", valued}, {"switches", switches}} {
			if len(list.words) > 0 {
				fmt.Fprintf(s, "        %s=%s\n", list.name, quote(strings.Join(list.words, " ")))
			}
		}
		s.WriteString("        ;;\n")
	}
	s.WriteString("    esac\n}\n\n")
}

func bashTakes(s *strings.Builder, program grammar.Command) {
	s.WriteString("# What stands after a flag of a command, or as its n-th argument.\n__plimsoll_takes() {\n    kind='' words=''\n    case $1 in\n")
	for _, p := range places(grammar.Command{}, program.Flags) {
		bashPlace(s, "*"+quote(" "+p.at), p.values)
	}
	for _, c := range program.All()[1:] {
		for _, p := range places(c, c.Flags) {
			pattern := quote(c.Path + " " + p.at)
			if p.at == "*" {
				pattern = quote(c.Path+" ") + "[0-9]*"
			}
			bashPlace(s, pattern, p.values)
		}
	}
	s.WriteString("    esac\n}\n\n")
}

func bashPlace(s *strings.Builder, pattern string, values grammar.Values) {
	fmt.Fprintf(s, "    %s) kind=%s", pattern, values.Kind)
	if len(values.Words) > 0 {
		fmt.Fprintf(s, " words=%s", quote(strings.Join(values.Words, " ")))
	}
	s.WriteString(" ;;\n")
}

const bashWalk = `__plimsoll() {
    local cur=${COMP_WORDS[COMP_CWORD]} program=plimsoll prefix='' pending='' argument=1 rest=0
    local config='' environment='' commands valued switches kind words word i
    local everywhere='VALUED' everywhere_switches='SWITCHES'
    __plimsoll_has "$program"
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ -n $pending ]]; then
            # bash takes --flag=value apart: three words
            [[ $word == '=' ]] && continue
            case $pending in
            --config) config=$word ;;
            --env) environment=$word ;;
            esac
            pending=''
            continue
        fi
        case $word in
        --)
            rest=$((i + 1))
            break
            ;;
        --config=*) config=${word#*=} ;;
        --env=*) environment=${word#*=} ;;
        -*) [[ " $valued $everywhere " == *" $word "* ]] && pending=$word ;;
        *)
            if [[ " $commands " == *" $word "* ]]; then
                program="$program $word"
                __plimsoll_has "$program"
            else
                argument=$((argument + 1))
            fi
            ;;
        esac
    done

    COMPREPLY=()
    if [[ $rest -gt 0 ]]; then
        if declare -F _command_offset >/dev/null; then # of bash-completion
            _command_offset $rest
            return
        fi
        kind=command
    elif [[ -n $pending ]]; then
        [[ $cur == '=' ]] && cur=''
        __plimsoll_takes "$program $pending"
    elif [[ $cur == --*=* ]]; then # where = is not in COMP_WORDBREAKS
        prefix=${cur%%=*}=
        __plimsoll_takes "$program ${cur%%=*}"
        cur=${cur#*=}
    elif [[ $cur == -* ]]; then
        kind=words words="$valued $switches $everywhere $everywhere_switches"
    elif [[ -n $commands ]]; then
        kind=words words=$commands
    else
        __plimsoll_takes "$program $argument"
        rest=$COMP_CWORD
    fi
    case $kind in
    services | environments)
        words=$("${COMP_WORDS[0]}" configured "$kind" ${config:+--config="$config"} ${environment:+--env="$environment"} 2>/dev/null)
        kind=words
        ;;
    command)
        kind=files
        [[ $rest -eq $COMP_CWORD ]] && kind=programs
        ;;
    esac
    local IFS=$' \t\n'
    case $kind in
    words) COMPREPLY=($(compgen -W "$words" -- "$cur")) ;;
    programs) COMPREPLY=($(compgen -c -- "$cur")) ;;
    files | directories)
        local what=-f
        [[ $kind == directories ]] && what=-d
        IFS=$'\n'
        compopt -o filenames 2>/dev/null # not in bash 3.2
        COMPREPLY=($(compgen $what -- "$cur"))
        ;;
    esac
    if [[ -n $prefix ]]; then
        COMPREPLY=("${COMPREPLY[@]/#/$prefix}")
    fi
}

complete -F __plimsoll plimsoll
`
