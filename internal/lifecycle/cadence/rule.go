package cadence

import (
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// Pushes is when the images were pushed that the rule counts: all whose tags
// it asks for, the platforms and attestations of a buildx index among them
// when the rule takes untagged images, and those that lie in the archive by
// now. Images that are deleted already are not known; a rule that keeps N has
// taken the oldest only, so what it left begins a shorter history.
func Pushes(rule lifecycle.Rule, images []lifecycle.Image) []time.Time {
	counts := rule.TagFilter()
	var pushes []time.Time
	for i := range images {
		if at := images[i].PushedAt; !at.IsZero() && counts(images[i].Tags) {
			pushes = append(pushes, at)
		}
	}
	return pushes
}
