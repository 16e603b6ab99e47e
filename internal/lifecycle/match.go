package lifecycle

import "strings"

// glob is a tag pattern taken apart at its wildcards. The pieces are looked
// for from left to right, each once, so matching never goes back.
type glob struct {
	head, tail string
	middle     []string
	exact      bool // no wildcard: the tag is head
}

func newGlob(pattern string) glob {
	parts := strings.Split(pattern, "*")
	last := len(parts) - 1
	if last == 0 {
		return glob{head: pattern, exact: true}
	}
	return glob{head: parts[0], middle: parts[1:last], tail: parts[last]}
}

func (g *glob) match(tag string) bool {
	if g.head != "" && (tag == "" || tag[0] != g.head[0]) {
		return false // most tags, at the cost of one byte
	}
	if g.exact {
		return tag == g.head
	}
	rest, ok := strings.CutPrefix(tag, g.head)
	if !ok {
		return false
	}
	if rest, ok = strings.CutSuffix(rest, g.tail); !ok {
		return false
	}
	for _, piece := range g.middle {
		at := strings.Index(rest, piece)
		if at < 0 {
			return false
		}
		rest = rest[at+len(piece):]
	}
	return true
}

// selector is the part of a rule that identifies images.
type selector struct {
	class  StorageClass
	status TagStatus
	globs  []glob
}

func newSelector(r *Rule) selector {
	s := selector{class: r.StorageClass, status: r.TagStatus}
	for _, p := range r.TagPatterns {
		s.globs = append(s.globs, newGlob(p))
	}
	for _, p := range r.TagPrefixes {
		s.globs = append(s.globs, glob{head: p})
	}
	return s
}

func (s *selector) identifies(class StorageClass, tags []string) bool {
	if s.class != class {
		return false
	}
	switch s.status {
	case Untagged:
		return len(tags) == 0
	case Tagged:
		return len(tags) > 0 && s.matchesTags(tags)
	default:
		return true
	}
}

// matchesTags reports whether every entry of the list matches some tag: "An
// image is successfully matched if all of the tags in the tagPatternList or
// tagPrefixList value are matched against any of the image's tags."
func (s *selector) matchesTags(tags []string) bool {
	for i := range s.globs {
		if !s.globs[i].matchAny(tags) {
			return false
		}
	}
	return true
}

func (g *glob) matchAny(tags []string) bool {
	for _, tag := range tags {
		if g.match(tag) {
			return true
		}
	}
	return false
}

// TagFilter is a function that reports whether tags meet the rule's tag
// requirement: whether the rule identifies an image that carries them, while
// it lies in the rule's storage class. The function is made once for many
// images.
func (r Rule) TagFilter() func(tags []string) bool {
	s := newSelector(&r)
	return func(tags []string) bool { return s.identifies(s.class, tags) }
}
