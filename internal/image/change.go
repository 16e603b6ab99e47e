package image

import (
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Change says in words what going from one tag to another is: "major upgrade
// v1.4.0 -> v2.0.0", "downgrade v2.0.0 -> v1.4.0", "same version v2.0.0".
// Tags that are no semantic versions are only put side by side; without a from
// there is only the to.
func Change(from, to string) string {
	step := from + " -> " + to
	switch {
	case from == "":
		return to
	case from == to:
		return "same version " + to
	}
	a, errA := semver.StrictNewVersion(strings.TrimPrefix(from, "v"))
	b, errB := semver.StrictNewVersion(strings.TrimPrefix(to, "v"))
	switch {
	case errA != nil || errB != nil:
		return step
	case a.Equal(b):
		return "same version " + step
	case b.LessThan(a):
		return "downgrade " + step
	case a.Major() != b.Major():
		return "major upgrade " + step
	case a.Minor() != b.Minor():
		return "minor upgrade " + step
	case a.Patch() != b.Patch():
		return "patch upgrade " + step
	}
	return "prerelease upgrade " + step
}
