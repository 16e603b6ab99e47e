package report

import (
	"encoding/json"
	"io"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
)

// The JSON of a report is an interface: members are only ever added, and format
// goes up when one changes its meaning. docs/audit-reports.md describes it.
type jsonReport struct {
	Format         int                 `json:"format"` // 1
	At             time.Time           `json:"at"`
	HorizonSeconds int64               `json:"horizonSeconds"`
	FailOn         FailOn              `json:"failOn"`
	Failed         bool                `json:"failed"`
	Count          jsonCount           `json:"count"` // of findings that count
	Seen           audit.Seen          `json:"seen"`
	Findings       []jsonFinding       `json:"findings"`
	Blind          []audit.Blind       `json:"blind"`
	Rules          []audit.Explanation `json:"rules"` // of the codes that occur
	Retirements    []audit.Retirement  `json:"retirements"`
}

type jsonCount struct {
	Errors   int `json:"errors"`
	Warnings int `json:"warnings"`
	Notes    int `json:"notes"`
	Accepted int `json:"accepted"`
}

type jsonFinding struct {
	audit.Finding
	Fingerprint string `json:"fingerprint"`
}

// JSON writes a document as one JSON object.
func JSON(w io.Writer, d Document) error {
	out := jsonReport{
		Format: 1, At: d.At.UTC(), HorizonSeconds: int64(d.Horizon.Seconds()), FailOn: d.FailOn, Failed: d.Failed(),
		Count: d.count(), Seen: d.Seen,
		// An empty list is a list too.
		Findings: []jsonFinding{}, Rules: append([]audit.Explanation{}, d.rules()...),
		Blind: append([]audit.Blind{}, d.Blind...), Retirements: append([]audit.Retirement{}, d.Retirements...),
	}
	if out.FailOn == "" {
		out.FailOn = FailNever
	}
	for _, f := range d.Findings {
		out.Findings = append(out.Findings, jsonFinding{f, fingerprint(f)})
	}
	return encode(w, out)
}

func (d Document) count() jsonCount {
	t := d.Tally()
	return jsonCount{t.Errors, t.Warnings, t.Notes, t.Accepted}
}

func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
