package ecs

import (
	"context"
	"reflect"
	"strings"
	"unicode"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/constraint"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// typed makes an operation of a function over the SDK's structs, as
// [wire.Typed] does, with the request held to its model first.
func typed[In, Out any](f func(context.Context, *In) (*Out, error)) wire.Operation {
	return func(ctx context.Context, c wire.Call) (any, error) {
		in := new(In)
		if err := decode(c.Body, in); err != nil {
			return nil, err
		}
		out, err := f(ctx, in)
		if err != nil {
			return nil, err
		}
		return out, nil
	}
}

// decode reads a request and holds it to its model: enumerations have one of
// their values, required members are there.
func decode(body []byte, in any) error {
	if err := wire.Decode(body, in); err != nil {
		return err
	}
	shape := reflect.TypeOf(in).Elem().Name()
	if err := checkPresent(shape, reflect.ValueOf(in).Elem()); err != nil {
		return err
	}
	if found := constraint.Check(in, required); len(found) > 0 {
		return wire.Errorf(exceptionOf(shape), "%s", constraint.Sentence(found))
	}
	return nil
}

// checkPresent refuses a request without one of its own required members, in
// the words that ECS has for that ("Cluster can not be blank.", "Tasks cannot
// be empty.").
func checkPresent(shape string, in reflect.Value) error {
	for _, name := range required(shape) {
		switch f := in.FieldByName(name); f.Kind() {
		case reflect.Slice:
			if f.IsNil() {
				return wire.Errorf(exceptionOf(shape), "%s cannot be empty.", words(name))
			}
		case reflect.String:
			if f.Len() == 0 {
				return wire.Errorf(exceptionOf(shape), "%s can not be blank.", words(name))
			}
		case reflect.Pointer:
			if f.IsNil() {
				return wire.Errorf(exceptionOf(shape), "%s can not be blank.", words(name))
			}
		}
	}
	return nil
}

// words are a member's name as ECS writes it in errors: "Task definition" for
// TaskDefinition.
func words(field string) string {
	if field == "ContainerDefinitions" {
		return "Container list" // observed
	}
	var b strings.Builder
	for i, r := range field {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte(' ')
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// exceptionOf is the exception that ECS answers an invalid request with:
// ClientException where it is about a task definition (observed), else
// InvalidParameterException.
func exceptionOf(shape string) string {
	switch shape {
	case "RegisterTaskDefinitionInput", "DescribeTaskDefinitionInput", "DeregisterTaskDefinitionInput":
		return "ClientException"
	}
	return "InvalidParameterException"
}
