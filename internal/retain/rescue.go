package retain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// RescueRequest says whose images are brought back, and from where.
type RescueRequest struct {
	Request
	// From are repositories that may have what is gone, the best first. A
	// registry that is left out is that of the image. Where ECR replicates to
	// is looked at by itself, after these.
	From    []image.Reference
	Timeout time.Duration // of the way back from the archive; 0 means 45 minutes
}

const (
	// ECR brings an image back "within 20 minutes" (ECR user guide, Archiving
	// an image in Amazon ECR).
	defaultTimeout = 45 * time.Minute
	restorePoll    = 15 * time.Second
)

// Rescue makes a service able to restart, as far as that is possible: what is
// archived comes back, what is gone is copied from where the same bytes are
// still to be had, and all of it is pinned.
func Rescue(ctx context.Context, p Ports, r RescueRequest, tell story.Teller) (Result, error) {
	k := &keeper{Ports: p, target: r.Target, dry: r.DryRun, tell: tell}
	b, err := berthOf(ctx, p, r.Target, r.Keep)
	if err != nil {
		return Result{}, err
	}
	if r.Timeout == 0 {
		r.Timeout = defaultTimeout
	}
	result := Result{Cluster: r.Cluster, Service: r.Service}
	for _, repo := range b.repositories {
		saved := k.fetch(ctx, repo, r)
		kept, _ := k.hold(ctx, repo)
		for i := range kept {
			kept[i].tell(saved[i])
			if kept[i].State == Gone && kept[i].Hint == "" {
				kept[i].Hint = k.rebuild(ctx, repo.wants[i])
			}
		}
		result.Images = append(result.Images, kept...)
	}
	return result, ctx.Err()
}

// Restartable reports whether everything that a restart would pull is there.
func (r Result) Restartable() bool {
	return !slices.ContainsFunc(r.Images, func(k Kept) bool {
		return k.Use == Runs && !k.held() && k.State != Foreign
	})
}

// saving is what was done for one image before it is pinned.
type saving struct {
	state State // Restored, Copied, or "" when nothing had to be or could be done
	why   string
}

// tell adds how an image came back, or why it did not.
func (k *Kept) tell(s saving) {
	switch {
	case s.state != "" && k.held():
		k.State, k.Why = s.state, s.why
	case s.state == "" && s.why != "" && k.held():
		k.State, k.Why = Failed, s.why
	case s.state == "" && s.why != "":
		k.Why += "; " + s.why
	}
}

// fetch brings back what a repository lacks.
func (k *keeper) fetch(ctx context.Context, r *repository, req RescueRequest) []saving {
	done := make([]saving, len(r.wants))
	stock, err := k.AWS.Stock(ctx, r.ref)
	if err != nil {
		return done // hold says so
	}
	for i, w := range r.wants {
		if w.why != nil {
			continue
		}
		switch status := statusOf(stock, w.ref.Digest); status {
		case lifecycle.Active:
			done[i] = k.mend(ctx, r, stock, w, req)
		case lifecycle.Archived, lifecycle.Activating:
			done[i] = k.restore(ctx, r, w, status, req.Timeout)
		default:
			done[i] = k.copy(ctx, r, w, pinName(r.stem, w.ref.Digest), req.From)
		}
	}
	return done
}

// statusOf is where an image is; "" when it is not there.
func statusOf(stock audit.Repository, digest string) lifecycle.Status {
	i := slices.IndexFunc(stock.Images, func(i audit.Image) bool { return i.Digest == digest })
	switch {
	case i < 0:
		return ""
	case stock.Images[i].Status == "":
		return lifecycle.Active
	}
	return stock.Images[i].Status
}

// restore brings an image back from the archive, and waits for it.
func (k *keeper) restore(ctx context.Context, r *repository, w want, status lifecycle.Status, timeout time.Duration) saving {
	if k.dry {
		return saving{why: "it would be brought back from the archive"}
	}
	if status == lifecycle.Archived {
		if err := k.AWS.Restore(ctx, w.in(r)); err != nil {
			return saving{why: err.Error()}
		}
	}
	k.say(story.Begin, "bringing %s back from the archive, which takes ECR up to 20 minutes", w)
	for deadline := k.Now().Add(timeout); ; {
		now, err := k.AWS.Look(ctx, w.in(r))
		switch {
		case err != nil:
			return saving{why: err.Error()}
		case now.Status == lifecycle.Active || now.Status == "":
			k.say(story.End, "%s is back", w)
			return saving{Restored, "it was in the archive"}
		case !k.Now().Before(deadline):
			return saving{why: fmt.Sprintf("it is still on its way from the archive after %s; run rescue again", timeout)}
		}
		if err := k.Sleep(ctx, restorePoll); err != nil {
			return saving{why: "it is on its way from the archive; run rescue again"}
		}
	}
}

// mend brings back what an index that is there lacks. ECS fixes the digest of
// the index, and every host pulls the part of its own platform. ECR deletes no
// part of an index that is there; archiving and broken copies do it.
func (k *keeper) mend(ctx context.Context, r *repository, stock audit.Repository, w want, req RescueRequest) saving {
	var done saving
	for _, digest := range k.parts(ctx, r, stock, w.ref.Digest) {
		part, status := w, statusOf(stock, digest)
		part.ref = r.ref.WithDigest(digest)
		var s saving
		switch status {
		case lifecycle.Active:
			continue
		case lifecycle.Archived, lifecycle.Activating:
			s = k.restore(ctx, r, part, status, req.Timeout)
		default:
			s = k.copy(ctx, r, part, "", req.From)
		}
		if s.why = fmt.Sprintf("its part %s: %s", image.ShortDigest(digest), s.why); s.state == "" {
			return s
		}
		done = s
	}
	return done
}

// parts are the digests of the images of an index; of anything else none.
// BuildKit's attestations, which nobody runs, stand beside them as
// unknown/unknown.
func (k *keeper) parts(ctx context.Context, r *repository, stock audit.Repository, digest string) []string {
	i := slices.IndexFunc(stock.Images, func(i audit.Image) bool { return i.Digest == digest })
	if kind := stock.Images[i].MediaType; !strings.Contains(kind, ".index.") && !strings.Contains(kind, "manifest.list") {
		return nil
	}
	m, err := k.AWS.Manifest(ctx, r.ref.WithDigest(digest))
	var index struct {
		Manifests []struct {
			Digest   string `json:"digest"`
			Platform struct {
				OS string `json:"os"`
			} `json:"platform"`
		} `json:"manifests"`
	}
	if err != nil || json.Unmarshal(m.Body, &index) != nil {
		return nil // it cannot be looked into; pinning it says why
	}
	var list []string
	for _, part := range index.Manifests {
		if part.Platform.OS != "unknown" {
			list = append(list, part.Digest)
		}
	}
	return list
}

// copy brings an image from the first place that has it.
func (k *keeper) copy(ctx context.Context, r *repository, w want, tag string, from []image.Reference) saving {
	sources := k.sources(ctx, r, from)
	if len(sources) == 0 {
		return saving{why: "no replica is known to look at; name one with --from REGISTRY/REPOSITORY"}
	}
	if k.dry || k.Copier == nil {
		return saving{why: "it would be looked for in " + list(sources)}
	}
	to := r.ref.WithTag(tag)
	var failures []string
	for _, source := range sources {
		err := k.Copier.Copy(ctx, source.WithDigest(w.ref.Digest), to.WithDigest(w.ref.Digest), k.tell)
		switch {
		case err == nil:
			return saving{Copied, "from " + source.Name()}
		case errors.Is(err, deploy.NotFound):
			failures = append(failures, source.Name()+" has no such image")
		default:
			failures = append(failures, err.Error())
		}
	}
	return saving{why: strings.Join(failures, "; ")}
}

// sources are where an image of a repository may be had.
func (k *keeper) sources(ctx context.Context, r *repository, from []image.Reference) []image.Reference {
	var all []image.Reference
	for _, f := range from {
		if f.Registry == "" {
			f.Registry = r.ref.Registry
		}
		all = append(all, f)
	}
	replicas, err := k.AWS.Replicas(ctx, r.ref)
	if err != nil && !errors.Is(err, deploy.Unsupported) {
		k.say(story.Note, "whether %s is replicated is not known: %v", r.ref, err)
	}
	all = append(all, replicas...)
	return slices.DeleteFunc(all, func(f image.Reference) bool { return f.Name() == r.ref.Name() })
}

func list(refs []image.Reference) string {
	names := make([]string, len(refs))
	for i, ref := range refs {
		names[i] = ref.Name()
	}
	return strings.Join(names, ", ")
}

// The tags that a deploy leaves on the revisions it registers.
const (
	tagImageTag = "plimsoll:image-tag"
	tagGitSHA   = "plimsoll:git-sha"
)

// rebuild says how to get a service on its feet whose image is nowhere to be
// had. What is built anew has another digest: ECS needs a deployment to take it.
func (k *keeper) rebuild(ctx context.Context, w want) string {
	tag, commit := w.ref.Tag, ""
	if raw, err := k.AWS.TaskDefinition(ctx, w.taskDefinition); err == nil {
		if doc, err := taskdef.Parse(raw); err == nil {
			commit = doc.Tags()[tagGitSHA]
			if tag == "" && len(doc.Containers()) == 1 {
				tag = doc.Tags()[tagImageTag]
			}
		}
	}
	service := fmt.Sprintf("--cluster %s --service %s", k.target.Cluster, k.target.Service)
	if tag == "" {
		return "its tag is not known; deploy another one: plimsoll deploy " + service + " --image-tag TAG"
	}
	switch now, err := k.AWS.Digest(ctx, w.ref.WithTag(tag)); {
	case err == nil:
		return fmt.Sprintf("the tag %s stands for another image now, %s; to run that: plimsoll deploy %s --image-tag %s --force", tag, image.ShortDigest(now), service, tag)
	case commit != "":
		return fmt.Sprintf("build it again from commit %s: git checkout %s && plimsoll release %s --tag %s", commit, commit, service, tag)
	}
	return fmt.Sprintf("build %s again and deploy it: plimsoll release %s --tag %s", tag, service, tag)
}

// in is the image's reference in the repository.
func (w want) in(r *repository) image.Reference { return r.ref.WithDigest(w.ref.Digest) }

// String names the image as a person would.
func (w want) String() string {
	if w.ref.Tag == "" {
		return w.ref.Repository + "@" + image.ShortDigest(w.ref.Digest)
	}
	return w.ref.Repository + ":" + w.ref.Tag + " (" + image.ShortDigest(w.ref.Digest) + ")"
}
