package lifecycle

import "slices"

// family is who refers to whom in a repository.
type family struct {
	images []Image
	// holders of an image are the live indexes that list it: a chain of
	// links from first[i].
	first   []int32
	links   []link
	subject []int32 // of a referrer; nil when there are no referrers
}

type link struct{ holder, next int32 }

const none = int32(-1)

// mentioned is what is known of a digest that some image refers to.
type mentioned struct {
	image int32 // the image itself, or none
	first int32 // link to its holders, or none
}

func newFamily(images []Image) family {
	f := family{images: images}
	digests, known := f.references()
	if len(known) == 0 {
		return f
	}
	f.first = make([]int32, len(images))
	digests.each(images, func(i int, n int32) {
		f.first[i] = none
		if n != none {
			f.first[i] = known[n].first
			known[n].image = int32(i)
		}
	})
	f.setSubjects(&digests, known)
	return f
}

// references collects the digests that images refer to.
func (f *family) references() (digests, []mentioned) {
	children, subjects := 0, 0
	for i := range f.images {
		if f.images[i].holds() {
			children += len(f.images[i].Children)
		}
		if f.images[i].refersToSubject() {
			subjects++
		}
	}
	f.links = make([]link, 0, children)
	digests := newDigests(children + subjects)
	known := make([]mentioned, 0, children+subjects)
	mention := func(digest string) *mentioned {
		n := digests.add(digest)
		if int(n) == len(known) {
			known = append(known, mentioned{none, none})
		}
		return &known[n]
	}
	for i := range f.images {
		image := &f.images[i]
		if image.refersToSubject() {
			mention(image.Subject)
		}
		if !image.holds() {
			continue
		}
		for _, child := range image.Children {
			if m := mention(child); child != image.Digest {
				f.links = append(f.links, link{int32(i), m.first})
				m.first = int32(len(f.links) - 1)
			}
		}
	}
	return digests, known
}

func (f *family) setSubjects(digests *digests, known []mentioned) {
	for i := range f.images {
		if !f.images[i].refersToSubject() {
			continue
		}
		if f.subject == nil {
			f.subject = slices.Repeat([]int32{none}, len(f.images))
		}
		f.subject[i] = known[digests.number(f.images[i].Subject)].image
	}
}

// held reports whether a live index lists the image.
func (f *family) held(i int) bool { return f.first != nil && f.first[i] != none }

// holders calls yield with each index that holds the image.
func (f *family) holders(i int, yield func(holder int)) {
	if f.first == nil {
		return
	}
	for l := f.first[i]; l != none; l = f.links[l].next {
		yield(int(f.links[l].holder))
	}
}

func (f *family) holderDigests(i int) []string {
	var digests []string
	f.holders(i, func(h int) { digests = append(digests, f.images[h].Digest) })
	slices.Sort(digests)
	return slices.Compact(digests)
}

// subjectOf is the image in the repository that a referrer is about.
func (f *family) subjectOf(i int) (int, bool) {
	if f.subject == nil || f.subject[i] == none {
		return 0, false
	}
	return int(f.subject[i]), true
}
