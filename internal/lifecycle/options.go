package lifecycle

// Answer settles a question that AWS's text leaves open.
type Answer uint8

// The answers. The zero value is to judge both ways.
const (
	Open Answer = iota
	Yes
	No
)

// Options say how to read AWS's text where it can be read in more than one
// way. The zero value keeps all readings; see [OneReading] for a single one.
type Options struct {
	// ChildrenCount: do the children of a live manifest list count towards
	// imageCountMoreThan? A rule "can still identify" what it cannot take,
	// so they should; no published run of ECR proves it.
	ChildrenCount Answer
	// ReferrersExpire: may a rule take a signature or SBOM whose subject is
	// there? ECR counts and lists them as images; whether a rule spares
	// them is not documented.
	ReferrersExpire Answer
	// BreakTies orders images of the same age by digest. AWS documents no
	// order; without it both orders are kept.
	BreakTies bool
}

// OneReading is the reading for something that has to act, such as drydock:
// everything counts, nothing is spared that AWS does not say is spared, and
// of two images of the same age the one with the higher digest is newer. Its
// decisions have no doubt.
func OneReading() Options {
	return Options{ChildrenCount: Yes, ReferrersExpire: Yes, BreakTies: true}
}

// Doubt names the open questions on which a decision hangs. Zero is certain.
type Doubt uint8

// The doubts, to be combined.
const (
	DoubtChildren Doubt = 1 << iota // see Options.ChildrenCount
	DoubtTies                       // see Options.BreakTies
	// DoubtReferrers: see Options.ReferrersExpire. In a forecast also whether
	// ECR comes back for a referrer that could not go with its subject.
	DoubtReferrers
)
