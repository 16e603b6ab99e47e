package manual

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/plimsoll-ecs/plimsoll/internal/grammar"
)

// Edition is what the foot of a man page says. It is that of the source, not of
// the day on which the page was made: the same source gives the same pages.
type Edition struct {
	Version string // "v1.2.0"
	Date    string // "2026-11-21"
}

// PageName is the name of a command's man page: "plimsoll-drydock-serve.1".
func PageName(c grammar.Command) string { return strings.ReplaceAll(c.Path, " ", "-") + ".1" }

// Page is the man page of one command, in the man macros that man-db, mandoc
// and groff all read.
func Page(program, c grammar.Command, e Edition) string {
	var p strings.Builder
	name := strings.ReplaceAll(c.Path, " ", "-")
	fmt.Fprintf(&p, ".TH %s 1 \"%s\" %s\n", quoted(strings.ToUpper(name)), e.Date, quoted(strings.TrimSpace("plimsoll "+e.Version)))
	fmt.Fprintf(&p, ".SH NAME\n%s \\- %s\n", escaped(name), escaped(strings.TrimSuffix(c.Help, ".")))
	fmt.Fprintf(&p, ".SH SYNOPSIS\n.nf\n\\fB%s\\fR%s\n.fi\n", escaped(c.Path), escaped(strings.TrimPrefix(c.Usage, c.Path)))
	if c.Detail != "" {
		p.WriteString(".SH DESCRIPTION\n")
	}
	for i, block := range grammar.Blocks(c.Detail) {
		manBlock(&p, block, i == 0)
	}
	for _, section := range c.CommandSections() {
		fmt.Fprintf(&p, ".SH %s\n", heading(title(section.Title, "Commands")))
		for _, below := range section.Items {
			entry(&p, bold(strings.ReplaceAll(below.Path, " ", "-"))+"(1)", below.Help)
		}
	}
	if len(c.Args) > 0 {
		p.WriteString(".SH ARGUMENTS\n")
		for _, arg := range c.Args {
			entry(&p, bold(arg.Summary), arg.Help)
		}
	}
	if c.Path != program.Path {
		for _, section := range c.FlagSections() {
			flagEntries(&p, title(section.Title, "Options"), section.Items)
		}
	}
	flagEntries(&p, everywhere, program.Flags)
	seeAlso(&p, program, c)
	return p.String()
}

func manBlock(p *strings.Builder, block grammar.Block, first bool) {
	if !block.Example {
		if !first {
			p.WriteString(".PP\n")
		}
		fmt.Fprintf(p, "%s\n", escaped(block.Text))
		return
	}
	if !first {
		p.WriteString(".PP\n")
	}
	p.WriteString(".RS 4\n.nf\n")
	for line := range strings.SplitSeq(block.Text, "\n") {
		fmt.Fprintf(p, "%s\n", escaped(line))
	}
	p.WriteString(".fi\n.RE\n")
}

func flagEntries(p *strings.Builder, title string, flags []grammar.Flag) {
	fmt.Fprintf(p, ".SH %s\n", heading(title))
	for _, f := range flags {
		entry(p, bold(flagName(f)), f.Help)
	}
}

func entry(p *strings.Builder, term, text string) {
	fmt.Fprintf(p, ".TP\n%s\n%s\n", term, escaped(text))
}

// seeAlso names the pages above and below.
func seeAlso(p *strings.Builder, program, c grammar.Command) {
	if c.Path == program.Path {
		return
	}
	above := c.Path[:strings.LastIndex(c.Path, " ")]
	fmt.Fprintf(p, ".SH SEE ALSO\n%s(1)\n", bold(strings.ReplaceAll(above, " ", "-")))
}

func bold(text string) string { return `\fB` + escaped(text) + `\fR` }

func heading(title string) string { return escaped(strings.ToUpper(title)) }

// quoted is an argument of a macro.
func quoted(text string) string { return `"` + strings.ReplaceAll(escaped(text), `"`, `\(dq`) + `"` }

// escaped is a text of which roff reads nothing as its own: a hyphen to be
// typed is not one to break a line at, and a dot or quote that begins a line is
// a letter, and what is not ASCII has a name (groff_char(7)).
func escaped(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "^", `\(ha`, "~", `\(ti`, "`", `\(ga`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	var out strings.Builder
	for _, r := range text {
		if r < utf8.RuneSelf {
			out.WriteRune(r)
		} else {
			fmt.Fprintf(&out, `\[u%04X]`, r)
		}
	}
	return out.String()
}
