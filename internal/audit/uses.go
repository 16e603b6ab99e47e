package audit

// UsesOf says who needs which images of the fleet's repositories: a list for each
// of them, in their order. An image that several use is listed for each.
func UsesOf(fleet Fleet) [][]Use {
	j := newJudge(&fleet, &Options{})
	uses := make([][]Use, len(j.registries.all))
	for i, r := range j.registries.all {
		uses[i] = r.usage()
	}
	return uses
}

func (r *repository) usage() []Use {
	var uses []Use
	for _, use := range r.uses {
		uses = append(uses, Use{Digest: r.Images[use.image].Digest, By: use.user.object.Name, Since: use.user.since, Earlier: use.earlier})
	}
	return uses
}
