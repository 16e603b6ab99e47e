package lifecycle_test

import (
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

func TestFrozen(t *testing.T) {
	filters := []string{"dev-*", "latest", "*-rc.*"}
	for _, test := range []struct {
		mutability, tag string
		want            bool
	}{
		{"IMMUTABLE", "latest", true},
		{"MUTABLE", "latest", false},
		{"IMMUTABLE_WITH_EXCLUSION", "v1.2.3", true},
		{"IMMUTABLE_WITH_EXCLUSION", "dev-7", false},
		{"IMMUTABLE_WITH_EXCLUSION", "v1-rc.2", false},
		{"IMMUTABLE_WITH_EXCLUSION", "latest-2", true},
		{"MUTABLE_WITH_EXCLUSION", "v1.2.3", false},
		{"MUTABLE_WITH_EXCLUSION", "latest", true},
		{"", "v1.2.3", false},
		{"SOMETHING_NEW", "v1.2.3", false},
	} {
		if got := lifecycle.Frozen(test.mutability, filters, test.tag); got != test.want {
			t.Errorf("%s, %s: %v", test.mutability, test.tag, got)
		}
	}
	if lifecycle.Frozen("MUTABLE_WITH_EXCLUSION", []string{"a[b]*"}, "ab") {
		t.Error("* is the only wildcard")
	}
}
