package eventpattern

import (
	"encoding/json"
	"net/netip"
	"strings"
)

// test is one condition on a value that is there.
type test interface {
	holds(value any) bool
}

// exact is a text, true, false or null.
type exact struct{ want any }

func (t exact) holds(v any) bool {
	switch v.(type) {
	case string, bool, nil:
		return v == t.want
	}
	return false
}

// amount compares numbers: 300, 300.0 and 3.0e2 are one (user guide, Numeric
// matching).
type amount []limit

type limit struct {
	relation string
	bound    float64
}

func (t amount) holds(v any) bool {
	text, isNumber := v.(json.Number)
	if !isNumber {
		return false
	}
	n, err := text.Float64()
	if err != nil {
		return false
	}
	for _, l := range t {
		ok := false
		switch l.relation {
		case "=":
			ok = n == l.bound
		case "<":
			ok = n < l.bound
		case "<=":
			ok = n <= l.bound
		case ">":
			ok = n > l.bound
		case ">=":
			ok = n >= l.bound
		}
		if !ok {
			return false
		}
	}
	return true
}

// exists is about whether there is a value at all: [leaf] asks it.
type exists bool

func (t exists) holds(any) bool { return bool(t) }

// text is a condition on a string.
type text struct {
	fits func(have, want string) bool
	want string
	fold bool // letters count the same in both cases
}

func (t text) holds(v any) bool {
	have, isText := v.(string)
	if !isText {
		return false
	}
	want := t.want
	if t.fold {
		have, want = strings.ToLower(have), strings.ToLower(want)
	}
	return t.fits(have, want)
}

func equal(have, want string) bool { return have == want }

// glob is a match with * for any characters, in time linear in both but for a
// factor. \* is a star and \\ a backslash.
func glob(have, pattern string) bool {
	p := glyphs(pattern)
	i, j, star, mark := 0, 0, -1, 0
	for i < len(have) {
		switch {
		case j < len(p) && p[j].any:
			star, mark = j, i
			j++
		case j < len(p) && p[j].char == have[i]:
			i++
			j++
		case star >= 0:
			mark++
			i, j = mark, star+1
		default:
			return false
		}
	}
	for j < len(p) && p[j].any {
		j++
	}
	return j == len(p)
}

type glyph struct {
	char byte
	any  bool
}

func glyphs(pattern string) []glyph {
	var out []glyph
	for i := 0; i < len(pattern); i++ {
		switch {
		case pattern[i] == '\\' && i+1 < len(pattern):
			i++
			out = append(out, glyph{char: pattern[i]})
		case pattern[i] == '*':
			out = append(out, glyph{any: true})
		default:
			out = append(out, glyph{char: pattern[i]})
		}
	}
	return out
}

// network is the addresses of a CIDR block.
type network netip.Prefix

func (t network) holds(v any) bool {
	s, _ := v.(string)
	address, err := netip.ParseAddr(s)
	return err == nil && netip.Prefix(t).Contains(address)
}

// anythingBut holds for a value for which none of its tests does. A test of texts
// is about texts only: a number is not "anything but a prefix".
type anythingBut struct {
	tests []test
	texts bool
}

func (t anythingBut) holds(v any) bool {
	if _, isText := v.(string); t.texts && !isText {
		return false
	}
	if _, isObject := v.(map[string]any); isObject {
		return false
	}
	for _, one := range t.tests {
		if one.holds(v) {
			return false
		}
	}
	return true
}
