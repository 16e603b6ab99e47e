package audit

import (
	"fmt"
	"slices"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// moved finds a tag that names another image than the one ECS is pinned to,
// or none.
func (j *judge) moved(u *user, use *use) {
	if !use.pinned || use.ref.Tag == "" || slices.Contains(use.found().Tags, use.ref.Tag) {
		return
	}
	f := u.about(TagMoved, Warning, use)
	f.What = fmt.Sprintf("%s runs %s, which tag %s does not name any more", u.name(), image.ShortDigest(use.digest), use.ref.Tag)
	tagged, alive := use.tagged()
	if alive {
		f.Why = fmt.Sprintf("tag %s of repository %s is %s, pushed %s: the next deployment under that tag starts other code", use.ref.Tag, use.repo.Name, image.ShortDigest(tagged.Digest), date(tagged.PushedAt))
	} else {
		f.Why = fmt.Sprintf("repository %s has no tag %s: the next deployment under it fails", use.repo.Name, use.ref.Tag)
	}
	if len(use.found().Tags) == 0 {
		f.Why += "; the running image has no tag left, so rules for untagged images see it"
	}
	f.Fix = append(j.keep(u, use, "pin the running digest"), j.redeploy(u, use, alive)...)
	j.add(f)
}

// tag judges how the image is named, whatever becomes of it.
func (j *judge) tag(u *user, use *use) {
	if use.container.Unpinned && u.svc != nil && use.ref.Digest == "" {
		f := u.about(Unpinned, Warning, use)
		f.What = fmt.Sprintf("%s resolves tag %s at every start", u.name(), use.tag())
		f.Why = "versionConsistency is disabled for the container, so tasks of one deployment may run different code, and no digest is there to be kept"
		f.Fix = []Fix{{Say: "remove versionConsistency from the container definition, and deploy"}}
		j.add(f)
	}
	if use.ref.Digest != "" && use.ref.Tag == "" { // named by its digest: there is nothing to judge
		return
	}
	tag := use.tag()
	if j.floats(tag) {
		f := u.about(FloatingTag, Warning, use)
		f.What = fmt.Sprintf("%s is deployed under the floating tag %s", u.name(), tag)
		f.Why = fmt.Sprintf("%s is moved from image to image: what was deployed cannot be told from its name, and loses that name at the next push", tag)
		f.Fix = j.betterTag(u, use)
		j.add(f)
		return
	}
	if j.o.Tags == nil {
		return
	}
	if err := j.o.Tags.Check(tag); err != nil {
		f := u.about(TagAgainstPolicy, Warning, use)
		f.What = fmt.Sprintf("%s is deployed under tag %s, which is against the tag policy", u.name(), tag)
		f.Why = err.Error()
		f.Fix = j.betterTag(u, use)
		j.add(f)
	}
}

func (j *judge) floats(tag string) bool {
	if j.o.Tags != nil && j.o.Tags.Floating != nil {
		return slices.Contains(j.o.Tags.Floating, tag)
	}
	return slices.Contains(image.Floating(), tag)
}

// allowed says whether a tag is a fit name for a deployment.
func (j *judge) allowed(tag string) bool {
	if j.floats(tag) {
		return false
	}
	return j.o.Tags == nil || j.o.Tags.Check(tag) == nil
}

// betterTag deploys the same image under a tag that stays, where it has one.
func (j *judge) betterTag(u *user, use *use) []Fix {
	tags := slices.Clone(use.found().Tags)
	slices.Sort(tags)
	for _, tag := range tags {
		if tag != use.tag() && j.allowed(tag) && !isPin(tag) {
			return j.deploy(u, use, tag, "deploy the same image under its tag "+tag)
		}
	}
	if u.svc == nil {
		return []Fix{{Say: "build and push under a tag that names one build, such as v1.2.3, and start that"}}
	}
	return []Fix{{Say: "give the commit a git tag that names one build, such as v1.2.3, and release that", Command: j.releasing(u, use)}}
}
