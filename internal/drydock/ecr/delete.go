package ecr

import (
	"fmt"
	"maps"
	"slices"
	"strings"

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
		i, failure := repo.find(id)
		if failure != nil {
			out.Failures = append(out.Failures, *failure)
			continue
		}
		if id.ImageTag != nil && len(i.Tags) > 1 {
			if err := r.commit(changes{put: []record{i.without(*id.ImageTag)}}); err != nil {
				return nil, err
			}
			out.ImageIds = append(out.ImageIds, types.ImageIdentifier{ImageDigest: &i.Digest, ImageTag: id.ImageTag})
			continue
		}
		if parents := repo.parents(i.Digest); len(parents) > 0 {
			out.Failures = append(out.Failures, types.ImageFailure{
				FailureCode:   types.ImageFailureCodeImageReferencedByManifestList,
				FailureReason: aws.String(fmt.Sprintf("Requested image referenced by manifest list: [%s]", strings.Join(parents, ", "))),
				ImageId:       &id,
			})
			continue
		}
		if err := r.remove(repo, i); err != nil {
			return nil, err
		}
		out.ImageIds = append(out.ImageIds, i.ids()...)
	}
	return out, nil
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

// remove takes an image out of its repository, and the layers that no other
// image there has.
func (r *Registry) remove(repo *repository, i image) error {
	orphans := map[string]layer{}
	for _, d := range i.Content.blobs() {
		if l, ok := repo.layers[d.Digest]; ok {
			orphans[d.Digest] = l
		}
	}
	for _, other := range repo.images {
		if other.Digest != i.Digest {
			for _, d := range other.Content.blobs() {
				delete(orphans, d.Digest)
			}
		}
	}
	drop := []record{i}
	for _, l := range orphans {
		drop = append(drop, l)
	}
	if err := r.commit(changes{drop: drop}); err != nil {
		return err
	}
	return r.sweep(slices.Collect(maps.Keys(orphans)))
}
