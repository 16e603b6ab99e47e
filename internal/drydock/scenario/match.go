package scenario

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Text is what a text is to be like: a part of it, /a regular expression/, or
// with "!" in front what it is not.
type Text struct {
	text    string
	not     bool
	pattern *regexp.Regexp
}

// UnmarshalScalar implements strictyaml.Scalar.
func (t *Text) UnmarshalScalar(text string) error {
	t.text = text
	rest, not := strings.CutPrefix(text, "!")
	t.not = not
	if rest == "" {
		return fmt.Errorf("want %s", t.Describe())
	}
	if len(rest) > 2 && strings.HasPrefix(rest, "/") && strings.HasSuffix(rest, "/") {
		pattern, err := regexp.Compile(rest[1 : len(rest)-1])
		if err != nil {
			return err
		}
		t.pattern = pattern
	}
	return nil
}

// Describe implements strictyaml.Described.
func (t *Text) Describe() string {
	return "a part of the text, /a regular expression/, or either with ! in front for what does not occur"
}

// Given is whether there is anything to be like.
func (t Text) Given() bool { return t.text != "" }

func (t Text) String() string { return t.text }

// match is whether one text is like it.
func (t Text) match(text string) bool {
	if t.pattern != nil {
		return t.pattern.MatchString(text) != t.not
	}
	return strings.Contains(text, strings.TrimPrefix(t.text, "!")) != t.not
}

// matchAny is whether one of the texts is like it; of what does not occur,
// whether all are.
func (t Text) matchAny(texts []string) bool {
	if t.not {
		return !slices.ContainsFunc(texts, func(text string) bool { return !t.match(text) })
	}
	return slices.ContainsFunc(texts, t.match)
}

// Count is what a number is to be: 2, ">= 1", "< 3" or "!= 0".
type Count struct {
	op string
	n  float64
}

// UnmarshalScalar implements strictyaml.Scalar.
func (c *Count) UnmarshalScalar(text string) error {
	got, ok := comparison(text)
	if !ok {
		return fmt.Errorf("want %s", c.Describe())
	}
	*c = got
	return nil
}

func comparison(text string) (Count, bool) {
	rest := strings.TrimSpace(text)
	c := Count{op: "="}
	for _, op := range []string{">=", "<=", "!=", ">", "<", "="} {
		if after, ok := strings.CutPrefix(rest, op); ok {
			c.op, rest = op, strings.TrimSpace(after)
			break
		}
	}
	n, err := strconv.ParseFloat(rest, 64)
	c.n = n
	return c, err == nil
}

// Describe implements strictyaml.Described.
func (c *Count) Describe() string { return `a number, or a comparison such as ">= 1", "< 3" or "!= 0"` }

// Given is whether a number is expected.
func (c Count) Given() bool { return c.op != "" }

func (c Count) String() string {
	n := strconv.FormatFloat(c.n, 'f', -1, 64)
	if c.op == "=" {
		return n
	}
	return c.op + " " + n
}

func (c Count) match(n float64) bool {
	switch c.op {
	case "=":
		return n == c.n
	case "!=":
		return n != c.n
	case ">":
		return n > c.n
	case ">=":
		return n >= c.n
	case "<":
		return n < c.n
	case "<=":
		return n <= c.n
	}
	return false
}

// orOne is the count, or at least one when none is given.
func (c Count) orOne() Count {
	if c.Given() {
		return c
	}
	return Count{">=", 1}
}

// subset finds what of a document is not as wanted: members that are not
// mentioned are left alone, of a list every wanted item must be there. It
// answers with the place that differs, "" when none does.
func subset(want, got any, at string) (place string, wanted, found any) {
	switch want := want.(type) {
	case map[string]any:
		members, ok := got.(map[string]any)
		if !ok {
			return at + " ", want, got
		}
		for _, name := range sortedKeys(want) {
			if place, w, g := subset(want[name], members[name], at+"."+name); place != "" {
				return place, w, g
			}
		}
		return "", nil, nil
	case []any:
		items, ok := got.([]any)
		if !ok {
			return at + " ", want, got
		}
		for i, w := range want {
			if !slices.ContainsFunc(items, func(item any) bool { place, _, _ := subset(w, item, at); return place == "" }) {
				return fmt.Sprintf("%s[%d]", at, i), w, got
			}
		}
		return "", nil, nil
	case string:
		if n, isNumber := got.(float64); isNumber {
			if c, ok := comparison(want); ok && c.match(n) {
				return "", nil, nil
			}
			return at + " ", want, got
		}
		var t Text
		if got == nil || t.UnmarshalScalar(want) != nil || !t.match(fmt.Sprint(got)) {
			return at + " ", want, got
		}
		return "", nil, nil
	}
	if n, isNumber := got.(float64); isNumber {
		got = strconv.FormatFloat(n, 'f', -1, 64)
	}
	if fmt.Sprint(want) != fmt.Sprint(got) {
		return at + " ", want, got
	}
	return "", nil, nil
}
