package logs

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// checks collects what is wrong with a request against the constraints of the
// service's model (logs 2014-03-28), and words it as AWS does.
type checks []string

func (c *checks) fail(value, member, constraint string) {
	*c = append(*c, fmt.Sprintf("%s at '%s' failed to satisfy constraint: %s", value, member, constraint))
}

func (c *checks) err() error {
	switch n := len(*c); n {
	case 0:
		return nil
	case 1:
		return invalid("1 validation error detected: %s", (*c)[0])
	default:
		return invalid("%d validation errors detected: %s", n, strings.Join(*c, "; "))
	}
}

// present says whether a required member is there.
func (c *checks) present(member string, there bool) bool {
	if !there {
		c.fail("Value null", member, "Member must not be null")
	}
	return there
}

func (c *checks) length(member, value string, shortest, longest int) {
	n := utf8.RuneCountInString(value)
	if n < shortest {
		c.fail(quoted(value), member, fmt.Sprintf("Member must have length greater than or equal to %d", shortest))
	}
	if n > longest {
		c.fail(quoted(value), member, fmt.Sprintf("Member must have length less than or equal to %d", longest))
	}
}

// count checks how many elements a list has that must have at least one.
func (c *checks) count(member string, n, most int) {
	switch {
	case n == 0:
		c.fail("Value '[]'", member, "Member must have length greater than or equal to 1")
	case n > most:
		c.fail(fmt.Sprintf("Value '[%d elements]'", n), member, fmt.Sprintf("Member must have length less than or equal to %d", most))
	}
}

func (c *checks) pattern(member, value, pattern string, allowed func(rune) bool) {
	if strings.ContainsFunc(value, func(r rune) bool { return !allowed(r) }) {
		c.fail(quoted(value), member, "Member must satisfy regular expression pattern: "+pattern)
	}
}

func (c *checks) oneOf(member, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		c.fail(quoted(value), member, "Member must satisfy enum value set: ["+strings.Join(allowed, ", ")+"]")
	}
}

// limit checks a page size and returns it, or the most where none is given.
func (c *checks) limit(given *int32, most int32) int {
	switch {
	case given == nil:
		return int(most)
	case *given < 1:
		c.fail(quoted(fmt.Sprint(*given)), "limit", "Member must have value greater than or equal to 1")
	case *given > most:
		c.fail(quoted(fmt.Sprint(*given)), "limit", fmt.Sprintf("Member must have value less than or equal to %d", most))
	}
	return int(*given)
}

func (c *checks) timestamp(member string, ms *int64) {
	if ms != nil && *ms < 0 {
		c.fail(quoted(fmt.Sprint(*ms)), member, "Member must have value greater than or equal to 0")
	}
}

func (c *checks) groupName(member string, name *string) {
	if c.present(member, name != nil) {
		c.length(member, *name, 1, 512)
		c.pattern(member, *name, `[\.\-_/#A-Za-z0-9]+`, func(r rune) bool {
			return isAlphanumeric(r) || strings.ContainsRune(".-_/#", r)
		})
	}
}

func (c *checks) streamName(member string, name *string) {
	if c.present(member, name != nil) {
		c.length(member, *name, 1, 512)
		c.pattern(member, *name, `[^:*]*`, func(r rune) bool { return r != ':' && r != '*' })
	}
}

func (c *checks) tags(tags map[string]string) {
	for _, key := range sortedKeys(tags) {
		c.length("tags", key, 1, 128)
		c.pattern("tags", key, `^([\p{L}\p{Z}\p{N}_.:/=+\-@]+)$`, isTagRune)
		c.length("tags", tags[key], 0, 256)
		c.pattern("tags", tags[key], `^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$`, isTagRune)
	}
}

// maxTags is how many tags a log group may have.
const maxTags = 50

func tooManyTags(arn string) error {
	return wire.Errorf("TooManyTagsException", "The resource %s can have no more than %d tags.", arn, maxTags)
}

func isTagRune(r rune) bool {
	return unicode.In(r, unicode.L, unicode.Z, unicode.N) || strings.ContainsRune("_.:/=+-@", r)
}

func isAlphanumeric(r rune) bool {
	return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}

func quoted(value string) string { return "Value '" + value + "'" }
