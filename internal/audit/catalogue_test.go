package audit_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/golden"
)

// Every code is explained, in the order of the codes, and nothing else is.
func TestTheCatalogueHasEveryCode(t *testing.T) {
	entries, err := audit.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, string(e.Code))
		if e.Title == "" || e.Means == "" || e.Matters == "" || e.Mend == "" || e.Accept == "" {
			t.Errorf("%s is not explained: %+v", e.Code, e)
		}
	}
	if diff := cmp.Diff(codes(t), got); diff != "" {
		t.Errorf("codes of codes.go and of catalogue.json (-want +got):\n%s", diff)
	}
}

// codes are the constants of codes.go, which must each be there once.
func codes(t *testing.T) []string {
	file, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	ast.Inspect(file, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok {
			code, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, code)
		}
		return true
	})
	if !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
		t.Errorf("the codes are not in order, or one is there twice: %v", list)
	}
	return list
}

func TestExplain(t *testing.T) {
	for _, code := range []string{"PL011", "pl011"} {
		if e, err := audit.Explain(code); err != nil || e.Code != audit.Sinks {
			t.Errorf("Explain(%q) = %v, %v", code, e.Code, err)
		}
	}
	for code, meant := range map[string]audit.Code{
		"PL11": "PL011", "11": "PL011", "PL0011": "PL011", "LP011": "PL011", "PL014": "PL010", "PL999": "", "sinks": "", "": "", "PL12345678901234567890": "",
	} {
		_, err := audit.Explain(code)
		unknown, ok := errors.AsType[*audit.UnknownCodeError](err)
		if !ok || unknown.Meant != meant {
			t.Errorf("Explain(%q): %v, want an unknown code that means %q", code, err, meant)
		}
	}
}

func TestThePageIsUpToDate(t *testing.T) {
	page, err := audit.Page()
	if err != nil {
		t.Fatal(err)
	}
	golden.File(t, "../../docs/findings.md", page)
}

func TestSeveritiesAreWrittenByName(t *testing.T) {
	for s := audit.Note; s <= audit.Error; s++ {
		text, err := s.MarshalText()
		var back audit.Severity
		if err != nil || back.UnmarshalText(text) != nil || back != s {
			t.Errorf("%v is written as %q and read as %v", s, text, back)
		}
	}
	if _, err := audit.Severity(7).MarshalText(); err == nil {
		t.Error("severity 7 is written")
	}
	if err := new(audit.Severity).UnmarshalText([]byte("fatal")); err == nil {
		t.Error(`"fatal" is read`)
	}
}
