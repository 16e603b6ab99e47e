package audit

import (
	"cmp"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle/advice"
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
		half := func(command string) string {
			return j.command(use.repo.Place, "plimsoll", command, "--repository", use.repo.Name, "--tag", use.tag())
		}
		return []Fix{{Say: "build the tag again, from the commit that it was built from, and push it", Command: half("build") + " && " + half("push")}}
	case u.svc == nil || use.repo == nil:
		return []Fix{{Say: "push the image again, or name another one in the task definition"}}
	case alive:
		return j.deploy(u, use, use.tag(), "deploy what the tag names now, which is other code than what runs")
	}
	if tag := j.newestTag(use.repo); tag != "" {
		return j.deploy(u, use, tag, "deploy the newest image of the repository, which is other code than what ran")
	}
	fix := Fix{Say: "build the image again, from the commit that it was built from, push and deploy it"}
	if tag := use.tag(); tag != "" {
		fix.Command = j.releasing(u, use, "--tag", tag)
	}
	return []Fix{fix}
}

func (j *judge) deploy(u *user, use *use, tag, say string) []Fix {
	if u.svc == nil {
		return []Fix{{Say: "register the task definition with tag " + tag}}
	}
	return []Fix{{Say: say, Command: j.onService(u, "deploy", j.image(u, use, "--image-tag", tag, "--force")...)}}
}

// releasing builds, pushes and deploys, where the code is checked out.
func (j *judge) releasing(u *user, use *use, flags ...string) string {
	return j.onService(u, "release", j.image(u, use, flags...)...)
}

// image are the flags that name the repository and the container of a use.
func (j *judge) image(u *user, use *use, more ...string) []string {
	var flags []string
	if use.repo.Place != u.object.Place {
		flags = append(flags, "--registry", use.ref.Registry)
	}
	flags = append(append(flags, "--repository", use.repo.Name), more...)
	if use.several {
		flags = append(flags, "--container", use.container.Name)
	}
	return flags
}

// keep holds an image above the line: by a pin, and by a rule that protects pins
// where a pin alone would not do. What belongs to no service has no pin.
func (j *judge) keep(u *user, use *use, say string) []Fix {
	pinned := slices.ContainsFunc(use.found().Tags, isPin)
	if u.svc == nil && !pinned {
		return j.advise(use.repo.Repository)
	}
	var fixes []Fix
	if !pinned {
		fixes = append(fixes, Fix{Say: say, Command: j.onService(u, "pin")})
	}
	if !advice.Spares(use.repo.policy, use.found().Tags) {
		fixes = append(fixes, j.shield(use.repo, pinned))
	}
	return fixes
}

// shield puts a rule that protects pins before those that are there.
func (j *judge) shield(r *repository, pinned bool) Fix {
	fix := Fix{
		Say:     "then have the lifecycle policy spare what is pinned, by a rule before the others",
		Then:    true,
		Command: j.command(r.Place, "plimsoll", "lifecycle", "apply", "--shield", "--repository", r.Name),
	}
	if pinned {
		fix.Say, fix.Then = "it is pinned, and no rule protects pins: put one before the others", false
	}
	return fix
}

// fixesOf are the fixes of findings, each once. The order of a fleet's containers
// does not show.
func (j *judge) fixesOf(findings []int) []Fix {
	findings = slices.Clone(findings)
	slices.SortStableFunc(findings, func(a, b int) int {
		return cmp.Or(strings.Compare(j.findings[a].Container, j.findings[b].Container), strings.Compare(string(j.findings[a].Code), string(j.findings[b].Code)))
	})
	var fixes []Fix
	for _, i := range findings {
		for _, fix := range j.findings[i].Fix {
			if !slices.Contains(fixes, fix) {
				fixes = append(fixes, fix)
			}
		}
	}
	return fixes
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
