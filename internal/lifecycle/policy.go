package lifecycle

import (
	"slices"
	"time"
)

// Policy is a valid lifecycle policy. It comes from [ParsePolicy]; the zero
// Policy has no rules.
type Policy struct{ rules []Rule }

// Rules lists the rules by priority, first to be applied first.
func (p Policy) Rules() []Rule { return slices.Clone(p.rules) }

// TagStatus says which images a rule selects by their tags.
type TagStatus string

// The tag statuses.
const (
	Tagged   TagStatus = "tagged"
	Untagged TagStatus = "untagged"
	AnyTag   TagStatus = "any"
)

// CountType is what a rule goes by.
type CountType string

// The count types.
const (
	CountMoreThan     CountType = "imageCountMoreThan"
	SincePushed       CountType = "sinceImagePushed"
	SincePulled       CountType = "sinceImagePulled"
	SinceTransitioned CountType = "sinceImageTransitioned"
)

// Action is what a rule does to an image.
type Action string

// The actions. The empty Action leaves the image alone; Transition moves it
// to the archive, where it cannot be pulled.
const (
	Expire     Action = "expire"
	Transition Action = "transition"
)

// Rule is one rule of a policy.
type Rule struct {
	Priority     int // lower is applied first
	Description  string
	TagStatus    TagStatus
	TagPatterns  []string // all must match some tag of the image
	TagPrefixes  []string // likewise
	StorageClass StorageClass
	CountType    CountType
	CountNumber  int // images or days
	Action       Action
	Line         int // of the policy's text, from 1
}

// reference is the time from which the rule counts days.
func (r *Rule) reference(i *Image) time.Time {
	switch r.CountType {
	case SincePulled:
		return i.pulled()
	case SinceTransitioned:
		return i.LastArchivedAt
	default:
		return i.ordered()
	}
}

// addDays adds days of 24 hours. A policy may ask for millions of years,
// which is more than a time.Duration holds.
func addDays(t time.Time, days int) time.Time {
	return time.Unix(t.Unix()+int64(days)*86400, int64(t.Nanosecond())).In(t.Location())
}
