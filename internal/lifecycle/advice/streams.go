package advice

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// releasePatterns are the patterns of releases that the images have: with a v
// before the number, or without.
func releasePatterns(images []Image) []string {
	plain, withV := false, false
	strict := image.Policy{AllowPrerelease: true}
	for i := range images {
		for _, tag := range images[i].Tags {
			switch {
			case strict.Check(tag) == nil:
				withV = true
			case strict.Check("v"+tag) == nil:
				plain = true
			}
		}
	}
	switch {
	case plain: // takes v1.2.3 as well
		return []string{"*.*.*"}
	case withV:
		return []string{"v*.*.*"}
	}
	return nil
}

// moves reports whether a tag is one that pipelines move: a known name, or one
// without a number in it, where the repository lets it.
func (r *Request) moves(tag string) bool {
	if r.Frozen != nil && r.Frozen(tag) || lifecycle.MatchTag(Pins, tag) {
		return false
	}
	return slices.Contains(image.Floating(), tag) || !strings.ContainsAny(tag, "0123456789")
}

// lookBack is how much of the past says how often images are pushed.
const lookBack = 30 * day

// Streams estimates the pushes to come: for each of the patterns as many as in
// the last 30 days, and the same for each tag that moves and for all the
// other images together. A policy may have taken the older ones of these days
// already, so the rate is that of the days that images are left of.
func Streams(r Request) []Stream {
	if r.Few == nil {
		r.Few = UsualFew()
	}
	if r.Keep == nil {
		r.Keep = releasePatterns(r.Images)
	}
	parts := partsOf(r.Images)
	pushed := map[string][]*Image{}
	var left []*Image // of tags that moved on
	for i := range r.Images {
		m := &r.Images[i]
		if r.Now.Sub(m.PushedAt) > lookBack || m.Subject != "" || parts[m.Digest] {
			continue
		}
		if len(m.Tags) == 0 {
			left = append(left, m)
		}
		for _, name := range streamsOf(m, &r) {
			pushed[name] = append(pushed[name], m)
		}
	}
	var streams []Stream
	for _, name := range slices.Sorted(maps.Keys(pushed)) {
		images := pushed[name]
		if !strings.Contains(name, "*") { // a moving tag has one image, whose predecessors have none
			images = append(images, left...)
			left = nil
		}
		streams = append(streams, streamOf(name, images, r.Now))
	}
	return streams
}

// other is what tags are called that no pattern is about.
const other = "other-*"

// streamsOf are the streams that an image belongs to.
func streamsOf(m *Image, r *Request) []string {
	var names []string
	for _, tag := range m.Tags {
		name := r.streamName(tag)
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// streamName is the stream that a tag is of: "" for a pin, which is no push.
func (r *Request) streamName(tag string) string {
	if lifecycle.MatchTag(Pins, tag) {
		return ""
	}
	if r.moves(tag) {
		return tag
	}
	for _, patterns := range [][]string{r.Keep, r.Few} {
		for _, p := range patterns {
			if lifecycle.MatchTag(p, tag) {
				return p
			}
		}
	}
	return other
}

func streamOf(name string, images []*Image, now time.Time) Stream {
	s := Stream{Tag: name}
	since := day
	indexes := 0
	for _, m := range images {
		since = max(since, now.Sub(m.PushedAt))
		s.Bytes += m.Bytes
		if len(m.Children) > 0 {
			indexes++
			s.Parts += len(m.Children)
		}
	}
	s.PerDay = float64(len(images)) / (float64(since) / float64(day))
	s.Bytes /= int64(len(images))
	if indexes > 0 {
		s.Parts /= indexes
	}
	return s
}

// partsOf are the digests that indexes list.
func partsOf(images []Image) map[string]bool {
	parts := map[string]bool{}
	for i := range images {
		for _, child := range images[i].Children {
			parts[child] = true
		}
	}
	return parts
}

// isPattern tells a stream of tags that each push makes new from one tag that
// moves.
func (s Stream) isPattern() bool { return strings.Contains(s.Tag, "*") }
