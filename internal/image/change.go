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
	kind := ChangeKind(from, to)
	switch {
	case from == "":
		return to
	case from == to:
		return kind + " " + to
	case kind == "":
		return from + " -> " + to
	}
	return kind + " " + from + " -> " + to
}

// ChangeKind is what going from one tag to another is: "major upgrade", "minor
// upgrade", "patch upgrade", "prerelease upgrade", "downgrade" or "same
// version"; "" where it cannot be told, as without a from and between tags that
// are no semantic versions.
func ChangeKind(from, to string) string {
	switch {
	case from == "":
		return ""
	case from == to:
		return "same version"
	}
	a, errA := semver.StrictNewVersion(strings.TrimPrefix(from, "v"))
	b, errB := semver.StrictNewVersion(strings.TrimPrefix(to, "v"))
	switch {
	case errA != nil || errB != nil:
		return ""
	case a.Equal(b):
		return "same version"
	case b.LessThan(a):
		return "downgrade"
	case a.Major() != b.Major():
		return "major upgrade"
	case a.Minor() != b.Minor():
		return "minor upgrade"
	case a.Patch() != b.Patch():
		return "patch upgrade"
	}
	return "prerelease upgrade"
}
