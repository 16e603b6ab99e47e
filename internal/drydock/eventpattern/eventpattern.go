// Package eventpattern is EventBridge's event patterns: which events a rule takes.
// SNS's filter policies are of the same language.
//
// [Parse] reads a pattern and [Pattern.Matches] judges a document that
// [encoding/json] has decoded. Everything is pure. The language is that of the
// EventBridge user guide, "Comparison operators for use in event patterns": exact
// values, prefix, suffix, anything-but, numeric, exists, equals-ignore-case,
// wildcard, cidr and $or.
package eventpattern

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// Pattern is what a document has to be like. The zero value takes every object.
type Pattern struct{ root object }

// node is a condition on the value at a place of a document. present is false
// where there is none.
type node interface {
	matches(value any, present bool) bool
}

// object is conditions on members, which all have to hold, and alternatives
// ($or), of which one has to.
type object struct {
	members []member
	either  [][]object
}

type member struct {
	name string
	node node
}

// Decode reads a document for [Pattern.Matches].
func Decode(doc []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("the document is not JSON: %w", err)
	}
	return v, nil
}

// Matches tells whether a document is as the pattern has it.
func (p Pattern) Matches(doc any) bool {
	_, isObject := doc.(map[string]any)
	return isObject && p.root.matches(doc, true)
}

// Takes tells whether a document could match that has this text as its member:
// false rules it out without the rest of the document.
func (p Pattern) Takes(name, text string) bool {
	for _, m := range p.root.members {
		if m.name == name && !m.node.matches(text, true) {
			return false
		}
	}
	return true
}

// matches of a list of objects asks for one of them that fits as a whole, so that
// conditions do not find what they want in different elements.
func (o object) matches(value any, present bool) bool {
	if list, isList := value.([]any); isList && present {
		return slices.ContainsFunc(list, func(v any) bool { return o.matches(v, true) }) || len(list) == 0 && o.matches(nil, false)
	}
	members, _ := value.(map[string]any) // of what is no object, none is there
	for _, m := range o.members {
		v, has := members[m.name]
		if !m.node.matches(v, has) {
			return false
		}
	}
	for _, alternatives := range o.either {
		if !slices.ContainsFunc(alternatives, func(a object) bool { return a.matches(value, present) }) {
			return false
		}
	}
	return true
}

// leaf is tests of a value, of which one has to hold; of a list, for one of its
// elements.
type leaf []test

func (l leaf) matches(value any, present bool) bool {
	values, absent := []any{value}, !present
	switch v := value.(type) {
	case []any:
		values, absent = flat(v), len(v) == 0
	case map[string]any: // exists is about leaves: an object is none (user guide, Exists matching)
		values, absent = nil, true
	}
	for _, t := range l {
		if x, isExists := t.(exists); isExists {
			if bool(x) != absent {
				return true
			}
			continue
		}
		if !absent && slices.ContainsFunc(values, t.holds) {
			return true
		}
	}
	return false
}

// flat is the values of a list with those of the lists in it.
func flat(list []any) []any {
	var out []any
	for _, v := range list {
		if inner, isList := v.([]any); isList {
			out = append(out, flat(inner)...)
		} else {
			out = append(out, v)
		}
	}
	return out
}
