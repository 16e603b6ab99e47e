// Package strictyaml reads YAML that people write by hand into Go structs, and
// says what is wrong with it as file:line:column, what is allowed there and
// what was probably meant.
//
// [Documents] parses a file; [Document.Decode] fills a struct in. The struct's
// tags are the whole description of the language: [Schema] makes a JSON schema
// of the same tags, so that editors complete what the decoder takes.
//
//	yaml:"name"        the member's name; ",required" when it must be given
//	doc:"…"            what it means
//	enum:"a,b"         the values a string may have
//	with:"x,y"         it goes with one of these members, and needs one of them
//
// A struct that implements [Union] takes exactly one of its members. A struct
// that embeds [Where] learns where its members stood. A type with
// [Scalar] reads itself from plain text.
//
// Anchors, aliases and tags are refused: a file that is read and reviewed says
// what it means where it stands.
package strictyaml

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Position is a place in a file, counted from 1.
type Position struct{ Line, Column int }

// Error is one thing that is wrong with a file.
type Error struct {
	File string
	Position
	Text string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Text)
}

// Where remembers where a struct and its members stood.
type Where struct {
	At     Position
	fields map[string]Position
}

// Of is where a member's value stood; where the struct began when it was not
// given.
func (w Where) Of(member string) Position {
	if at, ok := w.fields[member]; ok {
		return at
	}
	return w.At
}

// Has reports whether a member was given.
func (w Where) Has(member string) bool {
	_, ok := w.fields[member]
	return ok
}

// Scalar is a type that reads itself from the text of a scalar. The error says
// what is wanted.
type Scalar interface{ UnmarshalScalar(text string) error }

// Union is a struct of which exactly one member is given; Union is what to
// call such a member, "step".
type Union interface{ Union() string }

// Document is one YAML document.
type Document struct {
	file string
	node ast.Node
}

// Bounds of what is read. The parser recurses, so that depth is memory.
const (
	maxBytes = 256 << 10
	maxDepth = 100
)

// Documents parses a file of YAML documents; an empty one is an error. The
// error is an [*Error].
func Documents(file string, text []byte) (docs []Document, err error) {
	at := func(p Position, format string, args ...any) error {
		return &Error{file, p, fmt.Sprintf(format, args...)}
	}
	first := Position{1, 1}
	if len(text) > maxBytes {
		return nil, at(first, "the file has %d bytes; at most %d are read", len(text), maxBytes)
	}
	if p, deep := tooDeep(text); deep {
		return nil, at(p, "more than %d levels deep", maxDepth)
	}
	defer func() { // the parser has panicked on broken input before
		if r := recover(); r != nil {
			docs, err = nil, at(first, "this is no YAML: %v", r)
		}
	}()
	parsed, err := parser.ParseBytes(text, 0)
	if syntax, ok := errors.AsType[*yaml.SyntaxError](err); ok {
		p := first
		if t := syntax.GetToken(); t != nil && t.Position != nil {
			p = Position{max(t.Position.Line, 1), max(t.Position.Column, 1)}
		}
		return nil, at(p, "this is no YAML: %s", syntax.GetMessage())
	}
	if err != nil {
		return nil, at(first, "this is no YAML: %v", err)
	}
	for _, d := range parsed.Docs {
		switch d.Body.(type) {
		case nil, *ast.CommentGroupNode:
		default:
			docs = append(docs, Document{file, d.Body})
		}
	}
	if len(docs) == 0 {
		return nil, at(first, "the file is empty")
	}
	return docs, nil
}

// tooDeep looks for nesting that no file needs, before the parser meets it:
// brackets, and the dashes of lists in lists. Brackets in text count too; a
// hundred of them are not missed. Nesting by indentation is bounded by the
// size of the file.
func tooDeep(text []byte) (Position, bool) {
	depth, dashes := 0, 0
	at := Position{1, 0}
	for _, b := range text {
		at.Column++
		switch b {
		case '\n':
			at, dashes = Position{at.Line + 1, 0}, 0
		case '[', '{':
			depth++
		case ']', '}':
			depth = max(0, depth-1)
		case '-', '?', ':':
			dashes++
		case ' ':
		default:
			dashes = 0
		}
		if depth > maxDepth || dashes > maxDepth {
			return at, true
		}
	}
	return Position{}, false
}

// Decode fills a struct in. The error joins an [*Error] for everything that is
// wrong.
func (d Document) Decode(into any) error {
	r := reader{file: d.file}
	r.into(d.node, into)
	return errors.Join(r.errs...)
}

// position of a node.
func position(n ast.Node) Position {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
		return position(m.Values[0].Key)
	}
	if m, ok := n.(*ast.MappingValueNode); ok {
		return position(m.Key)
	}
	t := n.GetToken()
	if t == nil || t.Position == nil {
		return Position{1, 1}
	}
	return Position{max(t.Position.Line, 1), max(t.Position.Column, 1)}
}
