package lifecycle

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPlaces(t *testing.T) {
	got, err := Places([]byte("{\"rules\": [\n  {\"é\": null, \"rulePriority\": 7},\n  \"x\"]}"))
	want := []Place{
		{Line: 1, Column: 1}, {Path: "rules", Line: 1, Column: 11}, {Path: "rules[0]", Line: 2, Column: 3},
		{Path: "rules[0].é", Text: "null", Null: true, Line: 2, Column: 9}, {Path: "rules[0].rulePriority", Text: "7", Line: 2, Column: 31},
		{Path: "rules[1]", Text: "x", Line: 3, Column: 3},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	var refused *PolicyError
	if _, err := Places([]byte("{\n,")); !errors.As(err, &refused) || refused.Line != 2 {
		t.Error(err)
	}
}

func TestIdentifies(t *testing.T) {
	r := Rule{StorageClass: Standard, TagStatus: Tagged, TagPatterns: []string{"a*", "*b"}}
	identifies := r.Identifies()
	for _, tc := range []struct {
		image Image
		want  bool
	}{
		{Image{Tags: []string{"ab"}}, true}, {Image{Tags: []string{"a1", "1b"}}, true}, {Image{Tags: []string{"a1"}}, false},
		{Image{}, false}, {Image{Tags: []string{"ab"}, Status: Archived}, false},
	} {
		if got := identifies(&tc.image); got != tc.want {
			t.Errorf("%+v: %t", tc.image, got)
		}
	}
}
