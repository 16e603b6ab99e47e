package audit

import (
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// Options say how a fleet is judged. Only Now is needed.
type Options struct {
	// Now is the caller's clock. Where the fleet has later times (of a push, a
	// lifecycle run, a start), the latest of them counts: AWS's clock decides, and
	// that of this machine may lag, or be far behind that of a rehearsal.
	Now     time.Time
	Horizon time.Duration // how far ahead losses are reported
	// Tags is the team's tag policy; nil is none, and then only floating names
	// are found.
	Tags *image.Policy
	// Unused is how many days an image may lie there without a push, a pull or
	// a user before it counts as unused. 0: images are not judged by that.
	Unused int
	// Cadence dates what hangs on pushes; nil dates nothing, and then count
	// rules are told by how many pushes they are away.
	Cadence Cadence
	// Lint adds what is to be said of a lifecycle policy; nil adds nothing.
	Lint Lint
	// Accept and Baseline name findings that do not count.
	Accept   []Accept
	Baseline Baseline
}

// Cadence learns from the images that a count rule identifies how often it is
// pushed to. The answer says when the n-th push from now comes; times that are
// not within sight are zero. The images are lent for the call.
type Cadence func(rule lifecycle.Rule, images []lifecycle.Image, now time.Time) func(n int) When

// Lint says what is odd about a repository's lifecycle policy, which is valid.
// The uses are those of its images, in no order.
type Lint func(r *Repository, p lifecycle.Policy, uses []Use, now time.Time) []Remark

// Use is one use of an image of a repository.
type Use struct {
	Digest string
	By     string // "prod/web"
	// Since is when the oldest task that runs it started, where that is known.
	Since time.Time
	// Earlier says that nothing runs it: a rollback could go back to it.
	Earlier bool
}

// Remark is what a linter says of a policy.
type Remark struct {
	Code      string // the linter's own: "LC003"
	Severity  Severity
	Rule      int // priority; 0 where it is about the policy
	What, Why string
	Fix       []Fix
}
