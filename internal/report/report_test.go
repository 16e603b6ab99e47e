package report_test

import (
	"encoding/json"
	"encoding/xml"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/report"
)

func TestFailOn(t *testing.T) {
	finding := func(s audit.Severity, accepted string) report.Document {
		return report.Document{Report: audit.Report{Findings: []audit.Finding{{Code: "PL001", Severity: s, Accepted: accepted}}}}
	}
	for _, c := range []struct {
		on       report.FailOn
		severity audit.Severity
		accepted string
		want     bool
	}{
		{report.FailError, audit.Error, "", true},
		{report.FailError, audit.Warning, "", false},
		{report.FailWarning, audit.Error, "", true},
		{report.FailWarning, audit.Warning, "", true},
		{report.FailWarning, audit.Note, "", false},
		{report.FailNote, audit.Note, "", true},
		{report.FailNever, audit.Error, "", false},
		{"", audit.Error, "", false},
		{report.FailNote, audit.Error, "known", false},
	} {
		d := finding(c.severity, c.accepted)
		d.FailOn = c.on
		if got := d.Failed(); got != c.want {
			t.Errorf("fail on %q, severity %d, accepted %q: failed is %v", c.on, c.severity, c.accepted, got)
		}
	}
}

func TestNoSuchFormat(t *testing.T) {
	if err := report.Write(nil, "pdf", report.Document{}); err == nil || !strings.Contains(err.Error(), `no format "pdf"`) {
		t.Errorf("got %v", err)
	}
}

// sarif reads what the rules of SARIF and of GitHub's code scanning
// (https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning)
// are about; a member that the reader does not know is an error.
type sarif struct {
	Schema  string `json:"$schema"`
	Version string
	Runs    []struct {
		Tool struct {
			Driver struct {
				Name, Version, InformationURI string
				Rules                         []struct {
					ID                                      string
					ShortDescription, FullDescription, Help struct{ Text, Markdown string }
					HelpURI                                 string
					DefaultConfiguration                    struct{ Level string }
					Properties                              map[string]any
				}
			}
		}
		AutomationDetails struct{ ID string }
		Invocations       []struct {
			ExecutionSuccessful        *bool
			EndTimeUTC                 time.Time
			ToolExecutionNotifications []struct {
				Level   string
				Message struct{ Text string }
			}
		}
		Results    *[]sarifResult
		ColumnKind string
	}
}

type sarifResult struct {
	RuleID    string
	RuleIndex *int
	Level     string
	Message   struct{ Text string }
	Locations []struct {
		PhysicalLocation struct {
			ArtifactLocation struct{ URI, URIBaseID string }
			Region           struct{ StartLine int }
		}
		LogicalLocations []struct{ Name, FullyQualifiedName, Kind string }
	}
	PartialFingerprints map[string]string
	Suppressions        []struct{ Kind, Status, Justification string }
	Properties          map[string]any
}

func readSARIF(t *testing.T, d report.Document) sarif {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(write(t, report.AsSARIF, d))))
	decoder.DisallowUnknownFields()
	var log sarif
	if err := decoder.Decode(&log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || len(log.Runs) != 1 || log.Runs[0].Results == nil {
		t.Fatalf("version %q, %d runs, results must not be null", log.Version, len(log.Runs))
	}
	return log
}

func TestSARIFIsWhatCodeScanningTakes(t *testing.T) {
	d := sample()
	d.Anchor = report.Anchor{File: "deploy/plimsoll.yaml", Line: 7}
	run := readSARIF(t, d).Runs[0]
	if run.Invocations[0].ExecutionSuccessful == nil || run.AutomationDetails.ID == "" || run.Tool.Driver.Name != "plimsoll" {
		t.Errorf("run: %+v", run)
	}
	if n := len(run.Invocations[0].ToolExecutionNotifications); n != 1 {
		t.Errorf("%d notifications of what could not be seen", n)
	}
	levels := []string{"error", "warning", "note"}
	ids := map[string]bool{}
	for _, r := range run.Tool.Driver.Rules {
		if ids[r.ID] || r.ID == "" || r.ShortDescription.Text == "" || r.FullDescription.Text == "" || r.Help.Text == "" ||
			!slices.Contains(levels, r.DefaultConfiguration.Level) || !strings.HasPrefix(r.HelpURI, "https://") {
			t.Errorf("rule %+v", r)
		}
		ids[r.ID] = true
	}
	prints := map[string]bool{}
	for i, r := range *run.Results {
		f := d.Findings[i]
		if r.RuleID != string(f.Code) || run.Tool.Driver.Rules[*r.RuleIndex].ID != r.RuleID || !slices.Contains(levels, r.Level) {
			t.Errorf("%s: rule %s at %d, level %s", f.Code, r.RuleID, *r.RuleIndex, r.Level)
		}
		if !strings.HasPrefix(r.Message.Text, f.What) || len(r.Locations) != 1 {
			t.Errorf("%s: %q, %d locations", f.Code, r.Message.Text, len(r.Locations))
		}
		at := r.Locations[0]
		if at.PhysicalLocation.ArtifactLocation.URI != "deploy/plimsoll.yaml" || at.PhysicalLocation.Region.StartLine != 7 || at.LogicalLocations[0].Name != f.Object.Name {
			t.Errorf("%s: at %+v", f.Code, at)
		}
		if hash := r.PartialFingerprints["primaryLocationLineHash"]; hash == "" || prints[hash] {
			t.Errorf("%s: fingerprint %q", f.Code, hash)
		} else {
			prints[hash] = true
		}
		if accepted := len(r.Suppressions) == 1; accepted != (f.Accepted != "") {
			t.Errorf("%s: accepted %q, suppressions %+v", f.Code, f.Accepted, r.Suppressions)
		}
	}
}

func TestSARIFOfNothing(t *testing.T) {
	if run := readSARIF(t, report.Document{}).Runs[0]; len(*run.Results) != 0 || run.Tool.Driver.Rules == nil {
		t.Errorf("%+v", run)
	}
}

// A fingerprint is the same on another day, and another for another object.
func TestFingerprint(t *testing.T) {
	of := func(change func(*audit.Finding)) string {
		d := sample()
		f := &d.Findings[1]
		change(f)
		d.Findings = []audit.Finding{*f}
		var out struct {
			Findings []struct{ Fingerprint string }
		}
		if err := json.Unmarshal(write(t, report.AsJSON, d), &out); err != nil {
			t.Fatal(err)
		}
		return out.Findings[0].Fingerprint
	}
	other := "sha256:" + strings.Repeat("e", 64)
	first := of(func(*audit.Finding) {})
	for name, change := range map[string]func(*audit.Finding){
		"date":     func(f *audit.Finding) { f.When.Likely = f.When.Likely.AddDate(0, 0, 1) },
		"wording":  func(f *audit.Finding) { f.What, f.Why = "other", "words" },
		"severity": func(f *audit.Finding) { f.Severity = audit.Error },
		"digest":   func(f *audit.Finding) { f.Digest = other; f.Image += "@" + other },
	} {
		if got := of(change); got != first {
			t.Errorf("another %s is another finding", name)
		}
	}
	for name, change := range map[string]func(*audit.Finding){
		"code":      func(f *audit.Finding) { f.Code = "PL010" },
		"object":    func(f *audit.Finding) { f.Object.Name = "prod/api" },
		"region":    func(f *audit.Finding) { f.Object.Region = "us-east-1" },
		"container": func(f *audit.Finding) { f.Container = "nginx" },
		"tag":       func(f *audit.Finding) { f.Image = "shop:v2" },
	} {
		if of(change) == first {
			t.Errorf("another %s is the same finding", name)
		}
	}
}

func TestJUnit(t *testing.T) {
	var out struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Skipped  int `xml:"skipped,attr"`
		Suites   []struct {
			Name  string `xml:"name,attr"`
			Tests int    `xml:"tests,attr"`
			Cases []struct {
				Class   string `xml:"classname,attr"`
				Name    string `xml:"name,attr"`
				Failure *struct {
					Type    string `xml:"type,attr"`
					Message string `xml:"message,attr"`
					Text    string `xml:",chardata"`
				} `xml:"failure"`
				Skipped *struct {
					Message string `xml:"message,attr"`
				} `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	d := sample()
	second := d.Findings[0]
	second.Code, second.What = "PL042", "a start would fail"
	d.Findings = append(d.Findings, second)
	if err := xml.Unmarshal(write(t, report.AsJUnit, d), &out); err != nil {
		t.Fatal(err)
	}
	// Of seven things judged and one more that only a finding is about, three fail.
	if out.Tests != 8 || out.Failures != 3 || out.Skipped != 1 || len(out.Suites) != 2 {
		t.Fatalf("%d tests, %d failures, %d skipped, %d suites", out.Tests, out.Failures, out.Skipped, len(out.Suites))
	}
	if got := out.Suites[0].Name; got != "123456789012 ap-northeast-1" {
		t.Errorf("suite %q", got)
	}
	seen := map[string]bool{}
	for _, s := range out.Suites {
		for _, c := range s.Cases {
			seen[c.Class+" "+c.Name] = true
			switch c.Name {
			case "prod/checkout":
				if c.Failure == nil || c.Failure.Type != "PL001" || !strings.Contains(c.Failure.Message, "(and 1 more)") ||
					!strings.Contains(c.Failure.Text, "PL042") || !strings.Contains(c.Failure.Text, "plimsoll rescue --cluster prod") {
					t.Errorf("checkout: %+v", c.Failure)
				}
			case "prod/batch":
				if c.Failure != nil || c.Skipped == nil || !strings.Contains(c.Skipped.Message, "the vendor publishes nothing else") {
					t.Errorf("batch: %+v %+v", c.Failure, c.Skipped)
				}
			case "prod/search", "search":
				if c.Failure != nil || c.Skipped != nil {
					t.Errorf("%s is in order: %+v %+v", c.Name, c.Failure, c.Skipped)
				}
			}
		}
	}
	if !seen["service prod/search"] || !seen["repository search"] {
		t.Errorf("cases: %v", seen)
	}
}

func TestJudged(t *testing.T) {
	got := report.Judged(audit.Fleet{
		Services:     []audit.Service{{Place: tokyo(), Cluster: "prod", Name: "web"}, {Place: dublin(), Cluster: "prod", Name: "api"}, {Place: tokyo(), Cluster: "prod", Name: "api"}},
		Schedules:    []audit.Schedule{{Place: tokyo(), Name: "default/nightly"}},
		Repositories: []audit.Repository{{Place: tokyo(), Name: "shop"}},
	})
	var names []string
	for _, o := range got {
		names = append(names, string(o.Kind)+" "+o.Name)
	}
	if want := "repository shop, schedule default/nightly, service prod/api, service prod/web, service prod/api"; strings.Join(names, ", ") != want {
		t.Errorf("got %v", names)
	}
}
