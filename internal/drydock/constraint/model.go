package constraint

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Violation is one member that is not as the model has it.
type Violation struct {
	Path  string // "containerDefinitions.1.member.logConfiguration.logDriver"; lists count from 1
	Value string // as it was sent; "" for one that is missing
	Rule  string // "Member must not be null"
}

// missing is the rule of required members.
const missing = "Member must not be null"

func (v Violation) String() string {
	value := "null"
	if v.Rule != missing {
		value = "'" + v.Value + "'"
	}
	return fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: %s", value, v.Path, v.Rule)
}

// Sentence is AWS's sentence for violations: "1 validation error detected:
// Value 'X' at 'y' failed to satisfy constraint: …". There must be one.
func Sentence(found []Violation) string {
	words := make([]string, len(found))
	for i, v := range found {
		words[i] = v.String()
	}
	return sentence(words)
}

func sentence(broken []string) string {
	noun := "errors"
	if len(broken) == 1 {
		noun = "error"
	}
	return fmt.Sprintf("%d validation %s detected: %s", len(broken), noun, strings.Join(broken, "; "))
}

// Check holds a request to what AWS's API models say of it: members of an
// enumeration have one of its values, and members that are required are there.
// It walks any of the SDK's input structs by reflection, so a new SDK brings its
// new enumerations without a change here.
//
// It lists what of in, a pointer to one of the SDK's input structs, its
// model does not allow, in the order of the struct's fields. required names
// the fields that a struct of that name must have; what the zero of a field
// that is no pointer means cannot be told, so such fields are never missing.
func Check(in any, required func(structure string) []string) []Violation {
	return walk{required: required}.value(reflect.ValueOf(in), "", nil)
}

type walk struct {
	required func(structure string) []string
}

func (w walk) value(v reflect.Value, at string, found []Violation) []Violation {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return w.value(v.Elem(), at, found)
		}
	case reflect.Struct:
		return w.structure(v, at, found)
	case reflect.Slice:
		for i := range v.Len() {
			found = w.value(v.Index(i), fmt.Sprintf("%s.%d.member", at, i+1), found)
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, key := range keys {
			found = w.value(v.MapIndex(key), at+"."+key.String()+".member", found)
		}
	case reflect.String:
		if v.Len() == 0 {
			break
		}
		if allowed := values(v); allowed != nil && !slices.Contains(allowed, v.String()) {
			found = append(found, Violation{at, v.String(), "Member must satisfy enum value set: [" + strings.Join(allowed, ", ") + "]"})
		}
	}
	return found
}

func (w walk) structure(v reflect.Value, at string, found []Violation) []Violation {
	needed := w.required(v.Type().Name())
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() || f.Anonymous || f.Name == "ResultMetadata" {
			continue
		}
		path := strings.TrimPrefix(at+"."+member(f.Name), ".")
		if slices.Contains(needed, f.Name) && absent(v.Field(i)) {
			found = append(found, Violation{Path: path, Rule: missing})
			continue
		}
		found = w.value(v.Field(i), path, found)
	}
	return found
}

func absent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return v.IsNil()
	case reflect.String: // an enumeration
		return v.Len() == 0
	}
	return false
}

// values are those of an enumeration, by the method that the SDK gives every
// one; nil for a plain string.
func values(v reflect.Value) []string {
	method := v.MethodByName("Values")
	if !method.IsValid() || method.Type().NumIn() != 0 || method.Type().NumOut() != 1 {
		return nil
	}
	list := method.Call(nil)[0]
	if list.Kind() != reflect.Slice || list.Type().Elem().Kind() != reflect.String {
		return nil
	}
	out := make([]string, list.Len())
	for i := range out {
		out[i] = list.Index(i).String()
	}
	return out
}

// member is a field's name in JSON.
func member(field string) string {
	r, n := utf8.DecodeRuneInString(field)
	return string(unicode.ToLower(r)) + field[n:]
}
