package cli

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/plimsoll-ecs/plimsoll/internal/markdown"
)

// Every command line of plimsoll's that a page shows is one: each in a block of
// code is parsed as if it had been typed, and each in a sentence names commands
// and flags that there are.
func TestDocsSpeakTheGrammar(t *testing.T) {
	parser := docsParser(t)
	for name, page := range docsPages(t) {
		for _, block := range page.Blocks {
			for _, line := range commandLines(block) {
				if fault := unparsable(parser, line); fault != "" {
					t.Errorf("%s:%d: %s: %s", name, block.Line, line, fault)
				}
			}
		}
		lines := strings.Split(docsText(t, name), "\n")
		for _, code := range page.Code {
			if name == "docs/migrating.md" && ofAnother(lines[code.Line-1], code.Text) {
				continue
			}
			if fault := unknown(parser.Model, code.Text); fault != "" {
				t.Errorf("%s:%d: `%s`: %s", name, code.Line, code.Text, fault)
			}
		}
	}
}

// Every exit code that a page names is one of those that the page on verdicts
// explains, or of a one-off task.
func TestDocsNameExitCodes(t *testing.T) {
	codes := map[string]bool{}
	for _, name := range []string{"docs/verdicts.md", "docs/operations.md"} {
		for _, row := range regexp.MustCompile(`(?m)^\| (\d+) \| `).FindAllStringSubmatch(docsText(t, name), -1) {
			codes[row[1]] = true
		}
	}
	named := regexp.MustCompile(`(?i)\b(?:exit(?:s with)?(?: code)?|ends with) (\d+)\b`)
	pages := docsPages(t)
	delete(pages, "docs/diagnoses.md") // is of those of containers
	for name := range pages {
		for _, match := range named.FindAllStringSubmatch(docsText(t, name), -1) {
			if !codes[match[1]] {
				t.Errorf("%s: %q: no such exit code", name, match[0])
			}
		}
	}
}

// ofAnother says whether code stands in the first column of a table, where the
// words of another tool are that a page compares: | `--rollback` | `--on-failure` |.
func ofAnother(line, code string) bool {
	first, _, isRow := strings.Cut(strings.TrimPrefix(line, "|"), "|")
	return isRow && strings.HasPrefix(line, "|") && strings.Contains(first, code) && !strings.HasPrefix(code, "plimsoll")
}

// docsRoot is the repository.
const docsRoot = "../.."

func docsText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(docsRoot, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// docsPages are the READMEs and the pages under docs.
func docsPages(t *testing.T) map[string]markdown.Page {
	t.Helper()
	out := map[string]markdown.Page{}
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		names, err := fs.Glob(os.DirFS(docsRoot), pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("no pages match %s: %v", pattern, err)
		}
		for _, name := range names {
			out[name] = markdown.Read(docsText(t, name))
		}
	}
	return out
}

// docsParser reads command lines as Run does. Whether a file that is named is
// there is not asked.
func docsParser(t *testing.T) *kong.Kong {
	t.Helper()
	anyFile := kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
		return ctx.Scan.PopValueInto("file", target.Addr().Interface())
	})
	parser, err := kong.New(&commands{}, kong.Name("plimsoll"), kong.Writers(io.Discard, io.Discard),
		kong.Exit(func(int) {}), kong.BindTo(context.Background(), (*context.Context)(nil)),
		kong.NamedMapper("existingfile", anyFile), kong.NamedMapper("existingdir", anyFile))
	if err != nil {
		t.Fatal(err)
	}
	return parser
}

func unparsable(parser *kong.Kong, line string) string {
	words, err := splitWords(line)
	if err != nil {
		return err.Error()
	}
	if slices.Contains(words, "--help") {
		return unknown(parser.Model, line)
	}
	forget(parser.Model.Node)
	parsed, err := parser.Parse(words[1:])
	if err == nil {
		err = checkEmpty(parsed)
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// forget takes back which flags an earlier command line has set: a parser is made
// for one, and this one reads hundreds.
func forget(node *kong.Node) {
	for _, flag := range node.Flags {
		flag.Set = false
	}
	for _, arg := range node.Positional {
		arg.Set = false
	}
	for _, child := range node.Children {
		forget(child)
	}
}

// unknown says what a command in a sentence names that is not there: a command,
// or a flag. Brackets are around what may be left out, and … stands for more.
func unknown(model *kong.Application, text string) string {
	words := strings.Fields(strings.NewReplacer("[", "", "]", "").Replace(text))
	if len(words) == 0 {
		return ""
	}
	if words[0] == "--ignore-missing" { // of sha256sum
		return ""
	}
	if regexp.MustCompile(`^--[a-z]`).MatchString(words[0]) {
		if !flagAnywhere(model.Node, words[0]) {
			return "no command has this flag"
		}
		return ""
	}
	if words[0] != "plimsoll" {
		return ""
	}
	node := model.Node
	for _, word := range words[1:] {
		switch {
		case word == "--" || word == strings.ToUpper(word) && len(node.Children) > 0: // COMMAND stands for any
			return ""
		case word == "--help" || word == "…" || word == "-v":
		case strings.HasPrefix(word, "--"):
			if !flagOf(node, word) {
				return "it has no flag " + word
			}
		case len(node.Children) > 0:
			child := childOf(node, word)
			if child == nil {
				return "there is no command " + word
			}
			node = child
		}
	}
	return ""
}

// childOf is the command of a name; of several, a|b, the first, if all are there.
func childOf(node *kong.Node, names string) *kong.Node {
	var first *kong.Node
	for name := range strings.SplitSeq(names, "|") {
		at := slices.IndexFunc(node.Children, func(c *kong.Node) bool { return c.Name == name || slices.Contains(c.Aliases, name) })
		if at < 0 {
			return nil
		}
		if first == nil {
			first = node.Children[at]
		}
	}
	return first
}

func flagOf(node *kong.Node, word string) bool {
	name, _, _ := strings.Cut(strings.TrimPrefix(word, "--"), "=")
	for ; node != nil; node = node.Parent {
		for _, flag := range node.Flags {
			if flag.Name == name || slices.Contains(flag.Aliases, name) || flag.Tag.Negatable != "" && "no-"+flag.Name == name {
				return true
			}
		}
	}
	return false
}

func flagAnywhere(node *kong.Node, word string) bool {
	return flagOf(node, word) || slices.ContainsFunc(node.Children, func(c *kong.Node) bool { return flagAnywhere(c, word) })
}

// commandLines are the command lines of plimsoll's in a block: of shells, and of
// YAML, where pipelines have them.
func commandLines(block markdown.Block) []string {
	if !slices.Contains([]string{"sh", "bash", "console", "yaml"}, block.Language) {
		return nil
	}
	text := regexp.MustCompile(`\\\n\s*`).ReplaceAllString(block.Text, " ")
	before := regexp.MustCompile(`(?:^|&&|\|\||[;|({'"!]|\$|--|\brun:|\bscript:|\bexec|\bthen|\bdo|\belse|\bif|^\s*-|\b[A-Z_]+=\S*)\s*$`)
	var out []string
	for line := range strings.Lines(text) {
		if block.Language == "console" && !strings.HasPrefix(line, "$ ") {
			continue
		}
		for _, at := range regexp.MustCompile(`\bplimsoll\s`).FindAllStringIndex(line, -1) {
			if front := line[:at[0]]; before.MatchString(front) && !closesQuote(front) {
				out = append(out, simpleCommand(line[at[0]:]))
			}
		}
	}
	return out
}

// closesQuote reports whether a text ends in a quote that closes another one, so
// that what follows is no command.
func closesQuote(text string) bool {
	text = strings.TrimRight(text, " ")
	last := text[max(0, len(text)-1):]
	return (last == "'" || last == `"`) && strings.Count(text, last)%2 == 0
}

// simpleCommand is the command at the beginning of a line of a shell: up to what
// ends it, without redirections. The examples of --help have words after three
// spaces.
func simpleCommand(line string) string {
	var out strings.Builder
	quote := byte(0)
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case (c == '\'' || c == '"') && strings.IndexByte(line[i+1:], c) >= 0:
			quote = c
		case strings.IndexByte(";|&)'\"\n", c) >= 0, c == '#' && strings.HasSuffix(out.String(), " "), strings.HasPrefix(line[i:], "   "):
			return out.String()
		case c == '>' || c == '<':
			kept := strings.TrimRight(out.String(), "0123456789")
			rest := strings.TrimLeft(line[i:], "<>&")
			rest = strings.TrimLeft(rest, " ")
			end := strings.IndexAny(rest, " ;|&)\n")
			if end < 0 {
				return kept
			}
			return kept + simpleCommand(rest[end:])
		}
		out.WriteByte(c)
	}
	return out.String()
}

func TestCommandLines(t *testing.T) {
	for _, c := range []struct {
		language, text string
		want           []string
	}{
		{"sh", "eval \"$(plimsoll drydock seed)\"  # a service\n", []string{"plimsoll drydock seed"}},
		{"sh", "plimsoll drydock exec -- sh -c 'plimsoll drydock seed && aws ecs list-services'\n", []string{"plimsoll drydock exec -- sh -c 'plimsoll drydock seed && aws ecs list-services'", "plimsoll drydock seed "}},
		{"sh", "plimsoll audit \\\n  --long >a.txt 2>&1 | less\n", []string{"plimsoll audit  --long   "}},
		{"sh", "tar -xzf \"plimsoll.tar.gz\" plimsoll\nplimsoll version   what it is\n", []string{"plimsoll version"}},
		{"sh", "git clone plimsoll x; cd plimsoll && CI_COMMIT_TAG=v1 plimsoll release\n", []string{"plimsoll release"}},
		{"console", "$ plimsoll status\nplimsoll says\n", []string{"plimsoll status"}},
		{"yaml", "script:\n  - plimsoll release\nname: plimsoll x\n", []string{"plimsoll release"}},
		{"text", "plimsoll audit   all of it\n", nil},
	} {
		if got := commandLines(markdown.Block{Language: c.language, Text: c.text}); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}
