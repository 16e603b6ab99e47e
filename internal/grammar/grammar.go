// Package grammar is the command line as plain data: every command with its
// flags, arguments and texts. [Of] reads it from the parser, so what --help,
// the man pages, docs/commands.md and the shell completions say is one thing.
package grammar

// Command is a command, or the program itself.
type Command struct {
	Path     string // "plimsoll drydock serve"
	Name     string // "serve"
	Usage    string // "plimsoll drydock exec <command> ... [flags]"
	Help     string // one sentence
	Detail   string // what stands below it: paragraphs, and indented examples
	Group    string // the heading that it is listed below; "" is none
	Flags    []Flag // its own; those of the program are of every command
	Args     []Arg
	Commands []Command // not the hidden ones
}

// Flag is a flag of a command.
type Flag struct {
	Name        string // without dashes
	Short       string // one letter, or ""
	Help        string
	Group       string // the heading that it is listed below; "" is none
	Placeholder string // what stands for the value; "" is a flag without one
	Repeated    bool
	Values      Values
}

// Arg is a positional argument.
type Arg struct {
	Name     string
	Summary  string // "[<code>]"
	Help     string
	Repeated bool
	Values   Values
}

// Values are what a flag or an argument takes, as far as a shell can help.
type Values struct {
	Kind  Kind
	Words []string // of [Words]
}

// Kind is a kind of values.
type Kind string

// The kinds of values. Names of services and environments are those of
// plimsoll.yaml.
const (
	Anything     Kind = ""
	Words        Kind = "words"
	Files        Kind = "files"
	Directories  Kind = "directories"
	Services     Kind = "services"
	Environments Kind = "environments"
	AnyCommand   Kind = "command" // a command line of another program
)

// All are the command and those below it, in the order of --help.
func (c Command) All() []Command {
	all := []Command{c}
	for _, below := range c.Commands {
		all = append(all, below.All()...)
	}
	return all
}

// Section is what stands below one heading.
type Section[T any] struct {
	Title string
	Items []T
}

// FlagSections are the command's own flags by heading, those without one first.
func (c Command) FlagSections() []Section[Flag] {
	return sections(c.Flags, func(f Flag) string { return f.Group })
}

// CommandSections are the commands directly below by heading.
func (c Command) CommandSections() []Section[Command] {
	return sections(c.Commands, func(c Command) string { return c.Group })
}

func sections[T any](items []T, title func(T) string) []Section[T] {
	out := []Section[T]{{}}
	at := map[string]int{"": 0}
	for _, item := range items {
		i, known := at[title(item)]
		if !known {
			i = len(out)
			at[title(item)] = i
			out = append(out, Section[T]{Title: title(item)})
		}
		out[i].Items = append(out[i].Items, item)
	}
	if len(out[0].Items) == 0 {
		return out[1:]
	}
	return out
}
