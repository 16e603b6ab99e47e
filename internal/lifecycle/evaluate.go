package lifecycle

import (
	"math/bits"
	"time"
)

// Evaluate says what a run of the policy at now does to the repository. An
// index that goes in this run still holds its children: they are ordinary
// images to the next run.
func Evaluate(p Policy, images []Image, now time.Time, o Options) Result {
	j := newJudge(p, images, now, o)
	result := Result{At: now, Decisions: make([]Decision, len(images)), family: j.family}
	for i := range images {
		result.Decisions[i] = j.decide(i)
	}
	j.cascade(result.Decisions)
	return result
}

// judge is a repository made ready to be judged: what each rule identifies,
// where its cut lies, who refers to whom.
type judge struct {
	policy  Policy
	images  []Image
	now     time.Time
	options Options

	matched []uint64    // bit r: rule r identifies the image; a policy has at most 50
	cutoffs []time.Time // of age rules: what is older goes
	cuts    []cut       // of count rules
	order   ranking
	family  family
}

func newJudge(p Policy, images []Image, now time.Time, o Options) *judge {
	j := &judge{policy: p, images: images, now: now, options: o, family: newFamily(images)}
	j.match()
	j.cutoffs = make([]time.Time, len(p.rules))
	j.cuts = make([]cut, len(p.rules))
	for r := range p.rules {
		if p.rules[r].CountType != CountMoreThan {
			j.cutoffs[r] = addDays(now, -p.rules[r].CountNumber)
		}
	}
	counting := j.countRules()
	j.order = newRanking(images, j.matched, counting, o.BreakTies)
	for rules := counting; rules != 0; rules &= rules - 1 {
		r := bits.TrailingZeros64(rules)
		j.cuts[r] = j.cut(r)
	}
	return j
}

// match finds what every rule identifies, each on its own: "All rules are
// evaluated at the same time, regardless of rule priority."
func (j *judge) match() {
	j.matched = make([]uint64, len(j.images))
	selectors := make([]selector, len(j.policy.rules))
	for r := range selectors {
		selectors[r] = newSelector(&j.policy.rules[r])
	}
	for i := range j.images {
		class := j.images[i].storageClass()
		for r := range selectors {
			if selectors[r].identifies(class, j.images[i].Tags) {
				j.matched[i] |= 1 << r
			}
		}
	}
}

func (j *judge) countRules() uint64 {
	var rules uint64
	for r := range j.policy.rules {
		if j.policy.rules[r].CountType == CountMoreThan {
			rules |= 1 << r
		}
	}
	return rules
}

// decide judges an image without regard to its subject.
func (j *judge) decide(i int) Decision {
	d := Decision{Digest: j.images[i].Digest, Reason: Unmatched}
	if j.images[i].Status == Activating {
		d.Reason = Restoring
	}
	if j.matched[i] == 0 {
		return d
	}
	// "An image that matches the tagging requirements of a rule cannot be
	// expired or archived by a rule with a lower priority."
	owner := bits.TrailingZeros64(j.matched[i])
	rule := &j.policy.rules[owner]
	d.Rule = rule.Priority
	var takes bool
	takes, d.Doubt = j.takes(owner, i)
	switch {
	case takes && j.family.held(i):
		d.Reason = Referenced
	case takes:
		d.Action, d.Reason = rule.Action, rule.taking()
	default:
		d.Reason = rule.keeping()
		d.SparedFrom = j.sparedFrom(i)
	}
	return d
}

func (r *Rule) taking() Reason {
	if r.CountType == CountMoreThan {
		return TooMany
	}
	return TooOld
}

func (r *Rule) keeping() Reason {
	if r.CountType == CountMoreThan {
		return AmongNewest
	}
	return TooYoung
}

// takes reports whether rule r would take image i, in some reading, and what
// the readings differ in.
func (j *judge) takes(r, i int) (bool, Doubt) {
	rule := &j.policy.rules[r]
	if rule.CountType == CountMoreThan {
		return j.beyond(r, i)
	}
	at := rule.reference(&j.images[i])
	// Older than N days is strict: in the guide's last example an image
	// exactly one day old survives a rule of one day.
	return !at.IsZero() && at.Before(j.cutoffs[r]), 0
}

// sparedFrom is the first rule after the image's own that would take it.
func (j *judge) sparedFrom(i int) int {
	if j.family.held(i) {
		return 0
	}
	for later := j.matched[i] & (j.matched[i] - 1); later != 0; later &= later - 1 {
		r := bits.TrailingZeros64(later)
		if takes, _ := j.takes(r, i); takes {
			return j.policy.rules[r].Priority
		}
	}
	return 0
}
