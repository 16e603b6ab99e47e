package listing_test

import (
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/listing"
)

// From page to page every entry is seen once, in order, and the ends are ends.
func TestPagesAreTheList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Int(), 0, 60).Draw(t, "all")
		size := rapid.IntRange(1, 70).Draw(t, "size")
		var seen []int
		for page := 1; ; page++ {
			part, p := listing.Cut(all, page, size, strconv.Itoa)
			if p.Page != page || p.Of != len(all) || len(part) > size || p.To-p.From+1 != len(part) {
				t.Fatalf("page %d of %d entries, %d each: %+v", page, len(all), size, p)
			}
			if wants := strconv.Itoa(page - 1); (p.Before == "") != (page == 1) || page > 1 && p.Before != wants {
				t.Fatalf("before page %d is %q", page, p.Before)
			}
			seen = append(seen, part...)
			if p.After == "" {
				break
			}
		}
		if !slices.Equal(seen, all) {
			t.Fatalf("saw %v of %v", seen, all)
		}
		if _, last := listing.Cut(all, 1_000_000, size, strconv.Itoa); last.After != "" || last.Page != last.Pages {
			t.Fatalf("beyond the last: %+v", last)
		}
	})
}

func TestNumber(t *testing.T) {
	for text, want := range map[string]int{"": 1, "x": 1, "-3": 1, "0": 1, "7": 7, "99999999": 1_000_000, "99999999999999999999": 1} {
		if got := listing.Number(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestAddress(t *testing.T) {
	for _, c := range []struct {
		fields []listing.Field
		want   string
	}{
		{nil, "/list"},
		{[]listing.Field{{"q", "", ""}, {"page", "1", "1"}}, "/list"},
		{[]listing.Field{{"q", `a&"b`, ""}, {"page", "2", "1"}}, "/list?page=2&q=a%26%22b"},
	} {
		if got := listing.Address("/list", c.fields...); got != c.want {
			t.Errorf("%+v: %s, want %s", c.fields, got, c.want)
		}
	}
}
