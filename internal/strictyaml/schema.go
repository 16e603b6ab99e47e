package strictyaml

import (
	"reflect"
	"strings"
)

// Described is a [Scalar] that says in words what it takes.
type Described interface{ Describe() string }

// Schema is the JSON schema (2020-12) of the language that a struct describes.
// root is a pointer to one.
func Schema(root any, id, title string) map[string]any {
	s := schemas{definitions: map[string]any{}}
	out := s.of(reflect.TypeOf(root).Elem())
	out["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	out["$id"] = id
	out["title"] = title
	out["$defs"] = s.definitions
	return out
}

// schemas collects the structs on the way, each once.
type schemas struct{ definitions map[string]any }

func (s schemas) of(t reflect.Type) map[string]any {
	if t.Kind() == reflect.Pointer {
		return s.of(t.Elem())
	}
	zero := reflect.New(t).Interface()
	text := map[string]any{"type": []string{"string", "number", "boolean"}}
	if d, ok := zero.(Described); ok {
		text["description"] = d.Describe()
	}
	_, isScalar := zero.(Scalar)
	switch {
	case t.Kind() == reflect.Struct && len(fieldsOf(t)) > 0:
		object := s.reference(t)
		if isScalar {
			return map[string]any{"anyOf": []any{text, object}}
		}
		return object
	case isScalar:
		return text
	}
	switch t.Kind() {
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": s.of(t.Elem())}
	case reflect.Slice:
		item := s.of(t.Elem())
		return map[string]any{"anyOf": []any{map[string]any{"type": "array", "items": item}, item}}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Uint64:
		return map[string]any{"type": "integer"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.String:
		return map[string]any{"type": []string{"string", "number", "boolean"}}
	}
	return map[string]any{}
}

// reference is a struct by its name; the first one to ask has it described.
func (s schemas) reference(t reflect.Type) map[string]any {
	name := t.Name()
	if _, known := s.definitions[name]; !known {
		s.definitions[name] = nil // it may hold itself
		s.definitions[name] = s.object(t)
	}
	return map[string]any{"$ref": "#/$defs/" + name}
}

func (s schemas) object(t reflect.Type) map[string]any {
	properties := map[string]any{}
	var required []string
	together := map[string]any{}
	for _, f := range fieldsOf(t) {
		p := s.of(f.typ)
		if f.doc != "" {
			p["description"] = f.doc
		}
		if len(f.enum) > 0 {
			p["enum"] = f.enum
		}
		properties[f.name] = p
		if f.required {
			required = append(required, f.name)
		}
		if len(f.with) > 0 {
			var one []any
			for _, other := range f.with {
				one = append(one, map[string]any{"required": []string{other}})
			}
			together[f.name] = map[string]any{"anyOf": one}
		}
	}
	out := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if required != nil {
		out["required"] = required
	}
	if len(together) > 0 {
		out["dependentSchemas"] = together
	}
	if _, union := reflect.New(t).Interface().(Union); union {
		out["minProperties"], out["maxProperties"] = 1, 1
	}
	return out
}

// Table lists the members of a struct as a table in Markdown. of is a pointer
// to one.
func Table(of any) string {
	var b strings.Builder
	b.WriteString("| member | |\n|---|---|\n")
	for _, f := range fieldsOf(reflect.TypeOf(of).Elem()) {
		doc := f.doc
		if len(f.enum) > 0 {
			doc += " One of `" + strings.Join(f.enum, "`, `") + "`."
		}
		if len(f.with) > 0 {
			doc += " Goes with `" + strings.Join(f.with, "` or `") + "`."
		}
		if f.required {
			doc += " Required."
		}
		b.WriteString("| `" + f.name + "` | " + strings.ReplaceAll(doc, "|", `\|`) + " |\n")
	}
	return b.String()
}
