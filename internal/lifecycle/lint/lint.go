// Package lint reads an ECR lifecycle policy as somebody would who has seen
// such policies delete images that ran: it says which rules do something else
// than they seem to. [Check] is all of it; [Catalogue] is what it knows.
//
// Each remark has a stable code, and the line and column that it is about.
// What a text alone shows is found without AWS. With the images of the
// repository, and what of them is in use, more is, and it is said more surely.
package lint

import (
	"cmp"
	"slices"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// Severity is how bad a remark is.
type Severity string

// The severities. Error: ECR refuses the policy, or it takes what is in use.
// Warning: it does something else than it seems to, or will take what may be in
// use. Note: worth knowing.
const (
	Note    Severity = "note"
	Warning Severity = "warning"
	Error   Severity = "error"
)

// Code names a kind of remark. Codes are never reused.
type Code string

// Use is an image in use.
type Use struct {
	Digest string
	By     string    // "prod/api"
	Since  time.Time // zero where it is not known
}

// Subject is what is looked at. Only Text is needed.
type Subject struct {
	Text []byte
	// Images of the repository; nil when they are not known.
	Images []lifecycle.Image
	Uses   []Use
	Now    time.Time
	// Restart is how long a service may go without a deploy and must restart
	// all the same: at least the longest notice of a retirement. 0 is 14 days,
	// the longest that Fargate gives (fargateTaskRetirementWaitPeriod).
	Restart time.Duration
}

// Remark is one thing to know of a policy.
type Remark struct {
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"`
	Rule     int      `json:"rule,omitempty"` // its priority; 0 is the policy as a whole
	Line     int      `json:"line"`
	Column   int      `json:"column"`
	What     string   `json:"what"` // one sentence
	Why      string   `json:"why"`
	Do       string   `json:"do"`
}

// Check says what is to be known of a policy, by line. An invalid policy has
// remarks on that alone.
func Check(s Subject) []Remark {
	if s.Restart == 0 {
		s.Restart = 14 * day
	}
	policy, err := lifecycle.ParsePolicy(s.Text)
	if err != nil {
		return sorted(invalid(s.Text, err))
	}
	places, err := lifecycle.Places(s.Text)
	if err != nil { // it was parsed a moment ago
		return nil
	}
	c := newCheck(s, policy, places)
	for _, look := range []func(*check){
		(*check).severalPatterns, (*check).lateShields, (*check).endlessPrefixes, (*check).idleRules,
		(*check).anyByAge, (*check).untagged, (*check).shortAges, (*check).crowding,
		(*check).pulled, (*check).bothTags, (*check).releases, (*check).children, (*check).inUse,
	} {
		look(c)
	}
	return sorted(c.remarks)
}

const day = 24 * time.Hour

func sorted(remarks []Remark) []Remark {
	slices.SortStableFunc(remarks, func(a, b Remark) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Code, b.Code))
	})
	return remarks
}

// check is a policy under the eye.
type check struct {
	Subject
	policy  lifecycle.Policy
	rules   []rule
	users   map[string][]Use // by digest
	remarks []Remark
}

// rule is a rule with where its parts stand and what it identifies.
type rule struct {
	lifecycle.Rule
	places map[string]lifecycle.Place // by path within the rule, "selection.countNumber"
	images []int                      // that it identifies; indexes of Subject.Images
	own    []int                      // of these, that no earlier rule identifies
}

func newCheck(s Subject, policy lifecycle.Policy, places []lifecycle.Place) *check {
	c := &check{Subject: s, policy: policy, users: map[string][]Use{}}
	for _, u := range s.Uses {
		c.users[u.Digest] = append(c.users[u.Digest], u)
	}
	located := byPriority(places)
	owned := map[int]bool{}
	for _, r := range policy.Rules() {
		found := rule{Rule: r, places: located[r.Priority]}
		identifies := r.Identifies()
		for i := range s.Images {
			if !identifies(&s.Images[i]) {
				continue
			}
			found.images = append(found.images, i)
			if !owned[i] {
				owned[i] = true
				found.own = append(found.own, i)
			}
		}
		c.rules = append(c.rules, found)
	}
	return c
}

// remark notes something about a rule, at one of its parts.
func (c *check) remark(r *rule, part string, code Code, severity Severity, what, why, do string) {
	at, ok := r.places[part]
	if !ok {
		at = r.places[""]
	}
	c.remarks = append(c.remarks, Remark{code, severity, r.Priority, at.Line, at.Column, what, why, do})
}

// entries are the patterns that must all match; prefixes are said as such.
func (r *rule) entries() []string {
	return append(slices.Clone(r.TagPatterns), prefixPatterns(r.TagPrefixes)...)
}

// list is the name of the rule's list of tags.
func (r *rule) list() string {
	if r.TagPrefixes != nil {
		return "selection.tagPrefixList"
	}
	return "selection.tagPatternList"
}

// byAge reports whether the rule goes by the time since the push.
func (r *rule) byAge() bool { return r.CountType == lifecycle.SincePushed }

// shields reports whether the rule is there to protect: its number is one that
// no repository reaches.
func (r *rule) shields() bool {
	if r.CountType == lifecycle.CountMoreThan {
		return r.CountNumber >= endlessCount
	}
	return r.CountNumber >= endlessDays
}

const (
	endlessCount = 1000
	endlessDays  = 3650
)

// usesOf are the uses of images.
func (c *check) usesOf(images []int) []Use {
	var uses []Use
	for _, i := range images {
		uses = append(uses, c.users[c.Images[i].Digest]...)
	}
	return uses
}
