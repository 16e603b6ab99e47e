package logs

import (
	"errors"
	"strings"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// The examples of the CloudWatch Logs user guide, and what lies beside them.
func TestPattern(t *testing.T) {
	for _, test := range []struct {
		pattern string
		yes, no []string
	}{
		{"", []string{"", "anything"}, nil},
		{"ERROR", []string{"[ERROR] A fatal exception has occurred", "Exiting with ERRORCODE: -1"}, []string{"error", "ERR OR"}},
		{"ERROR Exception", []string{"[ERROR] Caught IllegalArgumentException"}, []string{"ERROR", "Exception"}},
		{"ERROR -Exiting", []string{"[ERROR] A fatal exception"}, []string{"Exiting with ERRORCODE: -1"}},
		{"-ERROR", []string{"", "fine"}, []string{"ERROR"}},
		{"?ERROR ?WARN", []string{"ERROR message", "WARN message", "ERROR WARN"}, []string{"INFO message"}},
		{"?ERROR ?ARGUMENTS REQUEST", []string{"[INFO] REQUEST FAILED", "[ERROR] 400 BAD REQUEST"}, []string{"[ERROR] MISSING ARGUMENTS"}},
		{"?ERROR -DEBUG", []string{"INFO"}, []string{"ERROR DEBUG"}},
		{`"INTERNAL SERVER ERROR"`, []string{"500 INTERNAL SERVER ERROR"}, []string{"INTERNAL ERROR SERVER"}},
		{`-"GET /health" "GET /"`, []string{"GET /orders"}, []string{"GET /health"}},
		{`?"a b" ?"c d"`, []string{"xc dx"}, []string{"a c"}},
		{`"say \"hi\" \\"`, []string{`say "hi" \`}, []string{`say hi`}},
		{`"{"`, []string{`{}`}, []string{`x`}},
		{"  two\t words ", []string{"words two"}, []string{"two"}},
	} {
		p, err := parsePattern(test.pattern)
		if err != nil {
			t.Errorf("%q: %v", test.pattern, err)
			continue
		}
		for _, message := range test.yes {
			if !p.match(message) {
				t.Errorf("%q does not match %q", test.pattern, message)
			}
		}
		for _, message := range test.no {
			if p.match(message) {
				t.Errorf("%q matches %q", test.pattern, message)
			}
		}
	}
}

func TestPatternRefusals(t *testing.T) {
	for _, s := range []string{
		`{ $.level = "error" }`, `[ip, user, status=4*]`, `%4[0-9]{2}%`, `foo-bar`, `GET /`, `a*`, `""`, `"open`, `"a"b`, `"a\`, `"\n"`, `-`, `?`, `- "Exiting"`, `--a`, `?-a`,
	} {
		p, err := parsePattern(s)
		if e, ok := errors.AsType[*wire.Error](err); !ok || e.Code != "InvalidParameterException" {
			t.Errorf("parsePattern(%q) = %+v, %v", s, p, err)
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, s := range []string{`ERROR -"a b" ?c`, `"\""`, `{`, `-`, "\x00", `"é" è`} {
		f.Add(s, "ERROR")
	}
	f.Fuzz(func(t *testing.T, s, message string) {
		p, err := parsePattern(s)
		if err != nil {
			return
		}
		// A message made of the wanted terms matches, unless an unwanted one
		// hides in it; a message with an unwanted one never does.
		all := strings.Join(append(p.all, p.any...), " ")
		hidden := false
		for _, term := range p.none {
			hidden = hidden || strings.Contains(all, term)
			if p.match(message + term) {
				t.Fatalf("%q matches %q", s, message+term)
			}
		}
		if !hidden && !p.match(all) {
			t.Fatalf("%q does not match %q", s, all)
		}
	})
}

func FuzzToken(f *testing.F) {
	f.Add(token{}.String())
	f.Add(latest().String())
	f.Add("f/1/s")
	f.Fuzz(func(t *testing.T, s string) {
		if parsed, err := parseToken(s); err == nil && parsed.String() != s {
			t.Fatalf("%q became %q", s, parsed)
		}
	})
}
