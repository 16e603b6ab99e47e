package ecr

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// order lists images from the first pushed to the last.
func order(i image) string { return fmt.Sprintf("%020d %s", i.PushedAt.UnixNano(), i.Digest) }

// listed tells whether an image passes the filters of a list. "If not
// specified, only images with ACTIVE status are returned"
// (DescribeImagesFilter in the API reference).
func (i image) listed(tagStatus types.TagStatus, imageStatus types.ImageStatusFilter) bool {
	if imageStatus == "" {
		imageStatus = types.ImageStatusFilterActive
	}
	if imageStatus != types.ImageStatusFilterAny && string(imageStatus) != string(i.status()) {
		return false
	}
	switch tagStatus {
	case types.TagStatusTagged:
		return len(i.Tags) > 0
	case types.TagStatusUntagged:
		return len(i.Tags) == 0
	}
	return true
}

func checkFilter(tagStatus types.TagStatus, imageStatus types.ImageStatusFilter) error {
	if tagStatus != "" && !slices.Contains(tagStatus.Values(), tagStatus) {
		return invalid("tagStatus", "Member must satisfy enum value set: %s", tagStatus.Values())
	}
	if imageStatus != "" && !slices.Contains(imageStatus.Values(), imageStatus) {
		return invalid("imageStatus", "Member must satisfy enum value set: %s", imageStatus.Values())
	}
	return nil
}

func (r *Registry) describeImages(in *ecr.DescribeImagesInput) (*ecr.DescribeImagesOutput, error) {
	repo, err := r.repository(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	var filter types.DescribeImagesFilter
	if in.Filter != nil {
		filter = *in.Filter
	}
	if err := checkFilter(filter.TagStatus, filter.ImageStatus); err != nil {
		return nil, err
	}
	out := &ecr.DescribeImagesOutput{ImageDetails: []types.ImageDetail{}}
	var found []image
	if in.ImageIds != nil {
		if in.MaxResults != nil || in.NextToken != nil {
			return nil, invalid("imageIds", "cannot be used with maxResults or nextToken")
		}
		if found, err = r.describeByID(repo, in.ImageIds, filter); err != nil {
			return nil, err
		}
	} else {
		for _, i := range repo.images {
			if i.listed(filter.TagStatus, filter.ImageStatus) {
				found = append(found, i)
			}
		}
		if found, out.NextToken, err = page(found, order, in.NextToken, in.MaxResults); err != nil {
			return nil, err
		}
	}
	for _, i := range found {
		out.ImageDetails = append(out.ImageDetails, r.detail(i))
	}
	return out, nil
}

func (r *Registry) describeByID(repo *repository, ids []types.ImageIdentifier, filter types.DescribeImagesFilter) ([]image, error) {
	if err := checkBatch("imageIds", len(ids)); err != nil {
		return nil, err
	}
	var found []image
	for _, id := range ids {
		i, failure := repo.find(id)
		switch {
		case failure == nil && !i.listed(filter.TagStatus, filter.ImageStatus):
			return nil, r.imageNotFound(repo.Name, id)
		case failure == nil:
			found = append(found, i)
		case failure.FailureCode == types.ImageFailureCodeImageNotFound,
			failure.FailureCode == types.ImageFailureCodeImageTagDoesNotMatchDigest:
			return nil, r.imageNotFound(repo.Name, id)
		default:
			return nil, invalid("imageIds", "%s", *failure.FailureReason)
		}
	}
	return found, nil
}

func (r *Registry) detail(i image) types.ImageDetail {
	d := types.ImageDetail{
		ArtifactMediaType:      nilIfZero(i.Content.artifactMediaType()),
		ImageDigest:            &i.Digest,
		ImageManifestMediaType: &i.MediaType,
		ImagePushedAt:          &i.PushedAt,
		ImageSizeInBytes:       &i.Size,
		ImageStatus:            i.status(),
		LastActivatedAt:        nilIfZero(i.ActivatedAt),
		LastArchivedAt:         nilIfZero(i.ArchivedAt),
		LastRecordedPullTime:   nilIfZero(i.PulledAt),
		RegistryId:             &r.account,
		RepositoryName:         &i.Repository,
	}
	if len(i.Tags) > 0 {
		d.ImageTags = i.Tags
	}
	if i.Scan != nil {
		d.ImageScanStatus, d.ImageScanFindingsSummary = i.Scan.shown(), i.Scan.summary()
	}
	if i.Content.Subject != nil {
		d.SubjectManifestDigest = &i.Content.Subject.Digest
	}
	return d
}

func nilIfZero[T comparable](v T) *T {
	if v == *new(T) {
		return nil
	}
	return &v
}

// listImages gives every tag of an image an entry of its own, and an image
// without tags one with the digest only.
func (r *Registry) listImages(in *ecr.ListImagesInput) (*ecr.ListImagesOutput, error) {
	repo, err := r.repository(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	var filter types.ListImagesFilter
	if in.Filter != nil {
		filter = *in.Filter
	}
	if err := checkFilter(filter.TagStatus, filter.ImageStatus); err != nil {
		return nil, err
	}
	type entry struct {
		order string
		id    types.ImageIdentifier
	}
	var entries []entry
	for _, i := range repo.images {
		if i.listed(filter.TagStatus, filter.ImageStatus) {
			for _, id := range i.ids() {
				entries = append(entries, entry{order(i) + " " + aws.ToString(id.ImageTag), id})
			}
		}
	}
	entries, next, err := page(entries, func(e entry) string { return e.order }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ecr.ListImagesOutput{ImageIds: []types.ImageIdentifier{}, NextToken: next}
	for _, e := range entries {
		out.ImageIds = append(out.ImageIds, e.id)
	}
	return out, nil
}

// ids is what names the image: one entry a tag, or the digest alone.
func (i image) ids() []types.ImageIdentifier {
	if len(i.Tags) == 0 {
		return []types.ImageIdentifier{{ImageDigest: &i.Digest}}
	}
	var ids []types.ImageIdentifier
	for _, tag := range i.Tags {
		ids = append(ids, types.ImageIdentifier{ImageDigest: &i.Digest, ImageTag: aws.String(tag)})
	}
	return ids
}
