package lifecycle

import (
	"hash/maphash"
	"math/bits"
)

// digests numbers digests in the order in which they are added. A repository
// asks for each of its digests once, and what that costs is memory that is not
// in the cache: a slot of eight bytes tells most digests apart, where a map
// reads the keys.
type digests struct {
	seed  maphash.Seed
	slots []digestSlot // a power of two of them, at most half full
	names []string
}

type digestSlot struct {
	hash   uint32
	number int32 // plus 1; 0 is free
}

// newDigests has room for so many digests.
func newDigests(most int) digests {
	return digests{
		seed:  maphash.MakeSeed(),
		slots: make([]digestSlot, 1<<bits.Len(uint(2*most))),
		names: make([]string, 0, most),
	}
}

// number is the number of a digest, or none.
func (d *digests) number(digest string) int32 {
	at, _ := d.find(digest)
	return d.slots[at].number - 1
}

// each calls yield with the number, or none, of every image. It goes by small
// groups in steps, so that the processor waits for many places of the memory at
// once rather than for one after the other.
func (d *digests) each(images []Image, yield func(image int, number int32)) {
	const group = 64
	var hashes [group]uint64
	var first [group]digestSlot
	mask := uint64(len(d.slots) - 1)
	for from := 0; from < len(images); from += group {
		some := images[from:min(from+group, len(images))]
		for i := range some {
			hashes[i] = maphash.String(d.seed, some[i].Digest)
		}
		for i := range some {
			first[i] = d.slots[hashes[i]&mask]
		}
		for i := range some {
			if first[i].number == 0 {
				yield(from+i, none)
				continue
			}
			at, _ := d.findHashed(some[i].Digest, hashes[i])
			yield(from+i, d.slots[at].number-1)
		}
	}
}

// add is the number of a digest, which may be a new one.
func (d *digests) add(digest string) int32 {
	at, hash := d.find(digest)
	if d.slots[at].number == 0 {
		d.names = append(d.names, digest)
		d.slots[at] = digestSlot{hash, int32(len(d.names))}
	}
	return d.slots[at].number - 1
}

// find is the slot of a digest, or the free one where it belongs.
func (d *digests) find(digest string) (at int, hash uint32) {
	return d.findHashed(digest, maphash.String(d.seed, digest))
}

func (d *digests) findHashed(digest string, h uint64) (at int, hash uint32) {
	hash = uint32(h >> 32)
	mask := len(d.slots) - 1
	for at = int(h) & mask; ; at = (at + 1) & mask {
		s := d.slots[at]
		if s.number == 0 || s.hash == hash && d.names[s.number-1] == digest {
			return at, hash
		}
	}
}
