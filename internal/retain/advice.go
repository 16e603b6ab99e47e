package retain

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// Shield is the lifecycle rule that protects pins. It must come before all
// others: ECR has an image belong to the first rule that selects it.
const Shield = `{"rulePriority": 1, "description": "pins of plimsoll", "selection": {"tagStatus": "tagged", "tagPatternList": ["` + Pattern + `"], "countType": "imageCountMoreThan", "countNumber": 9999}, "action": {"type": "expire"}}`

// Advice is something that keeps a service from being safe.
type Advice struct {
	What string `json:"what"`
	Do   string `json:"do,omitempty"`
}

func (a Advice) String() string {
	if a.Do == "" {
		return a.What
	}
	return a.What + "; " + a.Do
}

// Advice is what is not as it should be, with what to do about it.
func (r Result) Advice() []Advice {
	list := r.adviceOnImages()
	for _, p := range r.Released {
		if p.Left != "" {
			list = append(list, Advice{fmt.Sprintf("the pin %s of %s stays: %s", p.Pin, image.ShortDigest(p.Digest), p.Left),
				"when nothing needs the image: aws ecr batch-delete-image --repository-name " + unqualified(p.Repository) + " --image-ids imageDigest=" + p.Digest})
		}
	}
	return list
}

func (r Result) adviceOnImages() []Advice {
	var list []Advice
	told := map[string]bool{}
	service := fmt.Sprintf("--cluster %s --service %s", r.Cluster, r.Service)
	for _, k := range r.Images {
		switch {
		case k.State == Foreign:
			continue
		case k.held() && k.Fate != nil && !k.Fate.Safe && !told[k.Repository]:
			told[k.Repository] = true // one rule mends all
			list = append(list, Advice{
				What: fmt.Sprintf("no lifecycle rule of %s protects %s: %s", k.Repository, k, k.Fate.Why),
				Do:   "put a rule for " + Pattern + " before the others: plimsoll lifecycle apply --shield --repository " + unqualified(k.Repository),
			})
		case k.held():
		case k.State == Gone && k.Hint != "":
			list = append(list, Advice{fmt.Sprintf("%s, which %s %s, is lost: %s", k, r.Service, k.needs(), k.Why), k.Hint})
		case k.State == Gone || k.State == Archived:
			list = append(list, Advice{fmt.Sprintf("%s, which %s %s, is %s: %s", k, r.Service, k.needs(), k.State, k.Why), "plimsoll rescue " + service})
		default:
			list = append(list, Advice{fmt.Sprintf("%s is not pinned: %s", k, k.Why), k.Hint})
		}
	}
	return list
}

// unqualified is a repository without its registry.
func unqualified(name string) string {
	ref, err := image.Parse(name)
	if err != nil {
		return name
	}
	return ref.Repository
}

func (k Kept) needs() string {
	if k.Use == Rollback {
		return "could go back to"
	}
	return "runs"
}

// String names the image as a person would.
func (k Kept) String() string {
	name := unqualified(k.Repository)
	switch {
	case k.Tag != "" && k.Digest != "":
		return fmt.Sprintf("%s:%s (%s)", name, k.Tag, image.ShortDigest(k.Digest))
	case k.Tag != "":
		return name + ":" + k.Tag
	}
	return name + "@" + image.ShortDigest(k.Digest)
}

// Summary is the result in a sentence.
func (r Result) Summary() string {
	states := map[State]int{}
	for _, k := range r.Images {
		states[k.State]++
	}
	var parts []string
	for _, s := range []struct {
		state State
		word  string
	}{
		{Pinned, "pinned"}, {Already, "pinned already"}, {Planned, "to be pinned"}, {Restored, "back from the archive"},
		{Copied, "copied"}, {Archived, "archived"}, {Gone, "gone"}, {Failed, "not pinned"},
	} {
		if states[s.state] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", states[s.state], s.word))
		}
	}
	released, word := 0, "released"
	for _, p := range r.Released {
		if p.Left == "" {
			released++
		}
		if p.DryRun {
			word = "to be released"
		}
	}
	if released > 0 {
		parts = append(parts, fmt.Sprintf("%d %s", released, word))
	}
	if len(parts) == 0 {
		return "nothing to do"
	}
	return strings.Join(parts, ", ")
}

// PinBeside pins what a service runs beside another command: after a deploy, or
// before its tasks are replaced. It tells a line and, where something is not as
// it should be, warnings with what to do: the command goes well whatever comes
// of this.
func PinBeside(ctx context.Context, p Ports, r Request, tell story.Teller) {
	k := &keeper{Ports: p, target: r.Target, tell: tell}
	again := fmt.Sprintf("plimsoll pin --cluster %s --service %s", r.Cluster, r.Service)
	result, err := Pin(ctx, p, r, tell)
	if err != nil {
		k.say(story.Warning, "what runs is not pinned: %v; try again with: %s", err, again)
		return
	}
	text := result.Summary()
	if i := slices.IndexFunc(result.Images, func(i Kept) bool { return i.State == Pinned }); i >= 0 && len(result.Images) == 1 {
		text = fmt.Sprintf("%s pinned as %s", result.Images[i], result.Images[i].Pin)
	}
	k.say(story.End, "%s", text)
	// The commands tell of pins that stay, and of releases of the past that are
	// lost: what runs is not less safe for them.
	result.Images = slices.DeleteFunc(result.Images, func(k Kept) bool { return k.Use == Rollback && k.State == Gone })
	for _, a := range result.adviceOnImages() {
		k.say(story.Warning, "%s", a)
	}
}
