package audit

import (
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle/cadence"
)

// PushCadence is the [Cadence] that package cadence learns from when the images
// that a rule counts were pushed.
func PushCadence(rule lifecycle.Rule, images []lifecycle.Image, now time.Time) func(n int) When {
	model := cadence.Learn(cadence.Pushes(rule, images), now)
	return func(n int) When {
		w := model.After(n)
		return When{Earliest: w.Earliest, Likely: w.Likely, Latest: w.Latest}
	}
}
