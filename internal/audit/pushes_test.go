package audit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// Ten more pushes take ten days when there is one a day, whatever else is pushed.
func TestPushCadence(t *testing.T) {
	now := time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC)
	rule := lifecycle.Rule{TagStatus: lifecycle.Tagged, TagPatterns: []string{"v*"}, StorageClass: lifecycle.Standard, CountType: lifecycle.CountMoreThan, CountNumber: 30}
	var images []lifecycle.Image
	for d := range 120 {
		at := now.AddDate(0, 0, -d)
		images = append(images, lifecycle.Image{Digest: fmt.Sprint("v", d), Tags: []string{fmt.Sprint("v", d)}, PushedAt: at})
		for h := range 5 {
			images = append(images, lifecycle.Image{Digest: fmt.Sprint("dev", d, h), Tags: []string{fmt.Sprint("dev", d, h)}, PushedAt: at.Add(-time.Duration(h) * time.Hour)})
		}
	}
	var c audit.Cadence = audit.PushCadence
	w := c(rule, images, now)(10)
	for what, days := range map[string]float64{"earliest": w.Earliest.Sub(now).Hours() / 24, "likely": w.Likely.Sub(now).Hours() / 24, "latest": w.Latest.Sub(now).Hours() / 24} {
		if days < 7 || days > 14 {
			t.Errorf("%s in %.1f days", what, days)
		}
	}
}
