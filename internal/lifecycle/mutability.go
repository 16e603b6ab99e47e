package lifecycle

import "slices"

// Frozen reports whether a tag stays with its image in a repository of this
// imageTagMutability: "IMMUTABLE", "MUTABLE", and each "_WITH_EXCLUSION", of which the
// filters name the tags that are the exceptions (ECR user guide, "Preventing image tags
// from being overwritten"). Of a setting that is not known nothing is frozen.
func Frozen(mutability string, filters []string, tag string) bool {
	excluded := slices.ContainsFunc(filters, func(f string) bool { return MatchTag(f, tag) })
	switch mutability {
	case "IMMUTABLE":
		return true
	case "IMMUTABLE_WITH_EXCLUSION":
		return !excluded
	case "MUTABLE_WITH_EXCLUSION":
		return excluded
	}
	return false
}

// Mutability is the setting in words: "immutable tags". What is not known is taken for
// mutable.
func Mutability(setting string) string {
	switch setting {
	case "IMMUTABLE":
		return "immutable tags"
	case "IMMUTABLE_WITH_EXCLUSION":
		return "immutable tags, with exclusions"
	case "MUTABLE_WITH_EXCLUSION":
		return "mutable tags, with exclusions"
	}
	return "mutable tags"
}
