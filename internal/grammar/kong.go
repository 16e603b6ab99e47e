package grammar

import (
	"cmp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// completeTag is the struct tag that says what a value is where nothing else
// does: a [Kind], or words with commas between them.
const completeTag = "complete"

// Of is the grammar of a parser's program, or of one of its commands.
func Of(node *kong.Node) Command {
	c := Command{
		Path: node.FullPath(), Name: node.Name, Usage: usage(node), Help: node.Help, Detail: node.Detail, Flags: flagsOf(node),
	}
	if node.Group != nil {
		c.Group = node.Group.Title
	}
	for _, arg := range node.Positional {
		c.Args = append(c.Args, Arg{
			Name: arg.Name, Summary: arg.Summary(), Help: arg.Help, Repeated: arg.IsCumulative(), Values: valuesOf(arg, ""),
		})
	}
	for _, child := range node.Children {
		if !child.Hidden {
			c.Commands = append(c.Commands, Of(child))
		}
	}
	return c
}

// flagsOf are the flags of a command and of those above it; the program's own
// stand for themselves.
func flagsOf(node *kong.Node) []Flag {
	var flags []Flag
	if node.Parent != nil && node.Parent.Parent != nil {
		flags = flagsOf(node.Parent)
	}
	for _, f := range node.Flags {
		if !f.Hidden {
			flags = append(flags, flagOf(f))
		}
	}
	return flags
}

func usage(node *kong.Node) string {
	root := node
	for root.Parent != nil {
		root = root.Parent
	}
	if root == node {
		return node.Name + " <command> [flags]"
	}
	return root.Name + " " + node.Summary()
}

func flagOf(f *kong.Flag) Flag {
	out := Flag{Name: f.Name, Help: f.Help, Repeated: f.IsCumulative()}
	if f.Group != nil {
		out.Group = f.Group.Title
	}
	if f.Short != 0 {
		out.Short = string(f.Short)
	}
	if f.IsBool() || f.IsCounter() {
		return out
	}
	// What kong takes from the default is quoted, unlike every other one, and
	// may be nothing.
	out.Placeholder = cmp.Or(strings.Trim(f.FormatPlaceHolder(), `"`), strings.ToUpper(f.Name))
	out.Values = valuesOf(f.Value, f.PlaceHolder)
	return out
}

// valuesOf says what a value is: by its tag, by its choices, and else by what
// stands for it in the help.
func valuesOf(v *kong.Value, placeholder string) Values {
	switch said := v.Tag.Get(completeTag); Kind(said) {
	case Anything:
	case Files, Directories, Services, Environments:
		return Values{Kind: Kind(said)}
	default:
		return Values{Kind: Words, Words: strings.Split(said, ",")}
	}
	switch {
	case v.Enum != "":
		words := slices.DeleteFunc(v.EnumSlice(), func(word string) bool { return word == "" })
		return Values{Kind: Words, Words: words}
	case v.PassthroughMode != kong.PassThroughModeNone:
		return Values{Kind: AnyCommand}
	case v.Tag.Type == "existingdir" || placeholder == "DIR":
		return Values{Kind: Directories}
	case v.Tag.Type == "path" || v.Tag.Type == "existingfile" || placeholder == "FILE" || v.Tag.PlaceHolder == "FILE":
		return Values{Kind: Files}
	}
	return Values{}
}
