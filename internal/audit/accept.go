package audit

import (
	"errors"
	"fmt"
	"time"
)

// Accept is a rule of a team: findings that it names do not count.
type Accept struct {
	Code   Code   // "PL021"; "" or a pattern such as PL02* for several
	Object string // pattern for the object's name, as in prod/*; "" for all
	Image  string // pattern for repository:tag or the whole reference; "" for all
	Reason string
	// Expires is when the rule ends; zero is never.
	Expires time.Time
}

// Check says what is wrong with a rule.
func (a *Accept) Check() error {
	switch {
	case a.Reason == "":
		return errors.New("a rule that accepts findings must say why: reason is empty")
	case a.Code == "" && a.Object == "" && a.Image == "":
		return errors.New("a rule without code, object and image would accept everything")
	}
	return nil
}

func (a *Accept) expired(now time.Time) bool { return !a.Expires.IsZero() && !now.Before(a.Expires) }

func (a *Accept) accepts(f *Finding) bool {
	fits := func(pattern string, names ...string) bool {
		if pattern == "" {
			return true
		}
		for _, name := range names {
			if name != "" && glob(pattern, name) {
				return true
			}
		}
		return false
	}
	return fits(string(a.Code), string(f.Code)) && fits(a.Object, f.Object.Name) && fits(a.Image, f.Image, named(f.Image))
}

// accept marks what the baseline and the rules accept. That a rule has ended
// cannot be accepted away, nor do rules without a reason count.
func accept(findings []Finding, o Options) {
	known := make(map[Key]bool, len(o.Baseline))
	for _, key := range o.Baseline {
		known[key] = true
	}
	for i := range findings {
		f := &findings[i]
		if f.Code == AcceptExpired {
			continue
		}
		if len(known) > 0 && known[f.Key()] {
			f.Accepted = "known: it is in the baseline"
		}
		for k := range o.Accept {
			if rule := &o.Accept[k]; rule.Check() == nil && !rule.expired(o.Now) && rule.accepts(f) {
				f.Accepted = rule.Reason
				break
			}
		}
	}
}

// acceptExpired says which rules have ended: what they accepted counts again.
func (j *judge) acceptExpired() {
	for i := range j.o.Accept {
		rule := &j.o.Accept[i]
		if !rule.expired(j.o.Now) {
			continue
		}
		j.add(Finding{
			Code: AcceptExpired, Severity: Note, Object: Object{Kind: AcceptObject, Name: rule.name()}, Image: rule.Image,
			What: fmt.Sprintf("the rule that accepts %s ended on %s", rule.name(), date(rule.Expires)),
			Why:  "its reason was: " + rule.Reason,
			Fix:  []Fix{{Say: "mend what it accepted, or give the rule a new date"}},
		})
	}
}

func (a *Accept) name() string {
	code, object := string(a.Code), a.Object
	if code == "" {
		code = "every finding"
	}
	if object == "" {
		return code
	}
	return code + " on " + object
}
