package ecr

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// batchDeleteImage: an id with a tag takes the tag away, and with the last
// tag the image goes too; an id without one takes the image with all its tags.
func (r *Registry) batchDeleteImage(in *ecr.BatchDeleteImageInput) (*ecr.BatchDeleteImageOutput, error) {
	repo, err := r.repository(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	if err := checkBatch("imageIds", len(in.ImageIds)); err != nil {
		return nil, err
	}
	out := &ecr.BatchDeleteImageOutput{ImageIds: []types.ImageIdentifier{}, Failures: []types.ImageFailure{}}
	for _, id := range in.ImageIds {
		gone, failure, err := r.delete(repo, id)
		if err != nil {
			return nil, err
		}
		if failure != nil {
			out.Failures = append(out.Failures, *failure)
		}
		out.ImageIds = append(out.ImageIds, gone...)
	}
	return out, nil
}

// Delete is a DELETE of a manifest by tag or digest, which ECR's registry
// takes since 2023 (aws/containers-roadmap#1229). It does what BatchDeleteImage
// does.
func (r *Registry) Delete(repository, reference string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	repo, err := r.repository(&repository, nil)
	if err != nil {
		return err
	}
	id := identifier(reference)
	_, failure, err := r.delete(repo, id)
	if err != nil || failure == nil {
		return err
	}
	if failure.FailureCode == types.ImageFailureCodeImageReferencedByManifestList {
		return wire.Errorf(string(failure.FailureCode), "%s", *failure.FailureReason)
	}
	return r.imageNotFound(repository, id)
}

// delete takes away what an id names, and lists it.
func (r *Registry) delete(repo *repository, id types.ImageIdentifier) ([]types.ImageIdentifier, *types.ImageFailure, error) {
	i, failure := repo.find(id)
	if failure != nil {
		return nil, failure, nil
	}
	if id.ImageTag != nil && len(i.Tags) > 1 {
		untagged := []types.ImageIdentifier{{ImageDigest: &i.Digest, ImageTag: id.ImageTag}}
		if err := r.commit(changes{put: []record{i.without(*id.ImageTag)}}); err != nil {
			return nil, nil, err
		}
		r.tellDelete(i, untagged)
		return untagged, nil, nil
	}
	if parents := repo.parents(i.Digest); len(parents) > 0 {
		return nil, &types.ImageFailure{
			FailureCode:   types.ImageFailureCodeImageReferencedByManifestList,
			FailureReason: aws.String(fmt.Sprintf("Requested image referenced by manifest list: [%s]", strings.Join(parents, ", "))),
			ImageId:       &id,
		}, nil
	}
	return i.ids(), nil, r.remove(repo, []image{i})
}

// parents is the digests of the indexes that list an image.
func (r *repository) parents(digest string) []string {
	var parents []string
	for _, i := range r.images {
		if slices.ContainsFunc(i.Content.Manifests, func(d descriptor) bool { return d.Digest == digest }) {
			parents = append(parents, i.Digest)
		}
	}
	slices.Sort(parents)
	return parents
}

// remove takes images out of their repository, together with other changes
// to it, and the layers that no image left there has.
func (r *Registry) remove(repo *repository, gone []image, put ...record) error {
	c := changes{put: put}
	orphans := map[string]layer{}
	leaving := map[string]bool{}
	for _, i := range gone {
		leaving[i.Digest] = true
		c.drop = append(c.drop, i)
		for _, d := range i.Content.blobs() {
			if l, ok := repo.layers[d.Digest]; ok {
				orphans[d.Digest] = l
			}
		}
	}
	for _, other := range repo.images {
		if !leaving[other.Digest] {
			for _, d := range other.Content.blobs() {
				delete(orphans, d.Digest)
			}
		}
	}
	for _, l := range orphans {
		c.drop = append(c.drop, l)
	}
	if err := r.commit(c); err != nil {
		return err
	}
	for _, i := range gone {
		r.tellDelete(i, i.ids())
	}
	return r.sweep(slices.Collect(maps.Keys(orphans)))
}
