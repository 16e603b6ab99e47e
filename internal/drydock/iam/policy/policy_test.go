package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func parse(t testing.TB, kind Kind, text string) Document {
	t.Helper()
	d, err := Parse(text, kind)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return d
}

func one(statement string) string {
	return `{"Version":"2012-10-17","Statement":[` + statement + `]}`
}

func context(pairs ...string) Context {
	c := NewContext()
	for i := 0; i < len(pairs); i += 2 {
		c.Add(pairs[i], pairs[i+1])
	}
	return c
}

const service = "arn:aws:ecs:ap-northeast-1:123456789012:service/prod/api"

func TestActionsAndResources(t *testing.T) {
	for _, test := range []struct {
		action, resource string // elements of the statement, in JSON
		want             Decision
	}{
		{`"Action":"*"`, `"Resource":"*"`, Allowed},
		{`"Action":"ecs:*"`, `"Resource":"*"`, Allowed},
		{`"Action":"ECS:updateservice"`, `"Resource":"*"`, Allowed}, // actions are not case-sensitive
		{`"Action":["ecs:ListTasks","ecs:Update*"]`, `"Resource":"*"`, Allowed},
		{`"Action":"ecs:UpdateServic?"`, `"Resource":"*"`, Allowed},
		{`"Action":"ecs:UpdateService?"`, `"Resource":"*"`, Silent},
		{`"Action":"ecr:*"`, `"Resource":"*"`, Silent},
		{`"NotAction":"iam:*"`, `"Resource":"*"`, Allowed},
		{`"NotAction":["iam:*","ecs:*"]`, `"Resource":"*"`, Silent},
		{`"Action":"ecs:*"`, `"Resource":"` + service + `"`, Allowed},
		{`"Action":"ecs:*"`, `"Resource":"arn:aws:ecs:*:*:service/prod/API"`, Silent}, // resources are
		{`"Action":"ecs:*"`, `"Resource":"arn:aws:ecs:*:*:service/prod/*"`, Allowed},
		{`"Action":"ecs:*"`, `"Resource":"arn:aws:ecs:*:*:service/*"`, Allowed},
		{`"Action":"ecs:*"`, `"Resource":"arn:aws:ecs:*:service/prod/api"`, Silent}, // a star stays in its segment
		{`"Action":"ecs:*"`, `"Resource":"arn:aws:ecs:*"`, Silent},
		{`"Action":"ecs:*"`, `"Resource":"arn:aws:ecs:*:*:service/test/*"`, Silent},
		{`"Action":"ecs:*"`, `"NotResource":"arn:aws:ecs:*:*:service/test/*"`, Allowed},
		{`"Action":"ecs:*"`, `"NotResource":"arn:aws:ecs:*:*:service/prod/*"`, Silent},
		{`"Action":"ecs:*"`, `"Resource":"arn:aws:ecs:*:*:service/${aws:PrincipalTag/cluster}/*"`, Allowed},
		{`"Action":"ecs:*"`, `"Resource":"arn:aws:ecs:*:*:service/${aws:PrincipalTag/none}/*"`, Silent},
		{`"Action":"ecs:*"`, `"Resource":"arn:aws:ecs:*:*:service/${aws:PrincipalTag/none, 'prod'}/*"`, Allowed},
		{`"Action":"ecs:*"`, `"Resource":"arn:aws:ecs:*:*:service/${aws:PrincipalTag/star}/*"`, Silent}, // its star is a star
		{`"Action":"ecs:*"`, `"Resource":"arn:aws:ecs:*:*:service/${*}/*"`, Silent},
	} {
		d := parse(t, Identity, one(`{"Effect":"Allow",`+test.action+`,`+test.resource+`}`))
		got := d.Evaluate(Request{Action: "ecs:UpdateService", Resource: service, Context: context("aws:PrincipalTag/cluster", "prod", "aws:PrincipalTag/star", "*")})
		if got != test.want {
			t.Errorf("%s %s: %v, want %v", test.action, test.resource, got, test.want)
		}
	}
}

func TestConditions(t *testing.T) {
	c := context(
		"aws:username", "aki", "aws:SourceIp", "10.1.2.3", "n", "5", "when", "2026-11-21T09:00:00Z", "aws:SecureTransport", "true",
		"aws:PrincipalArn", "arn:aws:iam::123456789012:role/ci", "aws:TagKeys", "team", "aws:TagKeys", "env", "who", "aki",
	)
	for condition, want := range map[string]bool{
		`{"StringEquals":{"aws:username":"aki"}}`:                                          true,
		`{"StringEquals":{"AWS:UserName":["x","aki"]}}`:                                    true, // keys are not case-sensitive, values are alternatives
		`{"StringEquals":{"aws:username":"AKI"}}`:                                          false,
		`{"StringEqualsIgnoreCase":{"aws:username":"AKI"}}`:                                true,
		`{"StringNotEquals":{"aws:username":["x","aki"]}}`:                                 false,
		`{"StringNotEquals":{"aws:username":["x","y"]}}`:                                   true,
		`{"StringNotEqualsIgnoreCase":{"aws:username":"Aki"}}`:                             false,
		`{"StringLike":{"aws:username":"a*"}}`:                                             true,
		`{"StringLike":{"aws:username":"a?"}}`:                                             false,
		`{"StringNotLike":{"aws:username":"b*"}}`:                                          true,
		`{"StringEquals":{"who":"${aws:username}"}}`:                                       true,
		`{"StringLike":{"who":"${aws:username}*"}}`:                                        true,
		`{"StringEquals":{"none":"x"}}`:                                                    false,
		`{"StringNotEquals":{"none":"x"}}`:                                                 true,
		`{"StringEqualsIfExists":{"none":"x"}}`:                                            true,
		`{"StringEqualsIfExists":{"aws:username":"x"}}`:                                    false,
		`{"Null":{"none":"true"}}`:                                                         true,
		`{"Null":{"none":"false"}}`:                                                        false,
		`{"Null":{"aws:username":"false"}}`:                                                true,
		`{"Bool":{"aws:SecureTransport":"true"}}`:                                          true,
		`{"Bool":{"aws:SecureTransport":true}}`:                                            true,
		`{"Bool":{"aws:SecureTransport":"false"}}`:                                         false,
		`{"NumericLessThan":{"n":"6"}}`:                                                    true,
		`{"NumericLessThan":{"n":5}}`:                                                      false,
		`{"NumericLessThanEquals":{"n":5}}`:                                                true,
		`{"NumericGreaterThan":{"n":"4.5"}}`:                                               true,
		`{"NumericNotEquals":{"n":"5.0"}}`:                                                 false,
		`{"NumericEquals":{"n":"five"}}`:                                                   false,
		`{"DateGreaterThan":{"when":"2026-11-21"}}`:                                        true,
		`{"DateLessThan":{"when":"2026-11-21T10:00:00+02:00"}}`:                            false,
		`{"DateEquals":{"when":"1795251600"}}`:                                             true,
		`{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`:                                      true,
		`{"IpAddress":{"aws:SourceIp":"10.1.2.3"}}`:                                        true,
		`{"NotIpAddress":{"aws:SourceIp":["192.168.0.0/16","10.0.0.0/8"]}}`:                false,
		`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/c*"}}`:                        true,
		`{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::*:role/ci"}}`:                      true,
		`{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/ci"}}`:                     false,
		`{"ForAllValues:StringEquals":{"aws:TagKeys":["team","env","x"]}}`:                 true,
		`{"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}`:                           false,
		`{"ForAllValues:StringEquals":{"none":["team"]}}`:                                  true,
		`{"ForAnyValue:StringEquals":{"aws:TagKeys":["team"]}}`:                            true,
		`{"ForAnyValue:StringEquals":{"aws:TagKeys":["x"]}}`:                               false,
		`{"ForAnyValue:StringEquals":{"none":["x"]}}`:                                      false,
		`{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["team"]}}`:                         true, // env is none of them
		`{"StringEquals":{"aws:username":"aki"},"NumericEquals":{"n":"6"}}`:                false,
		`{"StringEquals":{"aws:username":"aki","who":"x"}}`:                                false,
		`{"BinaryEquals":{"who":"aki"}}`:                                                   true,
		`{"StringEquals":{"aws:username":[]}}`:                                             false,
		`{"ForAllValues:StringLikeIfExists":{"none":["x"]}}`:                               true,
		`{"StringLike":{"aws:PrincipalArn":"arn:aws:*:ci"},"Null":{"aws:username":false}}`: false,
	} {
		d := parse(t, Identity, one(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":`+condition+`}`))
		if got := d.Evaluate(Request{Action: "a:b", Resource: "*", Context: c}) == Allowed; got != want {
			t.Errorf("%s: %v, want %v", condition, got, want)
		}
	}
}

func TestPrincipals(t *testing.T) {
	role := Caller{AWS: []string{"arn:aws:sts::123456789012:assumed-role/ci/x", "arn:aws:iam::123456789012:role/ci"}}
	provider := Caller{Federated: "arn:aws:iam::123456789012:oidc-provider/gitlab.com"}
	for _, test := range []struct {
		element string
		caller  Caller
		want    Decision
	}{
		{`"Principal":"*"`, role, Allowed},
		{`"Principal":{"AWS":"*"}`, role, Allowed},
		{`"Principal":{"AWS":"arn:aws:iam::123456789012:role/ci"}`, role, Allowed},
		{`"Principal":{"AWS":["arn:aws:iam::123456789012:role/x","arn:aws:sts::123456789012:assumed-role/ci/x"]}`, role, Allowed},
		{`"Principal":{"AWS":"arn:aws:iam::123456789012:role/*"}`, role, Silent}, // no wildcards here
		{`"Principal":{"AWS":"123456789012"}`, role, Silent},
		{`"Principal":{"Service":"ecs-tasks.amazonaws.com"}`, Caller{Service: "ecs-tasks.amazonaws.com"}, Allowed},
		{`"Principal":{"Service":"ec2.amazonaws.com"}`, Caller{Service: "ecs-tasks.amazonaws.com"}, Silent},
		{`"Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/gitlab.com"}`, provider, Allowed},
		{`"Principal":{"Federated":"gitlab.com"}`, provider, Allowed},
		{`"Principal":{"Federated":"lab.com"}`, provider, Silent},
		{`"NotPrincipal":{"AWS":"arn:aws:iam::123456789012:role/x"}`, role, Allowed},
		{`"NotPrincipal":{"AWS":"arn:aws:iam::123456789012:role/ci"}`, role, Silent},
	} {
		d := parse(t, Trust, one(`{"Effect":"Allow",`+test.element+`,"Action":"sts:AssumeRole"}`))
		if got := d.Evaluate(Request{Action: "sts:AssumeRole", Principal: test.caller, Context: NewContext()}); got != test.want {
			t.Errorf("%s: %v, want %v", test.element, got, test.want)
		}
	}
}

func TestVariablesNeedTheirVersion(t *testing.T) {
	text := `{"Version":"2008-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"a:b","Condition":{"StringEquals":{"k":"${aws:username}"}}}}`
	d := parse(t, Resource, text)
	if d.Evaluate(Request{Action: "a:b", Context: context("k", "aki", "aws:username", "aki")}) != Silent {
		t.Error("a variable of 2008")
	}
	if d.Evaluate(Request{Action: "a:b", Context: context("k", "${aws:username}")}) != Allowed {
		t.Error("what looks like a variable is text")
	}
}

func TestMalformed(t *testing.T) {
	const ok = `"Effect":"Allow","Action":"ecs:*","Resource":"*"`
	for _, test := range []struct {
		kind       Kind
		text, want string
	}{
		{Identity, ``, "Syntax errors in policy."},
		{Identity, `null`, "Syntax errors in policy."},
		{Identity, `[]`, "Syntax errors in policy."},
		{Identity, one(`{`+ok+`}`) + `x`, "Syntax errors in policy."},
		{Identity, one(``), "Syntax errors in policy."},
		{Identity, one(`{` + ok + `,"Resources":"*"}`), "Syntax errors in policy."},
		{Identity, one(`{"Effect":"allow","Action":"a:b","Resource":"*"}`), "Syntax errors in policy."},
		{Identity, one(`{"Effect":"Allow","Action":{},"Resource":"*"}`), "Syntax errors in policy."},
		{Identity, one(`{"Effect":"Allow","Action":[null],"Resource":"*"}`), "Syntax errors in policy."},
		{Identity, one(`{"Effect":"Allow","Action":"a:b","NotAction":"a:c","Resource":"*"}`), "Syntax errors in policy."},
		{Identity, `{"Statement":[{` + ok + `}]}`, "Policy document must be version 2012-10-17 or greater."},
		{Identity, `{"Version":"2012-10-18","Statement":[{` + ok + `}]}`, "Syntax errors in policy."},
		{Identity, one(`{"Effect":"Allow","Resource":"*"}`), "Policy statement must contain actions."},
		{Identity, one(`{"Effect":"Allow","Action":"a:b"}`), "Policy statement must contain resources."},
		{Identity, one(`{"Effect":"Allow","Action":"UpdateService","Resource":"*"}`), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
		{Identity, one(`{"Effect":"Allow","Action":"a:b:c","Resource":"*"}`), "Actions/Condition can contain only one colon."},
		{Identity, one(`{"Effect":"Allow","Action":"a b:c","Resource":"*"}`), "Vendor a b is not valid"},
		{Identity, one(`{"Effect":"Allow","Action":"a:b","Resource":"web"}`), `Resource web must be in ARN format or "*".`},
		{Identity, one(`{"Effect":"Allow","Action":"a:b","Resource":"arn:aws"}`), "Resource vendor must be fully qualified and cannot contain regexes."},
		{Identity, one(`{` + ok + `,"Principal":"*"}`), "Policy document should not specify a principal."},
		{Identity, one(`{` + ok + `,"Sid":"a"},{` + ok + `,"Sid":"a"}`), "Statement IDs (SID) in a single policy must be unique."},
		{Identity, one(`{` + ok + `,"Condition":{"StringIs":{"a":"b"}}}`), "Invalid Condition type : StringIs."},
		{Identity, one(`{` + ok + `,"Condition":{"NumericNotLessThan":{"a":"1"}}}`), "Invalid Condition type : NumericNotLessThan."},
		{Identity, one(`{` + ok + `,"Condition":{"StringEquals":{"a":{}}}}`), "Syntax errors in policy."},
		{Trust, `{`, "This policy contains invalid Json"},
		{Trust, one(`{"Effect":"Allow","Action":"sts:AssumeRole"}`), "Missing required field Principal"},
		{Trust, one(`{"Effect":"Allow","Principal":{},"Action":"sts:AssumeRole"}`), "Missing required field Principal cannot be empty!"},
		{Trust, one(`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}`), "Has prohibited field Resource"},
		{Trust, one(`{"Effect":"Allow","Principal":"*","Action":"ecs:RunTask"}`), "AssumeRole policy may only specify STS AssumeRole actions."},
		{Trust, one(`{"Effect":"Allow","Principal":"me","Action":"sts:AssumeRole"}`), "Syntax errors in policy."},
	} {
		_, err := Parse(test.text, test.kind)
		if e, ok := errors.AsType[*MalformedError](err); !ok || e.Message != test.want {
			t.Errorf("%s: %v, want %q", test.text, err, test.want)
		}
	}
}

// policies draws documents over a small world, so that they meet often.
func policies(t *rapid.T, label string) (Document, string) {
	pick := func(what string, of ...string) string { return rapid.SampledFrom(of).Draw(t, what) }
	var statements []string
	for range rapid.IntRange(1, 4).Draw(t, label) {
		statements = append(statements, fmt.Sprintf(`{"Effect":%q,%q:%q,%q:%q,"Condition":{%q:{"k":%q}}}`,
			pick("effect", "Allow", "Deny"), pick("action", "Action", "NotAction"), pick("name", "*", "a:*", "a:b", "c:?"),
			pick("resource", "Resource", "NotResource"), pick("arn", "*", "arn:a:b:c:d:e", "arn:a:*:c:d:*", "arn:aws:b:c:d:f"),
			pick("operator", "StringLikeIfExists", "StringNotEquals", "ForAllValues:StringEquals"), pick("value", "*", "x", "y")))
	}
	text := strings.ReplaceAll(one(strings.Join(statements, ",")), "arn:a:", "arn:aws:")
	d, err := Parse(text, Identity)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return d, text
}

func requests(t *rapid.T) Request {
	c := NewContext()
	for range rapid.IntRange(0, 2).Draw(t, "values") {
		c.Add("k", rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "k"))
	}
	return Request{
		Action:   rapid.SampledFrom([]string{"a:b", "a:c", "c:d"}).Draw(t, "asked"),
		Resource: rapid.SampledFrom([]string{"*", "arn:aws:b:c:d:e", "arn:aws:b:c:d:f"}).Draw(t, "of"), Context: c,
	}
}

// An explicit deny wins whatever else there is, and an allow more never takes
// anything away.
func TestDenyWinsAndAllowsAdd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, _ := policies(t, "one")
		other, _ := policies(t, "two")
		r := requests(t)
		both := Evaluate([]Document{d, other}, r)
		if (d.Evaluate(r) == Denied || other.Evaluate(r) == Denied) != (both == Denied) {
			t.Fatalf("deny: %v and %v make %v", d.Evaluate(r), other.Evaluate(r), both)
		}
		allows := Document{variables: other.variables}
		for _, s := range other.Statements {
			if !s.Deny {
				allows.Statements = append(allows.Statements, s)
			}
		}
		if more := Evaluate([]Document{d, allows}, r); d.Evaluate(r) == Allowed && more != Allowed {
			t.Fatalf("allowed without %+v, %v with it", allows, more)
		}
		if Evaluate([]Document{other, d}, r) != both {
			t.Fatal("the order of policies counts")
		}
	})
}

// Wildcards match as in path.Match, on texts that have nothing else special.
func TestWildcardsMatchAsAReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringOfN(rapid.RuneFrom([]rune("ab*?")), 0, 12, -1).Draw(t, "pattern")
		text := rapid.StringOfN(rapid.RuneFrom([]rune("ab")), 0, 16, -1).Draw(t, "text")
		want, err := path.Match(pattern, text)
		if got := match(pattern, text, Context{}, false); err != nil || got != want {
			t.Fatalf("%q on %q: %v, want %v, %v", pattern, text, got, want, err)
		}
	})
}

// A value never acts as a pattern.
func TestVariablesAreLiteral(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringOf(rapid.RuneFrom([]rune("ab*?${}"))).Draw(t, "value")
		text := rapid.StringOf(rapid.RuneFrom([]rune("ab*?${}"))).Draw(t, "text")
		if got := match("${v}", text, context("v", value), true); got != (value == text) {
			t.Fatalf("value %q on %q: %v", value, text, got)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{``, one(`{"Effect":"Allow","Action":"ecs:*","Resource":"*"}`), one(`{"Effect":"Deny","NotAction":["a:b"],"NotResource":["*"],"Condition":{"ForAnyValue:StringLike":{"a":["${b}",1,true]}}}`),
		one(`{"Effect":"Allow","Principal":{"AWS":["1"]},"Action":"sts:AssumeRole"}`)} {
		f.Add(uint8(0), seed)
		f.Add(uint8(1), seed)
	}
	f.Fuzz(func(t *testing.T, kind uint8, text string) {
		d, err := Parse(text, Kind(kind%4))
		if err != nil {
			if _, ok := errors.AsType[*MalformedError](err); !ok {
				t.Fatalf("%v", err)
			}
			return
		}
		if !json.Valid([]byte(text)) {
			t.Fatalf("%q was taken", text)
		}
		d.Evaluate(Request{Action: "ecs:UpdateService", Resource: service, Context: context("a", "b")})
	})
}
