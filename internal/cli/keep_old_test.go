package cli

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestOldPoliciesOfOneSecondAreAllKept(t *testing.T) {
	folder := t.TempDir()
	keep := keepOld(folder, func() time.Time { return time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC) })
	for i, want := range []string{"shop-web-lifecycle-20260105-090000.json", "shop-web-lifecycle-20260105-090000-2.json", "shop-web-lifecycle-20260105-090000-3.json"} {
		policy := string(rune('a' + i))
		name, err := keep("shop/web", policy)
		if err != nil || name != filepath.Join(folder, want) {
			t.Fatalf("kept in %s, %v; want %s", name, err, want)
		}
		if kept, err := os.ReadFile(name); err != nil || string(kept) != policy {
			t.Errorf("%s holds %q, %v", name, kept, err)
		}
	}
}
