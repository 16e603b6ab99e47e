package lifecycle

import "slices"

// Push is the repository after an image was pushed; images stay as they are.
// Its tags move to it, and an image that loses its last tag is untagged from
// then on, with its age: the prey of rules for untagged images. A digest that
// is there already only gets the tags, and comes back when it is archived;
// neither a push nor a new tag makes it younger.
//
// With Evaluate and Next this answers what would happen if something were
// pushed; [Tag] does for a tag, another [Policy] for a policy.
func Push(images []Image, pushed Image) []Image {
	after := slices.Clone(images)
	at := slices.IndexFunc(after, func(i Image) bool { return i.Digest == pushed.Digest })
	if at < 0 {
		at = len(after)
		arrived := pushed
		arrived.Tags = nil
		after = append(after, arrived)
	} else if after[at].Status == Archived {
		after[at].Status, after[at].LastActivatedAt = Active, pushed.PushedAt
	}
	return retag(after, at, pushed.Tags)
}

// Tag is the repository after a tag was given to an image, as PutImage gives
// one to a manifest that is there. A digest that is not there leaves it as it
// is.
func Tag(images []Image, digest string, tags ...string) []Image {
	after := slices.Clone(images)
	if at := slices.IndexFunc(after, func(i Image) bool { return i.Digest == digest }); at >= 0 {
		return retag(after, at, tags)
	}
	return after
}

// retag moves tags to the image at a place of a list that may be changed.
func retag(images []Image, at int, tags []string) []Image {
	for i := range images {
		if slices.ContainsFunc(images[i].Tags, func(t string) bool { return slices.Contains(tags, t) }) {
			images[i].Tags = slices.DeleteFunc(slices.Clone(images[i].Tags), func(t string) bool { return slices.Contains(tags, t) })
		}
	}
	images[at].Tags = slices.Concat(images[at].Tags, tags)
	return images
}
