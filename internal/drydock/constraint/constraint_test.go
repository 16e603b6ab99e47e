package constraint

import (
	"strings"
	"testing"
)

func TestWords(t *testing.T) {
	var c Checks
	if err := c.Err(); err != nil {
		t.Errorf("nothing is wrong: %v", err)
	}
	empty, zero := "", int32(0)
	c.Present("name", false)
	if got := c.Err().Error(); got != "ValidationException: 1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null" {
		t.Error(got)
	}
	c.Length("secretId", &empty, 1, 9)
	c.Limit("maxResults", &zero, 10)
	OneOf(&c, "sortOrder", "up", []string{"asc", "desc"})
	c.Count("names", 11, 1, 10)
	got := c.Err().Error()
	for _, want := range []string{"5 validation errors detected: ", "Value '' at 'secretId'", "Value '0' at 'maxResults'", "enum value set: [asc, desc]", "less than or equal to 10"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %s", want, got)
		}
	}
}

func TestSecretIsNotShown(t *testing.T) {
	var c Checks
	c.SecretLength("secretString", 70000, 1, 65536)
	want := "ValidationException: 1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must have length less than or equal to 65536"
	if got := c.Err().Error(); got != want {
		t.Error(got)
	}
}
