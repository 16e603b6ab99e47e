package audit

import (
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// command is a command line for a place. plimsoll takes the region from the
// environment, so it is written down where the fleet has several.
func (j *judge) command(p Place, words ...string) string {
	if len(j.regions) > 1 && p.Region != "" {
		words = slices.Insert(words, 0, "AWS_REGION="+p.Region)
	}
	for i, word := range words {
		words[i] = quoted(word)
	}
	return strings.Join(words, " ")
}

// quoted is a word as a shell takes it. AWS's own names need no quotes; a fleet
// from a file may have others, and commands are there to be pasted.
func quoted(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:=@+,%", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// onService is a command that is about a service.
func (j *judge) onService(u *user, command string, flags ...string) string {
	words := []string{"plimsoll", command, "--cluster", u.cluster, "--service", u.service}
	return j.command(u.object.Place, append(words, flags...)...)
}

// rescue brings back what is lost. A schedule has no service to name: its
// image is pushed again.
func (j *judge) rescue(u *user, say string) []Fix {
	if u.svc == nil {
		return nil
	}
	return []Fix{{Say: say, Command: j.onService(u, "rescue")}}
}

// restore brings an image back that nothing but a schedule or a task needs.
func (j *judge) restore(use *use) []Fix {
	r := use.repo
	return []Fix{{
		Say: "restore it from the archive, which takes up to 20 minutes",
		Command: j.command(Place{}, "aws", "ecr", "update-image-storage-class", "--repository-name", r.Name,
			"--image-id", "imageDigest="+use.digest, "--target-storage-class", "STANDARD", "--region", r.Region),
	}}
}

// redeploy gets away from what is lost: to what the tag names now, else to the
// newest image that may be deployed.
func (j *judge) redeploy(u *user, use *use, alive bool) []Fix {
	switch {
	case u.svc == nil && use.repo != nil && use.tag() != "":
		return []Fix{{
			Say:     "push the tag again, from the commit that it was built from",
			Command: j.command(use.repo.Place, "plimsoll", "push", "--repository", use.repo.Name, "--tag", use.tag()),
		}}
	case u.svc == nil || use.repo == nil:
		return []Fix{{Say: "push the image again, or name another one in the task definition"}}
	case alive:
		return j.deploy(u, use, use.tag(), "deploy what the tag names now, which is other code than what runs")
	}
	if tag := j.newestTag(use.repo); tag != "" {
		return j.deploy(u, use, tag, "deploy the newest image of the repository, which is other code than what ran")
	}
	return []Fix{{Say: "build and push the image again, and deploy it"}}
}

func (j *judge) deploy(u *user, use *use, tag, say string) []Fix {
	if u.svc == nil {
		return []Fix{{Say: "register the task definition with tag " + tag}}
	}
	var flags []string
	if use.repo.Place != u.object.Place {
		flags = append(flags, "--registry", use.ref.Registry)
	}
	flags = append(flags, "--repository", use.repo.Name, "--image-tag", tag, "--force")
	if use.several {
		flags = append(flags, "--container", use.container.Name)
	}
	return []Fix{{Say: say, Command: j.onService(u, "deploy", flags...)}}
}

// keep holds an image above the line. One that is pinned already lacks a rule
// that protects pins.
func (j *judge) keep(u *user, use *use, say string) []Fix {
	var fixes []Fix
	if slices.ContainsFunc(use.found().Tags, isPin) {
		advice := j.advise(use.repo.Repository)
		advice[0].Say = "it is pinned, and no rule protects pins: write a lifecycle policy that does"
		return advice
	}
	if u.svc != nil {
		fixes = append(fixes, Fix{Say: say, Command: j.onService(u, "pin")})
	}
	return append(fixes, j.advise(use.repo.Repository)...)
}

// advise writes a policy that spares what is in use.
func (j *judge) advise(r *Repository) []Fix {
	return []Fix{{
		Say:     "write a lifecycle policy that never takes an image in use",
		Command: j.command(r.Place, "plimsoll", "lifecycle", "advise", "--repository", r.Name),
	}}
}

// newestTag is the tag of the newest image that may be deployed.
func (j *judge) newestTag(r *repository) string {
	if r.newest == nil {
		tag := j.lookForNewest(r)
		r.newest = &tag
	}
	return *r.newest
}

func (j *judge) lookForNewest(r *repository) string {
	var best *Image
	tag := ""
	for i := range r.Images {
		img := &r.Images[i]
		if img.Status != "" && img.Status != lifecycle.Active {
			continue
		}
		if best != nil && (img.PushedAt.Before(best.PushedAt) || img.PushedAt.Equal(best.PushedAt) && img.Digest <= best.Digest) {
			continue
		}
		if t := j.deployable(img); t != "" {
			best, tag = img, t
		}
	}
	return tag
}

func (j *judge) deployable(img *Image) string {
	best := ""
	for _, tag := range img.Tags {
		if !isPin(tag) && j.allowed(tag) && (best == "" || tag < best) {
			best = tag
		}
	}
	return best
}

// isPin says whether a tag is one that plimsoll pin gives.
func isPin(tag string) bool { return strings.HasPrefix(tag, "keep-") }
