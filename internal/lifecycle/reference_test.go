package lifecycle

import (
	"slices"
	"strings"
	"time"
)

// The evaluator once more, slow and literal: each sentence of the guide in
// its order, on maps, in one reading at a time. It shares only the types with
// the real one.

// reading is one answer to all that AWS's text leaves open.
type reading struct {
	childrenCount   bool
	referrersExpire bool
	newerFirst      []string // all digests; decides ties only
}

// taken is what a run did to an image; the zero value is nothing.
type taken struct {
	action Action
	rule   int
	failed bool
}

func referenceRun(rules []Rule, images []Image, now time.Time, r reading) map[string]taken {
	rules = slices.Clone(rules)
	slices.SortFunc(rules, func(a, b Rule) int { return a.Priority - b.Priority })

	// "All rules are evaluated at the same time, regardless of rule priority."
	identified := map[int][]Image{}
	candidates := map[int][]string{}
	for _, rule := range rules {
		for _, image := range images {
			if referenceIdentifies(rule, image) {
				identified[rule.Priority] = append(identified[rule.Priority], image)
			}
		}
		candidates[rule.Priority] = referenceCandidates(rule, identified[rule.Priority], images, now, r)
	}

	// "After all rules are evaluated, they are then applied based on rule
	// priority."
	result := map[string]taken{}
	for n, rule := range rules {
		for _, digest := range candidates[rule.Priority] {
			shielded := false
			for _, higher := range rules[:n] {
				for _, image := range identified[higher.Priority] {
					shielded = shielded || image.Digest == digest
				}
			}
			image := find(images, digest)
			switch {
			case shielded:
			case referenceHeld(image, images):
				result[digest] = taken{failed: true}
			case !r.referrersExpire && image.Subject != "" && find(images, image.Subject) != nil:
			default:
				result[digest] = taken{action: rule.Action, rule: rule.Priority}
			}
		}
	}

	// "automatically expire or archive those artifacts within 24 hours of the
	// deletion or archival of the subject image"
	for changed := true; changed; {
		changed = false
		for _, image := range images {
			subject, gone := result[image.Subject]
			if _, done := result[image.Digest]; done || !gone || subject.failed || image.Subject == image.Digest {
				continue
			}
			if subject.action == Transition && image.Status == Archived || referenceHeld(&image, images) {
				continue
			}
			result[image.Digest] = taken{action: subject.action}
			changed = true
		}
	}
	return result
}

func find(images []Image, digest string) *Image {
	for i := range images {
		if images[i].Digest == digest {
			return &images[i]
		}
	}
	return nil
}

func referenceIdentifies(rule Rule, image Image) bool {
	class := map[Status]StorageClass{"": Standard, Active: Standard, Archived: Archive}[image.Status]
	if class != rule.StorageClass {
		return false
	}
	switch rule.TagStatus {
	case AnyTag:
		return true
	case Untagged:
		return len(image.Tags) == 0
	}
	for _, pattern := range rule.TagPatterns {
		if !slices.ContainsFunc(image.Tags, func(tag string) bool { return slowGlob(pattern, tag) }) {
			return false
		}
	}
	for _, prefix := range rule.TagPrefixes {
		if !slices.ContainsFunc(image.Tags, func(tag string) bool { return strings.HasPrefix(tag, prefix) }) {
			return false
		}
	}
	return len(image.Tags) > 0
}

func slowGlob(pattern, tag string) bool {
	if pattern == "" {
		return tag == ""
	}
	if pattern[0] != '*' {
		return tag != "" && tag[0] == pattern[0] && slowGlob(pattern[1:], tag[1:])
	}
	for i := range len(tag) + 1 {
		if slowGlob(pattern[1:], tag[i:]) {
			return true
		}
	}
	return false
}

func referenceCandidates(rule Rule, identified, images []Image, now time.Time, r reading) []string {
	day := 24 * time.Hour
	var out []string
	if rule.CountType == CountMoreThan {
		counted := slices.DeleteFunc(slices.Clone(identified), func(i Image) bool {
			return !r.childrenCount && referenceHeld(&i, images)
		})
		// "images are sorted from youngest to oldest [...] and then all
		// images greater than the specified count are expired or archived"
		slices.SortFunc(counted, func(a, b Image) int {
			if c := referenceAge(b).Compare(referenceAge(a)); c != 0 {
				return c
			}
			return slices.Index(r.newerFirst, a.Digest) - slices.Index(r.newerFirst, b.Digest)
		})
		for n, image := range counted {
			if n+1 > rule.CountNumber {
				out = append(out, image.Digest)
			}
		}
		return out
	}
	for _, image := range identified {
		var since time.Time
		switch rule.CountType {
		case SincePushed:
			since = referenceAge(image)
		case SinceTransitioned:
			since = image.LastArchivedAt
		case SincePulled:
			// "If an image was never pulled, the image's pushed_at_time is
			// used [...]. If an image was archived and then restored at any
			// point in the past, but never pulled since the image was
			// restored, the image's last_activated_at is used"
			restored := !image.LastActivatedAt.IsZero()
			pulled := !image.LastPulledAt.IsZero()
			switch {
			case restored && !(pulled && image.LastPulledAt.After(image.LastActivatedAt)):
				since = image.LastActivatedAt
			case pulled:
				since = image.LastPulledAt
			default:
				since = image.PushedAt
			}
		}
		if now.Sub(since) > time.Duration(rule.CountNumber)*day {
			out = append(out, image.Digest)
		}
	}
	return out
}

func referenceAge(image Image) time.Time {
	if image.LastActivatedAt.IsZero() {
		return image.PushedAt
	}
	return image.LastActivatedAt
}

// "If an image is referenced by a manifest list, it cannot be expired or
// archived without the manifest list being deleted or archived first."
func referenceHeld(image *Image, images []Image) bool {
	return slices.ContainsFunc(images, func(index Image) bool {
		return index.Status != Archived && index.Digest != image.Digest && slices.Contains(index.Children, image.Digest)
	})
}
