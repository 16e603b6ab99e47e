package lifecycle

import (
	"slices"
	"time"
)

// Reason is why an image goes or stays.
type Reason string

// The reasons.
const (
	// Unmatched: no rule identifies the image. It stays.
	Unmatched Reason = "no rule selects it"
	// TooYoung: the image belongs to an age rule and is not old enough yet.
	TooYoung Reason = "not old enough"
	// AmongNewest: it belongs to a count rule and is one of those to keep.
	AmongNewest Reason = "among the newest"
	// Referenced: its rule selects it and cannot take it, because a live
	// manifest list refers to it.
	Referenced Reason = "referenced by a manifest list"
	// Accompanies: its rule selects it, but it is the referrer of an image
	// that stays, and Options.ReferrersExpire is No.
	Accompanies Reason = "its subject stays"
	// Restoring: it is on its way back from the archive.
	Restoring Reason = "being restored"

	// TooOld: its rule takes it for its age.
	TooOld Reason = "too old"
	// TooMany: its rule takes it because enough newer images are there.
	TooMany Reason = "beyond the count"
	// WithSubject: ECR takes it, without a rule, as the referrer of an image
	// that goes.
	WithSubject Reason = "goes with its subject"
)

// Decision is what a run does with one image.
type Decision struct {
	Digest string
	// Action is empty when the image stays in every reading.
	Action Action
	// Rule is the priority of the rule that the image belongs to: it takes
	// the image, or protects it from the rules after it. It is 0 without one
	// and when ECR takes a referrer with its subject.
	Rule   int
	Reason Reason
	// Doubt is what Action hangs on or, for a Referenced image, its selection.
	Doubt Doubt
	// SparedFrom is the priority of the first later rule that would take the
	// image if it did not belong to Rule, or 0.
	SparedFrom int
}

// Certain reports whether the action is taken in every reading.
func (d *Decision) Certain() bool { return d.Action != "" && d.Doubt == 0 }

// Failed reports whether ECR selects the image and then fails to act, which
// it records with the code ImageReferencedByManifestList.
func (d *Decision) Failed() bool { return d.Reason == Referenced }

// Result is what a run of a policy does to a repository.
type Result struct {
	At        time.Time
	Decisions []Decision // one for each image, in the order of the images

	family family
}

// Holders are the digests of the live manifest lists that refer to the image
// of Decisions[i], sorted.
func (r Result) Holders(i int) []string { return r.family.holderDigests(i) }

// Apply is the repository after the run, where images are those that were
// judged. It does what is certain and leaves the images it is given alone.
func (r Result) Apply(images []Image) []Image {
	after := make([]Image, 0, len(images))
	for i, d := range r.Decisions {
		image := images[i]
		if d.Certain() && d.Action == Expire {
			continue
		}
		if d.Certain() && d.Action == Transition {
			image.Status, image.LastArchivedAt = Archived, r.At
		}
		after = append(after, image)
	}
	return slices.Clip(after)
}
