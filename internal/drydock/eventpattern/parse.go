package eventpattern

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
)

// InvalidError says what of a pattern is wrong, and where: in AWS's words
// without its "Event pattern is not valid. Reason: ".
type InvalidError struct {
	Reason       string
	Line, Column int // of the text, from 1
	Text         string
}

func (e *InvalidError) Error() string {
	return fmt.Sprintf("%s at [Source: (String)\"%s\"; line: %d, column: %d]", e.Reason, e.Text, e.Line, e.Column)
}

// Parse reads a pattern. The error is an [*InvalidError].
func Parse(source string) (Pattern, error) {
	p := parser{decoder: json.NewDecoder(strings.NewReader(source)), source: source}
	p.decoder.UseNumber()
	first, err := p.next()
	if err != nil {
		return Pattern{}, err
	}
	if first != json.Delim('{') {
		return Pattern{}, p.invalid("Filter is not an object")
	}
	root, err := p.object(true)
	if err != nil {
		return Pattern{}, err
	}
	if _, err := p.decoder.Token(); !errors.Is(err, io.EOF) {
		return Pattern{}, p.invalid("The pattern goes on after its object")
	}
	return Pattern{root}, nil
}

// parser walks the tokens of a pattern, so that it knows where it is.
type parser struct {
	decoder *json.Decoder
	source  string
	depth   int
}

// deepest bounds the recursion; AWS bounds a pattern by its 4,096 characters.
const deepest = 100

func (p *parser) invalid(format string, args ...any) error {
	read := p.source[:min(int(p.decoder.InputOffset()), len(p.source))]
	line := strings.Count(read, "\n")
	return &InvalidError{Reason: fmt.Sprintf(format, args...), Line: line + 1, Column: len(read) - (strings.LastIndexByte(read, '\n') + 1) + 1, Text: p.source}
}

func (p *parser) next() (json.Token, error) {
	token, err := p.decoder.Token()
	if err != nil {
		return nil, p.invalid("The pattern is not JSON: %v", err)
	}
	return token, nil
}

// object reads the rest of an object of conditions. Only the whole pattern may be
// empty of nothing: "Empty objects are not allowed".
func (p *parser) object(isRoot bool) (object, error) {
	var o object
	if p.depth++; p.depth > deepest {
		return o, p.invalid("The pattern is nested too deeply")
	}
	defer func() { p.depth-- }()
	for p.decoder.More() {
		name, err := p.next()
		if err != nil {
			return o, err
		}
		key := name.(string) // what json.Decoder has for a key
		value, err := p.next()
		if err != nil {
			return o, err
		}
		if err := p.member(&o, key, value); err != nil {
			return o, err
		}
	}
	if _, err := p.next(); err != nil {
		return o, err
	}
	if len(o.members) == 0 && len(o.either) == 0 {
		if isRoot {
			return o, p.invalid("Filter is not an object")
		}
		return o, p.invalid("Empty objects are not allowed")
	}
	return o, nil
}

func (p *parser) member(o *object, key string, value json.Token) error {
	switch value {
	case json.Delim('{'):
		inner, err := p.object(false)
		if err != nil {
			return err
		}
		o.members = append(o.members, member{key, inner})
		return nil
	case json.Delim('['):
		if key == "$or" {
			alternatives, isOr, err := p.alternatives()
			if isOr || err != nil {
				o.either = append(o.either, alternatives)
				return err
			}
		}
		tests, err := p.leaf()
		if err != nil {
			return err
		}
		o.members = append(o.members, member{key, tests})
		return nil
	}
	return p.invalid("%q must be an object or an array", key)
}

// alternatives reads the rest of a list of objects. An $or of fewer than two is
// no $or for EventBridge but an ordinary field; it is refused here, because
// nobody means it.
func (p *parser) alternatives() (out []object, isOr bool, err error) {
	for p.decoder.More() {
		token, err := p.next()
		if err != nil {
			return nil, true, err
		}
		if token != json.Delim('{') {
			return nil, true, p.invalid("$or must be an array of objects")
		}
		o, err := p.object(false)
		if err != nil {
			return nil, true, err
		}
		out = append(out, o)
	}
	if _, err := p.next(); err != nil {
		return nil, true, err
	}
	if len(out) < 2 {
		return nil, true, p.invalid("$or must have at least two alternatives")
	}
	return out, true, nil
}

// leaf reads the rest of a list of tests.
func (p *parser) leaf() (leaf, error) {
	var out leaf
	for p.decoder.More() {
		token, err := p.next()
		if err != nil {
			return nil, err
		}
		var t test
		switch token {
		case json.Delim('{'):
			t, err = p.comparison()
		case json.Delim('['):
			err = p.invalid("Match value must be String, number, true, false, or null")
		default:
			t, err = p.value(token)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	if _, err := p.next(); err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, p.invalid("Empty arrays are not allowed")
	}
	return out, nil
}

// value is the test for a plain value.
func (p *parser) value(token json.Token) (test, error) {
	n, isNumber := token.(json.Number)
	if !isNumber {
		return exact{token}, nil
	}
	bound, err := p.number(n)
	return amount{{"=", bound}}, err
}

// number is a bound: from -5.0e9 to 5.0e9 (user guide, Numeric matching).
func (p *parser) number(n json.Number) (float64, error) {
	f, err := n.Float64()
	if err != nil || f > 5e9 || f < -5e9 {
		return 0, p.invalid("Value must be between -5.0E9 and 5.0E9, inclusive")
	}
	return f, nil
}

// comparison reads the rest of an object with one operator.
func (p *parser) comparison() (test, error) {
	var raw json.RawMessage
	name, err := p.next()
	if err != nil {
		return nil, err
	}
	operator, isText := name.(string)
	if !isText {
		return nil, p.invalid("Unrecognized match type")
	}
	if err := p.decoder.Decode(&raw); err != nil {
		return nil, p.invalid("The pattern is not JSON: %v", err)
	}
	t, err := p.operator(operator, raw)
	if err != nil {
		return nil, err
	}
	end, err := p.next()
	if err != nil {
		return nil, err
	}
	if end != json.Delim('}') {
		return nil, p.invalid("Only one key allowed in match expression")
	}
	return t, nil
}

func (p *parser) operator(name string, raw json.RawMessage) (test, error) {
	switch name {
	case "prefix", "suffix", "equals-ignore-case", "wildcard":
		return p.text(name, raw)
	case "anything-but":
		return p.anythingBut(raw)
	case "numeric":
		return p.numeric(raw)
	case "exists":
		switch string(raw) {
		case "true":
			return exists(true), nil
		case "false":
			return exists(false), nil
		}
		return nil, p.invalid("exists match pattern must be either true or false.")
	case "cidr":
		var block string
		if json.Unmarshal(raw, &block) != nil {
			return nil, p.invalid("prefix match pattern must be a string")
		}
		prefix, err := netip.ParsePrefix(block)
		if err != nil {
			return nil, p.invalid("Malformed CIDR, one '/' required")
		}
		return network(prefix.Masked()), nil
	}
	return nil, p.invalid("Unrecognized match type %s", name)
}

// text is a test of strings. prefix and suffix take {"equals-ignore-case": …} too.
func (p *parser) text(name string, raw json.RawMessage) (test, error) {
	t := text{}
	switch name {
	case "prefix":
		t.fits = strings.HasPrefix
	case "suffix":
		t.fits = strings.HasSuffix
	case "equals-ignore-case":
		t.fits, t.fold = equal, true
	case "wildcard":
		t.fits = glob
	}
	if inner, ok := single(raw); ok && inner.name == "equals-ignore-case" && (name == "prefix" || name == "suffix") {
		t.fold, raw = true, inner.raw
	}
	if json.Unmarshal(raw, &t.want) != nil || string(raw) == "null" {
		return nil, p.invalid("%s match pattern must be a string", name)
	}
	if name == "wildcard" {
		return t, p.checkWildcard(t.want)
	}
	if t.want == "" && (name == "prefix" || name == "suffix") {
		return nil, p.invalid("Null %s not allowed", name)
	}
	return t, nil
}

func (p *parser) checkWildcard(want string) error {
	if strings.Contains(want, "**") {
		return p.invalid("Consecutive wildcard characters at pos %d", strings.Index(want, "**"))
	}
	for i := 0; i < len(want); i++ {
		if want[i] != '\\' {
			continue
		}
		if i++; i == len(want) || want[i] != '*' && want[i] != '\\' {
			return p.invalid("Invalid escape character at pos %d", i-1)
		}
	}
	return nil
}

// keyed is the one member of an object.
type keyed struct {
	name string
	raw  json.RawMessage
}

func single(raw json.RawMessage) (keyed, bool) {
	var members map[string]json.RawMessage
	if len(raw) == 0 || raw[0] != '{' || json.Unmarshal(raw, &members) != nil || len(members) != 1 {
		return keyed{}, false
	}
	for name, value := range members {
		return keyed{name, value}, true
	}
	return keyed{}, false
}

// list is the elements of an array, or the one value.
func list(raw json.RawMessage) []json.RawMessage {
	var out []json.RawMessage
	if json.Unmarshal(raw, &out) == nil {
		return out
	}
	return []json.RawMessage{raw}
}

func (p *parser) anythingBut(raw json.RawMessage) (test, error) {
	if inner, ok := single(raw); ok {
		var out anythingBut
		out.texts = true
		switch inner.name {
		case "prefix", "suffix", "equals-ignore-case", "wildcard":
		default:
			return nil, p.invalid("Unsupported anything-but pattern: %s", inner.name)
		}
		for _, one := range list(inner.raw) {
			t, err := p.text(inner.name, one)
			if err != nil {
				return nil, err
			}
			out.tests = append(out.tests, t)
		}
		return out, p.notEmpty(out)
	}
	var out anythingBut
	texts, numbers := 0, 0
	for _, one := range list(raw) {
		d := json.NewDecoder(bytes.NewReader(one))
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err != nil {
			return nil, p.invalid("The pattern is not JSON: %v", err)
		}
		switch v.(type) {
		case string:
			texts++
		case json.Number:
			numbers++
		default:
			return nil, p.invalid("Value of anything-but must be an array or single string/number value.")
		}
		t, err := p.value(v)
		if err != nil {
			return nil, err
		}
		out.tests = append(out.tests, t)
	}
	if texts > 0 && numbers > 0 {
		return nil, p.invalid("Inside anything but list, either all values are number or string, mixed type is not supported")
	}
	return out, p.notEmpty(out)
}

func (p *parser) notEmpty(t anythingBut) error {
	if len(t.tests) == 0 {
		return p.invalid("Empty arrays are not allowed")
	}
	return nil
}

// numeric reads ["=", 5] or one or two bounds, the lower one first: [">", 0, "<=", 5].
func (p *parser) numeric(raw json.RawMessage) (test, error) {
	var parts []any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&parts); err != nil {
		return nil, p.invalid("Value of numeric must be an array.")
	}
	if len(parts) != 2 && len(parts) != 4 {
		return nil, p.invalid("Invalid member in numeric match: want one or two relations, each with its number")
	}
	var out amount
	for i := 0; i < len(parts); i += 2 {
		relation, _ := parts[i].(string)
		n, isNumber := parts[i+1].(json.Number)
		if !strings.Contains(" = < <= > >= ", " "+relation+" ") || relation == "" {
			return nil, p.invalid("Unrecognized numeric range operator: %v", parts[i])
		}
		if !isNumber {
			return nil, p.invalid("Value of %s must be numeric", relation)
		}
		bound, err := p.number(n)
		if err != nil {
			return nil, err
		}
		out = append(out, limit{relation, bound})
	}
	if len(out) == 2 {
		if out[0].relation[0] != '>' || out[1].relation[0] != '<' {
			return nil, p.invalid("Bad numeric range operator: %s", out[1].relation)
		}
		if out[0].bound >= out[1].bound {
			return nil, p.invalid("Bottom must be less than top")
		}
	}
	return out, nil
}
