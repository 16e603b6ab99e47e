package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
)

// The part of JUnit's XML that Jenkins, GitLab and the others agree on.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name      string      `xml:"name,attr"`
		Tests     int         `xml:"tests,attr"`
		Failures  int         `xml:"failures,attr"`
		Errors    int         `xml:"errors,attr"` // a fault of the test itself: there is none
		Skipped   int         `xml:"skipped,attr"`
		Timestamp string      `xml:"timestamp,attr"`
		Cases     []junitCase `xml:"testcase"`
		place     audit.Place
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure"`
		Skipped *junitSkipped `xml:"skipped"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitFailure struct {
		Type    string `xml:"type,attr"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr"`
	}
)

// JUnit writes a document as JUnit XML: a suite for every place, a case for
// everything that was judged. A case fails by the findings that fail the audit;
// one that would, if they were not accepted, is skipped.
func JUnit(w io.Writer, d Document) error {
	out := junitSuites{Name: "plimsoll audit"}
	for object, findings := range d.byObject() {
		place := object.Place
		if n := len(out.Suites); n == 0 || out.Suites[n-1].place != place {
			out.Suites = append(out.Suites, junitSuite{
				Name: strings.TrimSpace(place.Account + " " + place.Region), Timestamp: d.At.UTC().Format("2006-01-02T15:04:05"), place: place,
			})
		}
		suite := &out.Suites[len(out.Suites)-1]
		c := d.junitCase(object, findings)
		suite.Cases = append(suite.Cases, c)
		suite.Tests++
		out.Tests++
		if c.Failure != nil {
			suite.Failures++
			out.Failures++
		}
		if c.Skipped != nil {
			suite.Skipped++
			out.Skipped++
		}
	}
	return writeJUnit(w, out)
}

func writeJUnit(w io.Writer, out junitSuites) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// byObject goes through all that was judged, in the order of places, kinds and
// names, with the findings about each.
func (d Document) byObject() func(yield func(audit.Object, []audit.Finding) bool) {
	type key struct {
		kind  audit.ObjectKind
		place audit.Place
		name  string
	}
	keyOf := func(o audit.Object) key { return key{o.Kind, o.Place, o.Name} }
	objects := slices.Clone(d.Judged)
	findings := map[key][]audit.Finding{}
	for _, f := range d.Findings {
		objects = append(objects, f.Object)
		findings[keyOf(f.Object)] = append(findings[keyOf(f.Object)], f)
	}
	slices.SortStableFunc(objects, compareObjects)
	objects = slices.CompactFunc(objects, func(a, b audit.Object) bool { return keyOf(a) == keyOf(b) })
	return func(yield func(audit.Object, []audit.Finding) bool) {
		for _, o := range objects {
			if !yield(o, findings[keyOf(o)]) {
				return
			}
		}
	}
}

func (d Document) junitCase(o audit.Object, findings []audit.Finding) junitCase {
	out := junitCase{Class: string(o.Kind), Name: o.Name, Time: "0"}
	var failing, accepted, others []audit.Finding
	for _, f := range findings {
		switch {
		case d.FailOn.Fails(f):
			failing = append(failing, f)
		case f.Accepted != "" && d.FailOn.Reaches(f.Severity):
			accepted = append(accepted, f)
		default:
			others = append(others, f)
		}
	}
	switch {
	case len(failing) > 0:
		// One element: GitLab shows the first and no other.
		out.Failure = &junitFailure{Type: string(failing[0].Code), Message: failing[0].What, Text: d.texts(failing)}
		if more := len(failing) - 1; more > 0 {
			out.Failure.Message += fmt.Sprintf(" (and %d more)", more)
		}
		others = slices.Concat(accepted, others)
	case len(accepted) > 0:
		out.Skipped = &junitSkipped{Message: fmt.Sprintf("%s %s; accepted: %s", accepted[0].Code, accepted[0].What, accepted[0].Accepted)}
		others = slices.Concat(accepted[1:], others)
	}
	out.Out = d.texts(others)
	return out
}

// texts are findings one after the other.
func (d Document) texts(findings []audit.Finding) string {
	var b strings.Builder
	for i, f := range findings {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%s %s: %s\n", f.Code, f.Severity, f.What)
		for _, line := range d.detail(f) {
			b.WriteString("  " + line + "\n")
		}
		if f.Accepted != "" {
			b.WriteString("  accepted: " + f.Accepted + "\n")
		}
	}
	return b.String()
}
