package ecs

import (
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// deadEnd is a network that nothing gets through: what comes to it has passed
// the SDK's own validation.
type deadEnd struct{}

func (deadEnd) Do(*http.Request) (*http.Response, error) { return nil, errors.New("sent") }

// Every member that the SDK refuses to send a request without, drydock refuses
// to take one without, and says which: of every operation that it has, however
// deep the member is. Nothing of this is written down here; the SDK is asked.
func TestRequiredMembers(t *testing.T) {
	w := newWorld(t, store.Memory())
	client := ecs.New(ecs.Options{
		Region: "eu-west-1", HTTPClient: deadEnd{}, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("AKID", "secret", ""),
	})
	needed := 0
	for name, operation := range w.Service().Operations {
		method := reflect.ValueOf(client).MethodByName(name)
		if !method.IsValid() {
			t.Errorf("%s is no operation of the SDK", name)
			continue
		}
		in := reflect.New(method.Type().In(1).Elem())
		populate(in.Elem())
		refusedBySDK := func() bool {
			err, _ := method.Call([]reflect.Value{reflect.ValueOf(t.Context()), in})[1].Interface().(error)
			_, invalid := errors.AsType[smithy.InvalidParamsError](err)
			return invalid
		}
		if refusedBySDK() {
			t.Fatalf("%s: the SDK refuses a request with every member", name)
		}
		eachMember(in.Elem(), "", func(path string, member reflect.Value) {
			kept := reflect.New(member.Type()).Elem()
			kept.Set(member)
			member.SetZero()
			defer member.Set(kept)
			if !refusedBySDK() {
				return
			}
			needed++
			body, err := wire.Encode(in.Interface())
			if err != nil {
				t.Fatal(err)
			}
			_, err = operation(t.Context(), wire.Call{Operation: name, Body: body})
			e, ok := errors.AsType[*wire.Error](err)
			if !ok || e.Status >= 500 || e.Code != "InvalidParameterException" && e.Code != "ClientException" || !namesMember(e.Message, path) {
				t.Errorf("%s without %s: %v", name, path, err)
			}
		})
	}
	if needed < 100 {
		t.Errorf("only %d required members were found", needed)
	}
}

// namesMember is whether a message says the last part of a path, as the model
// has it or in words.
func namesMember(message, path string) bool {
	name := path[strings.LastIndexByte(path, '.')+1:]
	squeezed := strings.ToLower(strings.ReplaceAll(message, " ", ""))
	return strings.Contains(squeezed, strings.ToLower(name)) || name == "ContainerDefinitions" && strings.Contains(message, "Container list")
}

// populate gives every member a value; unions and documents stay empty.
func populate(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		populate(v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(start()))
			return
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && !f.Anonymous {
				populate(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		populate(v.Index(0))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		populate(key)
		populate(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString("x")
		if values := v.MethodByName("Values"); values.IsValid() {
			v.SetString(values.Call(nil)[0].Index(0).String())
		}
	case reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(1)
	case reflect.Bool:
		v.SetBool(true)
	}
}

// eachMember visits every member that can be missing.
func eachMember(v reflect.Value, path string, visit func(path string, member reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			eachMember(v.Elem(), path, visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachMember(v.Index(i), path, visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() || f.Anonymous || v.Type() == reflect.TypeFor[time.Time]() {
				continue
			}
			at := strings.TrimPrefix(path+"."+f.Name, ".")
			if slices.Contains([]reflect.Kind{reflect.Pointer, reflect.Slice, reflect.Map, reflect.String}, f.Type.Kind()) {
				visit(at, v.Field(i))
			}
			eachMember(v.Field(i), at, visit)
		}
	}
}

// A value that an enumeration does not have is refused wherever it is, in the
// words that AWS's frameworks have for it.
func TestEnumerations(t *testing.T) {
	w := newWorld(t, store.Memory())
	client := ecs.New(ecs.Options{Region: "eu-west-1"})
	for name, operation := range w.Service().Operations {
		in := reflect.New(reflect.ValueOf(client).MethodByName(name).Type().In(1).Elem())
		populate(in.Elem())
		eachMember(in.Elem(), "", func(path string, member reflect.Value) {
			if member.Kind() != reflect.String {
				return
			}
			kept := member.String()
			member.SetString("SHIPSHAPE")
			defer member.SetString(kept)
			body, err := wire.Encode(in.Interface())
			if err != nil {
				t.Fatal(err)
			}
			_, err = operation(t.Context(), wire.Call{Operation: name, Body: body})
			if err == nil || !strings.Contains(err.Error(), "1 validation error detected: Value 'SHIPSHAPE' at '") || !namesMember(err.Error(), path) {
				t.Errorf("%s with another %s: %v", name, path, err)
			}
		})
	}
}
