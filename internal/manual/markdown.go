package manual

import (
	"fmt"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/grammar"
)

// Markdown is the reference of all commands: a list of them, then a section
// for each. The page around it is the caller's.
func Markdown(program grammar.Command) string {
	var page strings.Builder
	for _, section := range program.CommandSections() {
		fmt.Fprintf(&page, "**%s**\n\n| command | |\n|---|---|\n", title(section.Title, "First"))
		for _, c := range section.Items {
			for _, c := range c.All() {
				fmt.Fprintf(&page, "| [`%s`](#%s) | %s |\n", c.Path, anchor(c.Path), cell(c.Help))
			}
		}
		page.WriteString("\n")
	}
	fmt.Fprintf(&page, "## %s\n\n", everywhere)
	flagTable(&page, program.Flags)
	page.WriteString(blocks(program.Detail))
	for _, c := range program.All()[1:] {
		commandSection(&page, c)
	}
	return page.String()
}

// anchor is what GitHub and GitLab make of a heading.
func anchor(heading string) string { return strings.ReplaceAll(heading, " ", "-") }

func commandSection(page *strings.Builder, c grammar.Command) {
	fmt.Fprintf(page, "\n## %s\n\n%s\n\n```\n%s\n```\n", c.Path, prose(c.Help), c.Usage)
	page.WriteString(blocks(c.Detail))
	if len(c.Args) > 0 {
		page.WriteString("\n| argument | |\n|---|---|\n")
		for _, arg := range c.Args {
			fmt.Fprintf(page, "| `%s` | %s |\n", code(arg.Summary), cell(arg.Help))
		}
	}
	for _, section := range c.FlagSections() {
		if section.Title != "" {
			fmt.Fprintf(page, "\n%s:\n", section.Title)
		}
		page.WriteString("\n")
		flagTable(page, section.Items)
	}
}

func blocks(text string) string {
	var out strings.Builder
	for _, block := range grammar.Blocks(text) {
		if block.Example {
			fmt.Fprintf(&out, "\n```%s\n%s\n```\n", language(block.Text), block.Text)
		} else {
			fmt.Fprintf(&out, "\n%s\n", prose(block.Text))
		}
	}
	return out.String()
}

// language is what GitHub colours an example as.
func language(example string) string {
	if strings.HasPrefix(example, "plimsoll ") {
		return "sh"
	}
	return ""
}

func flagTable(page *strings.Builder, flags []grammar.Flag) {
	page.WriteString("| flag | |\n|---|---|\n")
	for _, f := range flags {
		fmt.Fprintf(page, "| `%s` | %s |\n", code(flagName(f)), cell(f.Help))
	}
}

// cell is a text in a table.
func cell(text string) string { return strings.ReplaceAll(prose(text), "|", `\|`) }

// code is the same within backquotes, where GitHub takes a backslash before |
// as part of the table, not of the code.
func code(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// prose keeps what Markdown would read as its own.
func prose(text string) string {
	return strings.NewReplacer("<", "&lt;", "*", `\*`, "[", `\[`).Replace(text)
}
