package ecr

import (
	"maps"
	"slices"
	"strings"
)

// Repositories lists the names of all repositories, sorted.
func (r *Registry) Repositories() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.state))
}

// TagsOf lists the tags of a repository, sorted.
func (r *Registry) TagsOf(repository string) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	repo, err := r.repository(&repository, nil)
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(repo.tags)), nil
}

// Referrer is a manifest that has another one as its subject: a signature, an
// SBOM.
type Referrer struct {
	Digest       string
	MediaType    string
	ArtifactType string
	Size         int64 // of the manifest, in bytes
	Annotations  map[string]string
}

// Referrers lists what refers to a digest, sorted by digest.
func (r *Registry) Referrers(repository, digest string) ([]Referrer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	repo, err := r.repository(&repository, nil)
	if err != nil {
		return nil, err
	}
	var found []Referrer
	for _, i := range repo.images {
		if s := i.Content.Subject; s != nil && s.Digest == digest {
			found = append(found, Referrer{
				Digest:       i.Digest,
				MediaType:    i.MediaType,
				ArtifactType: i.Content.artifactMediaType(),
				Size:         int64(len(i.Body)),
				Annotations:  i.Content.Annotations,
			})
		}
	}
	slices.SortFunc(found, func(a, b Referrer) int { return strings.Compare(a.Digest, b.Digest) })
	return found, nil
}
