package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The SDK's structs carry no JSON tags: an AWS JSON member is named as the Go
// field with its first letter in lower case (taskDefinitionArn ↔
// TaskDefinitionArn). Encode and decode rest on that rule alone, so a new SDK
// brings its new members without any change here.

// Encode renders a value of the SDK's types as an AWS JSON 1.1 document. Nil
// pointers, nil lists, nil maps and empty strings are left out; numbers and
// booleans that are not pointers are always there, zero included, as AWS has
// them. Times become epoch seconds with milliseconds. json.RawMessage and
// map[string]any pass through as they are; [Extended] adds to a struct what it
// does not have.
func Encode(v any) ([]byte, error) {
	var b bytes.Buffer
	if err := lowerCase.encode(&b, reflect.ValueOf(v)); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (n naming) encode(b *bytes.Buffer, v reflect.Value) error {
	if !v.IsValid() {
		b.WriteString("null")
		return nil
	}
	switch x := v.Interface().(type) {
	case Extended:
		return x.encode(b)
	case capitalized:
		return capitals.encode(b, reflect.ValueOf(x.value))
	case json.RawMessage:
		if len(x) == 0 {
			x = json.RawMessage("null")
		}
		b.Write(x)
		return nil
	case time.Time:
		b.WriteString(strconv.FormatFloat(float64(x.UnixMilli())/1000, 'f', -1, 64))
		return nil
	case json.Number:
		b.WriteString(x.String())
		return nil
	case []byte:
		return encodeJSON(b, base64.StdEncoding.EncodeToString(x))
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			b.WriteString("null")
			return nil
		}
		return n.encode(b, v.Elem())
	case reflect.Struct:
		return n.encodeStruct(b, v)
	case reflect.Slice, reflect.Array:
		b.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := n.encode(b, v.Index(i)); err != nil {
				return err
			}
		}
		b.WriteByte(']')
		return nil
	case reflect.Map:
		return n.encodeMap(b, v)
	case reflect.String:
		return encodeJSON(b, v.String())
	case reflect.Bool, reflect.Int, reflect.Int32, reflect.Int64, reflect.Float32, reflect.Float64:
		return encodeJSON(b, v.Interface())
	}
	return fmt.Errorf("wire: cannot encode a %s", v.Type())
}

func encodeJSON(b *bytes.Buffer, v any) error {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("wire: %w", err)
	}
	b.Truncate(b.Len() - 1) // the encoder's newline
	return nil
}

func (n naming) encodeStruct(b *bytes.Buffer, v reflect.Value) error {
	b.WriteByte('{')
	first := true
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !isMember(f) || isAbsent(v.Field(i)) {
			continue
		}
		if !first {
			b.WriteByte(',')
		}
		first = false
		if err := encodeJSON(b, n.member(f)); err != nil {
			return err
		}
		b.WriteByte(':')
		if err := n.encode(b, v.Field(i)); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	b.WriteByte('}')
	return nil
}

func (n naming) encodeMap(b *bytes.Buffer, v reflect.Value) error {
	if v.Type().Key().Kind() != reflect.String {
		return fmt.Errorf("wire: cannot encode a %s", v.Type())
	}
	// encoding/json sorts keys; going through RawMessage keeps that and our
	// own rendering of the values.
	m := make(map[string]json.RawMessage, v.Len())
	for _, k := range v.MapKeys() {
		var e bytes.Buffer
		if err := n.encode(&e, v.MapIndex(k)); err != nil {
			return err
		}
		m[k.String()] = e.Bytes()
	}
	return encodeJSON(b, m)
}

// isMember leaves out embedded markers and the SDK's own bookkeeping.
func isMember(f reflect.StructField) bool {
	return f.IsExported() && !f.Anonymous && f.Name != "ResultMetadata"
}

func isAbsent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map:
		return v.IsNil()
	case reflect.String:
		return v.Len() == 0
	}
	return false
}

func memberName(field string) string {
	r, n := utf8.DecodeRuneInString(field)
	return string(unicode.ToLower(r)) + field[n:]
}

// Decode reads an AWS JSON document into a struct of the SDK's types. Members
// that the struct does not have are passed over, nulls count as absent. A
// wrong type is a SerializationException that names the member.
func Decode(body []byte, into any) error { return lowerCase.decodeBody(body, into) }

func (n naming) decodeBody(body []byte, into any) error {
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var doc any
	if err := d.Decode(&doc); err != nil {
		return &Error{Code: "SerializationException", Message: "the request body is not JSON: " + err.Error()}
	}
	if _, err := d.Token(); err != io.EOF {
		return &Error{Code: "SerializationException", Message: "the request body goes on after its JSON object"}
	}
	if _, isObject := doc.(map[string]any); !isObject {
		return &Error{Code: "SerializationException", Message: "the request body is not a JSON object"}
	}
	return n.decode(doc, reflect.ValueOf(into).Elem(), "")
}

// maxTimestamp is the last second of the year 9999, the end of the calendar
// that AWS's own timestamp formats can write.
const maxTimestamp = 253402300799

func (n naming) decode(doc any, v reflect.Value, at string) error {
	if doc == nil {
		return nil
	}
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		n, isNumber := doc.(json.Number)
		if !isNumber {
			return mismatch(at, "a timestamp", doc)
		}
		f, err := n.Float64()
		if err != nil || math.Abs(f) > maxTimestamp {
			return mismatch(at, "a timestamp", doc)
		}
		sec, frac := math.Modf(f)
		v.Set(reflect.ValueOf(time.Unix(int64(sec), int64(math.Round(frac*1e3))*int64(time.Millisecond)).UTC()))
		return nil
	case reflect.TypeFor[json.RawMessage](): // what is kept as it is and answered again
		raw, err := json.Marshal(doc)
		v.SetBytes(raw)
		return err
	case reflect.TypeFor[[]byte]():
		s, isString := doc.(string)
		raw, err := base64.StdEncoding.DecodeString(s)
		if !isString || err != nil {
			return mismatch(at, "base64 data", doc)
		}
		v.SetBytes(raw)
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		if err := n.decode(doc, p.Elem(), at); err != nil {
			return err
		}
		v.Set(p)
	case reflect.Struct:
		m, isObject := doc.(map[string]any)
		if !isObject {
			return mismatch(at, "an object", doc)
		}
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !isMember(f) {
				continue
			}
			name := n.member(f)
			if err := n.decode(m[name], v.Field(i), strings.TrimPrefix(at+"."+name, ".")); err != nil {
				return err
			}
		}
	case reflect.Slice:
		list, isList := doc.([]any)
		if !isList {
			return mismatch(at, "a list", doc)
		}
		s := reflect.MakeSlice(v.Type(), len(list), len(list))
		for i, e := range list {
			if err := n.decode(e, s.Index(i), fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
		v.Set(s)
	case reflect.Map:
		m, isObject := doc.(map[string]any)
		if !isObject {
			return mismatch(at, "an object", doc)
		}
		out := reflect.MakeMapWithSize(v.Type(), len(m))
		for k, e := range m {
			value := reflect.New(v.Type().Elem()).Elem()
			if err := n.decode(e, value, at+"."+k); err != nil {
				return err
			}
			out.SetMapIndex(reflect.ValueOf(k).Convert(v.Type().Key()), value)
		}
		v.Set(out)
	case reflect.String:
		s, isString := doc.(string)
		if !isString {
			return mismatch(at, "a string", doc)
		}
		v.SetString(s)
	case reflect.Bool:
		t, isBool := doc.(bool)
		if !isBool {
			return mismatch(at, "a boolean", doc)
		}
		v.SetBool(t)
	case reflect.Int32, reflect.Int64:
		n, isNumber := doc.(json.Number)
		if !isNumber {
			return mismatch(at, "an integer", doc)
		}
		i, err := strconv.ParseInt(n.String(), 10, v.Type().Bits())
		if err != nil {
			return mismatch(at, "an integer", doc)
		}
		v.SetInt(i)
	case reflect.Float32, reflect.Float64:
		n, isNumber := doc.(json.Number)
		if !isNumber {
			return mismatch(at, "a number", doc)
		}
		f, err := n.Float64()
		if err != nil {
			return mismatch(at, "a number", doc)
		}
		v.SetFloat(f)
	case reflect.Interface:
		// A union or a free document: nothing that drydock answers to reads
		// one, and leaving it out must not fail the call.
	default:
		return fmt.Errorf("wire: %s: cannot decode into a %s", at, v.Type())
	}
	return nil
}

func mismatch(at, want string, got any) error {
	kind := "an object"
	switch got.(type) {
	case string:
		kind = "a string"
	case json.Number:
		kind = "the number " + fmt.Sprint(got)
		if want == "a string" { // it may be a secret
			kind = "a number"
		}
	case bool:
		kind = "a boolean"
	case []any:
		kind = "a list"
	}
	return &Error{Code: "SerializationException", Message: fmt.Sprintf("%s must be %s, not %s", at, want, kind)}
}
