// Compiles checks that this module compiles for other platforms, as far as the
// compiler's front end can say: the types of its own packages, and what those
// of others declare. That takes seconds, where a build of all dependencies
// takes minutes.
//
// usage: compiles OS/ARCH...
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	wrong := false
	for _, target := range os.Args[1:] {
		for _, err := range check(target) {
			wrong = true
			fmt.Fprintf(os.Stderr, "%s: %v\n", target, err)
		}
	}
	if wrong {
		os.Exit(1)
	}
}

// listed is a package of go list.
type listed struct {
	ImportPath, Dir string
	GoFiles         []string
	ImportMap       map[string]string
	Module          *struct{ Main bool }
}

func check(target string) (wrong []error) {
	goos, arch, _ := strings.Cut(target, "/")
	list := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,GoFiles,ImportMap,Module", ".")
	list.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+arch, "CGO_ENABLED=0")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return []error{err}
	}
	fset, known := token.NewFileSet(), map[string]*types.Package{"unsafe": types.Unsafe}
	// Dependencies come before those that import them.
	for stream := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := stream.Decode(&p); errors.Is(err, io.EOF) {
			return wrong
		} else if err != nil {
			return append(wrong, err)
		}
		if p.ImportPath == "unsafe" {
			continue
		}
		files, err := parse(fset, p)
		if err != nil {
			return append(wrong, err)
		}
		own := p.Module != nil && p.Module.Main
		config := types.Config{
			Importer: packages{known, p.ImportMap}, Sizes: types.SizesFor("gc", arch), IgnoreFuncBodies: !own,
			Error: func(err error) {
				if own { // a body that is ignored leaves imports unused
					wrong = append(wrong, err)
				}
			},
		}
		known[p.ImportPath], _ = config.Check(p.ImportPath, fset, files, nil) // told through Error
	}
}

func parse(fset *token.FileSet, p listed) ([]*ast.File, error) {
	var files []*ast.File
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

// packages imports what was checked before.
type packages struct {
	known  map[string]*types.Package
	mapped map[string]string // imports that stand for another path, as of vendored packages
}

func (p packages) Import(path string) (*types.Package, error) {
	if other, ok := p.mapped[path]; ok {
		path = other
	}
	if known := p.known[path]; known != nil {
		return known, nil
	}
	return nil, fmt.Errorf("%s was not listed before", path)
}
