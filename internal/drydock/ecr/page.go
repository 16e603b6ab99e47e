package ecr

import (
	"cmp"
	"encoding/base64"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
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
	after, err := base64.RawURLEncoding.DecodeString(aws.ToString(token))
	if err != nil {
		return nil, nil, invalid("nextToken", "invalid pagination token")
	}
	slices.SortFunc(items, func(a, b T) int { return cmp.Compare(key(a), key(b)) })
	start, _ := slices.BinarySearchFunc(items, string(after), func(item T, after string) int {
		if key(item) <= after {
			return -1
		}
		return 1
	})
	items = items[start:]
	if len(items) <= n {
		return items, nil, nil
	}
	next := base64.RawURLEncoding.EncodeToString([]byte(key(items[n-1])))
	return items[:n], &next, nil
}
