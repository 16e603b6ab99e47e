package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// digestsOf remembers what references stand for, so that none is looked up
// twice.
type digestsOf map[string]reading[string]

// lookUp asks for the digests of all references at once.
func (j *job) lookUp(ctx context.Context, refs []image.Reference) digestsOf {
	answers := make([]reading[string], len(refs))
	var wg sync.WaitGroup
	for i, ref := range refs {
		wg.Go(func() { answers[i] = read(j.AWS.Digest(ctx, ref)) })
	}
	wg.Wait()
	known := digestsOf{}
	for i, ref := range refs {
		known[ref.String()] = answers[i]
	}
	return known
}

// imagesOf are the images of a definition that can be looked for, each once.
// A reference that cannot be read ECS took, so it is not for us to refuse.
func imagesOf(doc *taskdef.Document) []image.Reference {
	var refs []image.Reference
	for _, c := range doc.Containers() {
		ref, err := image.Parse(c.Image)
		if err != nil {
			continue
		}
		if ref.Tag == "" && ref.Digest == "" {
			ref.Tag = "latest" // what a pull takes
		}
		if !slices.Contains(refs, ref) {
			refs = append(refs, ref)
		}
	}
	return refs
}

// checkImage judges what looking for an image brought.
func (j *job) checkImage(ctx context.Context, ref image.Reference, digest reading[string]) story.Check {
	switch err := digest.err; {
	case err == nil:
		return checkOK("image", "%s is %s", ref, image.ShortDigest(digest.value))
	case errors.Is(err, NotFound):
		return j.missingImage(ctx, ref)
	case errors.Is(err, Unsupported):
		return checkSkipped("image", "%s is in no ECR registry", ref)
	case errors.Is(err, Denied), errors.Is(err, context.DeadlineExceeded):
		return unseen("image", err)
	}
	return failed("image", digest.err)
}

// missingImage says what was probably meant: another repository, or another
// tag of this one.
func (j *job) missingImage(ctx context.Context, ref image.Reference) story.Check {
	const elsewhere = "push it first, or check the tag and the repository"
	fault := checkFail("image", "there is no image "+ref.String(), elsewhere)
	if _, err := j.AWS.Repository(ctx, ref); errors.Is(err, NotFound) {
		names, _ := j.AWS.RepositoryNames(ctx, ref) // only to be helpful
		fault.Why += ": there is no repository " + ref.Repository
		fault.Do = cmp.Or(didYouMean(ref.Repository, names), "create the repository, or check --repository")
		return fault
	}
	if ref.Tag == "" {
		return fault
	}
	images, _, _ := j.AWS.Shelved(ctx, ref) // likewise
	slices.SortFunc(images, func(a, b lifecycle.Image) int { return b.PushedAt.Compare(a.PushedAt) })
	var tags []string
	for _, i := range images {
		tags = append(tags, i.Tags...)
	}
	closest := near(ref.Tag, tags)
	switch {
	case len(closest) > 0:
		fault.Do = elsewhere + "; the closest tags are " + strings.Join(closest, ", ")
	case len(tags) > 0:
		fault.Do = elsewhere + "; the newest tags are " + strings.Join(tags[:min(3, len(tags))], ", ")
	}
	return fault
}

// Platform is what an image is built for, in the words of the OCI image spec.
type Platform struct {
	OS           string // linux, windows
	Architecture string // amd64, arm64
}

func (p Platform) String() string { return p.OS + "/" + p.Architecture }

// Stock is what a repository holds.
type Stock struct {
	At     time.Time
	Images []lifecycle.Image
}

// wanted is the platform that the tasks of a definition run on, false where
// only the instance knows.
func wanted(doc *taskdef.Document) (Platform, bool) {
	p := doc.RuntimePlatform()
	if p.CPUArchitecture == "" && !doc.RequiresFargate() {
		return Platform{}, false
	}
	want := Platform{OS: "linux", Architecture: "amd64"} // Fargate's defaults
	if strings.HasPrefix(p.OperatingSystemFamily, "WINDOWS") {
		want.OS = "windows"
	}
	if p.CPUArchitecture == "ARM64" {
		want.Architecture = "arm64"
	}
	return want, true
}

// lookAtPlatform holds an image against runtimePlatform: what does not fit
// starts with "exec format error", or is not pulled at all.
func (j *job) lookAtPlatform(doc *taskdef.Document, ref image.Reference, digest string) look {
	return func(ctx context.Context) []story.Check {
		want, ok := wanted(doc)
		if !ok {
			return []story.Check{checkSkipped("platform", "the task definition names no cpuArchitecture; the container instances decide")}
		}
		names, err := j.AWS.Platforms(ctx, ref.WithDigest(digest))
		if err != nil {
			return []story.Check{unseen("platform", err)}
		}
		var platforms []Platform
		for _, name := range names { // linux/arm64/v8
			if parts := strings.Split(name, "/"); len(parts) > 1 && parts[1] != "" {
				platforms = append(platforms, Platform{parts[0], parts[1]})
			}
		}
		return []story.Check{checkPlatform(ref, want, platforms)}
	}
}

func checkPlatform(ref image.Reference, want Platform, has []Platform) story.Check {
	name := imageName(ref)
	if len(has) == 0 {
		return checkSkipped("platform", "%s does not say what it runs on", name)
	}
	if slices.Contains(has, want) {
		return checkOK("platform", "%s runs on %s", name, want)
	}
	var list []string
	for _, p := range has {
		list = append(list, p.String())
	}
	do := fmt.Sprintf("build it with --platform %s", want)
	if architecture := ecsArchitecture(has[0]); architecture != "" && has[0].OS == want.OS {
		do += ", or set runtimePlatform.cpuArchitecture of the task definition to " + architecture
	}
	return checkFail("platform", fmt.Sprintf("%s is for %s, the task runs on %s: its containers cannot start (exec format error)", name, strings.Join(list, ", "), want), do)
}

// ecsArchitecture is an architecture in ECS's words, "" where it has none.
func ecsArchitecture(p Platform) string {
	switch p.Architecture {
	case "amd64":
		return "X86_64"
	case "arm64":
		return "ARM64"
	}
	return ""
}

// imageName leaves the registry out.
func imageName(ref image.Reference) string {
	ref.Registry = ""
	return ref.String()
}

// lookAtRepository looks whether a tag can be overwritten.
func (j *job) lookAtRepository(ref image.Reference) look {
	return func(ctx context.Context) []story.Check {
		r, err := j.AWS.Repository(ctx, ref)
		if errors.Is(err, Unsupported) || errors.Is(err, NotFound) {
			return nil // the image has a line of its own
		}
		if err != nil {
			return []story.Check{unseen("repository", err)}
		}
		if lifecycle.Frozen(r.Mutability, r.Exclusions, ref.Tag) {
			return []story.Check{checkOK("repository", "tag %s of %s cannot be overwritten", ref.Tag, ref.Repository)}
		}
		return []story.Check{checkWarn("repository",
			fmt.Sprintf("tag %s of %s can be overwritten: what runs would lose its tag, and be cleaned up with what is untagged", ref.Tag, ref.Repository),
			"aws ecr put-image-tag-mutability --repository-name "+ref.Repository+" --image-tag-mutability IMMUTABLE")}
	}
}

// lookAtLifecycle asks what the next run of the repository's lifecycle policy
// takes: the image to deploy, or what runs.
func (j *job) lookAtLifecycle(ref image.Reference, digest string, running *taskdef.Document) look {
	return func(ctx context.Context) []story.Check {
		text, err := j.AWS.LifecyclePolicy(ctx, ref)
		if errors.Is(err, Unsupported) {
			return nil // the image has a line of its own
		}
		if errors.Is(err, NotFound) {
			return []story.Check{checkOK("lifecycle", "%s has no lifecycle policy: nothing is deleted", ref.Repository)}
		}
		if err != nil {
			return []story.Check{unseen("lifecycle", err)}
		}
		policy, err := lifecycle.ParsePolicy(text)
		if err != nil {
			return []story.Check{checkSkipped("lifecycle", "the policy of %s cannot be read: %v", ref.Repository, err)}
		}
		images, whole, err := j.AWS.Shelved(ctx, ref)
		if err != nil {
			return []story.Check{unseen("lifecycle", err)}
		}
		if !whole {
			return []story.Check{checkSkipped("lifecycle", "%s has more images than are looked at", ref.Repository)}
		}
		stock := Stock{At: j.Now(), Images: images}
		runs := runningDigest(running, ref, stock)
		return judgeStock(policy, stock, ref, cmp.Or(digest, runs), runs)
	}
}

// runningDigest is what runs from the repository of ref, "" where that cannot
// be told.
func runningDigest(running *taskdef.Document, ref image.Reference, stock Stock) string {
	if running == nil {
		return ""
	}
	for _, r := range imagesOf(running) {
		if r.Name() != ref.Name() {
			continue
		}
		if r.Digest != "" {
			return r.Digest
		}
		for _, i := range stock.Images {
			if slices.Contains(i.Tags, r.Tag) {
				return i.Digest
			}
		}
	}
	return ""
}

// now is the time to judge at. What was pushed or pulled has been, whatever this
// machine's clock says.
func (s Stock) now() time.Time {
	at := s.At
	for _, i := range s.Images {
		for _, seen := range []time.Time{i.PushedAt, i.LastPulledAt} {
			if seen.After(at) {
				at = seen
			}
		}
	}
	return at
}

// judgeStock says what becomes of the image to deploy and of what runs. ECR
// runs a policy at a time of its own within 24 hours, so what would be taken a
// day from now is warned of, and what would be taken at once is refused.
func judgeStock(policy lifecycle.Policy, stock Stock, ref image.Reference, deploying, running string) []story.Check {
	now := stock.now()
	const do = "change the lifecycle policy so that a rule before it keeps the image, or release it under a newer tag"
	today, tomorrow := takenBy(policy, stock, now), takenBy(policy, stock, now.Add(24*time.Hour))
	var found []story.Check
	if d, ok := today[deploying]; ok && d.Certain() {
		return []story.Check{checkFail("lifecycle", fmt.Sprintf("rule %d of %s deletes %s at its next run (%s): no task could start again", d.Rule, ref.Repository, imageName(ref), d.Reason), do)}
	}
	if d, ok := tomorrow[deploying]; ok {
		found = append(found, checkWarn("lifecycle", fmt.Sprintf("rule %d of %s may delete %s within a day (%s)", d.Rule, ref.Repository, imageName(ref), d.Reason), do))
	}
	if d, ok := tomorrow[running]; ok && running != deploying {
		found = append(found, checkWarn("lifecycle", fmt.Sprintf("rule %d of %s deletes what runs now, %s, within a day (%s): a rollback would have nothing to start", d.Rule, ref.Repository, image.ShortDigest(running), d.Reason), do))
	}
	if len(found) > 0 {
		return found
	}
	return []story.Check{checkOK("lifecycle", "the policy of %s keeps %s%s", ref.Repository, imageName(ref), outlook(policy, stock, now, deploying))}
}

func takenBy(policy lifecycle.Policy, stock Stock, at time.Time) map[string]lifecycle.Decision {
	taken := map[string]lifecycle.Decision{}
	for _, d := range lifecycle.Evaluate(policy, stock.Images, at, lifecycle.Options{}).Decisions {
		if d.Action != "" {
			taken[d.Digest] = d
		}
	}
	return taken
}

// outlook says when an image's turn comes, where that is near.
func outlook(policy lifecycle.Policy, stock Stock, now time.Time, digest string) string {
	for _, f := range lifecycle.Next(policy, stock.Images, now, 30*24*time.Hour) {
		switch {
		case f.Digest != digest || f.Next.Action == "":
		case f.Next.Pushes > 0:
			return " for " + noun.Count(f.Next.Pushes, "further image")
		default:
			return " until " + f.Next.At.Format(time.DateOnly)
		}
	}
	return ""
}
