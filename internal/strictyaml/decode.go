package strictyaml

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// reader decodes one document and collects what is wrong with it.
type reader struct {
	file string
	errs []error
}

func (r *reader) wrong(at Position, format string, args ...any) {
	r.errs = append(r.errs, &Error{r.file, at, fmt.Sprintf(format, args...)})
}

func (r *reader) into(n ast.Node, into any) { r.value(n, reflect.ValueOf(into).Elem(), "the document") }

// value decodes a node; what names it in errors.
func (r *reader) value(n ast.Node, v reflect.Value, what string) {
	switch n := n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		r.wrong(position(n), "anchors, aliases and tags are not taken here: write it out")
		return
	case *ast.NullNode, nil:
		if v.Kind() != reflect.Interface {
			r.wrong(positionOr(n), "%s has no value: want %s", what, wanted(v.Type()))
		}
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		r.value(n, v.Elem(), what)
		return
	}
	if text, plain := scalar(n); plain {
		if s, ok := v.Addr().Interface().(Scalar); ok {
			if err := s.UnmarshalScalar(text); err != nil {
				r.wrong(position(n), "%s: %q: %v", what, text, err)
			}
			return
		}
	}
	switch v.Kind() {
	case reflect.Struct:
		r.structure(n, v, what)
	case reflect.Map:
		r.mapping(n, v, what)
	case reflect.Slice:
		r.list(n, v, what)
	case reflect.Interface:
		if got, ok := r.plain(n); ok {
			v.Set(reflect.ValueOf(got))
		}
	default:
		r.scalar(n, v, what)
	}
}

func positionOr(n ast.Node) Position {
	if n == nil {
		return Position{1, 1}
	}
	return position(n)
}

// scalar is the text of a scalar as it was written: 1.10 stays 1.10.
func scalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

func (r *reader) scalar(n ast.Node, v reflect.Value, what string) {
	text, plain := scalar(n)
	if !plain {
		r.wrong(position(n), "%s: want %s", what, wanted(v.Type()))
		return
	}
	var err error
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		var b bool
		if b, err = strconv.ParseBool(text); err == nil {
			v.SetBool(b)
		}
	case reflect.Int:
		var i int64
		if i, err = strconv.ParseInt(text, 10, 32); err == nil {
			v.SetInt(i)
		}
	case reflect.Uint64:
		var u uint64
		if u, err = strconv.ParseUint(text, 10, 64); err == nil {
			v.SetUint(u)
		}
	case reflect.Float64:
		var f float64
		if f, err = strconv.ParseFloat(text, 64); err == nil {
			v.SetFloat(f)
		}
	}
	if err != nil {
		r.wrong(position(n), "%s: %q: want %s", what, text, wanted(v.Type()))
	}
}

// pairs are the members of a mapping; ok is false, and said, for anything else.
func (r *reader) pairs(n ast.Node, what, want string) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	r.wrong(position(n), "%s: want %s", what, want)
	return nil, false
}

// key is the name of a member.
func (r *reader) key(n ast.Node) (string, bool) {
	if text, ok := scalar(n); ok {
		return text, true
	}
	r.wrong(position(n), "a name is wanted here")
	return "", false
}

func (r *reader) structure(n ast.Node, v reflect.Value, what string) {
	pairs, ok := r.pairs(n, what, wanted(v.Type()))
	if !ok {
		return
	}
	fields := fieldsOf(v.Type())
	where := Where{At: position(n), fields: map[string]Position{}}
	var given []string
	strangers := false
	for _, p := range pairs {
		name, ok := r.key(p.Key)
		if !ok {
			continue
		}
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		if i < 0 {
			strangers = true
			r.wrong(position(p.Key), "%s", unknown(name, noun(v), fields))
			continue
		}
		given = append(given, name)
		where.fields[name] = position(p.Value)
		r.value(p.Value, v.FieldByIndex(fields[i].index), name)
		r.checkEnum(p.Value, v.FieldByIndex(fields[i].index), fields[i])
	}
	if w := v.FieldByName("Where"); w.IsValid() && w.Type() == reflect.TypeFor[Where]() {
		w.Set(reflect.ValueOf(where))
	}
	if _, isUnion := v.Addr().Interface().(Union); !isUnion || !strangers { // a stranger was to be the one member
		r.checkMembers(v, fields, given, where, what)
	}
}

func (r *reader) checkEnum(n ast.Node, v reflect.Value, f field) {
	if len(f.enum) == 0 || v.Kind() != reflect.String || v.String() == "" && n != nil && isNull(n) {
		return
	}
	if !slices.Contains(f.enum, v.String()) {
		r.wrong(position(n), "%s: %q%s: want %s", f.name, v.String(), Meant(v.String(), f.enum), strings.Join(f.enum, ", "))
	}
}

func isNull(n ast.Node) bool { _, null := n.(*ast.NullNode); return null }

// checkMembers holds a struct to what its tags say of its members together.
func (r *reader) checkMembers(v reflect.Value, fields []field, given []string, where Where, what string) {
	if u, ok := v.Addr().Interface().(Union); ok {
		if len(given) != 1 {
			r.wrong(where.At, "one %s is wanted here, not %d (%s)", u.Union(), len(given), strings.Join(given, ", "))
		}
		return
	}
	for _, f := range fields {
		isGiven := slices.Contains(given, f.name)
		switch {
		case f.required && !isGiven:
			r.wrong(where.At, "%s needs %q: %s", what, f.name, f.doc)
		case isGiven && len(f.with) > 0 && !slices.ContainsFunc(f.with, func(o string) bool { return slices.Contains(given, o) }):
			r.wrong(where.Of(f.name), "%q goes with %s", f.name, strings.Join(f.with, " or "))
		}
	}
}

func (r *reader) mapping(n ast.Node, v reflect.Value, what string) {
	pairs, ok := r.pairs(n, what, wanted(v.Type()))
	if !ok {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, p := range pairs {
		name, ok := r.key(p.Key)
		if !ok {
			continue
		}
		item := reflect.New(v.Type().Elem()).Elem()
		r.value(p.Value, item, name)
		v.SetMapIndex(reflect.ValueOf(name), item)
	}
}

// list decodes a sequence. One item alone stands for a list of it.
func (r *reader) list(n ast.Node, v reflect.Value, what string) {
	items := []ast.Node{n}
	if seq, ok := n.(*ast.SequenceNode); ok {
		items = seq.Values
	}
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	for i, item := range items {
		r.value(item, v.Index(i), what)
	}
}

// plain is a value as encoding/json would have it: for documents that AWS
// reads.
func (r *reader) plain(n ast.Node) (any, bool) {
	switch n := n.(type) {
	case *ast.NullNode:
		return map[string]any(nil), false
	case *ast.BoolNode:
		return n.Value, true
	case *ast.IntegerNode:
		if i, err := strconv.ParseInt(n.GetToken().Value, 10, 64); err == nil {
			return i, true
		}
		return n.Value, true
	case *ast.FloatNode:
		return n.Value, true
	case *ast.SequenceNode:
		out := make([]any, 0, len(n.Values))
		for _, item := range n.Values {
			v, _ := r.plain(item)
			out = append(out, v)
		}
		return out, true
	case *ast.MappingNode, *ast.MappingValueNode:
		pairs, _ := r.pairs(n, "", "")
		out := map[string]any{}
		for _, p := range pairs {
			if name, ok := r.key(p.Key); ok {
				out[name], _ = r.plain(p.Value)
			}
		}
		return out, true
	}
	if text, ok := scalar(n); ok {
		return text, true
	}
	r.wrong(position(n), "this cannot be part of a document")
	return nil, false
}
