// Package advice writes lifecycle policies: [Advise] makes, for one
// repository, the smallest policy that tidies it and never takes an image in
// use, or one that a rollback could go to, within a horizon.
//
// What it gives has been proved on a simulation of the repository: day by
// day, with the pushes and the moving tags to come, each run judged by package
// lifecycle in all readings of AWS's text. What cannot be proved is not given.
package advice

import (
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// Request is a repository and what is wanted of it.
type Request struct {
	Images []Image
	// Used are the images that must stay.
	Used []Use
	Now  time.Time
	// Horizon is how long the policy must be safe without a deploy; 0 is 90
	// days, for which ECS keeps the deployments that a rollback goes back to.
	Horizon time.Duration
	// Notice is the longest notice of a retirement; 0 is 14 days.
	Notice time.Duration
	// Keep are the patterns of tags that are never taken; nil is releases, by
	// what the repository has. Pins (keep-*) are always kept.
	Keep []string
	// Few are the patterns of tags of which a few are kept; nil is [UsualFew].
	Few []string
	// FewCount is how many; 0 is 10.
	FewCount int
	// Streams are the pushes to come; nil estimates them from the images.
	Streams []Stream
	// Frozen reports whether a tag can never move, since the repository is
	// immutable for it; nil is never.
	Frozen func(tag string) bool
}

// Image is an image with its size.
type Image struct {
	lifecycle.Image
	Bytes int64
}

// Use is an image that must stay.
type Use struct {
	Digest string
	By     string // "prod/api"
	// Rollback: it does not run, but a rollback could go to it.
	Rollback bool
}

// Stream is a sequence of pushes that is to be expected.
type Stream struct {
	Tag    string  `json:"tag"` // a pattern for tags of their own, or the name of a tag that moves
	PerDay float64 `json:"perDay"`
	Bytes  int64   `json:"bytes"` // of one push
	Parts  int     `json:"parts"` // manifests below its index; 0 is a single image
}

// Advice is a policy and what it does.
type Advice struct {
	// Policy is the text to put, "" where none is needed or none would help:
	// Why says which.
	Policy  string   `json:"policy,omitempty"`
	Why     string   `json:"why,omitempty"`
	Reasons []Reason `json:"reasons,omitempty"` // of its rules
	Notes   []string `json:"notes,omitempty"`   // what else to know
	Streams []Stream `json:"streams,omitempty"` // pushes that were simulated

	Now    Size `json:"now"`    // as it is
	First  Size `json:"first"`  // after the first run
	Then   Size `json:"then"`   // at the horizon
	Undone Size `json:"undone"` // at the horizon without any policy

	Until time.Time `json:"until"` // proved up to here
	Days  int       `json:"days"`  // runs that were simulated
}

// Reason is why a rule is there.
type Reason struct {
	Rule int    `json:"rule"`
	Say  string `json:"say"`
}

// Size is what a repository holds. Bytes are the sum of the images' sizes, as
// ECR tells them; layers that images share are stored once, so it is the most
// that it can be.
type Size struct {
	Images int   `json:"images"`
	Bytes  int64 `json:"bytes"`
}

// UsualFew are the patterns of tags that are made to be thrown away.
func UsualFew() []string { return []string{"dev-*", "test-*", "pr-*", "feature-*", "snapshot-*"} }

// Pins is the pattern of the tags that keep an image for ever.
const Pins = "keep-*"

const day = 24 * time.Hour

func (r Request) withDefaults() Request {
	if r.Horizon == 0 {
		r.Horizon = 90 * day
	}
	if r.Notice == 0 {
		r.Notice = 14 * day
	}
	if r.FewCount == 0 {
		r.FewCount = 10
	}
	if r.Few == nil {
		r.Few = UsualFew()
	}
	if r.Keep == nil {
		r.Keep = releasePatterns(r.Images)
	}
	if r.Streams == nil {
		r.Streams = Streams(r)
	}
	if r.Frozen == nil {
		r.Frozen = func(string) bool { return false }
	}
	return r
}

func (r *Request) end() time.Time { return r.Now.Add(r.Horizon) }
