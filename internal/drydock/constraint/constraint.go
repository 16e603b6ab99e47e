// Package constraint checks requests against the constraints of an API model
// and words what is broken as AWS does: "1 validation error detected: …".
package constraint

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Checks collects what is wrong with one request. The zero value has found
// nothing. Members are named as AWS names them in these messages, with their
// first letter in lower case.
type Checks struct{ broken []string }

// Err is a ValidationException that lists what was found, nil for nothing.
func (c *Checks) Err() error {
	if len(c.broken) == 0 {
		return nil
	}
	return wire.Errorf("ValidationException", "%s", sentence(c.broken))
}

func (c *Checks) fail(value, member, constraint string) {
	c.broken = append(c.broken, fmt.Sprintf("%s at '%s' failed to satisfy constraint: %s", value, member, constraint))
}

// Present checks that a required member is there, and says whether it is.
func (c *Checks) Present(member string, there bool) bool {
	if !there {
		c.fail("Value null", member, "Member must not be null")
	}
	return there
}

// Length checks how many characters a value has, when there is one.
func (c *Checks) Length(member string, value *string, least, most int) {
	if value != nil {
		c.length("Value '"+*value+"'", member, utf8.RuneCountInString(*value), least, most)
	}
}

// SecretLength is Length, in bytes, for a value that no message may show.
func (c *Checks) SecretLength(member string, n, least, most int) {
	c.length("Value", member, n, least, most)
}

// Count checks how many elements a list has, when there is one.
func (c *Checks) Count(member string, n, least, most int) {
	c.length(fmt.Sprintf("Value '[%d elements]'", n), member, n, least, most)
}

func (c *Checks) length(value, member string, n, least, most int) {
	if n < least {
		c.fail(value, member, fmt.Sprintf("Member must have length greater than or equal to %d", least))
	}
	if n > most {
		c.fail(value, member, fmt.Sprintf("Member must have length less than or equal to %d", most))
	}
}

// Limit checks a page size and returns it, or the most where none is given.
func (c *Checks) Limit(member string, given *int32, most int32) int {
	switch {
	case given == nil:
		return int(most)
	case *given < 1:
		c.fail(fmt.Sprintf("Value '%d'", *given), member, "Member must have value greater than or equal to 1")
	case *given > most:
		c.fail(fmt.Sprintf("Value '%d'", *given), member, fmt.Sprintf("Member must have value less than or equal to %d", most))
	}
	return int(*given)
}

// OneOf checks a value of an enumeration; "" counts as absent.
func OneOf[T ~string](c *Checks, member string, value T, allowed []T) {
	if value != "" && !slices.Contains(allowed, value) {
		c.fail("Value '"+string(value)+"'", member, fmt.Sprintf("Member must satisfy enum value set: %s", strings.ReplaceAll(fmt.Sprint(allowed), " ", ", ")))
	}
}
