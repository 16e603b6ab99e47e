package advice

import (
	"fmt"
	"slices"
	"strings"
)

// Step is one step on the way to immutable tags.
type Step struct {
	Do      string `json:"do"`
	Why     string `json:"why"`
	Command string `json:"command,omitempty"` // complete but for what only the reader knows
}

// maxExclusions is how many filters a repository takes (PutImageTagMutability).
const maxExclusions = 5

// Immutability is the order in which a repository becomes immutable without a
// pipeline that stops or a repository that fills, and what it does to the
// policy. Nothing is left to do where no tag moves.
func Immutability(r Request, a Advice, repository string) []Step {
	r = r.withDefaults()
	moving := r.movingTags()
	var steps []Step
	if len(moving) > 0 {
		steps = append(steps, Step{
			Do:  "give every build a tag of its own: v1.2.3 for releases, dev-<commit> for the rest",
			Why: fmt.Sprintf("%s: a push of a tag that exists is refused once it is immutable, and the pipeline with it", subjectVerb(moving, "moves today", "move today")),
		})
	}
	if a.Policy != "" {
		steps = append(steps, Step{
			Do:      "put the lifecycle policy",
			Why:     "immutable tags are deleted by a policy all the same; without one nothing is ever untagged, and everything stays" + r.sooner(a, moving),
			Command: "plimsoll lifecycle apply --repository " + repository,
		})
	}
	command := "aws ecr put-image-tag-mutability --repository-name " + repository + " --image-tag-mutability IMMUTABLE"
	why := "a release can then never become another image"
	if n := min(len(moving), maxExclusions); n > 0 {
		var filters []string
		for _, tag := range moving[:n] {
			filters = append(filters, "filterType=WILDCARD,filter="+tag)
		}
		command += "_WITH_EXCLUSION --image-tag-mutability-exclusion-filters " + strings.Join(filters, " ")
		why += "; tags that are meant to move stay mutable by exclusion filters, of which a repository takes " + fmt.Sprint(maxExclusions)
	}
	return append(steps, Step{Do: "make the tags immutable", Why: why, Command: command})
}

// movingTags are the tags of the repository that pipelines move, the usual
// suspects first.
func (r *Request) movingTags() []string {
	var tags []string
	for i := range r.Images {
		for _, tag := range r.Images[i].Tags {
			if r.moves(tag) && !slices.Contains(tags, tag) {
				tags = append(tags, tag)
			}
		}
	}
	slices.Sort(tags)
	return tags
}

// sooner is what a tag for each push does to the rules that count.
func (r *Request) sooner(a Advice, moving []string) string {
	var moved float64
	for _, s := range r.Streams {
		if slices.Contains(moving, s.Tag) {
			moved += s.PerDay
		}
	}
	if moved == 0 {
		return ""
	}
	for _, s := range r.Streams {
		if s.isPattern() && slices.Contains(r.Few, s.Tag) && s.PerDay > 0 {
			before, after := float64(r.FewCount)/s.PerDay, float64(r.FewCount)/(s.PerDay+moved)
			return fmt.Sprintf(". A push that moved a tag then makes a new one: where %s get them too, %d of them last %s and not %s", s.Tag, r.FewCount, inDays(after), inDays(before))
		}
	}
	return fmt.Sprintf(". The %s that moved a tag in 30 days would each have stayed", pushes(moved*30))
}

func inDays(days float64) string {
	if days < 2 {
		return fmt.Sprintf("%.0f hours", days*24)
	}
	return fmt.Sprintf("%.0f days", days)
}

func pushes(n float64) string {
	if n < 1.5 {
		return "push"
	}
	return fmt.Sprintf("%.0f pushes", n)
}

func subjectVerb(names []string, one, more string) string {
	if len(names) == 1 {
		return names[0] + " " + one
	}
	const most = 3
	if len(names) > most {
		return fmt.Sprintf("%s and %d others %s", strings.Join(names[:most], ", "), len(names)-most, more)
	}
	return strings.Join(names, ", ") + " " + more
}
