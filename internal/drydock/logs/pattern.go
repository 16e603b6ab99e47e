package logs

import "strings"

// pattern is a filter pattern for unstructured log events: words and quoted
// phrases that a message must hold (all of them), must not hold (-term), or of
// which it must hold at least one (?term). They match anywhere in the message,
// within words too, and by case.
//
// Source: "Filter pattern syntax" of the CloudWatch Logs user guide, which
// also says that ?terms have no effect beside terms of the other kinds.
type pattern struct {
	all, none, any []string
}

// parsePattern reads a filter pattern. One that this package cannot judge
// (JSON, space-delimited fields, regular expressions) is an
// InvalidParameterException, as is a malformed one.
func parsePattern(s string) (pattern, error) {
	var p pattern
	s = strings.TrimSpace(s)
	for _, kind := range []struct{ opening, name string }{
		{"{", "JSON"}, {"[", "space-delimited"}, {"%", "regular expression"},
	} {
		if strings.HasPrefix(s, kind.opening) {
			return pattern{}, invalid("Invalid filter pattern: drydock does not know %s patterns", kind.name)
		}
	}
	for s != "" {
		to := &p.all
		switch s[0] {
		case '-':
			to, s = &p.none, s[1:]
		case '?':
			to, s = &p.any, s[1:]
		}
		term, rest, err := cutTerm(s)
		if err != nil {
			return pattern{}, err
		}
		*to = append(*to, term)
		s = strings.TrimLeft(rest, " \t\r\n")
	}
	return p, nil
}

// cutTerm takes a word or a quoted phrase off the front.
func cutTerm(s string) (term, rest string, err error) {
	if !strings.HasPrefix(s, `"`) {
		word, rest := s, ""
		if i := strings.IndexAny(s, " \t\r\n"); i >= 0 {
			word, rest = s[:i], s[i:]
		}
		if word == "" || strings.ContainsFunc(word, func(r rune) bool { return !isAlphanumeric(r) && r != '_' }) {
			return "", "", badTerm(word)
		}
		return word, rest, nil
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if i++; i == len(s) || s[i] != '"' && s[i] != '\\' {
				return "", "", badTerm(s)
			}
			b.WriteByte(s[i])
		case '"':
			if rest = s[i+1:]; b.Len() == 0 || rest != "" && !strings.ContainsRune(" \t\r\n", rune(rest[0])) {
				return "", "", badTerm(s)
			}
			return b.String(), rest, nil
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", badTerm(s)
}

func badTerm(term string) error {
	return invalid("Invalid filter pattern: Invalid character(s) in term '%s'", term)
}

func (p pattern) match(message string) bool {
	for _, term := range p.all {
		if !strings.Contains(message, term) {
			return false
		}
	}
	for _, term := range p.none {
		if strings.Contains(message, term) {
			return false
		}
	}
	if len(p.any) == 0 || len(p.all)+len(p.none) > 0 {
		return true
	}
	for _, term := range p.any {
		if strings.Contains(message, term) {
			return true
		}
	}
	return false
}
