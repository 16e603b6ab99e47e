package retain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// DefaultKeep is how many releases, besides what runs, are kept when nobody says.
const DefaultKeep = 2

// records is how many rollouts are looked back at: in their repositories pins
// are looked for.
const records = 20

// Use is what an image is for.
type Use string

// The uses.
const (
	Runs     Use = "runs"     // a restart would pull it
	Rollback Use = "rollback" // a rollback would
)

// want is an image that is to be kept.
type want struct {
	ref            image.Reference // with its digest, "" when what a restart would pull cannot be told; its tag is the task definition's
	use            Use
	containers     []string
	taskDefinition string
	why            error // of a digest that is not known
}

// berth is a service and what is wanted of each repository that it uses, or has
// used.
type berth struct {
	audit.Service
	past         bool // what it ran before could be read
	repositories []*repository
}

// repository is a repository of a service.
type repository struct {
	ref   image.Reference // registry and repository
	at    audit.Place
	stem  string
	wants []want
	away  bool // in another account than the service
	sure  bool // all that is wanted here is known
}

// berthOf reads a service and works out what is wanted.
func berthOf(ctx context.Context, p Ports, t deploy.Target, keep int) (*berth, error) {
	s, past, err := p.AWS.InUse(ctx, t.Cluster, t.Service, max(records, keep))
	if errors.Is(err, deploy.NotFound) {
		return nil, refused("service", fmt.Sprintf("there is no service %s", t), "")
	}
	if err != nil {
		return nil, err
	}
	if wrong := elsewhere(s, t); wrong != "" {
		return nil, refused("account", wrong, "use the credentials and region that the configuration names")
	}
	b := &berth{Service: s, past: past}
	b.collect(ctx, p.AWS, keep)
	return b, nil
}

// collect works out what is wanted, by repository.
func (b *berth) collect(ctx context.Context, ecr deploy.Images, keep int) {
	for _, r := range b.Runs {
		b.add(r, Runs)
	}
	for i, r := range distinct(b.Service) {
		use := Rollback
		if i >= keep {
			use = "" // not wanted, but its repository may hold pins
		}
		b.add(r, use)
	}
	for _, r := range b.repositories {
		b.resolve(ctx, ecr, r)
	}
}

func refused(check, what, do string) error {
	return &deploy.PreflightError{Faults: []deploy.Fault{{Check: check, What: what, Do: do}}}
}

// elsewhere is why a service is not where it is expected, "" when it is.
func elsewhere(s audit.Service, t deploy.Target) string {
	switch {
	case t.Account != "" && t.Account != s.Account:
		return fmt.Sprintf("%s is in account %s, and %s is expected", t, s.Account, t.Account)
	case t.Region != "" && t.Region != s.Region:
		return fmt.Sprintf("%s is in %s, and %s is expected", t, s.Region, t.Region)
	}
	return ""
}

// distinct are the releases of the past, the newest first, each image set once
// and without those that run now: a service that was deployed ten times with
// one image has nowhere to roll back to but what came before these ten.
func distinct(s audit.Service) []audit.Release {
	seen := map[string]bool{}
	for _, r := range s.Runs {
		seen[contents(r)] = true
	}
	var list []audit.Release
	for _, r := range s.Before {
		if c := contents(r); c != "" && !seen[c] {
			seen[c] = true
			list = append(list, r)
		}
	}
	return list
}

// contents is what a release runs, "" when that was never fixed.
func contents(r audit.Release) string {
	var all []string
	for _, c := range r.Containers {
		digest := c.Digest
		if ref, err := image.Parse(c.Image); err == nil {
			digest = cmp.Or(digest, ref.Digest)
		}
		if digest != "" {
			all = append(all, c.Name+" "+digest)
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// add takes the images of a release; with no use, only where they lie.
func (b *berth) add(r audit.Release, use Use) {
	for _, c := range r.Containers {
		ref, err := image.Parse(c.Image)
		if err != nil {
			continue // ECS took it, so it is not for us to refuse
		}
		ref.Digest = cmp.Or(c.Digest, ref.Digest)
		if ref.Digest == "" && use != Runs {
			continue // nothing says what it ran
		}
		home := b.repository(ref)
		if use != "" {
			home.want(want{ref: ref, use: use, containers: []string{c.Name}, taskDefinition: r.TaskDefinition})
		}
	}
}

// repository is the one of an image, known or new.
func (b *berth) repository(ref image.Reference) *repository {
	for _, r := range b.repositories {
		if r.ref.Name() == ref.Name() {
			return r
		}
	}
	at := b.Place // of a local registry
	if ecr, ok := image.ParseECRHost(ref.Registry); ok {
		at = audit.Place{Account: ecr.Account, Region: ecr.Region}
	}
	r := &repository{ref: image.Reference{Registry: ref.Registry, Repository: ref.Repository}, at: at, stem: stem(b.Service, at), away: at.Account != b.Account, sure: true}
	b.repositories = append(b.repositories, r)
	return r
}

// want adds an image, or a container and a use to one that is known.
func (r *repository) want(w want) {
	for i := range r.wants {
		have := &r.wants[i]
		if have.ref.Digest != w.ref.Digest || w.ref.Digest == "" && have.ref.Tag != w.ref.Tag {
			continue
		}
		if !slices.Contains(have.containers, w.containers[0]) {
			have.containers = append(have.containers, w.containers[0])
		}
		return // what runs comes first, and is the stronger use
	}
	r.wants = append(r.wants, w)
}

// resolve finds the digests of images that nothing pins: a restart looks up
// their tags, so what these stand for now is what it would pull.
func (b *berth) resolve(ctx context.Context, ecr deploy.Images, r *repository) {
	wants := r.wants
	r.wants = nil
	for _, w := range wants {
		if w.ref.Digest == "" {
			w.ref.Digest, w.why = ecr.Digest(ctx, w.ref)
			r.sure = r.sure && w.why == nil
		}
		r.want(w)
	}
}

// revision is the name of a task definition's revision.
func (w want) revision() string { return path.Base(w.taskDefinition) }
