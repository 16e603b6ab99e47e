package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
)

// Extended is an answer of the SDK's types together with members that this
// build's SDK does not have. Newer clients get back what they sent: where both
// have a member, Value's counts; objects, and lists of the same length, are
// laid over one another.
type Extended struct {
	Value any
	Extra map[string]json.RawMessage // by member name
}

func (x Extended) encode(b *bytes.Buffer) error {
	if len(x.Extra) == 0 {
		return lowerCase.encode(b, reflect.ValueOf(x.Value))
	}
	known, err := Encode(x.Value)
	if err != nil {
		return err
	}
	value, err := parse(known)
	if err != nil {
		return fmt.Errorf("wire: %w", err)
	}
	extra := map[string]any{}
	for name, doc := range x.Extra {
		if extra[name], err = parse(doc); err != nil {
			return fmt.Errorf("wire: %s: %w", name, err)
		}
	}
	return lowerCase.encode(b, reflect.ValueOf(overlay(extra, value)))
}

func overlay(under, over any) any {
	switch o := over.(type) {
	case map[string]any:
		if u, isObject := under.(map[string]any); isObject {
			for name, v := range o {
				u[name] = overlay(u[name], v)
			}
			return u
		}
	case []any:
		if u, isList := under.([]any); isList && len(u) == len(o) {
			for i := range o {
				o[i] = overlay(u[i], o[i])
			}
		}
	}
	return over
}

// Unknown is what of a request the struct that it is decoded into does not
// have: members of its own, and of the objects and lists inside. It is nil
// when the struct has everything. Nulls count as absent.
func Unknown(body []byte, in any) (map[string]json.RawMessage, error) {
	doc, err := parse(body)
	if err != nil {
		return nil, &Error{Code: "SerializationException", Message: "the request body is not JSON: " + err.Error()}
	}
	left, _ := unknown(doc, reflect.TypeOf(in)).(map[string]any)
	var out map[string]json.RawMessage
	for name, v := range left {
		doc, err := Encode(v)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = map[string]json.RawMessage{}
		}
		out[name] = doc
	}
	return out, nil
}

// unknown is the part of doc that a value of type t cannot hold; nil for none.
// In a list every element keeps its place.
func unknown(doc any, t reflect.Type) any {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Interface { // a free document: the struct is decoded without it
		return doc
	}
	switch x := doc.(type) {
	case map[string]any:
		if t.Kind() != reflect.Struct {
			return nil // a map holds every member
		}
		members := map[string]reflect.Type{}
		for i := range t.NumField() {
			if f := t.Field(i); isMember(f) {
				members[memberName(f.Name)] = f.Type
			}
		}
		left := map[string]any{}
		for name, v := range x {
			if member, known := members[name]; known {
				v = unknown(v, member)
			}
			if v != nil {
				left[name] = v
			}
		}
		if len(left) > 0 {
			return left
		}
	case []any:
		if t.Kind() != reflect.Slice {
			return nil
		}
		left, some := make([]any, len(x)), false
		for i := range x {
			left[i] = unknown(x[i], t.Elem())
			some = some || left[i] != nil
		}
		if some {
			return left
		}
	}
	return nil
}

// parse reads a document without losing digits of its numbers.
func parse(doc []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return v, nil
}
