package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/report"
	"github.com/plimsoll-ecs/plimsoll/internal/term"
)

// auditOutput says what becomes of an audit's report.
type auditOutput struct {
	Format        []string `help:"table, json, sarif, junit or html; NAME=FILE writes it to a file. Several times for several." default:"table" placeholder:"NAME[=FILE]" complete:"table,json,sarif,junit,html" group:"What comes of it"`
	Out           string   `help:"Write the report to a file instead of stdout." placeholder:"FILE" group:"What comes of it" type:"path"`
	Long          bool     `help:"Show every finding in full in the table, those that are accepted too." group:"What comes of it"`
	FailOn        string   `help:"Exit 8 when a finding is as bad as this: error, warning, note or never." enum:"error,warning,note,never" default:"error" placeholder:"error" group:"What comes of it"`
	Baseline      string   `help:"Findings that this file names do not count." placeholder:"FILE" group:"What comes of it" type:"existingfile"`
	WriteBaseline string   `help:"Write a baseline of the findings of now, and exit 0." placeholder:"FILE" group:"What comes of it" type:"path"`
}

// asTable is the format for people; the others are those of package report.
const asTable report.Format = "table"

// auditFormats are the formats there are.
func auditFormats() []string {
	return []string{string(asTable), string(report.AsJSON), string(report.AsSARIF), string(report.AsJUnit), string(report.AsHTML)}
}

// outlet is one report to be written.
type outlet struct {
	format report.Format
	file   string // "" is stdout
}

// outlets reads --format and --out.
func (o auditOutput) outlets() ([]outlet, error) {
	var all []outlet
	taken := map[string]bool{}
	for _, given := range o.Format {
		name, file, toFile := strings.Cut(given, "=")
		if !slices.Contains(auditFormats(), name) {
			return nil, fmt.Errorf("--format=%s: there is %s", given, strings.Join(auditFormats(), ", "))
		}
		if toFile && file == "" {
			return nil, fmt.Errorf("--format=%s: the name of the file is missing", given)
		}
		file = cmp.Or(file, o.Out)
		if taken[file] {
			return nil, fmt.Errorf("--format=%s: another report goes %s already; give each its own file, as in --format %s=FILE", given, where(file), name)
		}
		taken[file] = true
		all = append(all, outlet{report.Format(name), file})
	}
	if o.Out != "" && !taken[o.Out] {
		return nil, errors.New("--out: every --format has a file of its own")
	}
	return all, nil
}

func where(file string) string {
	if file == "" {
		return "to stdout"
	}
	return "to " + file
}

// check refuses what cannot be meant.
func (o auditOutput) check() error {
	_, err := o.outlets()
	return err
}

// accepted are the rules and the baseline by which findings do not count, to be
// judged with.
func (o auditOutput) accepted(look config.Lookup) ([]audit.Accept, audit.Baseline, error) {
	var rules []audit.Accept
	if look.File != nil {
		rules = look.File.Accepts()
	}
	if o.Baseline == "" {
		return rules, nil, nil
	}
	text, err := os.ReadFile(o.Baseline)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the baseline: %w", err)
	}
	baseline, err := audit.ParseBaseline(text)
	if err != nil {
		return nil, nil, &usageError{fmt.Errorf("--baseline=%s: %w", o.Baseline, err), hintOf(err)}
	}
	return rules, baseline, nil
}

// writeAudit writes what an audit of the fleet came to in every form that was
// asked for, and ends the command with 8 by what it says.
func (s *session) writeAudit(fleet audit.Fleet, found audit.Report, o auditOutput) error {
	outlets, err := o.outlets()
	if err != nil {
		return err
	}
	d, err := s.auditDocument(fleet, found, o, outlets)
	if err != nil {
		return err
	}
	s.audited(fleet, d)
	shown := false
	for _, to := range outlets {
		if s.json() && to.file == "" && to.format == asTable {
			to.format = report.AsJSON
		}
		if err := s.writeReport(to, d, o.Long); err != nil {
			return err
		}
		shown = shown || to.file == "" && to.format == asTable
	}
	if o.WriteBaseline != "" {
		return s.writeBaseline(o.WriteBaseline, found)
	}
	if !d.Failed() {
		return nil
	}
	if !shown && !s.json() { // nothing that a person reads says why it fails
		fmt.Fprintf(s.sys.Stderr, "plimsoll: findings at or above %s: %d\n", o.FailOn, failing(d))
	}
	return &exitError{8}
}

// failing counts the findings that fail the audit.
func failing(d report.Document) int {
	n := 0
	for _, f := range d.Findings {
		if d.FailOn.Fails(f) {
			n++
		}
	}
	return n
}

func (s *session) auditDocument(fleet audit.Fleet, found audit.Report, o auditOutput, outlets []outlet) (report.Document, error) {
	catalogue, err := audit.Catalogue()
	if err != nil {
		return report.Document{}, err
	}
	version, _ := buildVersion()
	d := report.Document{
		Report: found, Rules: catalogue, Judged: report.Judged(fleet), Retirements: fleet.Retirements,
		FailOn: report.FailOn(o.FailOn), Version: version, Anchor: s.anchor(),
	}
	if drawn := func(to outlet) bool { return to.format == report.AsHTML }; slices.ContainsFunc(outlets, drawn) {
		d.LoadLines, d.Undrawn = loadLines(fleet, found)
	}
	return d, nil
}

// anchor is where code scanning shows findings: plimsoll.yaml, by its name in
// the repository.
func (s *session) anchor() report.Anchor {
	if s.file == nil {
		return report.Anchor{}
	}
	return report.Anchor{File: s.inRepository(s.file.Name())}
}

func (s *session) writeReport(to outlet, d report.Document, long bool) error {
	if to.file == "" {
		if to.format == asTable {
			return s.terminal().Audit(auditTable(d, long))
		}
		return report.Write(s.sys.Stdout, to.format, d)
	}
	var b bytes.Buffer
	var err error
	if to.format == asTable {
		err = term.New(term.Options{Out: &b, Err: io.Discard}).Audit(auditTable(d, long))
	} else {
		err = report.Write(&b, to.format, d)
	}
	if err != nil {
		return err
	}
	if err := os.WriteFile(to.file, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

func auditTable(d report.Document, long bool) term.Audit {
	return term.Audit{Report: d.Report, All: long, More: "plimsoll audit --long; plimsoll explain CODE says what a code means"}
}

// writeBaseline keeps the findings of now, so that later audits find only what
// is new.
func (s *session) writeBaseline(file string, found audit.Report) error {
	baseline := audit.NewBaseline(found)
	var b bytes.Buffer
	if _, err := baseline.WriteTo(&b); err != nil {
		return err
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing the baseline: %w", err)
	}
	if !s.json() {
		fmt.Fprintf(s.sys.Stderr, "%s accepts the %d findings of now; use it with --baseline %s\n", file, len(baseline), file)
	}
	return nil
}
