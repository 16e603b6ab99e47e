package retain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
)

// Fate is what the repository's lifecycle policy has in store for an image with
// its pin.
type Fate struct {
	// Safe: no rule ever takes it, in any reading of AWS's text, whoever
	// pushes what.
	Safe   bool             `json:"safe"`
	Why    string           `json:"why"`            // in words: "rule 1 protects keep-*"
	Rule   int              `json:"rule,omitempty"` // the one that protects it, or takes it
	Action lifecycle.Action `json:"action,omitempty"`
	At     time.Time        `json:"at,omitzero"`      // not before this
	Pushes int              `json:"pushes,omitempty"` // when so many more images have come; 0 for an age
}

// sight is how far ages are foreseen: no rule of a person's looks further.
const sight = 20 * 365 * 24 * time.Hour

// fates judges images of the repository, by digest, as the repository is in r.
func fates(r audit.Repository, digests []string, now time.Time) map[string]Fate {
	all := map[string]Fate{}
	same := func(f Fate) map[string]Fate {
		for _, d := range digests {
			all[d] = f
		}
		return all
	}
	switch {
	case r.Unread != "":
		return same(Fate{Why: "whether a rule takes it is not known: " + r.Unread})
	case r.Policy == "":
		return same(Fate{Safe: true, Why: "the repository has no lifecycle policy"})
	}
	policy, err := lifecycle.ParsePolicy([]byte(r.Policy))
	if err != nil { // a member that is newer than this build
		return same(Fate{Why: fmt.Sprintf("whether a rule takes it is not known: the lifecycle policy cannot be read: %v", err)})
	}
	now = now.UTC()
	images := bare(r.Images)
	as := lifecycle.Next(policy, images, now, sight)
	wanted := func(i lifecycle.Image) bool { return slices.Contains(digests, i.Digest) }
	for n, i := range images {
		if wanted(i) {
			// Its other tags may move to the next image at any time; the pin stays.
			images[n].Tags = slices.DeleteFunc(slices.Clone(i.Tags), func(tag string) bool { return !strings.HasPrefix(tag, Prefix) })
		}
	}
	alone := lifecycle.Next(policy, images, now, sight)
	for n, i := range images {
		if !wanted(i) {
			continue
		}
		f := judge(policy, as[n].Next, now)
		if pin := judge(policy, alone[n].Next, now); f.Safe && !pin.Safe {
			f = pin
			f.Why += ", once it has lost its other tags"
		}
		all[i.Digest] = f
	}
	return all
}

// judge says what an event in store for a pinned image means.
func judge(policy lifecycle.Policy, next lifecycle.Event, now time.Time) Fate {
	switch {
	case next.Action == "":
		return Fate{Safe: true, Why: "no rule takes it"}
	case next.Pushes >= margin && shields(policy, next.Rule):
		return Fate{Safe: true, Rule: next.Rule, Why: fmt.Sprintf("rule %d protects pins", next.Rule)}
	}
	return taken(next, now)
}

// margin is how many more pins must fit under a rule that protects them.
const margin = 100

// taken is the fate of an image that a rule is going to take.
func taken(e lifecycle.Event, now time.Time) Fate {
	f := Fate{Rule: e.Rule, Action: e.Action, At: e.At.UTC(), Pushes: e.Pushes}
	does := map[lifecycle.Action]string{lifecycle.Expire: "deletes", lifecycle.Transition: "archives"}[e.Action]
	if e.Rule == 0 { // a referrer
		f.Why = fmt.Sprintf("ECR %s it with its subject", does)
	} else {
		f.Why = fmt.Sprintf("rule %d %s it", e.Rule, does)
	}
	switch {
	case e.Pushes > 0:
		f.Why += fmt.Sprintf(" after %s", noun.Forms(e.Pushes, "more push", "more pushes"))
	case !e.At.After(now):
		f.Why += " at the next run"
	default:
		f.Why += " from " + e.At.UTC().Format("2006-01-02 15:04") + " UTC on"
	}
	return f
}

// shields reports whether the rule of a priority selects nothing but pins and
// keeps a number of them: what it counts is pins, and those are ours.
func shields(p lifecycle.Policy, priority int) bool {
	return slices.ContainsFunc(p.Rules(), func(r lifecycle.Rule) bool {
		return r.Priority == priority && r.TagStatus == lifecycle.Tagged && r.CountType == lifecycle.CountMoreThan &&
			slices.ContainsFunc(slices.Concat(r.TagPatterns, r.TagPrefixes), func(p string) bool { return strings.HasPrefix(p, Prefix) })
	})
}
