// Package report writes what an audit came to: [JSON] for programs, [SARIF] for
// code scanning, [JUnit] for CI, [HTML] for people. Each takes a [Document] and
// writes the same bytes for the same one.
package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
)

// Document is an audit's report with what explains it. Only the report is
// needed.
type Document struct {
	audit.Report
	Rules []audit.Explanation // of the codes
	// Judged is what was looked at, so that what is in order can be told too.
	Judged      []audit.Object
	LoadLines   []LoadLine
	Undrawn     int // repositories whose load line was left out
	Retirements []audit.Retirement
	FailOn      FailOn
	Version     string // of plimsoll
	Anchor      Anchor
}

// LoadLine is the picture of a repository's images against its lifecycle policy.
type LoadLine struct {
	audit.Place
	Repository string
	SVG        string // trusted: it goes into the page as it is
}

// Anchor is the place in the source that code scanning shows findings at: it
// takes none without, though nothing that an audit finds stands in a file.
type Anchor struct {
	File string // relative to the root of the repository; plimsoll.yaml when not given
	Line int    // 1 when not given
}

// FailOn is from which severity on findings fail an audit.
type FailOn string

// The thresholds; the zero value is [FailNever].
const (
	FailNever   FailOn = "never"
	FailNote    FailOn = "note"
	FailWarning FailOn = "warning"
	FailError   FailOn = "error"
)

// Fails says whether a finding fails the audit. One that is accepted never does.
func (f FailOn) Fails(finding audit.Finding) bool {
	return finding.Accepted == "" && f.Reaches(finding.Severity)
}

// Reaches says whether something as bad as this fails.
func (f FailOn) Reaches(s audit.Severity) bool {
	least, fails := f.Least()
	return fails && s >= least
}

// Least is the severity from which on something fails; there is none where
// nothing does.
func (f FailOn) Least() (least audit.Severity, fails bool) {
	err := least.UnmarshalText([]byte(f))
	return least, err == nil
}

// Failed says whether any finding fails the audit.
func (d Document) Failed() bool { return slices.ContainsFunc(d.Findings, d.FailOn.Fails) }

// Format is a way to write a document.
type Format string

// The formats.
const (
	AsJSON  Format = "json"
	AsSARIF Format = "sarif"
	AsJUnit Format = "junit"
	AsHTML  Format = "html"
)

// Write writes a document in a format.
func Write(w io.Writer, f Format, d Document) error {
	writers := map[Format]func(io.Writer, Document) error{AsJSON: JSON, AsSARIF: SARIF, AsJUnit: JUnit, AsHTML: HTML}
	write := writers[f]
	if write == nil {
		return fmt.Errorf("there is no format %q", f)
	}
	if err := write(w, d); err != nil {
		return fmt.Errorf("writing the report as %s: %w", f, err)
	}
	return nil
}

// Judged lists what an audit of the fleet judges, by place, kind and name.
func Judged(f audit.Fleet) []audit.Object {
	var all []audit.Object
	for _, s := range f.Services {
		all = append(all, audit.Object{Kind: audit.ServiceObject, Place: s.Place, Name: s.Cluster + "/" + s.Name, ARN: s.ARN})
	}
	for _, s := range f.Schedules {
		all = append(all, audit.Object{Kind: audit.ScheduleObject, Place: s.Place, Name: s.Name, ARN: s.ARN})
	}
	for _, r := range f.Repositories {
		all = append(all, audit.Object{Kind: audit.RepositoryObject, Place: r.Place, Name: r.Name, ARN: r.ARN})
	}
	slices.SortFunc(all, compareObjects)
	return all
}

func compareObjects(a, b audit.Object) int {
	return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region),
		cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ARN, b.ARN))
}

// rules are the explanations of all codes that occur, by code: a code without
// one is its own title.
func (d Document) rules() []audit.Explanation {
	byCode := map[audit.Code]audit.Explanation{}
	for _, f := range d.Findings {
		byCode[f.Code] = audit.Explanation{Code: f.Code, Severity: f.Severity, Title: string(f.Code)}
	}
	for _, r := range d.Rules {
		if _, occurs := byCode[r.Code]; occurs {
			byCode[r.Code] = r
		}
	}
	return slices.SortedFunc(maps.Values(byCode), func(a, b audit.Explanation) int { return cmp.Compare(a.Code, b.Code) })
}

// fingerprint is the same for the same finding of another day: it knows nothing
// of dates, digests and wording.
func fingerprint(f audit.Finding) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", f.Key()))
	return hex.EncodeToString(sum[:16])
}

// detail is a finding after its first sentence, a line each: why, when, fix.
func (d Document) detail(f audit.Finding) []string {
	var lines []string
	if f.Why != "" {
		lines = append(lines, f.Why)
	}
	if f.When != nil {
		lines = append(lines, "When: "+f.When.Words(d.At.UTC()))
	}
	for _, fix := range f.Fix {
		line := "Fix: " + fix.Say
		if fix.Command != "" {
			line += ": " + fix.Command
		}
		lines = append(lines, line)
	}
	return lines
}
