package lint

import (
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// prefixPatterns says prefixes as patterns.
func prefixPatterns(prefixes []string) []string {
	patterns := make([]string, len(prefixes))
	for i, p := range prefixes {
		patterns[i] = p + "*"
	}
	return patterns
}

// covers reports whether every tag of the pattern narrow is one of wide. It
// misses some that are, and names none that is not: the * of narrow is taken
// for a character that only a * of wide can stand for.
func covers(wide, narrow string) bool { return lifecycle.MatchTag(wide, narrow) }

// coveredBy reports whether all that the rule identifies by its tags belongs to
// an earlier rule: every entry of that one is implied by an entry of this.
func (r *rule) coveredBy(earlier *rule) bool {
	if earlier.StorageClass != r.StorageClass || earlier.TagStatus != r.TagStatus || r.TagStatus != lifecycle.Tagged {
		return false
	}
	for _, wide := range earlier.entries() {
		implied := false
		for _, narrow := range r.entries() {
			implied = implied || covers(wide, narrow)
		}
		if !implied {
			return false
		}
	}
	return true
}

// endsInNumber tells an entry that ends in a digit where more may follow: "v1*".
func endsInNumber(pattern string) bool {
	head, star := strings.CutSuffix(pattern, "*")
	return star && head != "" && isDigit(head[len(head)-1]) && !strings.Contains(head, "*")
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isRelease tells a version by its looks: v1.2.3, 1.2.3, v1.2.3-rc.1.
func isRelease(tag string) bool {
	rest := strings.TrimPrefix(tag, "v")
	for part := range 3 {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		if digits == 0 {
			return false
		}
		rest = rest[digits:]
		if part < 2 {
			if !strings.HasPrefix(rest, ".") {
				return false
			}
			rest = rest[1:]
		}
	}
	return rest == "" || strings.IndexByte("-+.", rest[0]) >= 0
}
