package audit

import (
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// registries finds the repository of an image reference.
type registries struct {
	byName map[repositoryName]*repository
	byURI  map[string]*repository
	hosts  map[string]bool // of repositories that are known
	places map[Place]bool
	hidden map[Place]bool // where repositories could not be listed
	all    []*repository  // as the fleet has them
}

type repositoryName struct {
	Place
	name string
}

// repository is a repository with what is worked out of it.
type repository struct {
	*Repository
	policy    lifecycle.Policy
	policyErr error
	digests   map[string]int32
	tags      map[string]int32
	uses      []imageUse
	held      []int32        // images that tasks run, with repetitions
	dooms     map[int32]doom // of images in use that a rule takes some day
	newest    *string        // tag of the newest image to deploy, once it was looked for
}

// imageUse says who needs which image.
type imageUse struct {
	image   int32
	user    *user
	earlier bool // for a rollback
}

func indexRegistries(f *Fleet) *registries {
	r := &registries{
		byName: make(map[repositoryName]*repository, len(f.Repositories)), byURI: make(map[string]*repository, len(f.Repositories)),
		hosts: map[string]bool{}, places: map[Place]bool{}, hidden: map[Place]bool{},
	}
	for _, p := range f.Places {
		r.places[p] = true
	}
	for _, b := range f.Blind {
		if b.Action == "ecr:DescribeRepositories" {
			r.hidden[b.Place] = true
		}
	}
	for i := range f.Repositories {
		repo := &repository{Repository: &f.Repositories[i]}
		if repo.Policy != "" {
			repo.policy, repo.policyErr = lifecycle.ParsePolicy([]byte(repo.Policy))
		}
		r.all = append(r.all, repo)
		r.byName[repositoryName{repo.Place, repo.Name}] = repo
		r.byURI[repo.URI] = repo
		if host, _, ok := strings.Cut(repo.URI, "/"); ok {
			r.hosts[host] = true
		}
	}
	return r
}

// find says which repository a reference means, and what is known when there
// is none of that name.
func (r *registries) find(ref image.Reference) (*repository, standing) {
	if repo := r.byURI[ref.Name()]; repo != nil {
		return repo, repo.standing()
	}
	ecr, ok := image.ParseECRHost(ref.Registry)
	if !ok {
		if r.hosts[ref.Registry] { // drydock's
			return nil, gone
		}
		return nil, foreign
	}
	place := Place{ecr.Account, ecr.Region}
	if repo := r.byName[repositoryName{place, ref.Repository}]; repo != nil {
		return repo, repo.standing()
	}
	switch {
	case !r.places[place]:
		return nil, foreign
	case r.hidden[place]:
		return nil, unseen
	}
	return nil, gone
}

func (r *repository) standing() standing {
	if r.Unread != "" {
		return unseen
	}
	return there
}

// index prepares the repository for look-ups. Most repositories of a large
// account are never looked into.
func (r *repository) index() {
	if r.digests != nil {
		return
	}
	r.digests, r.tags = make(map[string]int32, len(r.Images)), make(map[string]int32, len(r.Images))
	for i := range r.Images {
		r.digests[r.Images[i].Digest] = int32(i)
		for _, tag := range r.Images[i].Tags {
			r.tags[tag] = int32(i)
		}
	}
}

func (r *repository) byDigest(digest string) (int32, bool) {
	r.index()
	i, ok := r.digests[digest]
	return i, ok
}

func (r *repository) byTag(tag string) (int32, bool) {
	r.index()
	i, ok := r.tags[tag]
	return i, ok
}

// tagCanMove tells whether a push can move a tag; of a repository whose setting could not
// be read, it cannot be said.
func (r *Repository) tagCanMove(tag string) bool {
	return r.Mutability != "" && !lifecycle.Frozen(r.Mutability, r.Exclusions, tag)
}
