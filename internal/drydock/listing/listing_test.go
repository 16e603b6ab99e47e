package listing

import (
	"slices"
	"testing"
)

func TestPagesCoverAListOnce(t *testing.T) {
	self := func(s string) string { return s }
	for order, want := range map[Order][]string{Ascending: {"a", "b", "c", "d", "e"}, Descending: {"e", "d", "c", "b", "a"}} {
		var got []string
		var token *string
		for {
			page, next, ok := Page([]string{"c", "a", "e", "b", "d"}, self, order, token, 2)
			if !ok {
				t.Fatal("its own token is refused")
			}
			got = append(got, page...)
			if token = next; token == nil {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
}

func TestATokenOutlivesItsItem(t *testing.T) {
	self := func(s string) string { return s }
	_, token, _ := Page([]string{"a", "b", "c"}, self, Ascending, nil, 2)
	page, _, _ := Page([]string{"a", "c"}, self, Ascending, token, 2) // b is gone
	if !slices.Equal(page, []string{"c"}) {
		t.Error(page)
	}
	for _, bad := range []string{"", "!", "="} {
		if _, _, ok := Page([]string{"a"}, self, Ascending, &bad, 2); ok {
			t.Errorf("%q is taken for a token", bad)
		}
	}
}
