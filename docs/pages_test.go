// Package docs holds the pages of this repository to what can be known without
// running anything: links, paths, the index, and translations. What the pages
// say of the command line is held to its grammar by internal/cli.
package docs

import (
	"encoding/json"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/markdown"
)

// root is the repository.
const root = ".."

// pages reads every page of the repository, by its path from the root.
func pages(t *testing.T) map[string]markdown.Page {
	t.Helper()
	out := map[string]markdown.Page{}
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules"):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".md":
			return nil
		}
		out[name] = read(t, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func read(t *testing.T, name string) markdown.Page {
	t.Helper()
	return markdown.Read(text(t, name))
}

// text is what a file of the repository says.
func text(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// A link leads to a file that is there, and to a heading that it has. Of links to
// elsewhere only the form is held: a test that asks the network fails on other
// people's days.
func TestLinks(t *testing.T) {
	all := pages(t)
	for name, page := range all {
		for _, link := range page.Links {
			if fault := broken(all, name, link); fault != "" {
				t.Errorf("%s:%d: [%s](%s): %s", name, link.Line, link.Text, link.Target, fault)
			}
		}
	}
}

func broken(all map[string]markdown.Page, from string, link markdown.Link) string {
	target, err := url.Parse(link.Target)
	switch {
	case err != nil:
		return err.Error()
	case strings.ContainsAny(link.Target, " \t\n"):
		return "a space in an address"
	case strings.TrimSpace(link.Text) == "":
		return "no words to click on, or to hear"
	case target.IsAbs() || target.Host != "":
		return elsewhere(target)
	}
	file := path.Join(path.Dir(from), target.Path)
	if target.Path == "" {
		file = from
	}
	if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(file))); err != nil {
		return "no such file"
	}
	has := func(h markdown.Heading) bool { return h.Anchor == target.Fragment }
	if page, read := all[file]; target.Fragment != "" && (!read || !slices.ContainsFunc(page.Headings, has)) {
		return "no such heading"
	}
	return ""
}

func elsewhere(target *url.URL) string {
	host := target.Hostname()
	_, err := netip.ParseAddr(host)
	switch {
	case target.Scheme != "https":
		return "not https"
	case err == nil || !strings.Contains(host, ".") || slices.Contains([]string{".local", ".internal", ".localhost", ".test"}, path.Ext(host)):
		return "a host that only one machine or network knows"
	}
	return ""
}

// What looks like a path of this repository is one, so that nobody looks for a
// file that was renamed.
func TestPathsInCode(t *testing.T) {
	ours := regexp.MustCompile(`^(\./)?(docs|internal|testdata|bench|\.ci)/[\w./*-]*[\w*/]$`)
	for name, page := range pages(t) {
		for _, code := range page.Code {
			if !ours.MatchString(code.Text) {
				continue
			}
			if found, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(code.Text))); err != nil || len(found) == 0 {
				t.Errorf("%s:%d: `%s` is not in the repository", name, code.Line, code.Text)
			}
		}
	}
}

// A block says what it is: readers see it coloured, and tests know what it holds.
func TestBlocksNameTheirLanguage(t *testing.T) {
	all := pages(t)
	delete(all, "docs/commands.md") // is made of --help
	for name, page := range all {
		for _, block := range page.Blocks {
			if block.Language == "" {
				t.Errorf("%s:%d: the block has no language: sh, console (commands after $, and what they print), text, …", name, block.Line)
			}
			if block.Language == "json" && !json.Valid([]byte(block.Text)) {
				t.Errorf("%s:%d: the block is no JSON", name, block.Line)
			}
		}
	}
}

// Every variable of our own that the program reads is on a page.
func TestVariablesAreNamed(t *testing.T) {
	all := ""
	for name := range pages(t) {
		all += text(t, name)
	}
	for variable, source := range inSources(t, `"(PLIMSOLL_[A-Z_]+)"`) {
		if !strings.Contains(all, "`"+variable) {
			t.Errorf("%s reads %s, and no page says what that is", source, variable)
		}
	}
}

// Every tag that is left on what is deployed is told of, for others can read it.
func TestTagsAreNamed(t *testing.T) {
	security := text(t, "docs/security.md")
	for tag, source := range inSources(t, `\btag[A-Z]\w*\s+= (?:tagPrefix \+ "|"plimsoll:)([a-z-]+)"`) {
		if !strings.Contains(security, "`plimsoll:"+tag+"`") {
			t.Errorf("%s has the tag plimsoll:%s, and docs/security.md does not say what it tells", source, tag)
		}
	}
}

// inSources finds what the first group of a pattern matches in Go files other than
// those of tests, each with a file that has it.
func inSources(t *testing.T, pattern string) map[string]string {
	t.Helper()
	out := map[string]string{}
	expression := regexp.MustCompile(pattern)
	err := fs.WalkDir(os.DirFS(root), "internal", func(name string, d fs.DirEntry, err error) error {
		if name == "internal/browser" { // which tests look at pages with
			return fs.SkipDir
		}
		if err != nil || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return err
		}
		if content := text(t, name); !strings.Contains(content, "\"testing\"\n") {
			for _, found := range expression.FindAllStringSubmatch(content, -1) {
				out[found[1]] = name
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) == 0 {
		t.Errorf("no source has %s", pattern)
	}
	return out
}

// The architecture's table has every package.
func TestPackagesAreInTheArchitecture(t *testing.T) {
	packages, err := fs.ReadDir(os.DirFS(root), "internal")
	if err != nil {
		t.Fatal(err)
	}
	architecture := text(t, "docs/architecture.md")
	for _, p := range packages {
		row := regexp.MustCompile("(?m)^\\|[^|]*`" + regexp.QuoteMeta(p.Name()) + "[`/]")
		if p.IsDir() && !row.MatchString(architecture) {
			t.Errorf("docs/architecture.md says nothing of internal/%s", p.Name())
		}
	}
}

// The index has every page, once.
func TestIndex(t *testing.T) {
	files, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, link := range read(t, "docs/README.md").Links {
		if path.Ext(link.Target) == ".md" && !strings.Contains(link.Target, "/") {
			listed = append(listed, link.Target)
		}
	}
	want := slices.DeleteFunc(files, func(name string) bool { return name == "README.md" })
	slices.Sort(listed)
	if diff := cmp.Diff(want, listed); diff != "" {
		t.Errorf("docs/README.md lists these pages (-there +listed):\n%s", diff)
	}
}

// A translation has what the page has: the same sections with the same links,
// code, tables and commands.
func TestTranslations(t *testing.T) {
	for name := range pages(t) {
		if base, translated := strings.CutSuffix(name, ".ja.md"); translated {
			t.Run(name, func(t *testing.T) {
				if diff := cmp.Diff(outline(t, base+".md"), outline(t, name)); diff != "" {
					t.Errorf("what %s.md (-) and %s (+) have differs:\n%s", base, name, diff)
				}
			})
		}
	}
}

// section is what a section has besides its words.
type section struct {
	Level  int
	Links  []string // without the language, and without anchors, which are in it
	Code   []string
	Rows   int // of tables
	Blocks []markdown.Block
}

func outline(t *testing.T, name string) []section {
	page := read(t, name)
	sections := make([]section, 1+len(page.Headings))
	of := func(line int) *section {
		after := slices.IndexFunc(page.Headings, func(h markdown.Heading) bool { return h.Line > line })
		if after < 0 {
			after = len(page.Headings)
		}
		return &sections[after]
	}
	for _, h := range page.Headings {
		of(h.Line).Level = h.Level
	}
	for _, l := range page.Links {
		target, _, _ := strings.Cut(strings.Replace(l.Target, ".ja.md", ".md", 1), "#")
		s := of(l.Line)
		s.Links = append(s.Links, target)
	}
	for _, c := range page.Code {
		s := of(c.Line)
		s.Code = append(s.Code, c.Text)
	}
	for _, b := range page.Blocks {
		s := of(b.Line)
		b.Line = 0
		s.Blocks = append(s.Blocks, b)
	}
	for i, line := range strings.Split(text(t, name), "\n") {
		if strings.HasPrefix(line, "|") {
			of(i+1).Rows++
		}
	}
	for i := range sections {
		slices.Sort(sections[i].Links)
		slices.Sort(sections[i].Code)
		sections[i].Code = slices.Compact(sections[i].Code)
	}
	return sections
}
