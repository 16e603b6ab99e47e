package policy

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// operator is a condition operator, taken apart.
type operator struct {
	each     string // "ForAllValues", "ForAnyValue" or ""
	ifExists bool
	negated  bool
	test     test // nil for Null
}

// test compares a value of the request with one of the policy.
type test func(have, want string, c Context, variables bool) bool

// operatorOf reads the name of an operator; ok is false for one that IAM does
// not have.
func operatorOf(name string) (operator, bool) {
	var o operator
	if each, rest, found := strings.Cut(name, ":"); found {
		if each != "ForAllValues" && each != "ForAnyValue" {
			return o, false
		}
		o.each, name = each, rest
	}
	name, o.ifExists = strings.CutSuffix(name, "IfExists")
	if name == "Null" {
		return o, !o.ifExists && o.each == ""
	}
	switch name {
	case "StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike", "ArnNotEquals", "ArnNotLike", "NumericNotEquals", "DateNotEquals", "NotIpAddress":
		o.negated = true
		name = strings.Replace(name, "Not", "", 1)
	}
	o.test = testOf(name)
	return o, o.test != nil
}

func testOf(name string) test {
	exact := func(f func(have, want string) bool) test {
		return func(have, want string, c Context, variables bool) bool {
			glyphs, ok := expand(want, c, variables)
			return ok && f(have, glyphs)
		}
	}
	switch name {
	case "StringEquals":
		return exact(func(have, want string) bool { return have == want })
	case "StringEqualsIgnoreCase":
		return exact(strings.EqualFold)
	case "StringLike":
		return func(have, want string, c Context, variables bool) bool { return match(want, have, c, variables) }
	case "ArnEquals", "ArnLike": // they behave identically (user guide, "Amazon Resource Name (ARN) condition operators")
		return matchAsARN
	case "NumericEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals":
		return ordered(strings.TrimPrefix(name, "Numeric"), number)
	case "DateEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals":
		return ordered(strings.TrimPrefix(name, "Date"), date)
	case "Bool":
		return exact(strings.EqualFold)
	case "BinaryEquals":
		return exact(func(have, want string) bool { return have == want })
	case "IpAddress":
		return func(have, want string, _ Context, _ bool) bool { return within(have, want) }
	}
	return nil
}

func matchAsARN(have, want string, c Context, variables bool) bool {
	return want == "*" || matchARN(want, have, c, variables)
}

// expand puts the values of variables in their places.
func expand(want string, c Context, variables bool) (string, bool) {
	if !variables || !strings.Contains(want, "${") {
		return want, true
	}
	glyphs, ok := compile(want, c, true)
	var b strings.Builder
	for _, g := range glyphs {
		if g.wildcard != 0 {
			b.WriteByte(g.wildcard)
			continue
		}
		b.WriteRune(g.rune)
	}
	return b.String(), ok
}

func number(s string) (float64, bool) {
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// date reads ISO 8601 in the forms of the W3C's profile, or seconds since
// 1970.
func date(s string) (float64, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02", "2006-01", "2006"} {
		if t, err := time.Parse(layout, s); err == nil {
			if layout == "2006" { // a year below 10,000 is a year
				return float64(t.Unix()), true
			}
			return float64(t.UnixNano()) / float64(time.Second), true
		}
	}
	return number(s)
}

func ordered(relation string, read func(string) (float64, bool)) test {
	return func(have, want string, c Context, variables bool) bool {
		want, known := expand(want, c, variables)
		h, okHave := read(have)
		w, okWant := read(want)
		if !known || !okHave || !okWant {
			return false
		}
		switch relation {
		case "LessThan":
			return h < w
		case "LessThanEquals":
			return h <= w
		case "GreaterThan":
			return h > w
		case "GreaterThanEquals":
			return h >= w
		}
		return h == w
	}
}

// within tells whether an address lies in a network, or is the address itself.
func within(have, want string) bool {
	address, err := netip.ParseAddr(have)
	if err != nil {
		return false
	}
	if network, err := netip.ParsePrefix(want); err == nil {
		return network.Contains(address.Unmap())
	}
	same, err := netip.ParseAddr(want)
	return err == nil && same.Unmap() == address.Unmap()
}

// holds is the user guide's "Condition operators", "Evaluation logic for
// multiple context keys or values" and "Set operators for multivalued context
// keys": the values of a policy are alternatives, those of a negated operator
// are all excluded.
func (k Condition) holds(c Context, variables bool) bool {
	values := c.Get(k.Key)
	if k.operator.test == nil { // Null
		return slices.ContainsFunc(k.Values, func(v string) bool { return strings.EqualFold(v, "true") == (len(values) == 0) })
	}
	if len(values) == 0 {
		switch k.operator.each {
		case "ForAllValues":
			return true
		case "ForAnyValue":
			return k.operator.ifExists
		}
		return k.operator.ifExists || k.operator.negated
	}
	fits := func(have string) bool {
		found := slices.ContainsFunc(k.Values, func(want string) bool { return k.operator.test(have, want, c, variables) })
		return found != k.operator.negated
	}
	if k.operator.each == "ForAllValues" || k.operator.each == "" && k.operator.negated {
		return !slices.ContainsFunc(values, func(have string) bool { return !fits(have) })
	}
	return slices.ContainsFunc(values, fits)
}
