package taskdef

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func described(t testing.TB) *Document {
	t.Helper()
	raw, err := os.ReadFile("testdata/described.json")
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(raw))
}

func parse(t interface {
	Helper()
	Fatal(...any)
}, raw string) *Document {
	t.Helper()
	d, err := Parse([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAccessors(t *testing.T) {
	d := described(t)
	if got := []any{d.Family(), d.Revision(), d.Status(), d.ARN(), d.ExecutionRoleARN(), d.TaskRoleARN()}; !cmp.Equal(got, []any{
		"web", 7, "ACTIVE", "arn:aws:ecs:ap-northeast-1:123456789012:task-definition/web:7",
		"arn:aws:iam::123456789012:role/exec", "arn:aws:iam::123456789012:role/web",
	}) {
		t.Errorf("got %v", got)
	}
	if got := d.RuntimePlatform(); got != (RuntimePlatform{OperatingSystemFamily: "LINUX", CPUArchitecture: "ARM64"}) {
		t.Errorf("RuntimePlatform: %+v", got)
	}
	if diff := cmp.Diff([]Container{
		{
			Name: "web", Image: "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/web:v1.2.2", Essential: true,
			Environment: []string{"LOG_LEVEL", "API_TOKEN"},
			Secrets:     []Secret{{"DB_PASSWORD", "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:db-AbCdEf:password::"}},
			Log: Log{
				Driver:  "awslogs",
				Options: map[string]string{"awslogs-group": "/ecs/web", "awslogs-region": "ap-northeast-1", "awslogs-stream-prefix": "ecs"},
			},
		},
		{Name: "log-router", Image: "public.ecr.aws/aws-observability/aws-for-fluent-bit:2.32.0", Log: Log{Options: map[string]string{}}},
	}, d.Containers()); diff != "" {
		t.Error(diff)
	}

	bare := parse(t, `{"containerDefinitions":[{"name":"a","image":"b"}],"revision":"7","family":1,"cpu":null}`)
	if bare.Revision() != 0 || bare.Family() != "" || bare.ARN() != "" || bare.RuntimePlatform() != (RuntimePlatform{}) || len(bare.Tags()) != 0 {
		t.Errorf("members of the wrong type are not absent: %+v", bare)
	}
	if !bare.Containers()[0].Essential {
		t.Error("a container is essential unless it says otherwise")
	}
}

func TestParseErrors(t *testing.T) {
	for name, c := range map[string]struct {
		raw          string
		line, column int
		problem      string
	}{
		"empty":               {"", 1, 1, "unexpected end"},
		"cut short":           {"{\n  \"family\": \"web\"", 2, 18, "unexpected end"},
		"comma too many":      {"{\n  \"family\": \"web\",\n}", 3, 1, "invalid character '}'"},
		"columns are letters": {"{\"ä\": x}", 1, 7, "invalid character 'x'"},
		"something after":     {"{} {}", 1, 4, "after top-level value"},
		"last byte wrong":     {"{]", 1, 2, "invalid character ']'"},
		"not UTF-8":           {"{\"a\":\n\"\xff\"}", 2, 2, "not UTF-8"},
		"byte order mark":     {"\ufeff{}", 1, 1, "invalid character"},
		"key twice":           {"{\"containerDefinitions\":[],\n \"family\":\"a\",\"family\":\"b\"}", 2, 15, `"family" is given twice`},
		"key twice, spelt":    {`{"containerDefinitions":[{"name":"a","image":"b","\u0069mage":"c"}]}`, 1, 50, `"image" is given twice`},
		"a list":              {"[]", 1, 1, "is an object"},
		"no containers":       {"{\"family\":\"web\"}", 1, 1, "containerDefinitions"},
		"containers no list":  {"{\"containerDefinitions\": {}}", 1, 26, "containerDefinitions"},
		"container no object": {"{\"containerDefinitions\": [7]}", 1, 27, "with a name"},
		"container unnamed":   {"{\"containerDefinitions\": [{\"name\":\"\"}]}", 1, 27, "with a name"},
		"containers alike":    {"{\"containerDefinitions\": [{\"name\":\"a\"},{\"name\":\"a\"}]}", 1, 40, `two containers are named "a"`},
		"tags no list":        {`{"containerDefinitions":[],"tags":{}}`, 1, 35, "tags must be a list"},
		"tag without key":     {`{"containerDefinitions":[],"tags":[{"value":"x"}]}`, 1, 36, "with a key"},
		"too deep":            {strings.Repeat("[", 20000), 1, 10001, "max depth"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(c.raw))
			e, ok := errors.AsType[*ParseError](err)
			if !ok {
				t.Fatalf("error %v, want a ParseError", err)
			}
			if e.Line != c.line || e.Column != c.column || !strings.Contains(e.Problem, c.problem) {
				t.Errorf("got %v\nwant line %d, column %d: …%s…", e, c.line, c.column, c.problem)
			}
		})
	}
}

func TestForRegistration(t *testing.T) {
	golden, err := os.ReadFile("testdata/registered.golden.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := described(t).ForRegistration()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(golden), string(got.Bytes())); diff != "" {
		t.Error(diff)
	}
	const containers = `"containerDefinitions":[{"name":"a","image":"b"}]`
	for in, want := range map[string]string{
		`{` + containers + `}`: `{` + containers + `}`,
		"\n{ \"revision\": 7,\n  " + containers + ", \"status\" : \"ACTIVE\" }\n":                 "\n{ " + containers + " }\n",
		`{` + containers + `,"tags":[]}`:                                                          `{` + containers + `}`,
		`{` + containers + `,"tags":null,"x":1e3}`:                                                `{` + containers + `,"x":1e3}`,
		`{` + containers + `,"tags": [ {"key":"a"} ],"status":"x","revision":1}`:                  `{` + containers + `,"tags": [ {"key":"a"} ]}`,
		`{"tags":[{"key":"aws:a"},{"key":"b"} ],` + containers + `}`:                              `{"tags":[{"key":"b"}],` + containers + `}`,
		`{"tags":[{"key":"aws:a"}],` + containers + `}`:                                           `{` + containers + `}`,
		`{"taskDefinition":{` + containers + `,"revision":1},"tags":[]}`:                          `{` + containers + `}`,
		`{"tags":[{"key":"a"}],"taskDefinition": {"revision":1,` + containers + `,"status":"x"}}`: `{` + containers + `,"tags":[{"key":"a"}]}`,
		`{"taskDefinition":{"tags":[{"key":"a"}],` + containers + `},"tags":null}`:                `{"tags":[{"key":"a"}],` + containers + `}`,
	} {
		got, err := parse(t, in).ForRegistration()
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if string(got.Bytes()) != want {
			t.Errorf("%s\ngives %s\nwant  %s", in, got.Bytes(), want)
		}
	}
}

func TestTargetContainer(t *testing.T) {
	d := described(t)
	if c, err := d.TargetContainer("web"); err != nil || c.Name != "web" {
		t.Errorf("web: %v, %v", c, err)
	}
	_, err := d.TargetContainer("")
	if e, ok := errors.AsType[*AmbiguousContainerError](err); !ok || !cmp.Equal(e.Names, []string{"web", "log-router"}) {
		t.Errorf("no name, two containers: %v", err)
	}
	for name, nearest := range map[string]string{"wbe": "web", "Web": "web", "log_router": "log-router", "logrouter": "log-router", "api": "", "database": ""} {
		_, err := d.TargetContainer(name)
		e, ok := errors.AsType[*NoContainerError](err)
		if !ok || e.Nearest != nearest || !cmp.Equal(e.Names, []string{"web", "log-router"}) {
			t.Errorf("%s: %v, want nearest %q", name, err, nearest)
		}
		if nearest != "" && !strings.Contains(err.Error(), fmt.Sprintf("did you mean %q?", nearest)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	one := parse(t, `{"containerDefinitions":[{"name":"a","image":"b"}]}`)
	if c, err := one.TargetContainer(""); err != nil || c.Name != "a" {
		t.Errorf("no name, one container: %v, %v", c, err)
	}
	_, err = parse(t, `{"containerDefinitions":[]}`).TargetContainer("")
	if e, ok := errors.AsType[*AmbiguousContainerError](err); !ok || len(e.Names) != 0 {
		t.Errorf("no container: %v", err)
	}
}

func TestSetImageRefuses(t *testing.T) {
	d := parse(t, `{"family":"f","containerDefinitions":[{"name":"a","image":null}]}`)
	for _, ref := range []string{"", "Not An Image", "https://example.com/a"} {
		if _, err := d.SetImage("a", ref); err == nil || !strings.Contains(err.Error(), "image reference") {
			t.Errorf("image %q: %v", ref, err)
		}
	}
	if _, err := d.SetImage("a", "example.com/a:v1"); err == nil || !strings.Contains(err.Error(), "has no image to replace") {
		t.Errorf("container without an image: %v", err)
	}
	if _, err := d.SetImage("b", "example.com/a:v1"); err == nil || !strings.Contains(err.Error(), `no container "b"`) {
		t.Errorf("no such container: %v", err)
	}
}

// drawn is a document with its target image cut out: raw is before + a JSON
// string + after.
type drawn struct{ before, literal, after string }

// documents draws task definitions as nobody would write them: odd white
// space, odd numbers, keys in any order, members nobody knows.
func documents(t *rapid.T) drawn {
	space := func() string { return rapid.SampledFrom([]string{"", "", " ", "\n\t", "\r\n  "}).Draw(t, "space") }
	name := func(s string) string {
		if rapid.IntRange(0, 3).Draw(t, "escape") == 0 {
			return fmt.Sprintf(`"\u%04x%s"`, s[0], s[1:])
		}
		return `"` + s + `"`
	}
	var value func(depth int) string
	value = func(depth int) string {
		kinds := 6
		if depth == 0 {
			kinds = 4
		}
		switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
		case 0:
			return rapid.SampledFrom([]string{"0", "1e3", "512.0", "-0.0", "12345678901234567890123", "1E+2", "0.1e-7"}).Draw(t, "number")
		case 1:
			return rapid.SampledFrom([]string{"true", "false", "null"}).Draw(t, "word")
		case 2:
			return quote(rapid.String().Draw(t, "string"))
		case 3:
			return rapid.SampledFrom([]string{`"\u0061\/\"\\"`, `"<&>"`, `"\ud83d\ude00"`, `"image"`, `"{[,:]}"`}).Draw(t, "odd string")
		case 4:
			var items []string
			for range rapid.IntRange(0, 3).Draw(t, "items") {
				items = append(items, space()+value(depth-1)+space())
			}
			return "[" + space() + strings.Join(items, ",") + "]"
		default:
			var members []string
			for i := range rapid.IntRange(0, 3).Draw(t, "members") {
				members = append(members, space()+name(fmt.Sprintf("image%d", i))+space()+":"+space()+value(depth-1)+space())
			}
			return "{" + space() + strings.Join(members, ",") + "}"
		}
	}
	object := func(members ...string) string {
		for i := range rapid.IntRange(0, 3).Draw(t, "unknown") {
			members = append(members, name(fmt.Sprintf("unknown%d", i))+space()+":"+space()+value(2))
		}
		members = rapid.Permutation(members).Draw(t, "order")
		return "{" + space() + strings.Join(members, space()+","+space()) + space() + "}"
	}

	const hole = "\x00"
	var containers []string
	for i := range rapid.IntRange(0, 2).Draw(t, "sidecars") {
		containers = append(containers, object(name("name")+":"+quote(fmt.Sprintf("sidecar%d", i)), name("image")+": \"web:v1\""))
	}
	containers = append(containers, object(name("name")+space()+": "+name("web"), name("image")+space()+":"+space()+hole))
	containers = rapid.Permutation(containers).Draw(t, "containers")
	members := []string{
		name("containerDefinitions") + ":" + space() + "[" + strings.Join(containers, space()+","+space()) + space() + "]",
		`"family":"web"`,
	}
	for _, m := range []string{`"revision": 7`, `"status":"ACTIVE"`, `"registeredAt":1.5e9`, `"requiresAttributes":[{"name":"x"}]`, `"compatibilities" : ["EC2"]`} {
		if rapid.Bool().Draw(t, "read-only") {
			members = append(members, m)
		}
	}
	raw := object(members...)
	if rapid.Bool().Draw(t, "wrapped") {
		raw = object(`"taskDefinition":`+raw, `"tags": [`+space()+`{"key":"team","value":"shop"}]`)
	}
	raw = space() + raw + space()
	before, after, _ := strings.Cut(raw, hole)
	return drawn{before, rapid.SampledFrom([]string{`"web:v1"`, `"\u0077eb:v1"`, `"a\/b@sha256:\u0030"`, `""`}).Draw(t, "image"), after}
}

func TestSetImageChangesNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := documents(t)
		d := parse(t, doc.before+doc.literal+doc.after)
		if got := string(d.Bytes()); got != doc.before+doc.literal+doc.after {
			t.Fatalf("Parse changed the bytes: %q", got)
		}
		const ref = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/web:v1.2.3"
		edited, err := d.SetImage("web", ref)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := string(edited.Bytes()), doc.before+`"`+ref+`"`+doc.after; got != want {
			t.Fatalf("got  %q\nwant %q", got, want)
		}
		if c, err := edited.TargetContainer("web"); err != nil || c.Image != ref {
			t.Fatalf("the image reads %q, %v", c.Image, err)
		}
		for _, c := range edited.Containers() {
			if c.Name != "web" && c.Image != "web:v1" {
				t.Fatalf("container %s has %s", c.Name, c.Image)
			}
		}
		changes := Diff(d, edited)
		if len(changes) != 1 || changes[0].Path != "containerDefinitions[web].image" || changes[0].After != ref {
			t.Fatalf("changes: %+v", changes)
		}
	})
}

func TestForRegistrationKeepsEveryOtherMember(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := documents(t)
		d := parse(t, doc.before+doc.literal+doc.after)
		edited, err := d.ForRegistration()
		if err != nil {
			t.Fatal(err)
		}
		if edited.def.start != edited.root.start {
			t.Fatal("still wrapped")
		}
		var want []string
		for _, m := range d.def.members {
			if !isReadOnly(m.name) && m.name != "tags" {
				want = append(want, string(d.raw[m.start:m.value.end]))
			}
		}
		var got []string
		for _, m := range edited.def.members {
			if isReadOnly(m.name) {
				t.Fatalf("%s is still there", m.name)
			}
			if m.name != "tags" {
				got = append(got, string(edited.raw[m.start:m.value.end]))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(d.Tags(), edited.Tags()); diff != "" {
			t.Fatal(diff)
		}
		again, err := edited.ForRegistration()
		if err != nil || !bytes.Equal(again.raw, edited.raw) {
			t.Fatalf("not stable: %q, then %q, %v", edited.raw, again.raw, err)
		}
		if Fingerprint(d) != Fingerprint(edited) {
			t.Fatal("another fingerprint")
		}
	})
}

func FuzzParse(f *testing.F) {
	raw, err := os.ReadFile("testdata/described.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(raw), "web", "example.com/web:v2")
	f.Add(`{"containerDefinitions":[{"name":"a","image":"b"}],"tags":[{"key":"aws:x"}]}`, "", "b:v1")
	f.Add(`{"containerDefinitions":[{"na\u006de":"a","image":""}],"cpu":1e9999999999}`, "a", "b:v1")
	f.Add(`{"taskDefinition":{"containerDefinitions":[]},"tags":null}`, "b", "c")
	f.Add("{\"a\":\n[1,}", "", "")
	f.Fuzz(func(t *testing.T, raw, container, ref string) {
		d, err := Parse([]byte(raw))
		if err != nil {
			if e, ok := errors.AsType[*ParseError](err); !ok || e.Line < 1 || e.Column < 1 {
				t.Fatalf("bad error %#v", err)
			}
			return
		}
		if string(d.Bytes()) != raw {
			t.Fatal("Parse changed the bytes")
		}
		if len(Diff(d, d)) != 0 {
			t.Fatal("differs from itself")
		}
		registered, err := d.ForRegistration()
		if err != nil {
			t.Fatalf("ForRegistration: %v", err)
		}
		if Fingerprint(registered) != Fingerprint(d) {
			t.Fatal("ForRegistration changed the fingerprint")
		}
		tagged, err := d.SetTags(map[string]string{"plimsoll:image-tag": "v1"})
		if err == nil && tagged.Tags()["plimsoll:image-tag"] != "v1" {
			t.Fatal("tag not set")
		}
		if tooMany := (*TooManyTagsError)(nil); err != nil && !errors.As(err, &tooMany) {
			t.Fatalf("SetTags: %v", err)
		}
		edited, err := d.SetImage(container, ref)
		if err != nil {
			return
		}
		if !json.Valid(edited.Bytes()) {
			t.Fatalf("no JSON: %q", edited.Bytes())
		}
		if c, err := edited.TargetContainer(container); err != nil || c.Image != ref {
			t.Fatalf("image is %q, %v", c.Image, err)
		}
		if changes := Diff(d, edited); len(changes) > 1 {
			t.Fatalf("changes: %+v", changes)
		}
	})
}
