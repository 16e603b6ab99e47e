package constraint

import (
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/listing"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Page is one page of a list in ascending order, and the token of the next one, as
// EventBridge and EventBridge Scheduler cut it. The member that says how many is held to
// 1 to most; a token that no list gave out is a ValidationException.
func Page[T any](items []T, key func(T) string, member string, limit *int32, most int32, token *string) ([]T, *string, error) {
	var c Checks
	size := c.Limit(member, limit, most)
	if err := c.Err(); err != nil {
		return nil, nil, err
	}
	items, next, ok := listing.Page(items, key, listing.Ascending, token, size)
	if !ok {
		return nil, nil, wire.Errorf("ValidationException", "Invalid NextToken.")
	}
	return items, next, nil
}
