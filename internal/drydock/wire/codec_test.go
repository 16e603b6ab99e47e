package wire_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

func TestEncode(t *testing.T) {
	for _, test := range []struct {
		name string
		in   any
		want string
	}{
		{"nil members are left out, numbers stay",
			types.Service{ServiceName: aws.String("web")},
			`{"desiredCount":0,"enableECSManagedTags":false,"enableExecuteCommand":false,"pendingCount":0,"runningCount":0,"serviceName":"web"}`},
		{"an empty list stays", struct{ Failures []types.Failure }{[]types.Failure{}}, `{"failures":[]}`},
		{"an empty string behind a pointer stays", types.KeyValuePair{Name: aws.String("A"), Value: aws.String("")}, `{"name":"A","value":""}`},
		{"an empty enum is left out", types.Attachment{}, `{}`},
		{"map keys are sorted", map[string]int32{"b": 2, "a": 1}, `{"a":1,"b":2}`},
		{"seconds with milliseconds", struct{ CreatedAt time.Time }{time.UnixMilli(1763712000123)}, `{"createdAt":1763712000.123}`},
		{"whole seconds", struct{ CreatedAt time.Time }{time.Unix(1763712000, 0)}, `{"createdAt":1763712000}`},
		{"markup is not escaped", map[string]string{"k": "<a&b>"}, `{"k":"<a&b>"}`},
		{"a raw document passes", struct{ Doc json.RawMessage }{json.RawMessage(`{"x":[1]}`)}, `{"doc":{"x":[1]}}`},
		{"an empty raw document is null", []json.RawMessage{nil, {}}, `[null,null]`},
		{"a free document passes", map[string]any{"a": []any{1.5, true, nil, "s"}, "n": json.Number("7")}, `{"a":[1.5,true,null,"s"],"n":7}`},
		{"bytes are base64", struct{ Blob []byte }{[]byte{0xff, 0}}, `{"blob":"/wA="}`},
		{"the SDK's bookkeeping is left out", ecs.DeleteClusterOutput{}, `{}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := wire.Encode(test.in)
			if err != nil {
				t.Fatal(err)
			}
			// Object members of structs come in field order; compare as documents.
			if !sameJSON(t, string(got), test.want) {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestEncodeRefusesWhatAWSHasNot(t *testing.T) {
	for _, v := range []any{make(chan int), map[int]string{1: "a"}, struct{ F func() }{func() {}}} {
		if doc, err := wire.Encode(v); err == nil {
			t.Errorf("Encode(%T) = %s, want an error", v, doc)
		}
	}
}

func TestDecodeErrorsNameTheMember(t *testing.T) {
	for _, test := range []struct{ body, want string }{
		{`{"desiredCount":"three"}`, "desiredCount must be an integer, not a string"},
		{`{"desiredCount":1.5}`, "desiredCount must be an integer, not the number 1.5"},
		{`{"desiredCount":4294967296}`, "desiredCount must be an integer, not the number 4294967296"},
		{`{"cluster":7}`, "cluster must be a string, not a number"},
		{`{"forceNewDeployment":"yes"}`, "forceNewDeployment must be a boolean, not a string"},
		{`{"loadBalancers":{}}`, "loadBalancers must be a list, not an object"},
		{`{"loadBalancers":[{"containerPort":true}]}`, "loadBalancers[0].containerPort must be an integer, not a boolean"},
		{`{"deploymentConfiguration":[]}`, "deploymentConfiguration must be an object, not a list"},
		{`[]`, "the request body is not a JSON object"},
		{`{} {}`, "the request body goes on after its JSON object"},
		{`{}x`, "the request body goes on after its JSON object"},
		{`{`, "the request body is not JSON"},
	} {
		err := wire.Decode([]byte(test.body), new(ecs.UpdateServiceInput))
		e, ok := errors.AsType[*wire.Error](err)
		if !ok || e.Code != "SerializationException" || !strings.HasPrefix(e.Message, test.want) {
			t.Errorf("Decode(%s) = %v, want SerializationException: %s", test.body, err, test.want)
		}
	}
	for _, body := range []string{`{"createdAt":"today"}`, `{"createdAt":1e300}`, `{"createdAt":-1e300}`} {
		if err := wire.Decode([]byte(body), new(types.Task)); err == nil {
			t.Errorf("Decode(%s) accepted a timestamp outside the calendar", body)
		}
	}
	if err := wire.Decode([]byte(`{"layerPartBlob":"*"}`), new(ecr.UploadLayerPartInput)); err == nil {
		t.Error("Decode accepted data that is not base64")
	}
}

func TestDecodeTakesNullAndUnknownAsAbsent(t *testing.T) {
	for _, body := range []string{``, "  \n", `{}`, `{"cluster":null}`, `{"notAMember":{"a":[1]}}`} {
		in := new(ecs.UpdateServiceInput)
		if err := wire.Decode([]byte(body), in); err != nil {
			t.Errorf("Decode(%q): %v", body, err)
		}
		if in.Cluster != nil {
			t.Errorf("Decode(%q) made a cluster %q", body, *in.Cluster)
		}
	}
}

// What Encode writes, Decode reads back, for every document that drydock
// stores or sends.
func TestRoundTrip(t *testing.T) {
	for _, example := range []any{
		types.TaskDefinition{}, types.Service{}, types.Task{}, types.Cluster{},
		ecs.RegisterTaskDefinitionInput{}, ecs.DescribeServicesOutput{}, ecs.DescribeTasksOutput{},
		ecr.DescribeImagesOutput{}, ecr.PutImageInput{}, ecr.UploadLayerPartInput{},
		cloudwatchlogs.FilterLogEventsOutput{}, cloudwatchlogs.PutLogEventsInput{},
	} {
		typ := reflect.TypeOf(example)
		t.Run(typ.String(), rapid.MakeCheck(func(t *rapid.T) {
			in := reflect.New(typ)
			fill(t, in.Elem(), false)
			doc, err := wire.Encode(in.Interface())
			if err != nil {
				t.Fatal(err)
			}
			out := reflect.New(typ)
			if err := wire.Decode(doc, out.Interface()); err != nil {
				t.Fatalf("%v\n%s", err, doc)
			}
			if diff := cmp.Diff(in.Interface(), out.Interface(), members()); diff != "" {
				t.Fatal(diff)
			}
		}))
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `null`, `{"family":"web","containerDefinitions":[{"name":"app","environment":[{"name":"A","value":""}]}]}`,
		`{"tags":[{"key":"a"}],"registeredAt":1.5}`, `{"containerDefinitions":[null]}`, `{"family":{"a":1}}`, `[[[[`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var first types.TaskDefinition
		if err := wire.Decode(body, &first); err != nil {
			if _, ok := errors.AsType[*wire.Error](err); !ok {
				t.Fatalf("not an AWS error: %v", err)
			}
			return
		}
		doc, err := wire.Encode(first)
		if err != nil {
			t.Fatal(err)
		}
		var second types.TaskDefinition
		if err := wire.Decode(doc, &second); err != nil {
			t.Fatalf("%v\n%s", err, doc)
		}
		if diff := cmp.Diff(first, second, members()); diff != "" {
			t.Fatal(diff)
		}
	})
}

// members compares what crosses the wire: not the SDK's bookkeeping.
func members() cmp.Option {
	return cmp.FilterPath(func(p cmp.Path) bool {
		field, ok := p.Last().(cmp.StructField)
		return ok && (field.Name() == "ResultMetadata" || field.Name() == "noSmithyDocumentSerde")
	}, cmp.Ignore())
}

// fill draws a value of the SDK's types. With full, nothing is nil, as the
// SDK's own validation of required members demands. Unions stay nil: drydock
// answers to nothing that has one.
func fill(t *rapid.T, v reflect.Value, full bool) {
	absent := func() bool { return !full && rapid.Bool().Draw(t, "absent") }
	switch v.Interface().(type) {
	case time.Time:
		ms := rapid.Int64Range(0, 4102444800000).Draw(t, "time")
		v.Set(reflect.ValueOf(time.UnixMilli(ms).UTC()))
		return
	case []byte:
		if !absent() {
			v.SetBytes(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if absent() {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), full)
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Name != "ResultMetadata" {
				fill(t, v.Field(i), full)
			}
		}
	case reflect.Slice:
		if absent() {
			return
		}
		n := rapid.IntRange(0, 2).Draw(t, "length")
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(t, v.Index(i), full)
		}
	case reflect.Map:
		if absent() {
			return
		}
		v.Set(reflect.MakeMap(v.Type()))
		for range rapid.IntRange(0, 2).Draw(t, "length") {
			value := reflect.New(v.Type().Elem()).Elem()
			fill(t, value, full)
			v.SetMapIndex(reflect.ValueOf(rapid.String().Draw(t, "key")).Convert(v.Type().Key()), value)
		}
	case reflect.String:
		shortest := 0
		if full {
			shortest = 1 // an empty enum counts as missing
		}
		v.SetString(rapid.StringN(shortest, 12, -1).Draw(t, "text"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "flag"))
	case reflect.Int32:
		v.SetInt(int64(rapid.Int32().Draw(t, "number")))
	case reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, "number"))
	case reflect.Float64:
		v.SetFloat(float64(rapid.Int32().Draw(t, "number")) / 8)
	case reflect.Interface:
	default:
		t.Fatalf("the SDK has a %s", v.Type())
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	if err := errors.Join(json.Unmarshal([]byte(a), &x), json.Unmarshal([]byte(b), &y)); err != nil {
		t.Fatal(err)
	}
	return cmp.Equal(x, y)
}
