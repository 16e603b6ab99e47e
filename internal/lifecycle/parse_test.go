package lifecycle

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const combined = `{
  "rules": [
    {
      "rulePriority": 20,
      "description": "delete what lay in the archive for a year",
      "selection": {"tagStatus": "any", "storageClass": "archive", "countType": "sinceImageTransitioned", "countUnit": "days", "countNumber": 365},
      "action": {"type": "expire"}
    },
    {
      "rulePriority": 10,
      "selection": {"tagStatus": "tagged", "tagPatternList": ["release-*", "*-prod"], "countType": "sinceImagePulled", "countUnit": "days", "countNumber": 90},
      "action": {"type": "transition", "targetStorageClass": "archive"}
    }
  ]
}`

func TestParsePolicy(t *testing.T) {
	want := []Rule{
		{
			Priority: 10, TagStatus: Tagged, TagPatterns: []string{"release-*", "*-prod"}, StorageClass: Standard,
			CountType: SincePulled, CountNumber: 90, Action: Transition, Line: 9,
		},
		{
			Priority: 20, Description: "delete what lay in the archive for a year", TagStatus: AnyTag, StorageClass: Archive,
			CountType: SinceTransitioned, CountNumber: 365, Action: Expire, Line: 3,
		},
	}
	if diff := cmp.Diff(want, mustParse(t, []byte(combined)).Rules()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestPolicyErrorPointsAtTheFault(t *testing.T) {
	for _, tc := range []struct {
		name, old, new string
		line, column   int
		detail         string
	}{
		{"value", `"any"`, `"ANY"`, 6, 34, "tagStatus is one of any, tagged, untagged"},
		{"number", "365}", "89}", 6, 143, "archived images are kept for at least 90 days"},
		{"null", `"expire"}`, `"expire", "targetStorageClass": null}`, 7, 58, "targetStorageClass is null: leave it out"},
		{"unknown member", `"description"`, `"comment"`, 5, 7, `a rule has no "comment"`},
		{"list entry", `"*-prod"`, `"*a*b*c*d*"`, 11, 76, `"*a*b*c*d*" has more than 4 wildcards`},
		{"second rule", `"rulePriority": 10`, `"rulePriority": 20`, 10, 23, "priority 20 is given to another rule"},
		{"columns count characters", `"description": "delete what lay in the archive for a year",`, `"description": "日本語", "x": 1,`, 5, 29, `a rule has no "x"`},
		{"syntax", `"rulePriority": 10,`, `"rulePriority": 10`, 11, 7, `invalid character '"' after object key:value pair`},
		{"cut off", "\n  ]\n}", "\n  ]", 14, 3, "unexpected end of JSON input"},
		{"said twice", `"rulePriority": 10,`, `"rulePriority": 10, "rulePriority": 11,`, 10, 27, `"rulePriority" is given twice`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := ParsePolicy([]byte(strings.Replace(combined, tc.old, tc.new, 1)))
			var e *PolicyError
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
			if e.Line != tc.line || e.Column != tc.column || e.Detail != tc.detail {
				t.Errorf("%d:%d %s\nwant %d:%d %s", e.Line, e.Column, e.Detail, tc.line, tc.column, tc.detail)
			}
		})
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte(combined))
	for _, v := range readVectors(f).Validate {
		f.Add(padded(v.Policy))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParsePolicy(text)
		if err != nil {
			var e *PolicyError
			if !errors.As(err, &e) {
				t.Fatalf("not a PolicyError: %v", err)
			}
			if lines := strings.Count(string(text), "\n") + 1; e.Line < 1 || e.Line > lines || e.Column < 1 {
				t.Fatalf("%v points outside of %d lines", err, lines)
			}
			return
		}
		var doc struct{ Rules []json.RawMessage }
		if err := json.Unmarshal(text, &doc); err != nil || len(doc.Rules) != len(p.rules) {
			t.Fatalf("%d rules of %d, %v", len(p.rules), len(doc.Rules), err)
		}
		for i, r := range p.rules {
			if i > 0 && p.rules[i-1].Priority >= r.Priority {
				t.Fatalf("rules %d and %d are not in order", i-1, i)
			}
			if r.TagStatus == Tagged != (len(r.TagPatterns)+len(r.TagPrefixes) > 0) || r.CountNumber < 1 {
				t.Fatalf("invalid rule %+v", r)
			}
		}
	})
}

func FuzzGlob(f *testing.F) {
	f.Add("*test*1*2*3", "my-test-1-2-3")
	f.Add("ab*ba", "aba")
	f.Fuzz(func(t *testing.T, pattern, tag string) {
		if len(pattern) > 30 || len(tag) > 300 {
			t.Skip()
		}
		g := newGlob(pattern)
		if got, want := g.match(tag), slowGlob(pattern, tag); got != want {
			t.Errorf("%q matches %q: %v", pattern, tag, got)
		}
	})
}
