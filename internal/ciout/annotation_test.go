package ciout

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestAnnotation(t *testing.T) {
	for _, tt := range []struct {
		name string
		Annotation
		want string
	}{
		{"at a line", Annotation{Level: Error, Title: "plimsoll.yaml", File: "deploy/plimsoll.yaml", Line: 12, Column: 7, Text: "account: want 12 digits"},
			"::error file=deploy/plimsoll.yaml,line=12,col=7,title=plimsoll.yaml::account: want 12 digits"},
		{"of no place", Annotation{Level: Warning, Text: "100% of it"}, "::warning::100%25 of it"},
		{"several lines", Annotation{Level: Error, Title: "rolled-back: prod/api", Text: "a\nb"}, "::error title=rolled-back%3A prod/api::a%0Ab"},
		{"another command in it", Annotation{Level: Error, Title: "x,file=/etc::y", Text: "a\n::add-mask::x\r##[group]"},
			"::error title=x%2Cfile=/etc%3A%3Ay::a%0A: :add-mask::x ## [group]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.String(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Whatever the texts are, the runner finds one command, the one that was meant,
// and no other in what it shows of it.
func TestAnnotationProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Annotation{Level: Error, Title: hostile().Draw(t, "title"), File: hostile().Draw(t, "file"), Line: 3, Text: hostile().Draw(t, "text")}
		said := Annotations([]Annotation{a})
		lines := runnerLines(said)
		if len(lines) != 1 {
			t.Fatalf("%q is %d lines", said, len(lines))
		}
		c, ok := readCommand(lines[0])
		if !ok || c.name != "error" || c.properties["line"] != "3" {
			t.Fatalf("%q is %+v", lines[0], c)
		}
		for name := range c.properties {
			if !strings.Contains(" file line title ", " "+name+" ") {
				t.Fatalf("%q has the property %q", lines[0], name)
			}
		}
		for _, line := range runnerLines(c.data) {
			if inner, ok := runnerReads(line); ok {
				t.Fatalf("%q of %q is the command %q", line, said, inner.name)
			}
		}
	})
}

func TestAnnotationsAreAsManyAsAreKept(t *testing.T) {
	var all []Annotation
	for i := range 14 {
		all = append(all, Annotation{Level: Warning, Text: fmt.Sprint("warning ", i)})
	}
	all = append(all, Annotation{Level: Error, Text: "the error"})
	lines := strings.Split(strings.TrimSpace(Annotations(all)), "\n")
	if diff := cmp.Diff([]string{"::error::the error", "::warning::warning 0"}, lines[:2]); diff != "" {
		t.Error(diff)
	}
	if len(lines) != 11 || lines[10] != "::warning::and 5 more; they are in the log" {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}
