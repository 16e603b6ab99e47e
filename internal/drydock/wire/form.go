package wire

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// TypedQuery is [Typed] for an operation of the Query protocol, whose requests
// are forms.
func TypedQuery[In, Out any](f func(context.Context, *In) (*Out, error)) Operation {
	return func(ctx context.Context, c Call) (any, error) {
		in := new(In)
		if err := DecodeForm(c.Body, in); err != nil {
			return nil, err
		}
		out, err := f(ctx, in)
		if err != nil {
			return nil, err
		}
		return out, nil
	}
}

// DecodeForm reads the form of a Query request into a struct of the SDK's
// types: members are named as the Go fields, those of a struct follow a dot
// (Matcher.HttpCode), those of a list ".member." and a number from 1 on
// (Tags.member.1.Key), those of a map ".entry." and a number. Members that the struct does not have are passed over.
// A wrong type is a MalformedInput that names the member.
func DecodeForm(body []byte, into any) error {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return &Error{Code: "MalformedQueryString", Message: "the request body is not a form: " + err.Error()}
	}
	root := &formNode{}
	for name, values := range form {
		root.put(strings.SplitN(name, ".", maxFormDepth), values[0])
	}
	return root.decode(reflect.ValueOf(into).Elem(), "")
}

// maxFormDepth bounds how deep a form can nest: no API of AWS comes near it.
const maxFormDepth = 32

// formNode is one member of a form with what is below it.
type formNode struct {
	value string
	given bool // it has a value of its own, possibly an empty one
	below map[string]*formNode
}

func (n *formNode) put(path []string, value string) {
	for _, part := range path {
		if n.below == nil {
			n.below = map[string]*formNode{}
		}
		if n.below[part] == nil {
			n.below[part] = &formNode{}
		}
		n = n.below[part]
	}
	n.value, n.given = value, true
}

// list are the elements of a list in the order of their numbers, which may
// have gaps. ok is false for what is no list.
func (n *formNode) list() (elements []*formNode, ok bool) {
	return n.numbered("member")
}

// numbered are the elements of a list, or the entries of a map.
func (n *formNode) numbered(of string) (elements []*formNode, ok bool) {
	members := n.below[of]
	if members == nil {
		return nil, n.given && n.value == "" && len(n.below) == 0 // "Tags=" is an empty list
	}
	var numbers []int
	for name := range members.below {
		i, err := strconv.Atoi(name)
		if err != nil || strconv.Itoa(i) != name || i < 1 {
			return nil, false
		}
		numbers = append(numbers, i)
	}
	slices.Sort(numbers)
	for _, i := range numbers {
		elements = append(elements, members.below[strconv.Itoa(i)])
	}
	return elements, true
}

// decodeMap reads a map from strings: its entries are ".entry." and a number, with
// key and value, which some of SNS's maps call Name and Value.
func (n *formNode) decodeMap(v reflect.Value, at string) error {
	entries, ok := n.numbered("entry")
	if !ok || v.Type().Key().Kind() != reflect.String {
		return &Error{Code: "MalformedInput", Message: at + " must be a map"}
	}
	out := reflect.MakeMapWithSize(v.Type(), len(entries))
	for i, e := range entries {
		place := fmt.Sprintf("%s.entry.%d", at, i+1)
		key, value := cmp.Or(e.below["key"], e.below["Name"]), cmp.Or(e.below["value"], e.below["Value"])
		if key == nil || value == nil {
			return &Error{Code: "MalformedInput", Message: place + " must have a key and a value"}
		}
		into := reflect.New(v.Type().Elem()).Elem()
		if err := value.decode(into, place); err != nil {
			return err
		}
		out.SetMapIndex(reflect.ValueOf(key.value).Convert(v.Type().Key()), into)
	}
	v.Set(out)
	return nil
}

func (n *formNode) decode(v reflect.Value, at string) error {
	malformed := func(want string) error {
		return &Error{Code: "MalformedInput", Message: fmt.Sprintf("%s must be %s", at, want)}
	}
	if v.Type() == reflect.TypeFor[time.Time]() {
		t, err := time.Parse(time.RFC3339, n.value)
		if err != nil {
			return malformed("a timestamp")
		}
		v.Set(reflect.ValueOf(t.UTC()))
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		if err := n.decode(p.Elem(), at); err != nil {
			return err
		}
		v.Set(p)
		return nil
	case reflect.Struct:
		if at != "" && n.given && n.value != "" {
			return malformed("a structure")
		}
		for i := range v.NumField() {
			f := v.Type().Field(i)
			below := n.below[f.Name]
			if below == nil {
				below = n.below[memberName(f.Name)] // a few names of the models begin in lower case
			}
			if !isMember(f) || below == nil {
				continue
			}
			if err := below.decode(v.Field(i), strings.TrimPrefix(at+"."+f.Name, ".")); err != nil {
				return err
			}
		}
		return nil
	case reflect.Map:
		return n.decodeMap(v, at)
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[[]byte]() {
			raw, err := base64.StdEncoding.DecodeString(n.value)
			if err != nil {
				return malformed("base64 data")
			}
			v.SetBytes(raw)
			return nil
		}
		elements, ok := n.list()
		if !ok {
			return malformed("a list")
		}
		s := reflect.MakeSlice(v.Type(), len(elements), len(elements))
		for i, e := range elements {
			if err := e.decode(s.Index(i), fmt.Sprintf("%s.member.%d", at, i+1)); err != nil {
				return err
			}
		}
		v.Set(s)
		return nil
	}
	if !n.given {
		return malformed("a single value")
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.value)
	case reflect.Bool:
		t, err := strconv.ParseBool(n.value)
		if err != nil {
			return malformed("true or false")
		}
		v.SetBool(t)
	case reflect.Int32, reflect.Int64:
		i, err := strconv.ParseInt(n.value, 10, v.Type().Bits())
		if err != nil {
			return malformed("an integer")
		}
		v.SetInt(i)
	case reflect.Float32, reflect.Float64:
		f, err := strconv.ParseFloat(n.value, v.Type().Bits())
		if err != nil {
			return malformed("a number")
		}
		v.SetFloat(f)
	case reflect.Interface: // no operation that drydock has takes one in a form
	default:
		return fmt.Errorf("wire: %s: cannot decode into a %s", at, v.Type())
	}
	return nil
}
