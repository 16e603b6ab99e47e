package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/plimsoll-ecs/plimsoll/"

// layer says what the packages of a part of the tree may import besides the
// standard library. A prefix ending in "/" covers everything below.
type layer struct {
	name    string
	parts   []string // of this module
	own     []string // what they may import of this module
	foreign []string // and of others; "*" is anything
}

// layers is the import rule of docs/architecture.md.
func layers() []layer {
	pure := []string{"internal/image", "internal/taskdef", "internal/rollout", "internal/diagnose", "internal/story", "internal/noun", "internal/lapse", "internal/lifecycle", "internal/lifecycle/", "internal/audit", "internal/leastprivilege"}
	return []layer{
		{"pure", pure, pure, []string{"github.com/Masterminds/semver/v3"}},
		{"pages", []string{"internal/panel", "internal/drawn", "internal/livepage", "internal/listing", "internal/asset"}, append([]string{"internal/drawn"}, pure...), []string{"github.com/a-h/templ", "github.com/a-h/templ/runtime"}},
		{"loopback", []string{"internal/loopback"}, nil, nil},
		{"what tests share", []string{"internal/golden"}, nil, []string{"github.com/google/go-cmp/cmp"}},
		{"browsers of tests", []string{"internal/browser"}, nil, []string{"github.com/chromedp/chromedp", "github.com/chromedp/cdproto/emulation", "github.com/chromedp/cdproto/log", "github.com/chromedp/cdproto/network", "github.com/chromedp/cdproto/runtime"}},
		{"pages that tests read", []string{"internal/markdown"}, nil, nil},
		{"strict YAML", []string{"internal/strictyaml"}, nil, []string{"github.com/goccy/go-yaml", "github.com/goccy/go-yaml/ast", "github.com/goccy/go-yaml/parser"}},
		{"settings", []string{"internal/config", "internal/ci"}, append([]string{"internal/strictyaml"}, pure...), nil},
		{"CI pipelines", []string{"internal/pipeline"}, nil, nil},
		{"SDK mends", []string{"internal/plainbody"}, nil, []string{"github.com/aws/smithy-go/middleware", "github.com/aws/smithy-go/transport/http"}},
		{"use cases", []string{"internal/deploy"}, pure, []string{"golang.org/x/time/rate", "golang.org/x/sync/errgroup"}},
		{"use cases of restart safety", []string{"internal/survey", "internal/retain", "internal/maintenance"}, append([]string{"internal/deploy", "internal/survey", "internal/retain"}, pure...), []string{"golang.org/x/time/rate", "golang.org/x/sync/errgroup"}},
		{"adapters", []string{"internal/awsapi", "internal/build", "internal/term", "internal/report", "internal/notify"}, append([]string{"internal/deploy", "internal/survey", "internal/retain", "internal/maintenance", "internal/plainbody", "internal/panel", "internal/drawn"}, pure...), []string{"*"}},
		{"what CI systems show", []string{"internal/ciout"}, append([]string{"internal/ci"}, pure...), []string{"github.com/charmbracelet/x/ansi"}},
		{"what the command line says of itself", []string{"internal/grammar", "internal/completion", "internal/manual"}, []string{"internal/grammar"}, []string{"github.com/alecthomas/kong"}},
		{"dashboard", []string{"internal/dashboard", "internal/dashboard/"}, append([]string{"internal/dashboard", "internal/dashboard/", "internal/loopback", "internal/panel", "internal/drawn", "internal/livepage", "internal/listing", "internal/asset", "internal/deploy", "internal/survey", "internal/retain", "internal/maintenance"}, pure...), []string{"github.com/a-h/templ", "github.com/a-h/templ/runtime"}},
		{"drydock", []string{"internal/drydock", "internal/drydock/"}, append([]string{"internal/drydock", "internal/drydock/", "internal/loopback", "internal/plainbody", "internal/strictyaml", "internal/panel", "internal/drawn", "internal/livepage", "internal/listing", "internal/asset"}, pure...), []string{"*"}},
		{"command line", []string{"", "internal/cli", "internal/demo"}, []string{"internal/"}, []string{"*"}},
		{"benchmarks", []string{"bench"}, []string{"internal/drydock", "internal/plainbody"}, []string{"*"}},
	}
}

func TestImportRule(t *testing.T) {
	for dir, imports := range imports(t) {
		l := layerOf(dir)
		if l == nil {
			t.Errorf("%s is in no layer: say in this test what it may import", dir)
			continue
		}
		for _, imported := range imports {
			own, isOwn := strings.CutPrefix(imported, module)
			switch {
			case isOwn && !covers(l.own, own):
				t.Errorf("%s (%s) must not import %s", dir, l.name, own)
			case !isOwn && strings.Contains(imported, ".") && !slices.Contains(l.foreign, "*") && !slices.Contains(l.foreign, imported):
				t.Errorf("%s (%s) must not import %s", dir, l.name, imported)
			}
		}
	}
}

func layerOf(dir string) *layer {
	for _, l := range layers() {
		if covers(l.parts, dir) {
			return &l
		}
	}
	return nil
}

func covers(parts []string, dir string) bool {
	return slices.ContainsFunc(parts, func(p string) bool {
		return dir == p || strings.HasSuffix(p, "/") && strings.HasPrefix(dir, p)
	})
}

// imports lists what the packages import, without their tests.
func imports(t *testing.T) map[string][]string {
	out := map[string][]string{}
	for name, file := range sources(t, parser.ImportsOnly) {
		dir := path.Dir(name)
		if dir == "." {
			dir = ""
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			out[dir] = append(out[dir], imported)
		}
	}
	return out
}

// sources parses every Go file but the tests.
func sources(t *testing.T, mode parser.Mode) map[string]*ast.File {
	out := map[string]*ast.File{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() && name != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "node_modules") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(base, ".go") || strings.HasSuffix(base, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, mode)
		out[filepath.ToSlash(name)] = file
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Packages hold no state of their own: no init, and no variable but errors to
// compare with, embedded files and interface checks.
func TestNoGlobals(t *testing.T) {
	for name, file := range sources(t, parser.ParseComments|parser.SkipObjectResolution) {
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s has an init function", name)
			}
			g, ok := decl.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, spec := range g.Specs {
				v := spec.(*ast.ValueSpec)
				if v.Names[0].Name != "_" && !isError(v) && !isEmbedded(g, v) {
					t.Errorf("%s has the package variable %s", name, v.Names[0].Name)
				}
			}
		}
	}
}

func isError(v *ast.ValueSpec) bool {
	if len(v.Values) != 1 {
		return false
	}
	call, ok := v.Values[0].(*ast.CallExpr)
	if !ok {
		return false
	}
	f, ok := call.Fun.(*ast.SelectorExpr)
	return ok && (f.Sel.Name == "New" || f.Sel.Name == "Errorf") && strings.HasPrefix(strings.ToLower(v.Names[0].Name), "err")
}

func isEmbedded(g *ast.GenDecl, v *ast.ValueSpec) bool {
	for _, doc := range []*ast.CommentGroup{g.Doc, v.Doc} {
		if doc == nil {
			continue
		}
		for _, c := range doc.List {
			if strings.HasPrefix(c.Text, "//go:embed ") {
				return true
			}
		}
	}
	return false
}

// text/template calls methods by their names at run time: where it is used, the
// linker keeps every exported method of every type in the binary.
func TestNoTemplates(t *testing.T) {
	for dir, imports := range imports(t) {
		for _, imported := range imports {
			if imported == "text/template" || imported == "html/template" {
				t.Errorf("%s imports %s: draw pages with templ", dir, imported)
			}
		}
	}
}
