package lifecycle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// node is a JSON value that knows where in the text it stands.
type node struct {
	at       int // byte offset
	kind     kind
	text     string // of a string, or a number as written
	members  []member
	elements []node
}

type member struct {
	name  string
	at    int
	value node
}

type kind string

// The kinds, by the names that ECR's schema validator uses for them.
const (
	isObject  kind = "object"
	isArray   kind = "array"
	isString  kind = "string"
	isNumber  kind = "number"
	isBoolean kind = "boolean"
	isNull    kind = "null"
)

// get is the member called name, or nil.
func (n *node) get(name string) *node {
	for i := range n.members {
		if n.members[i].name == name {
			return &n.members[i].value
		}
	}
	return nil
}

// syntaxError is a text that is not JSON, or says a thing twice.
type syntaxError struct {
	at  int
	why string
}

func (e *syntaxError) Error() string { return e.why }

// readDocument reads text, which must be one JSON value.
func readDocument(text []byte) (node, error) {
	// The decoder's tokens are checked less strictly than a whole value.
	var whole json.RawMessage
	if err := json.Unmarshal(text, &whole); err != nil {
		at := len(text)
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			at = max(int(syntax.Offset)-1, 0)
		}
		return node{}, &syntaxError{at, err.Error()}
	}
	d := &document{text: text, tokens: json.NewDecoder(bytes.NewReader(text))}
	d.tokens.UseNumber()
	return d.value()
}

type document struct {
	text   []byte
	tokens *json.Decoder
}

// token is the next token and where it starts: the decoder tells only where
// the one before it ended.
func (d *document) token() (json.Token, int, error) {
	at := int(d.tokens.InputOffset())
	for at < len(d.text) && strings.IndexByte(" \t\r\n,:", d.text[at]) >= 0 {
		at++
	}
	t, err := d.tokens.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return t, at, err
}

func (d *document) value() (node, error) {
	t, at, err := d.token()
	if err != nil {
		return node{}, err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			return d.object(at)
		}
		return d.array(at)
	case string:
		return node{at: at, kind: isString, text: t}, nil
	case json.Number:
		return node{at: at, kind: isNumber, text: t.String()}, nil
	case bool:
		return node{at: at, kind: isBoolean, text: fmt.Sprint(t)}, nil
	default:
		return node{at: at, kind: isNull, text: "null"}, nil
	}
}

func (d *document) object(at int) (node, error) {
	n := node{at: at, kind: isObject}
	for d.tokens.More() {
		name, at, err := d.token()
		if err != nil {
			return n, err
		}
		m := member{name: name.(string), at: at}
		if n.get(m.name) != nil {
			return n, &syntaxError{at, fmt.Sprintf("%q is given twice", m.name)}
		}
		if m.value, err = d.value(); err != nil {
			return n, err
		}
		n.members = append(n.members, m)
	}
	_, _, err := d.token()
	return n, err
}

func (d *document) array(at int) (node, error) {
	n := node{at: at, kind: isArray}
	for d.tokens.More() {
		element, err := d.value()
		if err != nil {
			return n, err
		}
		n.elements = append(n.elements, element)
	}
	_, _, err := d.token()
	return n, err
}

// position turns a byte offset into a line and a column, both from 1; columns
// count characters.
func position(text []byte, at int) (line, column int) {
	before := text[:min(at, len(text))]
	line = 1 + bytes.Count(before, []byte("\n"))
	return line, 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
}
