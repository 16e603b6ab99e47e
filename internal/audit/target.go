package audit

import (
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// standing is what is known of what a container would pull.
type standing uint8

const (
	there   standing = iota
	gone             // the registry does not have it
	foreign          // of a registry that was not looked into
	unseen           // could not be read
)

// target is what a container would pull, were it started.
type target struct {
	ref      image.Reference
	standing standing
	repo     *repository // nil where there is none, or none is known
	image    int32       // of repo, where the image is there
	digest   string      // what is pulled; "" where the tag is resolved and is not there
	pinned   bool        // the digest decides, and not the tag
}

// aim says what a container pulls. The digest that ECS pinned comes first,
// then one that the reference has, then what the tag names now: see "Container
// image resolution" in the ECS developer guide. byTag is for what nothing pins:
// tasks and schedules.
func (r *registries) aim(c Container, byTag bool) target {
	ref, err := image.Parse(c.Image)
	if err != nil { // ECS has taken it; what it means is not ours to guess
		return target{standing: foreign, ref: image.Reference{Repository: c.Image}}
	}
	t := target{ref: ref}
	if t.repo, t.standing = r.find(ref); t.standing != there {
		t.digest = ref.Digest
		return t
	}
	t.digest, t.pinned = ref.Digest, ref.Digest != ""
	if c.Digest != "" && !c.Unpinned && !byTag {
		t.digest, t.pinned = c.Digest, true
	}
	found := false
	if t.pinned {
		t.image, found = t.repo.byDigest(t.digest)
	} else if t.image, found = t.repo.byTag(t.tag()); found {
		t.digest = t.repo.Images[t.image].Digest
	}
	if !found {
		t.standing = gone
	}
	return t
}

// tag is the tag that the reference means; without tag and digest it is latest.
func (t *target) tag() string {
	if t.ref.Tag == "" && t.ref.Digest == "" {
		return "latest"
	}
	return t.ref.Tag
}

// tagged is the image that the tag names now, if there is one.
func (t *target) tagged() (*Image, bool) {
	if t.repo == nil || t.tag() == "" {
		return nil, false
	}
	i, ok := t.repo.byTag(t.tag())
	if !ok {
		return nil, false
	}
	return &t.repo.Images[i], true
}

// found is the image, which must be there.
func (t *target) found() *Image { return &t.repo.Images[t.image] }

// broken is a child of an index that is gone or archived. The digest that ECS
// pins is the index's; a task pulls the child of its platform next.
func (t *target) broken() (child string, archived, found bool) {
	for _, child := range t.found().Children {
		i, ok := t.repo.byDigest(child)
		if !ok {
			return child, false, true
		}
		if s := t.repo.Images[i].Status; s != "" && s != lifecycle.Active {
			return child, true, true
		}
	}
	return "", false, false
}
