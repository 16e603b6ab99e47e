package survey

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// shelf is a registry, as far as it is known which repositories it has.
type shelf struct {
	all          bool // it has these and no others
	repositories map[string]audit.Repository
}

// atOnce bounds the calls to one registry at a time. AWS publishes no rates for
// reads of ECR; the client slows down by itself when it is throttled.
const atOnce = 16

// list asks for all repositories of the place's own registry.
func (p *place) list(ctx context.Context) *shelf {
	list, err := p.aws.Repositories(ctx, p.Place, nil)
	if err != nil {
		p.blind(ctx, "ecr:DescribeRepositories", "which repositories there are", err)
	}
	return newShelf(list, err == nil)
}

func newShelf(list []audit.Repository, all bool) *shelf {
	s := &shelf{all: all, repositories: map[string]audit.Repository{}}
	for _, r := range list {
		s.repositories[r.Name] = r
	}
	return s
}

// reading is what is to be read of one registry, and who does it.
type reading struct {
	place *place
	own   bool // the place's registry is this one
	names map[string]*wanted
}

// wanted is a repository that is to be read.
type wanted struct {
	uri  string          // as somebody wrote it
	used map[string]bool // the tags and digests that something refers to
}

// registries reads the repositories that something refers to. A registry that
// is no place of the survey is read by the first place that refers to it.
func (s *survey) registries(ctx context.Context) {
	readings := map[audit.Place]*reading{}
	for _, p := range s.places {
		readings[p.Place] = &reading{place: p, own: true, names: map[string]*wanted{}}
	}
	s.sortPlaces()
	for _, p := range s.places {
		for _, c := range p.images() {
			registry, ref, ok := p.locate(c.Image)
			if !ok {
				continue
			}
			if readings[registry] == nil {
				readings[registry] = &reading{place: p, names: map[string]*wanted{}}
			}
			names := readings[registry].names
			if names[ref.Repository] == nil {
				names[ref.Repository] = &wanted{uri: ref.Name(), used: map[string]bool{}}
			}
			names[ref.Repository].used[cmp.Or(c.Digest, ref.Tag, "latest")] = true
		}
	}
	var group sync.WaitGroup
	for registry, r := range readings {
		group.Go(func() { r.read(ctx, registry) })
	}
	group.Wait()
}

// images are all that a place refers to, as they are written and pinned.
func (p *place) images() []audit.Container {
	seen := map[audit.Container]bool{}
	add := func(list []audit.Container) {
		for _, c := range list {
			seen[audit.Container{Image: c.Image, Digest: c.Digest}] = true
		}
	}
	for _, s := range p.services {
		for _, r := range slices.Concat(s.Runs, s.Before) {
			add(r.Containers)
		}
	}
	for _, t := range p.tasks {
		add(t.Containers)
	}
	for _, d := range p.definitions {
		add(d.revision.Containers)
	}
	return slices.SortedFunc(maps.Keys(seen), func(a, b audit.Container) int {
		return cmp.Or(strings.Compare(a.Image, b.Image), strings.Compare(a.Digest, b.Digest))
	})
}

// locate is the ECR repository of an image; of any other registry it is none.
func (p *place) locate(written string) (audit.Place, image.Reference, bool) {
	ref, err := image.Parse(written)
	if err != nil {
		return audit.Place{}, ref, false
	}
	if registry, isECR := image.ParseECRHost(ref.Registry); isECR {
		return audit.Place{Account: registry.Account, Region: registry.Region}, ref, true
	}
	return p.Place, ref, p.aws.IsRegistry(ref.Registry)
}

// read reads one registry.
func (r *reading) read(ctx context.Context, registry audit.Place) {
	p := r.place
	known := p.shelf
	if !r.own {
		known = p.describeRepositories(ctx, registry, slices.Sorted(maps.Keys(r.names)))
	}
	if r.own && p.AllRepositories {
		for name, repository := range known.repositories {
			if r.names[name] == nil {
				r.names[name] = &wanted{uri: repository.URI}
			}
		}
	}
	p.progress(func(t *progress) { t.repositories += len(r.names) })
	turns := make(chan struct{}, atOnce)
	var group sync.WaitGroup
	for name, w := range r.names {
		group.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			defer p.progress(func(t *progress) { t.shelved++ })
			repository, there := known.repositories[name]
			if !there && known.all {
				return
			}
			if !there { // listed or not, it may be ours to read
				repository = audit.Repository{Name: name, URI: w.uri, ARN: repositoryARN(registry, name)}
			}
			repository.Place = registry
			if p.readRepository(ctx, &repository, w.used) {
				p.keep(repository)
			}
		})
	}
	group.Wait()
}

func repositoryARN(registry audit.Place, name string) string {
	partition := "aws"
	switch {
	case strings.HasPrefix(registry.Region, "cn-"):
		partition = "aws-cn"
	case strings.HasPrefix(registry.Region, "us-gov-"):
		partition = "aws-us-gov"
	}
	return "arn:" + partition + ":ecr:" + registry.Region + ":" + registry.Account + ":repository/" + name
}

func (p *place) keep(r audit.Repository) {
	p.survey.mu.Lock()
	defer p.survey.mu.Unlock()
	p.repos = append(p.repos, r)
}

// describeRepositories describes repositories of another registry. One that is
// not there, or not for us to see, spoils the call for the others: then each is
// asked for by itself.
func (p *place) describeRepositories(ctx context.Context, registry audit.Place, names []string) *shelf {
	known := newShelf(nil, true)
	for part := range slices.Chunk(names, RepositoriesPerCall) {
		list, err := p.aws.Repositories(ctx, registry, part)
		if err != nil && len(part) > 1 {
			list, err = nil, nil
			for _, name := range part {
				one, oneErr := p.aws.Repositories(ctx, registry, []string{name})
				list = append(list, one...)
				known.all = known.all && p.absent(ctx, registry, name, oneErr)
			}
		}
		for _, r := range list {
			known.repositories[r.Name] = r
		}
		if err != nil {
			known.all = p.absent(ctx, registry, part[0], err) && known.all
		}
	}
	return known
}

// absent reports whether a repository's absence is known: nothing failed, or
// for that reason.
func (p *place) absent(ctx context.Context, registry audit.Place, name string, err error) bool {
	if err == nil || errors.Is(err, deploy.NotFound) {
		return true
	}
	if ctx.Err() == nil {
		p.blinds.add(registry, "ecr:DescribeRepositories", "repository "+name, err)
	}
	return false
}

// readRepository reads the policy and the images of a repository. It reports
// whether the repository is there.
func (p *place) readRepository(ctx context.Context, r *audit.Repository, used map[string]bool) bool {
	about := "repository " + r.Name
	refused := func(action string, err error) {
		if ctx.Err() == nil {
			p.blinds.add(r.Place, action, about, err)
		}
	}
	var err error
	r.Policy, r.EvaluatedAt, err = p.aws.RepositoryPolicy(ctx, r.Place, r.Name)
	if err != nil && !errors.Is(err, deploy.NotFound) {
		refused("ecr:GetLifecyclePolicy", err)
		r.Unread = "its lifecycle policy: " + reasonOf(err)
	}
	r.Images, err = p.aws.ImagesOf(ctx, r.Place, r.Name)
	if errors.Is(err, deploy.NotFound) {
		return false
	}
	if err != nil {
		refused("ecr:DescribeImages", err)
		r.Unread = "its images: " + reasonOf(err)
		return true
	}
	p.progress(func(t *progress) { t.images += len(r.Images) })
	if err := p.readChildren(ctx, r, used); err != nil {
		refused("ecr:BatchGetImage", err)
	}
	return true
}

// readChildren finds out what indexes list. ECR records the read of a manifest
// as a pull, so as few are read as the judgement needs: a lifecycle policy is
// judged by all of them, without one those that are in use say enough. Where
// the policy goes by pulls, a read would change what it does.
func (p *place) readChildren(ctx context.Context, r *audit.Repository, used map[string]bool) error {
	var at []int
	var indexes []audit.Image
	for i, one := range r.Images {
		if isIndex(one) && (r.Policy != "" || used[one.Digest] || slices.ContainsFunc(one.Tags, func(tag string) bool { return used[tag] })) {
			at, indexes = append(at, i), append(indexes, one)
		}
	}
	switch {
	case len(indexes) == 0:
		return nil
	case strings.Contains(r.Policy, string(lifecycle.SincePulled)):
		return errPulls
	}
	err := p.aws.ReadChildrenOf(ctx, r.Place, r.Name, indexes)
	for i, one := range indexes {
		r.Images[at[i]].Children = one.Children
	}
	return err
}

var errPulls = errors.New("its indexes are not read: that counts as a pull, and the lifecycle policy goes by pulls")

func isIndex(i audit.Image) bool {
	return strings.Contains(i.MediaType, "image.index") || strings.Contains(i.MediaType, "manifest.list")
}
