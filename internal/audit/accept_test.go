package audit_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
)

// faulty is a fleet with three findings: prod/web under a floating tag of a
// mutable repository, and prod/api gone.
func faulty() audit.Fleet {
	f := clean()
	f.Services[0].Runs[0].Containers[0].Image = registry + "/web:latest"
	f.Repositories[0].Images[1].Tags = []string{"latest", "v1.2.0"}
	f.Repositories[0].Mutability = "MUTABLE"
	f.Services = append(f.Services, service("api", runs(3, registry+"/web:v9", "zz")))
	return f
}

func TestAccept(t *testing.T) {
	for _, test := range []struct {
		name string
		rule audit.Accept
		want []string // what still counts
	}{
		{"by code", audit.Accept{Code: "PL021", Reason: "r"}, []string{"PL001", "PL023"}},
		{"by a pattern of codes", audit.Accept{Code: "PL02*", Reason: "r"}, []string{"PL001"}},
		{"by object", audit.Accept{Object: "prod/*", Reason: "r"}, []string{"PL023"}},
		{"by a pattern that has to fit whole", audit.Accept{Object: "prod", Reason: "r"}, []string{"PL001", "PL021", "PL023"}},
		{"by image, without its registry", audit.Accept{Image: "web:latest", Reason: "r"}, []string{"PL001", "PL023"}},
		{"by image as written", audit.Accept{Image: "*.amazonaws.com/web:v9", Reason: "r"}, []string{"PL021", "PL023"}},
		{"all have to fit", audit.Accept{Code: "PL021", Object: "test/*", Reason: "r"}, []string{"PL001", "PL021", "PL023"}},
		{"until tomorrow", audit.Accept{Code: "PL021", Reason: "r", Expires: now().Add(time.Hour)}, []string{"PL001", "PL023"}},
		{"until now", audit.Accept{Code: "PL021", Reason: "r", Expires: now()}, []string{"PL001", "PL021", "PL023", "PL082"}},
		{"without a reason", audit.Accept{Code: "PL021"}, []string{"PL001", "PL021", "PL023"}},
		{"everything", audit.Accept{Reason: "r"}, []string{"PL001", "PL021", "PL023"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := options()
			o.Accept = []audit.Accept{test.rule}
			var got []string
			for _, f := range audit.Judge(faulty(), o).Findings {
				switch f.Accepted {
				case "":
					got = append(got, string(f.Code))
				case "r":
				default:
					t.Errorf("%s is accepted: %q", f.Code, f.Accepted)
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("what counts (-want +got):\n%s", diff)
			}
		})
	}
}

// The rule that a person reads first is the one that says why.
func TestTheFirstRuleSaysWhy(t *testing.T) {
	o := options()
	o.Accept = []audit.Accept{{Code: "PL001", Reason: "first"}, {Code: "PL001", Reason: "second"}}
	if got := audit.Judge(faulty(), o).Findings[0].Accepted; got != "first" {
		t.Errorf("accepted because of %q", got)
	}
}

func TestBaseline(t *testing.T) {
	r := audit.Judge(faulty(), options())
	var text bytes.Buffer
	if _, err := audit.NewBaseline(r).WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	want := `{
  "format": 1,
  "findings": [
    {"code":"PL001","kind":"service","account":"123456789012","region":"eu-west-1","object":"prod/api","container":"app","image":"web:v9"},
    {"code":"PL021","kind":"service","account":"123456789012","region":"eu-west-1","object":"prod/web","container":"app","image":"web:latest"},
    {"code":"PL023","kind":"repository","account":"123456789012","region":"eu-west-1","object":"web"}
  ]
}
`
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Errorf("the file (-want +got):\n%s", diff)
	}
	baseline, err := audit.ParseBaseline(text.Bytes())
	if err != nil {
		t.Fatal(err)
	}

	// A week later, with another digest under the same tag, all are known. What
	// is new counts.
	later, o := faulty(), options()
	o.Now, o.Baseline = now().AddDate(0, 0, 7), baseline
	later.Services[1].Runs[0].Containers[0].Digest = digest("yy")
	later.Repositories[0].Images[1].Tags = []string{"v1.2.0"}
	var counts []string
	for _, f := range audit.Judge(later, o).Findings {
		if f.Accepted == "" {
			counts = append(counts, string(f.Code))
		}
	}
	if diff := cmp.Diff([]string{"PL020"}, counts); diff != "" {
		t.Errorf("what counts a week later (-want +got):\n%s", diff)
	}
}

func TestAnEmptyBaseline(t *testing.T) {
	var text bytes.Buffer
	if _, err := audit.NewBaseline(audit.Report{}).WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	if got, want := text.String(), "{\n  \"format\": 1,\n  \"findings\": []\n}\n"; got != want {
		t.Errorf("written as %q, want %q", got, want)
	}
	if b, err := audit.ParseBaseline(text.Bytes()); err != nil || len(b) != 0 {
		t.Errorf("read as %v, %v", b, err)
	}
}

func TestParseBaselineRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``:                                     "line 1: the file ends too early",
		`{"format":1,`:                         "the file ends too early",
		"{\n\"format\": x}":                    "line 2: invalid character 'x'",
		`[]`:                                   "array",
		`{}`:                                   `"format" is missing`,
		`{"format":2}`:                         "format 2 is not known",
		`{"format":-1}`:                        "format -1 is not known",
		`{"format":"1"}`:                       "format is a string",
		`{"format":1,"findings":[{}]}`:         "finding 1 has no code",
		"{\"format\":1}\n{\"format\":1}":       "something follows",
		`{"format":1,"findings":[{"code":1}]}`: "code is a number",
	} {
		_, err := audit.ParseBaseline([]byte(text))
		bad, ok := errors.AsType[*audit.BaselineError](err)
		if !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseBaseline(%q): %v, want %q", text, err, want)
			continue
		}
		if bad.Hint() == "" {
			t.Errorf("ParseBaseline(%q): no hint", text)
		}
	}
}

// What can be read is written and read again as the same, and every refusal is
// one of ours.
func FuzzParseBaseline(f *testing.F) {
	f.Add([]byte(`{"format":1,"findings":[{"code":"PL001","kind":"service","object":"prod/web"}]}`))
	f.Add([]byte("{\"format\":1,\"findings\":[\n]} x"))
	f.Add([]byte(`{"format":9}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := audit.ParseBaseline(text)
		if err != nil {
			if _, ok := errors.AsType[*audit.BaselineError](err); !ok {
				t.Fatalf("a %T: %v", err, err)
			}
			return
		}
		var again bytes.Buffer
		if _, err := b.WriteTo(&again); err != nil {
			t.Fatal(err)
		}
		back, err := audit.ParseBaseline(again.Bytes())
		if err != nil {
			t.Fatalf("%v, in what was written:\n%s", err, again.Bytes())
		}
		if diff := cmp.Diff(b, back); diff != "" && len(b)+len(back) > 0 {
			t.Errorf("read again (-first +second):\n%s", diff)
		}
	})
}
