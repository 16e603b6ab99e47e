package taskdef

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestSetTags(t *testing.T) {
	const head = `{"containerDefinitions":[]`
	for _, c := range []struct{ in, want string }{
		{head + `}`, head + `,"tags":[{"key":"a","value":"1"},{"key":"b","value":"2"}]}`},
		{head + ` }`, head + `,"tags":[{"key":"a","value":"1"},{"key":"b","value":"2"}] }`},
		{head + `,"tags": []}`, head + `,"tags": [{"key":"a","value":"1"},{"key":"b","value":"2"}]}`},
		{head + `,"tags":null}`, head + `,"tags":[{"key":"a","value":"1"},{"key":"b","value":"2"}]}`},
		{head + `,"tags":[ { "value" : "0", "key":"b"} , {"key":"x"} ]}`, head + `,"tags":[ { "value" : "2", "key":"b"} , {"key":"x"},{"key":"a","value":"1"} ]}`},
		{head + `,"tags":[{"key":"a"},{"key":"b","value":null}]}`, head + `,"tags":[{"key":"a","value":"1"},{"key":"b","value":"2"}]}`},
		{`{"taskDefinition":` + head + `}}`, `{"taskDefinition":` + head + `},"tags":[{"key":"a","value":"1"},{"key":"b","value":"2"}]}`},
		{`{"tags":[],"taskDefinition":` + head + `}}`, `{"tags":[{"key":"a","value":"1"},{"key":"b","value":"2"}],"taskDefinition":` + head + `}}`},
	} {
		got, err := parse(t, c.in).SetTags(map[string]string{"b": "2", "a": "1"})
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if string(got.Bytes()) != c.want {
			t.Errorf("%s\ngives %s\nwant  %s", c.in, got.Bytes(), c.want)
		}
	}
}

func TestSetTagsRefuses(t *testing.T) {
	d := parse(t, `{"containerDefinitions":[]}`)
	for name, tag := range map[string][2]string{
		"empty key":      {"", "x"},
		"key of AWS":     {"aws:x", "x"},
		"key of AWS, up": {"AWS:x", "x"},
		"long key":       {strings.Repeat("ä", 129), "x"},
		"long value":     {"x", strings.Repeat("ä", 257)},
		"character":      {"x", "a*b"},
	} {
		_, err := d.SetTags(map[string]string{tag[0]: tag[1]})
		if e, ok := errors.AsType[*TagError](err); !ok || e.Key != tag[0] {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := d.SetTags(map[string]string{strings.Repeat("ä", 128): "größe = 1 + a@b/c:d_e-f.g"}); err != nil {
		t.Error(err)
	}

	fifty := map[string]string{}
	for i := range 50 {
		fifty[fmt.Sprint(i)] = ""
	}
	full, err := parse(t, `{"containerDefinitions":[],"tags":[{"key":"aws:x","value":""}]}`).SetTags(fifty)
	if err != nil {
		t.Fatalf("50 tags and one of AWS's: %v", err)
	}
	if _, err := full.SetTags(map[string]string{"7": "again"}); err != nil {
		t.Errorf("replacing one of 50: %v", err)
	}
	_, err = full.SetTags(map[string]string{"51st": ""})
	if e, ok := errors.AsType[*TooManyTagsError](err); !ok || e.Count != 51 || e.Limit != 50 {
		t.Errorf("the 51st: %v", err)
	}
}

func TestTagsMerge(t *testing.T) {
	tags := rapid.MapOfN(rapid.StringMatching(`[a-c:]{1,2}`), rapid.StringMatching(`[a-z =/]{0,3}`), 0, 5)
	rapid.Check(t, func(t *rapid.T) {
		doc := documents(t)
		d := parse(t, doc.before+doc.literal+doc.after)
		want := d.Tags()
		for range 2 {
			added := tags.Draw(t, "tags")
			tagged, err := d.SetTags(added)
			if err != nil {
				t.Fatal(err)
			}
			maps.Copy(want, added)
			if diff := cmp.Diff(want, tagged.Tags()); diff != "" {
				t.Fatal(diff)
			}
			if Fingerprint(tagged) != Fingerprint(d) {
				t.Fatal("tags are in the fingerprint")
			}
			d = tagged
		}
	})
}
