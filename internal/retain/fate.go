package retain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
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

// fate judges an image of the repository, by digest, as the repository is in r.
func fate(r audit.Repository, digest string, now time.Time) Fate {
	switch {
	case r.Unread != "":
		return Fate{Why: "whether a rule takes it is not known: " + r.Unread}
	case r.Policy == "":
		return Fate{Safe: true, Why: "the repository has no lifecycle policy"}
	}
	policy, err := lifecycle.ParsePolicy([]byte(r.Policy))
	if err != nil { // a member that is newer than this build
		return Fate{Why: fmt.Sprintf("whether a rule takes it is not known: the lifecycle policy cannot be read: %v", err)}
	}
	images := plain(r.Images)
	i := slices.IndexFunc(images, func(i lifecycle.Image) bool { return i.Digest == digest })
	if i < 0 {
		return Fate{Why: "the image is not there"}
	}
	as := judge(policy, images, i, now.UTC())
	if !as.Safe {
		return as
	}
	// Its other tags may move to the next image at any time; the pin stays.
	images[i].Tags = slices.DeleteFunc(slices.Clone(images[i].Tags), func(tag string) bool { return !strings.HasPrefix(tag, Prefix) })
	if alone := judge(policy, images, i, now.UTC()); !alone.Safe {
		alone.Why += ", once it has lost its other tags"
		return alone
	}
	return as
}

// judge says what is in store for one of the images.
func judge(policy lifecycle.Policy, images []lifecycle.Image, i int, now time.Time) Fate {
	next := lifecycle.Next(policy, images, now, sight)[i].Next
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
		f.Why += fmt.Sprintf(" after %s", count(e.Pushes, "more push", "more pushes"))
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

func plain(images []audit.Image) []lifecycle.Image {
	list := make([]lifecycle.Image, len(images))
	for i, image := range images {
		list[i] = image.Image
	}
	return list
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
