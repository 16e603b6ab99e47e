package wire

import (
	"context"
	"net/url"
	"reflect"
	"strconv"
	"strings"
)

// TypedQuery is [Typed] for an operation of the Query protocol.
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
// types: Member=value, Member.Inner=value, List.member.1=value. Members that
// the struct does not have are passed over. A value that cannot be read is a
// MalformedInput that names the member.
func DecodeForm(body []byte, into any) error {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return Errorf("MalformedQueryString", "the form cannot be read: %v", err)
	}
	return formNode(form).decode(reflect.ValueOf(into).Elem(), "")
}

// node is a form as the tree that its names spell.
type node struct {
	value string
	here  bool // the name itself is in the form
	below map[string]*node
}

// deepest is how far names lead into a tree; no input of AWS's is as deep.
const deepest = 16

func formNode(form url.Values) *node {
	root := &node{below: map[string]*node{}}
	for name, values := range form {
		at := root
		parts := strings.Split(name, ".")
		if len(parts) > deepest {
			continue
		}
		for _, part := range parts {
			next := at.below[part]
			if next == nil {
				next = &node{below: map[string]*node{}}
				at.below[part] = next
			}
			at = next
		}
		at.value, at.here = values[0], true
	}
	return root
}

func (n *node) decode(v reflect.Value, at string) error {
	switch v.Kind() {
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		if err := n.decode(p.Elem(), at); err != nil {
			return err
		}
		v.Set(p)
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !isMember(f) {
				continue
			}
			inner := n.member(f.Name)
			if inner == nil {
				continue
			}
			if err := inner.decode(v.Field(i), strings.TrimPrefix(at+"."+f.Name, ".")); err != nil {
				return err
			}
		}
	case reflect.Slice:
		return n.decodeList(v, at)
	case reflect.String:
		v.SetString(n.value)
	case reflect.Bool:
		if n.value != "true" && n.value != "false" {
			return unreadable(at, "a boolean", n.value)
		}
		v.SetBool(n.value == "true")
	case reflect.Int32, reflect.Int64:
		i, err := strconv.ParseInt(n.value, 10, v.Type().Bits())
		if err != nil {
			return unreadable(at, "an integer", n.value)
		}
		v.SetInt(i)
	}
	return nil // a map, a time or a union: no operation that drydock answers reads one from a form
}

// member finds a member by the name of its Go field. A few names of the model
// begin in lower case.
func (n *node) member(field string) *node {
	if inner := n.below[field]; inner != nil {
		return inner
	}
	return n.below[memberName(field)]
}

// decodeList reads List.member.1, List.member.2, … to the first gap. A bare
// List= is an empty list.
func (n *node) decodeList(v reflect.Value, at string) error {
	list := reflect.MakeSlice(v.Type(), 0, 0)
	members := n.below["member"]
	for i := 1; members != nil && members.below[strconv.Itoa(i)] != nil; i++ {
		e := reflect.New(v.Type().Elem()).Elem()
		if err := members.below[strconv.Itoa(i)].decode(e, at+".member."+strconv.Itoa(i)); err != nil {
			return err
		}
		list = reflect.Append(list, e)
	}
	v.Set(list)
	return nil
}

func unreadable(at, want, got string) error {
	return Errorf("MalformedInput", "%s must be %s, not %q", at, want, got)
}

type callerKey struct{}

// WithCaller says for everything behind it whose call this is: the ARN of a
// user, of the account's root, or of a session of a role.
func WithCaller(ctx context.Context, arn string) context.Context {
	return context.WithValue(ctx, callerKey{}, arn)
}

// CallerOf is the ARN of who calls; "" when nobody has said, which is when the
// account's administrator does.
func CallerOf(ctx context.Context) string {
	arn, _ := ctx.Value(callerKey{}).(string)
	return arn
}
