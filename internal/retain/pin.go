package retain

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// Request says whose images are kept.
type Request struct {
	deploy.Target
	Keep   int  // how many releases, besides what runs: those that a rollback could go to
	DryRun bool // say what would be done
}

// State is what became of an image that is to be kept.
type State string

// The states.
const (
	Pinned   State = "pinned"    // now
	Already  State = "was"       // pinned by an earlier run
	Planned  State = "would-pin" // a dry run
	Restored State = "restored"  // [Rescue]: brought back from the archive, and pinned
	Copied   State = "copied"    // [Rescue]: brought from another repository, and pinned
	Archived State = "archived"  // cannot be pulled, and so not pinned; Rescue brings it back
	Gone     State = "gone"      // likewise
	Failed   State = "failed"    // Why says of what
	Foreign  State = "foreign"   // in no ECR, or in one whose owner does not let us: not ours to keep
)

// Kept is an image that is to be kept. Its JSON form is what --output json
// prints; fields are only ever added.
type Kept struct {
	Repository     string   `json:"repository"` // with its registry
	Tag            string   `json:"tag,omitempty"`
	Digest         string   `json:"digest,omitempty"`
	Containers     []string `json:"containers"`
	TaskDefinition string   `json:"taskDefinition"`
	Use            Use      `json:"use"`
	Pin            string   `json:"pin,omitempty"` // the tag
	State          State    `json:"state"`
	Why            string   `json:"why,omitempty"`
	Hint           string   `json:"hint,omitempty"`
	Fate           *Fate    `json:"fate,omitempty"` // with the pin, where it has one
}

// held reports whether the image has its pin, or would have it.
func (k Kept) held() bool {
	return slices.Contains([]State{Pinned, Already, Planned, Restored, Copied}, k.State)
}

// Released is a pin that is no longer needed.
type Released struct {
	Repository string `json:"repository"`
	Digest     string `json:"digest"`
	Pin        string `json:"pin"`
	Left       string `json:"left,omitempty"` // why it is there still; "" when it is gone
	DryRun     bool   `json:"dryRun,omitempty"`
}

// Result is what became of the images of a service. Its JSON form is what
// --output json prints; fields are only ever added.
type Result struct {
	Cluster  string     `json:"cluster"`
	Service  string     `json:"service"`
	Images   []Kept     `json:"images"`
	Released []Released `json:"released,omitempty"`
}

// Safe reports whether everything that a restart or a rollback could pull, and
// that is there, is pinned so that no lifecycle rule takes it. An image that
// only a rollback wants and that is gone is no fault: there is nothing left to
// keep.
func (r Result) Safe() bool {
	return !slices.ContainsFunc(r.Images, func(k Kept) bool {
		switch {
		case k.State == Foreign:
			return false
		case k.held():
			return k.Fate == nil || !k.Fate.Safe
		}
		return k.Use == Runs || k.State == Failed
	})
}

// keeper is one use case at work on one service.
type keeper struct {
	Ports
	target deploy.Target
	dry    bool
	tell   story.Teller
}

func (k *keeper) say(kind story.Kind, format string, args ...any) {
	k.tell(story.Event{Time: k.Now(), Kind: kind, Step: story.Pin, Service: k.target.String(), Message: fmt.Sprintf(format, args...)})
}

// Pin gives every image that the service runs, and those of its last releases,
// a tag of their own, and takes that of older ones away. The images stay as
// they are: also in repositories with immutable tags, and also one that has
// lost all its tags. A service that is not there comes back as
// [*deploy.PreflightError].
func Pin(ctx context.Context, p Ports, r Request, tell story.Teller) (Result, error) {
	k := &keeper{Ports: p, target: r.Target, dry: r.DryRun, tell: tell}
	b, err := berthOf(ctx, p, r.Target, r.Keep)
	if err != nil {
		return Result{}, err
	}
	result := Result{Cluster: r.Cluster, Service: r.Service}
	for _, repo := range b.repositories {
		kept, stock := k.hold(ctx, repo)
		result.Images = append(result.Images, kept...)
		if stock == nil || slices.ContainsFunc(kept, func(k Kept) bool { return k.State == Failed }) {
			continue // what should be there is not: nothing goes
		}
		released, err := k.release(ctx, b, repo, *stock, r.Keep)
		if err != nil {
			k.say(story.Warning, "%s: pins that are no longer needed stay: %v", repo.ref, err)
		}
		result.Released = append(result.Released, released...)
	}
	return result, ctx.Err()
}

// hold pins what is wanted of a repository. The stock is the repository as it
// is then, nil where it cannot be read.
func (k *keeper) hold(ctx context.Context, r *repository) ([]Kept, *audit.Repository) {
	kept := make([]Kept, len(r.wants))
	stock, err := k.AWS.Stock(ctx, r.ref)
	for i, w := range r.wants {
		kept[i] = w.kept(r)
		switch {
		case err != nil:
			kept[i].failed(r, err)
		case w.why != nil:
			kept[i].failed(r, w.why)
		default:
			k.pin(ctx, r, &stock, w, &kept[i])
		}
	}
	if err != nil {
		return kept, nil
	}
	var held []string
	for _, k := range kept {
		if k.held() {
			held = append(held, k.Digest)
		}
	}
	if len(held) == 0 {
		return kept, &stock
	}
	judged := fates(stock, held, k.Now()) // when all pins are there: a rule may count them
	for i := range kept {
		if f, ok := judged[kept[i].Digest]; ok && kept[i].held() {
			kept[i].Fate = &f
		}
	}
	return kept, &stock
}

func (w want) kept(r *repository) Kept {
	return Kept{
		Repository: r.ref.Name(), Tag: w.ref.Tag, Digest: w.ref.Digest, Containers: w.containers, TaskDefinition: w.revision(), Use: w.use,
	}
}

// failed says why an image cannot be kept.
func (k *Kept) failed(r *repository, err error) {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		k.Hint = hinted.Hint()
	}
	switch {
	case errors.Is(err, deploy.Unsupported):
		k.State, k.Why, k.Hint = Foreign, "not in ECR: no lifecycle policy takes it, and no tag of ours keeps it", ""
	case errors.Is(err, deploy.Denied) && r.away:
		k.State, k.Why = Foreign, fmt.Sprintf("account %s decides what is kept there: %v", r.at.Account, err)
	case errors.Is(err, deploy.NotFound):
		k.State, k.Why = Gone, fmt.Sprintf("not in ECR: %v", err)
	default:
		k.State, k.Why = Failed, err.Error()
	}
}

// pin gives one image its tag, unless it has it. The stock learns of it.
func (k *keeper) pin(ctx context.Context, r *repository, stock *audit.Repository, w want, kept *Kept) {
	i := slices.IndexFunc(stock.Images, func(i audit.Image) bool { return i.Digest == w.ref.Digest })
	if i < 0 {
		kept.State, kept.Why = Gone, "ECR no longer has it: it runs only where it runs already"
		return
	}
	at := &stock.Images[i]
	if at.Status == lifecycle.Archived || at.Status == lifecycle.Activating {
		kept.State, kept.Why = Archived, "it is in the archive, where ECS cannot pull it"
		return
	}
	kept.Pin = pinName(r.stem, w.ref.Digest)
	switch {
	case slices.Contains(at.Tags, kept.Pin):
		kept.State = Already
		return
	case k.dry:
		kept.State = Planned
	default:
		if err := k.put(ctx, r, w.ref.Digest, kept.Pin); err != nil {
			kept.failed(r, err)
			kept.Pin = ""
			return
		}
		kept.State = Pinned
	}
	at.Tags = append(slices.Clone(at.Tags), kept.Pin)
}

// attempts is how often a pin is put that somebody else takes away meanwhile.
const attempts = 3

// put gives an image a tag, and looks whether it has it: a run of yesterday's
// list of what is in use may just be releasing it.
func (k *keeper) put(ctx context.Context, r *repository, digest, tag string) error {
	ref := r.ref.WithTag(tag).WithDigest(digest)
	for range attempts {
		m, err := k.AWS.Manifest(ctx, ref)
		if err != nil {
			return err
		}
		if got := fmt.Sprintf("sha256:%x", sha256.Sum256(m.Body)); got != digest {
			return fmt.Errorf("pin %s: ECR gave a manifest with the digest %s", ref, got)
		}
		// An interrupt must not leave open whether the tag has been put.
		if err := k.AWS.PutTag(context.WithoutCancel(ctx), ref, m); err != nil {
			return err
		}
		now, err := k.AWS.Look(ctx, ref)
		if err != nil {
			return err
		}
		if slices.Contains(now.Tags, tag) {
			return nil
		}
	}
	return fmt.Errorf("pin %s: somebody takes the tag away again", ref)
}
