package policy

import (
	"strings"
	"unicode/utf8"
)

// glyph is one place of a pattern: a rune that stands for itself, or a
// wildcard.
type glyph struct {
	wildcard byte // '*', '?', or 0 for the rune
	rune     rune
}

// compile reads a pattern. ok is false when it has a variable without a value:
// such a pattern matches nothing. What a variable stands for is taken as it
// is: a star in it is a star and no wildcard.
func compile(pattern string, c Context, variables bool) (out []glyph, ok bool) {
	for len(pattern) > 0 {
		if variables && strings.HasPrefix(pattern, "${") {
			name, rest, closed := strings.Cut(pattern[2:], "}")
			if closed {
				value, known := variable(name, c)
				if !known {
					return nil, false
				}
				out = append(out, literally(value)...)
				pattern = rest
				continue
			}
		}
		r, size := utf8.DecodeRuneInString(pattern)
		pattern = pattern[size:]
		switch r {
		case '*', '?':
			out = append(out, glyph{wildcard: byte(r)})
		default:
			out = append(out, glyph{rune: r})
		}
	}
	return out, true
}

func literally(s string) []glyph {
	var out []glyph
	for _, r := range s {
		out = append(out, glyph{rune: r})
	}
	return out
}

// variable is the value of ${name} or ${name, 'default'}. A key with several
// values has no single one to put in its place (user guide, "IAM policy
// elements: Variables and tags").
func variable(name string, c Context) (string, bool) {
	switch name {
	case "*", "?", "$":
		return name, true
	}
	key, fallback, hasDefault := strings.Cut(name, ",")
	values := c.Get(strings.TrimSpace(key))
	if len(values) == 1 {
		return values[0], true
	}
	fallback = strings.TrimSpace(fallback)
	if hasDefault && len(fallback) >= 2 && fallback[0] == '\'' && fallback[len(fallback)-1] == '\'' {
		return fallback[1 : len(fallback)-1], true
	}
	return "", false
}

// matches tells whether a text fits a pattern. It goes back to the last star
// only, so that no pattern takes long.
func matches(pattern []glyph, text []rune) bool {
	p, t := 0, 0
	star, resume := -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p].wildcard == '*':
			star, resume = p, t
			p++
		case p < len(pattern) && (pattern[p].wildcard == '?' || pattern[p].wildcard == 0 && pattern[p].rune == text[t]):
			p++
			t++
		case star >= 0:
			resume++
			p, t = star+1, resume
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p].wildcard == '*' {
		p++
	}
	return p == len(pattern)
}

// match is for patterns of conditions.
func match(pattern, text string, c Context, variables bool) bool {
	glyphs, ok := compile(pattern, c, variables)
	return ok && matches(glyphs, []rune(text))
}

// matchFold is for actions, which are not case-sensitive and have no
// variables.
func matchFold(pattern, text string) bool {
	return match(strings.ToLower(pattern), strings.ToLower(text), Context{}, false)
}

// matchResource is for resources. The wildcards of an ARN stay within its
// segments; the last segment may have colons of its own.
func matchResource(pattern, resource string, c Context, variables bool) bool {
	if pattern == "*" {
		return true
	}
	return matchARN(pattern, resource, c, variables)
}

// segments of arn:partition:service:region:account:resource.
const segments = 6

func matchARN(pattern, arn string, c Context, variables bool) bool {
	glyphs, ok := compile(pattern, c, variables)
	if !ok {
		return false
	}
	parts := strings.SplitN(arn, ":", segments)
	patterns := split(glyphs)
	if len(parts) != segments || len(patterns) != segments {
		return matches(glyphs, []rune(arn)) && !strings.HasPrefix(arn, "arn:")
	}
	for i := range parts {
		if !matches(patterns[i], []rune(parts[i])) {
			return false
		}
	}
	return true
}

// split cuts a pattern at the first colons.
func split(pattern []glyph) [][]glyph {
	var out [][]glyph
	from := 0
	for i, g := range pattern {
		if g.wildcard == 0 && g.rune == ':' && len(out) < segments-1 {
			out = append(out, pattern[from:i])
			from = i + 1
		}
	}
	return append(out, pattern[from:])
}
