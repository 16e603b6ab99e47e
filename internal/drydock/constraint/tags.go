package constraint

import (
	"maps"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Tag is a tag as most services' APIs have it.
type Tag struct{ Key, Value *string }

// Tags is old with the tags added to it, which have keys of 1 to 128 characters
// that AWS does not keep for itself, and values of shortest to 256.
func Tags(old map[string]string, added []Tag, shortest int) (map[string]string, error) {
	out := map[string]string{}
	maps.Copy(out, old)
	var c Checks
	for _, t := range added {
		if c.Present("tags.key", t.Key != nil) && c.Present("tags.value", t.Value != nil) {
			c.Length("tags.key", t.Key, 1, 128)
			c.Length("tags.value", t.Value, shortest, 256)
			if strings.HasPrefix(strings.ToLower(*t.Key), "aws:") {
				return nil, wire.Errorf("ValidationException", "Tag keys can't start with aws:, which AWS keeps for itself.")
			}
			out[*t.Key] = *t.Value
		}
	}
	return out, c.Err()
}
