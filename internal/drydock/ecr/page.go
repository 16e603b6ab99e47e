package ecr

import (
	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/listing"
)

// Every list of ECR has pages of 100 unless asked for up to 1000.
const (
	pageDefault = 100
	pageMax     = 1000
)

// page is one page of items in the order of their keys, with the token of the
// next page, nil after the last one. A token holds the last key given out, so
// items that come and go between two calls neither repeat nor hide others.
func page[T any](items []T, key func(T) string, token *string, limit *int32) ([]T, *string, error) {
	n := int(aws.ToInt32(limit))
	if limit == nil {
		n = pageDefault
	}
	if n < 1 || n > pageMax {
		return nil, nil, invalid("maxResults", "must be between 1 and %d", pageMax)
	}
	if aws.ToString(token) == "" {
		token = nil
	}
	items, next, ok := listing.Page(items, key, listing.Ascending, token, n)
	if !ok {
		return nil, nil, invalid("nextToken", "invalid pagination token")
	}
	return items, next, nil
}
