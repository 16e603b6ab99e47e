package ecr

import (
	"slices"

	"cuelabs.dev/go/oci/ociregistry/ociref"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// referrersMost is the longest page of ListImageReferrers.
const referrersMost = 50

// listImageReferrers lists what has an image as its subject. A subject that is
// not there has no referrers, as at the registry's door.
func (r *Registry) listImageReferrers(in *ecr.ListImageReferrersInput) (*ecr.ListImageReferrersOutput, error) {
	repo, err := r.repository(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	if in.SubjectId == nil || !ociref.IsValidDigest(aws.ToString(in.SubjectId.ImageDigest)) {
		return nil, invalid("subjectId", "image digest should satisfy the regex '%s'", digestPattern)
	}
	filter := types.ListImageReferrersFilter{}
	if in.Filter != nil {
		filter = *in.Filter
	}
	if s := filter.ArtifactStatus; s != "" && !slices.Contains(s.Values(), s) {
		return nil, invalid("artifactStatus", "Member must satisfy enum value set: %s", s.Values())
	}
	limit := int32(referrersMost)
	if in.MaxResults != nil {
		limit = *in.MaxResults
	}
	if limit > referrersMost {
		return nil, invalid("maxResults", "must be between 1 and %d", referrersMost)
	}
	var found []image
	for _, i := range repo.images {
		if s := i.Content.Subject; s != nil && s.Digest == *in.SubjectId.ImageDigest && i.refers(filter) {
			found = append(found, i)
		}
	}
	found, next, err := page(found, func(i image) string { return i.Digest }, in.NextToken, &limit)
	if err != nil {
		return nil, err
	}
	out := &ecr.ListImageReferrersOutput{Referrers: []types.ImageReferrer{}, NextToken: next}
	for _, i := range found {
		out.Referrers = append(out.Referrers, types.ImageReferrer{
			Digest: &i.Digest, MediaType: &i.MediaType, Size: aws.Int64(int64(len(i.Body))),
			Annotations: i.Content.Annotations, ArtifactType: nilIfZero(i.Content.artifactMediaType()), ArtifactStatus: types.ArtifactStatus(i.status()),
		})
	}
	return out, nil
}

// refers tells whether a referrer passes the filter. Without a status only
// those at hand do.
func (i image) refers(f types.ListImageReferrersFilter) bool {
	status := f.ArtifactStatus
	if status == "" {
		status = types.ArtifactStatusFilterActive
	}
	return (status == types.ArtifactStatusFilterAny || string(status) == string(i.status())) &&
		(len(f.ArtifactTypes) == 0 || slices.Contains(f.ArtifactTypes, i.Content.artifactMediaType()))
}
