package diagnose

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// causes is a variable because go:embed asks for one; nothing writes to it.
//
//go:embed causes.json
var causes string

// Knowledge is the causes this build can name, ready for matching. It is safe
// for use by several goroutines.
type Knowledge struct {
	entries []entry
}

// entry is one cause as causes.json has it. Cause, Check and Fix may say
// {name|otherwise}: what the group of that name in the pattern matched, or
// the words after the bar.
type entry struct {
	ID         string   `json:"id"`
	In         []source `json:"in"`
	Contains   []string `json:"contains"` // in lower case; any of them must be there, or none is given
	Patterns   []string `json:"patterns"` // RE2, capitals or not; any of them must match, or none is given
	Cause      string   `json:"cause"`
	Check      string   `json:"check"`
	Fix        string   `json:"fix"`
	Conclusive int      `json:"conclusive"` // as in Diagnosis
	Fallback   bool     `json:"fallback"`   // says little: left out when anything else is known
	Normal     bool     `json:"normal"`     // ECS or AWS ended the task: its log and exit code prove nothing
	Examples   []string `json:"examples"`

	patterns []*regexp.Regexp
}

// source is who said something.
type source string

const (
	fromAWS  source = "aws"  // reasons, events, refusals, and "stop code X"
	fromLog  source = "log"  // output of the container
	fromExit source = "exit" // "exit code N"
)

// Load reads the causes built into the program. An error is a mistake in
// causes.json.
func Load() (*Knowledge, error) {
	k, err := parse([]byte(causes))
	if err != nil {
		return nil, fmt.Errorf("causes.json: %w", err)
	}
	return k, nil
}

func parse(raw []byte) (*Knowledge, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	var k Knowledge
	if err := d.Decode(&k.entries); err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for i := range k.entries {
		e := &k.entries[i]
		if ids[e.ID] {
			return nil, fmt.Errorf("entry %q is there twice", e.ID)
		}
		ids[e.ID] = true
		if err := e.prepare(); err != nil {
			return nil, fmt.Errorf("entry %q: %w", e.ID, err)
		}
	}
	return &k, nil
}

func (e *entry) prepare() error {
	switch {
	case e.ID == "" || e.Cause == "" || e.Check == "" || e.Fix == "":
		return errors.New("id, cause, check and fix must be given")
	case len(e.Contains)+len(e.Patterns) == 0:
		return errors.New("nothing to match")
	case len(e.In) == 0:
		return errors.New("no source")
	case e.Conclusive < 0:
		return errors.New("conclusive is negative")
	}
	for _, s := range e.In {
		if s != fromAWS && s != fromLog && s != fromExit {
			return fmt.Errorf("unknown source %q", s)
		}
	}
	for _, word := range e.Contains {
		if word == "" || word != strings.ToLower(word) {
			return fmt.Errorf("contains %q, which is not lower case", word)
		}
	}
	for _, expr := range e.Patterns {
		re, err := regexp.Compile("(?is)" + expr)
		if err != nil {
			return err
		}
		e.patterns = append(e.patterns, re)
	}
	for _, text := range []string{e.Cause, e.Check, e.Fix} {
		var err error
		expand(text, func(name string) string {
			if !slices.ContainsFunc(e.patterns, func(re *regexp.Regexp) bool { return re.SubexpIndex(name) >= 0 }) {
				err = fmt.Errorf("no pattern has a group %q", name)
			}
			return ""
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// match says whether the entry explains a line, and what its groups are. The
// words come first: they are far cheaper than a pattern, and most lines have
// none of them.
func (e *entry) match(l line) (groups func(name string) string, ok bool) {
	none := func(string) string { return "" }
	if !slices.Contains(e.In, l.from) || len(e.Contains) > 0 && !slices.ContainsFunc(e.Contains, func(word string) bool { return strings.Contains(l.lower, word) }) {
		return nil, false
	}
	if len(e.patterns) == 0 {
		return none, true
	}
	for _, re := range e.patterns {
		if found := re.FindStringSubmatch(l.text); found != nil {
			return func(name string) string {
				if i := re.SubexpIndex(name); i >= 0 {
					return found[i]
				}
				return ""
			}, true
		}
	}
	return nil, false
}

// named are the groups of all patterns that matched something.
func (e *entry) named(groups func(string) string) map[string]string {
	var named map[string]string
	for _, re := range e.patterns {
		for _, name := range re.SubexpNames() {
			if value := groups(name); name != "" && value != "" {
				if named == nil {
					named = map[string]string{}
				}
				named[name] = value
			}
		}
	}
	return named
}

// expand fills in every {name|otherwise} of a text.
func expand(text string, value func(name string) string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		slot, after, _ := strings.Cut(rest, "}")
		name, otherwise, _ := strings.Cut(slot, "|")
		if v := value(name); v != "" {
			b.WriteString(v)
		} else {
			b.WriteString(otherwise)
		}
		text = after
	}
}

// ByID is the cause with that id, for who knows it without a message; named is
// what its texts may name.
func (k *Knowledge) ByID(id string, named map[string]string) (Diagnosis, bool) {
	i := slices.IndexFunc(k.entries, func(e entry) bool { return e.ID == id })
	if i < 0 {
		return Diagnosis{}, false
	}
	e, value := &k.entries[i], func(name string) string { return named[name] }
	return Diagnosis{
		ID: e.ID, Cause: expand(e.Cause, value), Check: expand(e.Check, value), Fix: expand(e.Fix, value), Named: named,
		Conclusive: e.Conclusive, General: e.Fallback, Normal: e.Normal,
	}, true
}
