package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/strictyaml"
)

// Audit is what there is to know of audits.
type Audit struct {
	strictyaml.Where
	Ignore []Ignore `yaml:"ignore" doc:"Findings that do not count. They stay in the report, with the reason."`
}

// Ignore is a rule that accepts findings.
type Ignore struct {
	strictyaml.Where
	Code    string `yaml:"code" doc:"Code of the findings, or a pattern such as PL02*; all codes when not given."`
	Object  string `yaml:"object" doc:"What they are about: cluster/service, a repository, a role, with * for any characters; everything when not given."`
	Image   string `yaml:"image" doc:"Image that they are about, as repository:tag, with * for any characters; every image when not given."`
	Reason  string `yaml:"reason,required" doc:"Why that is acceptable. It stands in every report."`
	Expires Date   `yaml:"expires" doc:"The day on which the rule ends; never when not given. A rule that has ended is a finding itself."`
}

// Date is a day such as 2027-03-31.
type Date time.Time

// UnmarshalScalar implements [strictyaml.Scalar].
func (d *Date) UnmarshalScalar(text string) error {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return fmt.Errorf("want %s", d.Describe())
	}
	*d = Date(t)
	return nil
}

// Describe implements [strictyaml.Described].
func (*Date) Describe() string { return "a date, such as 2027-03-31" }

// Accepts are the rules of the file by which findings do not count.
func (f *File) Accepts() []audit.Accept {
	if f.Audit == nil {
		return nil
	}
	out := make([]audit.Accept, len(f.Audit.Ignore))
	for i, rule := range f.Audit.Ignore {
		out[i] = rule.accept()
	}
	return out
}

func (i *Ignore) accept() audit.Accept {
	return audit.Accept{Code: audit.Code(i.Code), Object: i.Object, Image: i.Image, Reason: strings.TrimSpace(i.Reason), Expires: time.Time(i.Expires)}
}

// audit finds rules that would accept everything, or nothing.
func (c *checker) audit(a *Audit) {
	if a == nil {
		return
	}
	for i := range a.Ignore {
		rule := &a.Ignore[i]
		accept := rule.accept()
		if err := accept.Check(); err != nil {
			c.wrong(rule.At, "%v", err)
		}
		if rule.Code == "" || strings.Contains(rule.Code, "*") {
			continue
		}
		known, err := audit.Explain(rule.Code)
		if unknown, ok := errors.AsType[*audit.UnknownCodeError](err); ok {
			c.wrong(rule.Of("code"), "code: %v", unknown)
		} else if err == nil && string(known.Code) != rule.Code {
			c.wrong(rule.Of("code"), "code: %q: write it as %s", rule.Code, known.Code)
		}
	}
}
