package strictyaml

import (
	"fmt"
	"reflect"
	"strings"
)

// field is a member of a struct as its tags describe it.
type field struct {
	index    []int
	name     string
	doc      string
	required bool
	enum     []string
	with     []string
	typ      reflect.Type
}

// fieldsOf lists the members of a struct, those of embedded ones in place.
func fieldsOf(t reflect.Type) []field {
	var out []field
	for f := range fields(t) {
		tag, ok := f.Tag.Lookup("yaml")
		if !ok {
			continue
		}
		name, option, _ := strings.Cut(tag, ",")
		out = append(out, field{
			index: f.Index, name: name, doc: f.Tag.Get("doc"), required: option == "required",
			enum: list(f.Tag.Get("enum")), with: list(f.Tag.Get("with")), typ: f.Type,
		})
	}
	return out
}

func fields(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for _, f := range reflect.VisibleFields(t) {
			if !yield(f) {
				return
			}
		}
	}
}

func list(tag string) []string {
	if tag == "" {
		return nil
	}
	return strings.Split(tag, ",")
}

// noun is what to call a member of a struct.
func noun(v reflect.Value) string {
	if u, ok := v.Addr().Interface().(Union); ok {
		return u.Union()
	}
	return "member"
}

// unknown says that there is no such member, what was probably meant and what
// there is.
func unknown(name, noun string, fields []field) string {
	var names []string
	for _, f := range fields {
		names = append(names, f.name)
	}
	return fmt.Sprintf("unknown %s %q%s; known are %s", noun, name, Meant(name, names), strings.Join(names, ", "))
}

// Meant is ` (did you mean "…"?)` when one of the names is near enough.
func Meant(name string, names []string) string {
	best, least := "", max(1, len(name)/3)+1
	for _, candidate := range names {
		if d := distance(strings.ToLower(name), strings.ToLower(candidate)); d < least {
			best, least = candidate, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// distance is how many letters have to be changed, added, left out or swapped
// with their neighbour.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// wanted is what a type takes, in words.
func wanted(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		return wanted(t.Elem())
	}
	if d, ok := reflect.New(t).Interface().(Described); ok {
		return d.Describe()
	}
	switch t.Kind() {
	case reflect.Struct:
		var names []string
		for _, f := range fieldsOf(t) {
			names = append(names, f.name)
		}
		return "{" + strings.Join(names, ", ") + "}"
	case reflect.Map:
		return "names, each with a value"
	case reflect.Slice:
		return "a list"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Uint64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	}
	return "text"
}
