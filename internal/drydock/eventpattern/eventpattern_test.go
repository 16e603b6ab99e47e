package eventpattern

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// event is one that rules of this trade are written for.
const event = `{
  "source": "aws.health", "detail-type": "AWS Health Event", "resources": ["prod|api", "prod|web"], "account": "123456789012",
  "detail": {"eventTypeCode": "AWS_ECS_TASK_PATCHING_RETIREMENT", "service": "ECS", "count": 3, "ratio": 0.5, "late": false, "end": null, "ip": "10.0.1.7",
    "image": "web:v1.2.0", "none": [], "path": "a*b\\c",
    "containers": [{"name": "web", "exitCode": 0}, {"name": "log", "exitCode": 137}], "nested": [["x"], "y"]}
}`

func TestPatterns(t *testing.T) {
	doc, err := Decode([]byte(event))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		pattern string
		want    bool
	}{
		{`{"source": ["aws.health"]}`, true},
		{`{"source": ["aws.ecs", "aws.health"], "detail": {"service": ["ECS"]}}`, true},
		{`{"source": ["aws.health"], "detail": {"service": ["EC2"]}}`, false},
		{`{"source": ["AWS.HEALTH"]}`, false},
		{`{"missing": ["x"]}`, false},
		{`{"source": {"inner": ["x"]}}`, false},
		{`{"detail": ["x"]}`, false},

		{`{"resources": ["prod|web"]}`, true},
		{`{"resources": ["prod|cron"]}`, false},
		{`{"resources": [{"prefix": "prod|w"}]}`, true},
		{`{"detail": {"nested": ["x"]}}`, true},

		{`{"detail": {"late": [false], "end": [null]}}`, true},
		{`{"detail": {"end": ["null"]}}`, false},
		{`{"detail": {"count": [3.0]}}`, true},
		{`{"detail": {"count": [30e-1]}}`, true},
		{`{"detail": {"count": ["3"]}}`, false},

		{`{"detail": {"image": [{"prefix": "web:"}]}}`, true},
		{`{"detail": {"image": [{"prefix": "WEB:"}]}}`, false},
		{`{"detail": {"image": [{"prefix": {"equals-ignore-case": "WEB:"}}]}}`, true},
		{`{"detail": {"image": [{"suffix": ".0"}]}}`, true},
		{`{"detail": {"image": [{"suffix": {"equals-ignore-case": "V1.2.0"}}]}}`, true},
		{`{"detail": {"image": [{"equals-ignore-case": "WEB:V1.2.0"}]}}`, true},
		{`{"detail": {"image": [{"wildcard": "web:v*.0"}]}}`, true},
		{`{"detail": {"image": [{"wildcard": "web:*v2*"}]}}`, false},
		{`{"detail": {"path": [{"wildcard": "a\\*b\\\\c"}]}}`, true},
		{`{"detail": {"path": [{"wildcard": "a\\*"}]}}`, false},

		{`{"detail": {"count": [{"numeric": [">", 2]}]}}`, true},
		{`{"detail": {"count": [{"numeric": [">=", 0, "<", 3]}]}}`, false},
		{`{"detail": {"ratio": [{"numeric": [">", 0, "<=", 0.5]}]}}`, true},
		{`{"detail": {"service": [{"numeric": ["=", 3]}]}}`, false},

		{`{"source": [{"anything-but": "aws.ecs"}]}`, true},
		{`{"source": [{"anything-but": ["aws.ecs", "aws.health"]}]}`, false},
		{`{"source": [{"anything-but": {"prefix": "aws."}}]}`, false},
		{`{"source": [{"anything-but": {"suffix": ".ecs"}}]}`, true},
		{`{"source": [{"anything-but": {"wildcard": "*.e*"}}]}`, true},
		{`{"source": [{"anything-but": {"equals-ignore-case": ["AWS.HEALTH", "x"]}}]}`, false},
		{`{"detail": {"count": [{"anything-but": [1, 2]}]}}`, true},
		{`{"detail": {"count": [{"anything-but": {"prefix": "x"}}]}}`, false},
		{`{"missing": [{"anything-but": "x"}]}`, false},

		{`{"detail": {"service": [{"exists": true}]}}`, true},
		{`{"detail": {"service": [{"exists": false}]}}`, false},
		{`{"detail": {"end": [{"exists": true}]}}`, true},
		{`{"detail": {"missing": [{"exists": false}]}}`, true},
		{`{"missing": {"deeper": [{"exists": false}]}}`, true},
		{`{"detail": [{"exists": true}]}`, false}, // an object is no leaf
		{`{"detail": {"none": [{"exists": false}]}}`, true},
		{`{"detail": {"missing": ["x", {"exists": false}]}}`, true},

		{`{"detail": {"ip": [{"cidr": "10.0.1.0/24"}]}}`, true},
		{`{"detail": {"ip": [{"cidr": "10.0.2.0/24"}]}}`, false},
		{`{"detail": {"service": [{"cidr": "10.0.2.0/24"}]}}`, false},

		{`{"detail": {"containers": {"exitCode": [{"anything-but": 0}]}}}`, true},
		{`{"detail": {"containers": {"name": ["web"], "exitCode": [137]}}}`, false}, // not of one container
		{`{"detail": {"containers": {"name": ["log"], "exitCode": [137]}}}`, true},

		{`{"$or": [{"source": ["aws.ecs"]}, {"detail": {"service": ["ECS"]}}]}`, true},
		{`{"$or": [{"source": ["aws.ecs"]}, {"detail": {"service": ["EC2"]}}]}`, false},
		{`{"source": ["aws.ecs"], "$or": [{"account": [{"exists": true}]}, {"region": [{"exists": true}]}]}`, false},
		{`{"detail": {"$or": [{"count": [{"numeric": [">", 5]}]}, {"late": [false]}]}}`, true},
	} {
		p, err := Parse(tt.pattern)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		if got := p.Matches(doc); got != tt.want {
			t.Errorf("%s: %v", tt.pattern, got)
		}
		if tt.want && !p.Takes("source", "aws.health") {
			t.Errorf("%s: ruled out by its source", tt.pattern)
		}
	}
}

func TestInvalidPatterns(t *testing.T) {
	for pattern, want := range map[string]string{
		`{"source": "aws.ecs"}`:              `"source" must be an object or an array at [Source: (String)"{"source": "aws.ecs"}"; line: 1, column: 21]`,
		`[]`:                                 "Filter is not an object",
		`{}`:                                 "Filter is not an object",
		`{"source": []}`:                     "Empty arrays are not allowed",
		`{"detail": {}}`:                     "Empty objects are not allowed",
		`{"source": [["x"]]}`:                "Match value must be String, number, true, false, or null",
		`{"source": [{"begins-with": "x"}]}`: "Unrecognized match type begins-with",
		`{"source": [{"prefix": "x", "suffix": "y"}]}`:     "Only one key allowed in match expression",
		`{"source": [{"prefix": 1}]}`:                      "prefix match pattern must be a string",
		`{"source": [{"prefix": ""}]}`:                     "Null prefix not allowed",
		`{"source": [{"wildcard": "a**"}]}`:                "Consecutive wildcard characters at pos 1",
		`{"source": [{"wildcard": "a\\b"}]}`:               "Invalid escape character at pos 1",
		`{"source": [{"exists": "yes"}]}`:                  "exists match pattern must be either true or false.",
		`{"source": [{"numeric": "x"}]}`:                   "Value of numeric must be an array.",
		`{"source": [{"numeric": ["~", 1]}]}`:              "Unrecognized numeric range operator: ~",
		`{"source": [{"numeric": ["<", 1, ">", 0]}]}`:      "Bad numeric range operator: >",
		`{"source": [{"numeric": [">", 5, "<", 5]}]}`:      "Bottom must be less than top",
		`{"source": [{"numeric": [">", 6000000000]}]}`:     "Value must be between",
		`{"source": [{"anything-but": ["x", 1]}]}`:         "mixed type is not supported",
		`{"source": [{"anything-but": []}]}`:               "Empty arrays are not allowed",
		`{"source": [{"anything-but": {"exists": true}}]}`: "Unsupported anything-but pattern: exists",
		`{"source": [{"anything-but": true}]}`:             "Value of anything-but must be",
		`{"source": [{"cidr": "10.0.0.0"}]}`:               "Malformed CIDR",
		`{"$or": [{"source": ["x"]}]}`:                     "$or must have at least two alternatives",
		"{\n  \"source\": [,]}":                            "line: 2",
		`{"source": ["x"]} {}`:                             "goes on after its object",
		`{"source": ["x"`:                                  "not JSON",
		``:                                                 "not JSON",
	} {
		_, err := Parse(pattern)
		invalid, ok := errors.AsType[*InvalidError](err)
		if !ok || !strings.Contains(invalid.Error(), want) {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}

// What Takes rules out, Matches refuses, whatever else the document has; and
// without a condition on the member nothing is ruled out.
func TestTakesNeverRulesOutAMatch(t *testing.T) {
	word := rapid.SampledFrom([]string{"aws.ecs", "aws.ecr", "mine", ""})
	rapid.Check(t, func(t *rapid.T) {
		tests := rapid.SliceOfN(rapid.SampledFrom([]string{`"aws.ecs"`, `{"prefix":"aws."}`, `{"suffix":"e"}`, `{"anything-but":"mine"}`, `{"exists":true}`, `{"exists":false}`, `{"wildcard":"*.ec*"}`}), 1, 3).Draw(t, "tests")
		p, err := Parse(`{"source": [` + strings.Join(tests, ",") + `]}`)
		if err != nil {
			t.Fatal(err)
		}
		source := word.Draw(t, "source")
		if got, want := p.Takes("source", source), p.Matches(map[string]any{"source": source}); got != want {
			t.Fatalf("%s: takes %v, matches %v", source, got, want)
		}
		if !p.Takes("detail-type", source) {
			t.Fatal("ruled out by a member without a condition")
		}
	})
}

func FuzzPattern(f *testing.F) {
	f.Add(`{"detail": {"image": [{"wildcard": "web:v*.0"}], "count": [{"numeric": [">=", 0, "<", 3]}]}}`, event)
	f.Add(`{"$or": [{"a": [{"anything-but": {"prefix": "x"}}]}, {"b": [{"cidr": "::/0"}]}]}`, `{"a": [[1, "y"], {"b": null}]}`)
	f.Fuzz(func(t *testing.T, pattern, doc string) {
		p, err := Parse(pattern)
		if err != nil {
			if _, ok := errors.AsType[*InvalidError](err); !ok {
				t.Fatalf("%v", err)
			}
			return
		}
		if !json.Valid([]byte(pattern)) {
			t.Fatalf("%q was taken", pattern)
		}
		v, err := Decode([]byte(doc))
		if err != nil {
			return
		}
		p.Matches(v)
	})
}
