package taskdef

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ParseError is a document that is not JSON, or not a task definition.
type ParseError struct {
	Line, Column int // both from 1; columns count characters
	Problem      string
}

func (e *ParseError) Error() string {
	return fmt.Sprintf("task definition: line %d, column %d: %s", e.Line, e.Column, e.Problem)
}

func errorAt(raw []byte, offset int, format string, args ...any) *ParseError {
	before := raw[:offset]
	return &ParseError{
		Line:    1 + bytes.Count(before, []byte("\n")),
		Column:  1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]),
		Problem: fmt.Sprintf(format, args...),
	}
}

// node is a JSON value and the bytes it takes.
type node struct {
	kind       byte // its first byte; 0: there is no such value
	start, end int
	members    []member // of an object
	items      []node   // of a list
}

type member struct {
	name  string
	start int // of the key's quote
	value node
}

// get is the member of that name, or the node of kind 0.
func (n node) get(name string) node {
	for _, m := range n.members {
		if m.name == name {
			return m.value
		}
	}
	return node{}
}

// scan finds the bytes of every value. encoding/json judges the syntax, so the
// walk that follows needs no checks of its own, but for keys given twice: one
// of the two would be edited and ECS might read the other.
func scan(raw []byte) (node, error) {
	if !utf8.Valid(raw) {
		at := 0
		for at < len(raw) {
			r, size := utf8.DecodeRune(raw[at:])
			if r == utf8.RuneError && size == 1 {
				break
			}
			at += size
		}
		return node{}, errorAt(raw, at, "not UTF-8")
	}
	var valid json.RawMessage
	if err := json.Unmarshal(raw, &valid); err != nil {
		offset := len(raw)
		if e, ok := errors.AsType[*json.SyntaxError](err); ok && e.Error() != "unexpected end of JSON input" {
			offset = max(0, int(e.Offset)-1) // Offset counts the byte that is wrong
		}
		return node{}, errorAt(raw, min(offset, len(raw)), "%v", err)
	}
	s := scanner{raw: raw}
	n := s.value()
	if s.twice != nil {
		return node{}, s.twice
	}
	return n, nil
}

type scanner struct {
	raw   []byte
	at    int
	twice error // the first key given twice
}

// next skips to the next byte that is not white space or punctuation between
// values.
func (s *scanner) next() byte {
	for {
		switch c := s.raw[s.at]; c {
		case ' ', '\t', '\r', '\n', ',', ':':
			s.at++
		default:
			return c
		}
	}
}

func (s *scanner) value() node {
	n := node{kind: s.next(), start: s.at}
	switch n.kind {
	case '{':
		s.at++
		seen := map[string]bool{}
		for s.next() != '}' {
			start := s.at
			s.skipString()
			name := unquote(s.raw[start:s.at])
			if seen[name] && s.twice == nil {
				s.twice = errorAt(s.raw, start, "key %q is given twice", name)
			}
			seen[name] = true
			n.members = append(n.members, member{name: name, start: start, value: s.value()})
		}
		s.at++
	case '[':
		s.at++
		for s.next() != ']' {
			n.items = append(n.items, s.value())
		}
		s.at++
	case '"':
		s.skipString()
	default:
		for s.at < len(s.raw) && strings.IndexByte(" \t\r\n,:]}", s.raw[s.at]) < 0 {
			s.at++
		}
	}
	n.end = s.at
	return n
}

func (s *scanner) skipString() {
	for s.at++; s.raw[s.at] != '"'; s.at++ {
		if s.raw[s.at] == '\\' {
			s.at++
		}
	}
	s.at++
}

// unquote decodes a JSON string that scan has found.
func unquote(literal []byte) string {
	var s string
	if err := json.Unmarshal(literal, &s); err != nil {
		return ""
	}
	return s
}

// quote spells a string as JSON, with <, > and & as they are.
func quote(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return `""`
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}
