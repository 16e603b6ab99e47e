package lint

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/golden"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

func now() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) }

// img is an image so many days old, with its tags.
func img(digest string, age int, tags ...string) lifecycle.Image {
	return lifecycle.Image{Digest: digest, Tags: tags, PushedAt: now().AddDate(0, 0, -age)}
}

func index(digest string, age int, tag string, children ...string) lifecycle.Image {
	i := img(digest, age, tag)
	i.Children = children
	return i
}

// policy writes rules, given as "1 tagged prod-* count 3": priority, tag
// status with its patterns (a+b; ^a is a prefix), count type, number.
func policy(rules ...string) []byte {
	var list []string
	for _, r := range rules {
		f := strings.Fields(r)
		selection := map[string]any{"tagStatus": f[1], "countNumber": json.Number(f[len(f)-1])}
		if f[1] == "tagged" {
			key, entries := "tagPatternList", strings.Split(f[2], "+")
			if strings.HasPrefix(f[2], "^") {
				key = "tagPrefixList"
				entries[0] = entries[0][1:]
			}
			selection[key] = entries
		}
		action := map[string]any{"type": "expire"}
		switch f[len(f)-2] {
		case "count":
			selection["countType"] = "imageCountMoreThan"
		case "pushed":
			selection["countType"], selection["countUnit"] = "sinceImagePushed", "days"
		case "pulled":
			selection["countType"], selection["countUnit"] = "sinceImagePulled", "days"
			action = map[string]any{"type": "transition", "targetStorageClass": "archive"}
		}
		text, err := json.Marshal(map[string]any{"rulePriority": json.Number(f[0]), "selection": selection, "action": action})
		if err != nil {
			panic(err)
		}
		list = append(list, string(text))
	}
	return []byte("{\"rules\": [\n" + strings.Join(list, ",\n") + "\n]}" + strings.Repeat(" ", 60))
}

func TestCheck(t *testing.T) {
	use := func(digest string) Use { return Use{Digest: digest, By: "prod/api", Since: now().AddDate(0, 0, -100)} }
	for _, tc := range []struct {
		name   string
		rules  []string
		images []lifecycle.Image
		uses   []Use
		want   []string // "code severity rule line"
	}{
		{"nothing to say", []string{"1 tagged v*.*.* count 9999", "2 untagged pushed 30"}, nil, nil, nil},
		{"patterns meant as or", []string{"1 tagged prod-*+release-* count 9999"}, nil, nil, []string{"LC004 warning 1 2"}},
		{
			"patterns meant as or, and the images show it", []string{"1 tagged prod-*+release-* count 9999"},
			[]lifecycle.Image{img("a", 1, "prod-1"), img("b", 1, "release-1")}, nil, []string{"LC004 error 1 2"},
		},
		{
			"patterns meant as and", []string{"1 tagged prod-*+release-* count 5"},
			[]lifecycle.Image{img("a", 1, "prod-1", "release-1")}, nil, []string{"LC004 note 1 2"},
		},
		{"prefixes meant as or", []string{"1 tagged ^prod-+release- count 9999"}, nil, nil, []string{"LC004 warning 1 2"}},
		{"shield second", []string{"1 tagged dev-* count 5", "2 tagged keep-* count 9999"}, nil, nil, []string{"LC005 warning 2 3"}},
		{"shield first", []string{"1 tagged keep-* count 9999", "2 tagged dev-* count 5"}, nil, nil, nil},
		{"v1 is v10", []string{"1 tagged ^v1 count 5"}, nil, nil, []string{"LC006 note 1 2"}},
		{"v1* is v10", []string{"1 tagged v1* count 5"}, []lifecycle.Image{img("a", 1, "v10.0.0")}, nil, []string{"LC006 warning 1 2"}},
		{"v1.* is not", []string{"1 tagged v1.* count 5"}, []lifecycle.Image{img("a", 1, "v1.0.0")}, nil, nil},
		{"matches nothing", []string{"1 tagged rel-* count 5"}, []lifecycle.Image{img("a", 1, "rc-1")}, nil, []string{"LC007 note 1 2"}},
		{"a shield that has nothing yet", []string{"1 tagged keep-* count 9999"}, []lifecycle.Image{img("a", 1, "rc-1")}, nil, nil},
		{"shadowed by its text", []string{"1 tagged dev-* count 5", "2 tagged dev-old-* count 1"}, nil, nil, []string{"LC008 warning 2 3"}},
		{
			"shadowed today", []string{"1 tagged dev-* count 5", "2 tagged *-x count 1"},
			[]lifecycle.Image{img("a", 1, "dev-x")}, nil, []string{"LC013 warning 1 2", "LC008 note 2 3"},
		},
		{"freeze", []string{"1 any pushed 90"}, nil, nil, []string{"LC009 warning 1 2"}},
		{"freeze, in use, but fresh", []string{"1 any pushed 90"}, []lifecycle.Image{img("a", 1, "x")}, []Use{use("a")}, []string{"LC009 warning 1 2"}},
		{"freeze, in use", []string{"1 any pushed 90"}, []lifecycle.Image{img("a", 80, "x")}, []Use{use("a")}, []string{"LC009 error 1 2"}},
		{"untagged too soon", []string{"1 untagged pushed 14"}, nil, nil, []string{"LC010 warning 1 2"}},
		{"untagged by count", []string{"1 untagged count 3"}, nil, nil, []string{"LC010 warning 1 2"}},
		{"untagged late, but in use", []string{"1 untagged pushed 30"}, []lifecycle.Image{img("a", 20)}, []Use{use("a")}, []string{"LC010 error 1 2"}},
		{"untagged late, and in use for longer", []string{"1 untagged pushed 30"}, []lifecycle.Image{img("a", 1)}, []Use{use("a")}, nil},
		{"tagged too soon", []string{"1 tagged prod-* pushed 7"}, nil, nil, []string{"LC011 warning 1 2"}},
		{
			"shared", []string{"1 tagged rc-* count 20"}, []lifecycle.Image{img("a", 1, "rc-1"), img("b", 1, "rc-2")},
			[]Use{use("a"), {Digest: "b", By: "prod/web"}}, []string{"LC012 warning 1 2"},
		},
		{
			"one of both kinds", []string{"1 tagged dev-* count 5", "2 tagged stable-* count 50"},
			[]lifecycle.Image{img("a", 1, "dev-1", "stable-1"), img("b", 1, "stable-2")}, nil, []string{"LC013 warning 1 2"},
		},
		{
			"releases under no rule", []string{"1 tagged dev-* count 5"},
			[]lifecycle.Image{img("a", 1, "v1.2.3"), img("b", 1, "dev-1")}, nil, []string{"LC014 note 0 1"},
		},
		{"releases under any", []string{"1 any count 50"}, []lifecycle.Image{img("a", 1, "1.2.3-rc.1")}, nil, []string{"LC015 warning 1 2"}},
		{"pulled", []string{"1 any pulled 200"}, nil, nil, []string{"LC016 warning 1 2"}},
		{"pulled long ago", []string{"1 any pulled 90"}, []lifecycle.Image{img("a", 1, "x")}, []Use{use("a")}, []string{"LC016 error 1 2"}},
		{
			"children", []string{"1 any count 20"}, []lifecycle.Image{index("i", 1, "x", "a", "b"), img("a", 1), img("b", 1)}, nil,
			[]string{"LC017 warning 1 2"},
		},
		{
			"in use", []string{"1 tagged rc-* count 1"}, []lifecycle.Image{img("a", 9, "rc-1"), img("b", 1, "rc-2")}, []Use{use("a")},
			[]string{"LC018 error 1 2"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			remarks := Check(Subject{Text: policy(tc.rules...), Images: tc.images, Uses: tc.uses, Now: now()})
			var got []string
			for _, r := range remarks {
				got = append(got, fmt.Sprintf("%s %s %d %d", r.Code, r.Severity, r.Rule, r.Line))
				if r.What == "" || r.Why == "" || r.Do == "" {
					t.Errorf("says too little: %+v", r)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s%+v", diff, remarks)
			}
		})
	}
}

func TestWhatECRRefuses(t *testing.T) {
	valid := string(policy("1 tagged prod-* count 5"))
	for _, tc := range []struct {
		name, text string
		want       []string // "code line:column"
	}{
		{"null", strings.Replace(valid, `"selection":{`, `"selection":{"countUnit":null,`, 1), []string{"LC002 2:71"}},
		{"two nulls", strings.NewReplacer(`"selection":{`, `"selection":{"countUnit":null,`, `"expire"`, `"expire","targetStorageClass":null`).Replace(valid), []string{"LC002 2:49", "LC002 2:97"}},
		{"wildcards", strings.Replace(valid, "prod-*", "*a*b*c*d*", 1), []string{"LC003 2:126"}},
		{"no JSON", "{", []string{"LC001 1:1"}},
		{"a wrong value", strings.Replace(valid, `"expire"`, `"delete"`, 1), []string{"LC001 2:19"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, r := range Check(Subject{Text: []byte(tc.text)}) {
				got = append(got, fmt.Sprintf("%s %d:%d", r.Code, r.Line, r.Column))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff, tc.text)
			}
		})
	}
}

func TestThePageIsUpToDate(t *testing.T) {
	golden.Section(t, "../../../docs/lifecycle.md", "lint", Page())
}

func FuzzCheck(f *testing.F) {
	f.Add(policy("1 tagged prod-*+b* count 5", "2 untagged pushed 3", "9 any pulled 8"))
	f.Add([]byte(`{"rules":[{"rulePriority":1,"selection":null}]}`))
	known := map[Code]bool{}
	for _, e := range Catalogue() {
		known[e.Code] = true
	}
	images := []lifecycle.Image{img("a", 9, "prod-1", "b"), img("b", 1), index("c", 3, "v1.2.3", "b")}
	f.Fuzz(func(t *testing.T, text []byte) {
		remarks := Check(Subject{Text: text, Images: images, Uses: []Use{{Digest: "a", By: "x/y"}}, Now: now()})
		_, err := lifecycle.ParsePolicy(text)
		lines := strings.Count(string(text), "\n") + 1
		if err != nil && len(remarks) == 0 {
			t.Fatalf("nothing on %v", err)
		}
		for _, r := range remarks {
			if !known[r.Code] || r.Line < 1 || r.Line > lines || r.Column < 1 || r.What == "" || r.Do == "" {
				t.Fatalf("%+v of %d lines", r, lines)
			}
			if (err != nil) != (r.Code <= "LC003") {
				t.Fatalf("%+v where the policy is refused: %v", r, err)
			}
		}
	})
}
